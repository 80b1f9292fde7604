"""VTB on RAPv1, the teacher of SNN-PAR: ViT-B/16 and sentences, 256x128, batch 128, 20 epochs.

Paper: mA / accuracy / precision / recall / F1 = 82.67 / 69.44 / 78.28 / 84.39 / 80.84.
Ours: not run (no data set, no GPU).
    python tools/dataset_converters/text_embeddings.py data/rapv1/rapv1.json --out data/rapv1/text_embeddings.npz
    python tools/model_converters/convert.py vit jx_vit_base_p16_224-80ecf9dd.pth checkpoints/vit-b16_imagenet.pth
    python tools/train.py configs/snn_par/vtb_vit-b16_rapv1.py
From scratch: --cfg-options load_from=None.
"""
_base_ = [
    '../_base_/models/vtb_vit-b16.py', '../_base_/datasets/rapv1.py', '../_base_/schedules/sgd_warmup-cosine_20e.py',
    '../_base_/attribute_runtime.py'
]

model = dict(head=dict(num_attributes=51, text_embeddings='data/rapv1/text_embeddings.npz'))
load_from = 'checkpoints/vit-b16_imagenet.pth'
train_dataloader = dict(batch_size=128)
val_evaluator = dict(threshold=0.45)
test_evaluator = val_evaluator
visualizer = dict(threshold=0.45)
auto_scale_lr = dict(base_batch_size=128)
randomness = dict(seed=605)
