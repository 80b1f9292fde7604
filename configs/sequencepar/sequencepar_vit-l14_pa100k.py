"""SequencePAR on PA-100K: CLIP ViT-L/14 at 224x224, a decoder of six layers, batch 32, 50 epochs; sequences end.

Paper: accuracy / precision / recall / F1 = 83.94 / 90.38 / 90.23 / 90.10. Ours: not run (no data set, no GPU).
    python tools/dataset_converters/text_embeddings.py data/pa100k/pa100k.json --library open_clip \
        --model ViT-L-14-quickgelu --pretrained ViT-L-14.pt --out data/pa100k/clip-l14.npz
    python tools/model_converters/convert.py clip ViT-L-14.pt checkpoints/clip_vit-l14.pth
    python tools/train.py configs/sequencepar/sequencepar_vit-l14_pa100k.py
Differs from the published run: sequences end; the text tower is frozen; trained on train, the checkpoint chosen on val
(published: trained on train and val, chosen on test).
"""
_base_ = [
    '../_base_/models/sequencepar_vit-l14.py', '../_base_/datasets/pedestrians_224x224.py',
    '../_base_/schedules/adamw_warmup-cosine_50e.py', '../_base_/attribute_runtime.py'
]

model = dict(
    head=dict(
        num_attributes=26,
        phrases=dict(_delete_=True, type='FilePhrases', text_embeddings='data/pa100k/clip-l14.npz')))
load_from = 'checkpoints/clip_vit-l14.pth'
dataset = dict(data_root='data/pa100k', ann_file='pa100k.json', data_prefix=dict(img='data'))
train_dataloader = dict(batch_size=32, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
val_evaluator = [dict(type='AttributeMetric'), dict(type='SequenceMetric')]
test_evaluator = val_evaluator
visualizer = dict(type='SequenceVisualizer')
auto_scale_lr = dict(base_batch_size=32)
randomness = dict(seed=605)
