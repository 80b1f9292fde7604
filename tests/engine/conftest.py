"""A training small enough to be run many times in one process, with everything that has to survive a kill."""
import itertools
import random

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

_RUNS = itertools.count()


class ToyData(Dataset):
    """Sixteen points; each read adds a noise that depends on (epoch, index)."""
    metainfo = dict(classes=('a', 'b', 'c'))

    def __init__(self, labels=None):
        self.labels = labels or [index % 3 for index in range(16)]
        self.ann_file = 'lists/toy.txt'
        self.epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, index):
        return dict(label=self.labels[index], filename=f'clip {index}.mp4', line=index + 1)

    def __getitem__(self, index):
        noise = np.random.default_rng((self.epoch, index)).normal(size=4)
        return torch.tensor(noise + np.eye(4)[self.labels[index]], dtype=torch.float32), self.labels[index]


class ToyHead(nn.Linear):

    def __init__(self, num_classes):
        super().__init__(8, num_classes)
        self.num_classes = num_classes


class ToyModel(BaseModel):

    def __init__(self, num_classes=3, width=8):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(4, width), nn.BatchNorm1d(width), nn.Dropout(0.5), nn.Linear(width, 8))
        self.head = ToyHead(num_classes)

    def forward(self, inputs, labels, mode='loss'):
        # numpy's and Python's generators too: batch augmentations use them in the training process
        logits = self.head(self.backbone(inputs)) + 0.01 * (random.random() + np.random.rand() if self.training else 0)
        if mode == 'loss':
            return dict(loss=nn.functional.cross_entropy(logits, labels))
        return list(logits.argmax(1) == labels)


class ToyMetric(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results += [bool(hit) for hit in data_samples]

    def compute_metrics(self, results):
        return dict(top1=float(np.mean(results)))


@pytest.fixture
def toy():
    """Gives the function that builds a Runner of the toy training; ``settings`` go over its config."""

    def build(work_dir, **settings):
        torch.manual_seed(0)  # of the initial weights
        loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='default_collate'))
        cfg = dict(
            model=ToyModel(), work_dir=str(work_dir), default_scope='mmspike', randomness=dict(seed=3),
            experiment_name=f'toy_{next(_RUNS)}', log_level='ERROR',
            train_dataloader=dict(loader, dataset=ToyData(), sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(loader, dataset=ToyData(), sampler=dict(type='DefaultSampler', shuffle=False)),
            train_cfg=dict(by_epoch=True, max_epochs=3), val_cfg=dict(),
            val_evaluator=Evaluator(ToyMetric(prefix='toy')),
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.02)),
            param_scheduler=dict(type='CosineAnnealingLR', T_max=3, by_epoch=True),
            default_hooks=dict(checkpoint=dict(
                type='AtomicCheckpointHook', interval=1, save_best='toy/top1', max_keep_ckpts=1)),
            custom_hooks=[dict(type='EpochSeedHook'), dict(type='CheckpointCheckHook'), dict(type='NumClassesHook'),
                          dict(type='EMAHook', momentum=0.1)])
        cfg.update(settings)
        return Runner(**cfg, cfg=Config(dict(work_dir=str(work_dir))))

    build.data, build.model, build.metric = ToyData, ToyModel, ToyMetric
    return build
