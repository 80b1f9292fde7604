"""SequencePAR on RAPv1, the first of its partitions: CLIP ViT-L/14, a decoder of six layers, batch 32, 50 epochs.

Paper: accuracy / precision / recall / F1 = 71.47 / 82.40 / 82.09 / 82.05. Ours: not run (no data set, no GPU).
    python tools/dataset_converters/text_embeddings.py data/rapv1/rapv1.json --library open_clip \
        --model ViT-L-14-quickgelu --pretrained ViT-L-14.pt --out data/rapv1/clip-l14.npz
    python tools/model_converters/convert.py clip ViT-L-14.pt checkpoints/clip_vit-l14.pth
    python tools/train.py configs/sequencepar/sequencepar_vit-l14_rapv1.py
Differs from the published run: sequences end; the text tower is frozen; the release has no val, so the last 3,268 of
the 33,268 images to train are kept for choosing the checkpoint (published: chosen on test).
"""
_base_ = ['./sequencepar_vit-l14_pa100k.py']

model = dict(head=dict(num_attributes=51, phrases=dict(text_embeddings='data/rapv1/clip-l14.npz')))
dataset = dict(data_root='data/rapv1', ann_file='rapv1.json', data_prefix=dict(img='RAP_dataset'))
train_dataloader = dict(batch_size=32, dataset=dict(split='trainval', indices=30000, **dataset))
val_dataloader = dict(dataset=dict(split='trainval', indices=-3268, **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
