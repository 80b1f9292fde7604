"""Trainings of SSPNet: groups of the data set, learned scales as they are logged, the weights that gave the score."""
import copy

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample
from torch.utils.data import ConcatDataset, Dataset

from mmspike.evaluation.metrics import AttributeMetric
from mmspike.registry import MODELS
from mmspike.structures.attribute_groups import GroupError
from mmspike.utils import compat
from mmspike.utils.checkpoint import load_weights
from mmspike.visualization import scale_chart

MODEL = dict(
    type='AttributeRecognizer',
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4, out_indices=(0, 1, 2, 3)),
    neck=dict(type='SSPNetNeck', out_channels=8),
    head=dict(type='SSPNetHead', num_attributes=3, in_channels=8, selection='adaptive', dropout=0.0))
PLACES = dict(head=dict(region=[0, 0.5], scale=1), body=dict(region=[0.5, 1], scale=2))


class Pedestrians(Dataset):
    """Eight squares whose brightness are their attributes."""

    def __init__(self, groups=('head', 'body', 'head'), places=PLACES):
        self.metainfo = dict(dataset='toy', attributes=['Hat', 'Bag', 'Glasses'], groups=list(groups),
                             group_places=places, positive_ratio=[0.25, 0.5, 0.125])

    def __len__(self):
        return 8

    def __getitem__(self, index):
        labels = torch.tensor([index % 4 == 0, index % 2 == 0, index == 5]).float()
        return dict(inputs=torch.full((3, 32, 32), 20 * index, dtype=torch.uint8),
                    data_samples=DataSample().set_gt_score(labels))


@pytest.fixture(autouse=True)
def safe_loading():
    compat.apply()


@pytest.fixture
def train(toy):
    def build(folder, data=None, model=MODEL, epochs=2, **settings):
        torch.manual_seed(0)
        loader = dict(batch_size=4, num_workers=0, dataset=data or Pedestrians(),
                      collate_fn=dict(type='pseudo_collate'))
        model = MODELS.build(copy.deepcopy(model))
        # Built, hence not looked for in the scope of whatever ran before
        settings = dict(dict(
            model=model, train_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=False)),
            val_evaluator=Evaluator(AttributeMetric()), train_cfg=dict(by_epoch=True, max_epochs=epochs),
            param_scheduler=[], optim_wrapper=dict(optimizer=dict(type='Adam', lr=0.02)),
            visualizer=dict(type='AttributeVisualizer', vis_backends=[dict(type='LocalVisBackend')]),
            custom_hooks=[dict(type='AttributeGroupsHook'), dict(type='PositiveRatioHook'),
                          dict(type='EMAHook', momentum=0.2, update_buffers=True), dict(type='ScaleWeightsHook')],
            default_hooks=dict(checkpoint=dict(
                type='AtomicCheckpointHook', interval=1, save_best='par/mA', rule='greater'))), **settings)
        return toy(folder, **settings)
    return build


def test_groups_are_told_and_kept(train, tmp_path):
    runner = train(tmp_path)
    runner.train()
    table = runner.model.head.table
    assert table.names == ['head', 'body'] and table.group.tolist() == [0, 1, 0]
    assert table.region.tolist() == [[0, 0.5], [0.5, 1], [0, 0.5]] and table.scale.tolist() == [1, 2, 1]
    fresh = MODELS.build(copy.deepcopy(MODEL))
    load_weights(fresh, tmp_path / 'epoch_2.pth')
    assert fresh.head.table.places() == table.places()


