"""SNN-PAR on PETA: Spikingformer 8-768, T = 8, 256x128, taught by a VTB; batch 12, 60 epochs, from scratch.

Paper: mA / accuracy / precision / recall / F1 = 80.58 / 73.55 / 81.76 / 82.79 / 81.96.
Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/snn_par_spikingformer_8-768_peta.py
Needs the teacher's checkpoint (vtb_vit-b16_peta.py, or a converted one) and the text embeddings it was trained with.
Differs from the published run: the teacher is in evaluation mode while it teaches (model.legacy=True: as published).
"""
_base_ = [
    '../_base_/models/snn_par_8-768.py', '../_base_/datasets/peta.py', '../_base_/schedules/sgd_warmup-cosine_60e.py',
    '../_base_/attribute_runtime.py'
]

model = dict(
    student=dict(head=dict(num_attributes=35)),
    teacher=dict(head=dict(num_attributes=35, text_embeddings='data/peta/text_embeddings.npz')),
    teacher_checkpoint='checkpoints/vtb_vit-b16_peta.pth')
train_dataloader = dict(batch_size=12)
val_evaluator = dict(threshold=0.45)
test_evaluator = val_evaluator
visualizer = dict(threshold=0.45)
auto_scale_lr = dict(base_batch_size=12)
randomness = dict(seed=605)
