"""SNN-PAR on RAPv2: Spikingformer 8-768, T = 8, 256x128, taught by a VTB; batch 12, 60 epochs, from scratch.

Paper: this data set is not in it.
Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/snn_par_spikingformer_8-768_rapv2.py
Needs the teacher's checkpoint (vtb_vit-b16_rapv2.py, or a converted one) and the text embeddings it was trained with.
Differs from the published run: the teacher is in evaluation mode while it teaches (model.legacy=True: as published).
"""
_base_ = [
    '../_base_/models/snn_par_8-768.py', '../_base_/datasets/rapv2.py', '../_base_/schedules/sgd_warmup-cosine_60e.py',
    '../_base_/attribute_runtime.py'
]

model = dict(
    student=dict(head=dict(num_attributes=54)),
    teacher=dict(head=dict(num_attributes=54, text_embeddings='data/rapv2/text_embeddings.npz')),
    teacher_checkpoint='checkpoints/vtb_vit-b16_rapv2.pth')
train_dataloader = dict(batch_size=12)
val_evaluator = dict(threshold=0.45)
test_evaluator = val_evaluator
visualizer = dict(threshold=0.45)
auto_scale_lr = dict(base_batch_size=12)
randomness = dict(seed=605)
