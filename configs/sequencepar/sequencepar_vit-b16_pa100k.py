"""SequencePAR on PA-100K for one GPU: CLIP ViT-B/16 at 224x224, a decoder of three layers, batch 32, 20 epochs.

Blocks are computed again for the gradient; the decoder, which begins from nothing, learns ten times as fast as CLIP.
Paper: none, the sizes are ours. Ours: not run (no data set, no GPU).
    python tools/dataset_converters/text_embeddings.py data/pa100k/pa100k.json --library open_clip \
        --model ViT-B-16-quickgelu --pretrained ViT-B-16.pt --out data/pa100k/clip-b16.npz
    python tools/model_converters/convert.py clip ViT-B-16.pt checkpoints/clip_vit-b16.pth
    python tools/train.py configs/sequencepar/sequencepar_vit-b16_pa100k.py --amp
"""
_base_ = ['./sequencepar_vit-l14_pa100k.py']

model = dict(
    backbone=dict(arch='ViT-B/16', with_cp=True),
    head=dict(
        phrases=dict(text_embeddings='data/pa100k/clip-b16.npz'),
        decoder=dict(embed_dims=512, depth=3, feedforward_channels=1024)))
load_from = 'checkpoints/clip_vit-b16.pth'
optim_wrapper = dict(
    optimizer=dict(lr=1e-5), paramwise_cfg=dict(custom_keys=dict(head=dict(lr_mult=10)), norm_decay_mult=0.0))
param_scheduler = dict(T_max=20)
train_cfg = dict(max_epochs=20)
