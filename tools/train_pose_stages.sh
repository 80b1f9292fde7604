#!/usr/bin/env bash
# The stages of hybrid pose, one after the other: CNN, SNN, hybrid; each tested; table and chart of the three.
#   bash tools/train_pose_stages.sh synthetic|dhp19|h36m [options of tools/train.py]
# A stage that has its last checkpoint is not trained again; one that was broken off goes on.
set -euo pipefail
if [ $# -lt 1 ]; then
    echo "usage: bash $0 synthetic|dhp19|h36m [options of tools/train.py]" >&2
    exit 2
fi
DATA=$1
TOOLS=$(dirname "$0")
RESULTS=work_dirs/hybrid_pose_$DATA
TABLE=()
for STAGE in cnn snn cnn-snn; do
    NAME=hybrid_pose_${STAGE}_$DATA
    CONFIG=$TOOLS/../configs/hybrid_pose/$NAME.py
    PARTS=()
    if [ "$STAGE" = cnn-snn ]; then  # begins with what the others ended with, after however many epochs
        INIT=model.network.init_cfg
        if [ "$DATA" = synthetic ]; then INIT=$INIT.1; fi  # after Xavier
        PARTS=(--cfg-options "model.cnn.init_cfg.checkpoint=$(cat "work_dirs/hybrid_pose_cnn_$DATA/last_checkpoint")"
               "$INIT.checkpoint=$(cat "work_dirs/hybrid_pose_snn_$DATA/last_checkpoint")")
    fi
    python "$TOOLS/train.py" "$CONFIG" --work-dir "work_dirs/$NAME" --resume "${PARTS[@]}" "${@:2}"
    # By the config that the training has left there: with the options given above (where the data are, ...)
    python "$TOOLS/test.py" "work_dirs/$NAME/$NAME.py" "$(cat "work_dirs/$NAME/last_checkpoint")" \
        --work-dir "work_dirs/$NAME" --out "$RESULTS/$STAGE.json"
    TABLE+=("$STAGE=$RESULTS/${STAGE}_poses.json")
done
python "$TOOLS/analysis_tools/pose_table.py" "${TABLE[@]}" --out-dir "$RESULTS"
