"""The published SequencePAR on PA-100K, defects and all: converted checkpoints run with this.

Targets without an end, nothing constrained, both towers of CLIP trained. Paper: accuracy / precision / recall / F1 =
83.94 / 90.38 / 90.23 / 90.10. Ours: not run (no data set, no GPU).
    python tools/model_converters/convert.py clip ViT-L-14.pt checkpoints/clip_vit-l14.pth
    python tools/train.py configs/sequencepar/sequencepar_vit-l14_pa100k_legacy.py
    python tools/model_converters/convert.py sequencepar published.pth checkpoints/sequencepar_pa100k_legacy.pth
    python tools/test.py configs/sequencepar/sequencepar_vit-l14_pa100k_legacy.py \
        checkpoints/sequencepar_pa100k_legacy.pth
The phrases are ours; the published ones (of its authors' pickle) go into model.head.phrases.phrases=[...].
Differs: trained on train, the checkpoint chosen on val; up to 26 positive attributes in training, not 20.
"""
_base_ = ['./sequencepar_vit-l14_pa100k.py']

model = dict(
    head=dict(
        phrases=dict(_delete_=True, type='CLIPPhrases', arch='ViT-L/14', frozen=False), codec=dict(mode='legacy')))
metric = dict(type='AttributeMetric', legacy=True)
val_evaluator = [metric, dict(type='SequenceMetric')]
test_evaluator = val_evaluator
visualizer = dict(type='SequenceVisualizer')