def test_the_checkpoint_holds_the_weights_that_gave_the_score(train, tmp_path):
    """Averaged weights are validated, chosen, and what a checkpoint's state_dict is."""
    runner = train(tmp_path, epochs=3)
    runner.train()
    best = next(tmp_path.glob('best_par_mA_*.pth'))
    fresh = MODELS.build(copy.deepcopy(MODEL))
    meta = load_weights(fresh, best)['meta']
    samples = [Pedestrians()[i] for i in range(8)]
    data = dict(inputs=[s['inputs'] for s in samples], data_samples=[s['data_samples'] for s in samples])
    metric = Evaluator(AttributeMetric())
    with torch.no_grad():
        metric.process(fresh.eval().test_step(data))
    figures = metric.evaluate(8)
    assert figures['par/mA'] == pytest.approx(runner.message_hub.get_info('best_score'))
    last = torch.load(tmp_path / 'epoch_3.pth', weights_only=False)
    assert not torch.equal(last['state_dict']['neck.top.weight'], runner.model.neck.top.weight)
    assert torch.equal(last['ema_state_dict']['module.neck.top.weight'], runner.model.neck.top.weight)
    assert meta['dataset_meta']['groups'] == ['head', 'body', 'head']


def test_a_group_without_a_place_stops_the_training(train, tmp_path):
    with pytest.raises(GroupError, match='nothing says where the group \'feet\' is looked for.*"groups": {"feet": '):
        train(tmp_path, Pedestrians(('head', 'body', 'feet'))).train()
    other = Pedestrians(places=dict(PLACES, body=dict(scale=3)))
    with pytest.raises(GroupError, match='the data sets of this training have other groups than each other'):
        train(tmp_path, ConcatDataset([Pedestrians(), other])).train()
    train(tmp_path, ConcatDataset([Pedestrians(), Pedestrians()]), epochs=1).train()


def test_a_training_that_starts_from_another_has_its_own_groups(train, tmp_path):
    train(tmp_path / 'first', epochs=1).train()
    own = Pedestrians(('body', 'body', 'head'))
    runner = train(tmp_path / 'second', own, epochs=1, load_from=str(tmp_path / 'first/epoch_1.pth'))
    runner.train()
    assert runner.model.head.table.group.tolist() == [0, 0, 1]
    saved = torch.load(tmp_path / 'second/epoch_1.pth', weights_only=False)['state_dict']
    assert saved['head.table.group'].tolist() == [0, 0, 1]  # of the averaged weights, too


def test_weights_of_the_scales_are_logged_and_drawn(train, tmp_path, monkeypatch):
    lines, scalars = [], {}
    monkeypatch.setattr('mmspike.engine.hooks.scale_weights_hook.print_log', lambda text, logger: lines.append(text))
    runner = train(tmp_path)
    monkeypatch.setattr(runner.visualizer, 'add_scalars', lambda values, step=0, **_: scalars.update(
        {(step, name): value for name, value in values.items()}))
    runner.train()
    assert 'head: P1 0.' in lines[0] and 'after epoch 2' in lines[1]
    weights = [scalars[2, f'afss/body/P{scale}'] for scale in (1, 2, 3)]
    assert sum(weights) == pytest.approx(1) and len(set(weights)) > 1
    assert len(list(tmp_path.rglob('scale_weights*.png'))) == 1
    resumed = train(tmp_path, epochs=3, resume=True)
    resumed.train()
    history = resumed.message_hub.get_info('scale_weights')
    assert [epoch for epoch, _ in history] == [0, 1, 2, 3] and history[0][1] == [[pytest.approx(1 / 3)] * 3] * 2


def test_fixed_scales_are_left_alone(train, tmp_path):
    fixed = dict(MODEL, head=dict(MODEL['head'], selection='fixed'))
    runner = train(tmp_path, model=fixed, epochs=1)
    runner.train()
    assert not list(tmp_path.rglob('scale_weights*.png'))


def test_chart_of_the_scales():
    history = [[epoch, [[0.2, 0.3, 0.5]] * 6] for epoch in (1, 2, 3)]
    figure = scale_chart(history, [f'group {g}' for g in range(6)])
    assert len(figure.axes) == 6 and all(len(axes.lines) == 3 for axes in figure.axes)
    assert figure.axes[0].lines[2].get_ydata().tolist() == [0.5] * 3
