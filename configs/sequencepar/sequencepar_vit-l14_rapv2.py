"""SequencePAR on RAPv2, the first of its partitions: CLIP ViT-L/14, a decoder of six layers, batch 32, 50 epochs.

Paper: accuracy / precision / recall / F1 = 70.14 / 81.37 / 81.22 / 81.10. Ours: not run (no data set, no GPU).
    python tools/dataset_converters/text_embeddings.py data/rapv2/rapv2.json --library open_clip \
        --model ViT-L-14-quickgelu --pretrained ViT-L-14.pt --out data/rapv2/clip-l14.npz
    python tools/model_converters/convert.py clip ViT-L-14.pt checkpoints/clip_vit-l14.pth
    python tools/train.py configs/sequencepar/sequencepar_vit-l14_rapv2.py
Differs from the published run: sequences end; the text tower is frozen; trained on train, the checkpoint chosen on val
(published: trained on train and val, chosen on test).
"""
_base_ = ['./sequencepar_vit-l14_pa100k.py']

model = dict(head=dict(num_attributes=54, phrases=dict(text_embeddings='data/rapv2/clip-l14.npz')))
dataset = dict(data_root='data/rapv2', ann_file='rapv2.json', data_prefix=dict(img='RAP_dataset'))
train_dataloader = dict(batch_size=32, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
