"""The student of SNN-PAR without a teacher, on PA-100K: Spikingformer 8-768, T = 8, 256x128, from scratch.

Paper: not stated. Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/spikingformer_8-768_pa100k.py
Also the config for testing a checkpoint that was trained with a teacher.
"""
_base_ = [
    '../_base_/models/spikingformer_8-768_attributes.py', '../_base_/datasets/pa100k.py',
    '../_base_/schedules/sgd_warmup-cosine_60e.py', '../_base_/attribute_runtime.py'
]

model = dict(head=dict(num_attributes=26))
train_dataloader = dict(batch_size=12)
val_evaluator = dict(threshold=0.45)
test_evaluator = val_evaluator
visualizer = dict(threshold=0.45)
auto_scale_lr = dict(base_batch_size=12)
randomness = dict(seed=605)
