"""SequencePAR in small on the embedded set of drawn pedestrians.

    python tools/train.py configs/sequencepar/sequencepar_synthetic.py
"""
_base_ = [
    '../_base_/models/sequencepar_r18-narrow.py', '../_base_/datasets/synthetic_pedestrians.py',
    '../_base_/schedules/adamw_onecycle.py', '../_base_/attribute_runtime.py'
]

epochs = 6
param_scheduler = dict(total_steps=epochs)
train_cfg = dict(max_epochs=epochs)
val_evaluator = [dict(type='AttributeMetric'), dict(type='SequenceMetric')]
test_evaluator = val_evaluator
