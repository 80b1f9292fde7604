"""SNN-PAR: Spikingformer 8-768 learns from the labels and from a trained VTB, with the published losses.

A leaf sets attributes, text embeddings and the teacher's checkpoint.
"""
_base_ = ['./vtb_vit-b16.py']

model = dict(
    _delete_=True,
    type='Distiller',
    student=dict(
        type='AttributeRecognizer',
        data_preprocessor=dict(
            type='mmpretrain.ClsDataPreprocessor', mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5], to_rgb=True),
        backbone=dict(
            type='Spikingformer', arch=dict(embed_dims=768, depth=8, num_heads=8, mlp_ratio=4), num_steps=8),
        head=dict(type='AttributeHead', num_attributes=26, in_channels=768, loss=dict(type='WeightedBCELoss'))),
    teacher={{_base_.model}},
    teacher_checkpoint=None,
    label_weight=0.6,
    feature_loss=dict(type='TextAlignmentKL', loss_weight=100.0),
    logit_loss=dict(type='LogitKL', temperature=2.0, loss_weight=1.0))
