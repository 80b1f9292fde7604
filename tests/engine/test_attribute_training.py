"""Trainings on attributes: what the hooks tell and refuse, and a distillation that is broken off and goes on."""
import copy

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmpretrain.structures import DataSample
from torch.utils.data import ConcatDataset, Dataset

from mmspike.evaluation.metrics import AttributeMetric
from mmspike.registry import MODELS
from mmspike.utils import compat
from mmspike.utils.checkpoint import load_weights

NAMES = ('Hat', 'Glasses', 'Bag')
STUDENT = dict(
    type='AttributeRecognizer', backbone=dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2),
                                              num_steps=2),
    head=dict(type='AttributeHead', num_attributes=3, in_channels=16))
TEACHER = dict(
    type='AttributeRecognizer', backbone=dict(
        type='mmpretrain.VisionTransformer', img_size=32, patch_size=16, out_type='raw', final_norm=False,
        arch=dict(embed_dims=16, num_layers=1, num_heads=2, feedforward_channels=32)),
    head=dict(type='VTBHead', num_attributes=3, in_channels=16, num_heads=2, text_channels=8))
HOOKS = [dict(type='EpochSeedHook'), dict(type='CheckpointCheckHook'), dict(type='NumClassesHook'),
         dict(type='EMAHook', momentum=0.1, update_buffers=True), dict(type='PositiveRatioHook')]


class Pedestrians(Dataset):
    """Eight squares whose brightness are their attributes."""
    ann_file = 'lists/toy.json'

    def __init__(self, names=NAMES, ratio=(0.25, 0.5, 0.125)):
        self.metainfo = dict(attributes=list(names), positive_ratio=list(ratio)) if names else {}

    def __len__(self):
        return 8

    def __getitem__(self, index):
        labels = torch.tensor([index % 4 == 0, index % 2 == 0, index == 5]).float()
        return dict(inputs=torch.full((3, 32, 32), 20 * index, dtype=torch.uint8),
                    data_samples=DataSample().set_gt_score(labels))


class Kill(Hook):
    """Ends a training as it begins its third epoch."""

    def before_train_epoch(self, runner):
        if runner.epoch == 2:
            raise InterruptedError


@pytest.fixture(autouse=True)
def safe_loading():
    compat.apply()


@pytest.fixture
def train(toy):
    def build(folder, model=STUDENT, data=None, epochs=2, **settings):
        torch.manual_seed(0)
        # A data set built already, as it stands; copied, a hook may not change the one of another run
        loader = dict(batch_size=4, num_workers=0, dataset=data or Pedestrians())
        settings = dict(
            model=MODELS.build(copy.deepcopy(model)) if isinstance(model, dict) else model,
            train_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=False)),
            val_evaluator=Evaluator(AttributeMetric()), train_cfg=dict(by_epoch=True, max_epochs=epochs),
            param_scheduler=dict(type='WarmupCosineLR', T_max=4, warmup=1), custom_hooks=HOOKS,
            default_hooks=dict(checkpoint=dict(
                type='AtomicCheckpointHook', interval=1, save_best='par/mA', rule='greater')), **settings)
        return toy(folder, **settings)
    return build


@pytest.fixture
def distillation(tmp_path):
    torch.manual_seed(1)
    meta = dict(dataset_meta=dict(attributes=list(NAMES)))
    torch.save(dict(state_dict=MODELS.build(TEACHER).state_dict(), meta=meta), tmp_path / 'teacher.pth')
    return dict(type='Distiller', student=STUDENT, teacher=TEACHER, teacher_checkpoint=str(tmp_path / 'teacher.pth'),
                feature_loss=dict(type='TextAlignmentKL'))


def test_the_loss_is_told_the_ratios_of_the_training_set(train, tmp_path):
    runner = train(tmp_path, epochs=1)
    runner.train()
    assert runner.model.head.loss_module.positive_ratio.tolist() == [0.25, 0.5, 0.125]


def test_several_data_sets_are_averaged(train, tmp_path):
    runner = train(tmp_path, data=ConcatDataset([Pedestrians(), Pedestrians(ratio=(0.75, 0.5, 0.125))]), epochs=1)
    runner.train()
    assert runner.model.head.loss_module.positive_ratio.tolist() == [0.5, 0.5, 0.125]


def test_ratios_of_the_config_stay(train, tmp_path):
    head = dict(STUDENT['head'], loss=dict(type='WeightedBCELoss', positive_ratio=[0.5, 0.5, 0.5]))
    runner = train(tmp_path, dict(STUDENT, head=head), epochs=1)
    runner.train()
    assert runner.model.head.loss_module.positive_ratio.tolist() == [0.5, 0.5, 0.5]


def test_a_training_set_without_ratios_is_an_error(train, tmp_path):
    with pytest.raises(ValueError, match="Pedestrians: metainfo has no 'positive_ratio', which WeightedBCELoss needs"):
        train(tmp_path, data=Pedestrians(names=None)).train()


def test_another_number_of_attributes_is_an_error(train, tmp_path, distillation):
    data = Pedestrians([*NAMES, 'Boots'], [0.5] * 4)
    with pytest.raises(ValueError, match=r'lists/toy.json: 4 attributes \(Hat, Glasses, Bag, ...\), the model has 3. '
                                         r'Set model.head.num_attributes=4 \(--cfg-options model.head'):
        train(tmp_path, data=data).train()
    with pytest.raises(ValueError, match='Set model.student.head.num_attributes=4'):
        train(tmp_path, distillation, data=data).train()


def test_attributes_in_another_order_than_the_teachers_are_an_error(train, tmp_path, distillation):
    data = Pedestrians(['Hat', 'Bag', 'Glasses'])
    with pytest.raises(ValueError, match="attribute 1 is 'Bag', for the teacher it is 'Glasses'. Give a teacher trai"):
        train(tmp_path, distillation, data=data).train()


def test_attributes_in_another_order_than_the_sentences_are_an_error(train, tmp_path):
    model = MODELS.build(TEACHER)
    model.head.attributes = ['Glasses', 'Hat', 'Bag']
    with pytest.raises(ValueError, match="attribute 0 is 'Hat', for the text embeddings of the head it is 'Glasses'. "
                                         'Write them from this annotation file: python .* lists/toy.json --out FILE'):
        train(tmp_path, model).train()


def test_a_missing_teacher_is_an_error_before_the_first_batch(train, tmp_path, distillation):
    with pytest.raises(RuntimeError, match='The teacher: gone.pth: no such checkpoint'):
        train(tmp_path, dict(distillation, teacher_checkpoint='gone.pth')).train()


def test_a_distillation_that_is_broken_off_goes_on_as_if_it_had_not(train, tmp_path, distillation):
    whole = train(tmp_path / 'whole', distillation, epochs=4)
    whole.train()
    broken = train(tmp_path / 'broken', distillation, epochs=4)
    broken.register_hook(Kill())
    with pytest.raises(InterruptedError):
        broken.train()
    resumed = train(tmp_path / 'broken', distillation, epochs=4, resume=True,
                    load_from=str(tmp_path / 'broken/epoch_2.pth'))
    resumed.train()
    ends = [torch.load(tmp_path / folder / 'epoch_4.pth', weights_only=False) for folder in ('whole', 'broken')]
    for kind in ('state_dict', 'ema_state_dict'):
        first, second = (end[kind] for end in ends)
        assert list(first) == list(second) and all(torch.equal(first[name], second[name]) for name in first)
    assert whole.optim_wrapper.get_lr() == resumed.optim_wrapper.get_lr()


def test_its_checkpoint_is_that_of_the_student(train, tmp_path, distillation):
    train(tmp_path, distillation, epochs=1).train()
    student = MODELS.build(STUDENT)
    load_weights(student, tmp_path / 'epoch_1.pth')  # all of it or an error
    size = (tmp_path / 'epoch_1.pth').stat().st_size
    weights = sum(value.numel() * value.element_size() for value in student.state_dict().values())
    assert size < 4 * weights + 200_000  # student, its average, momentum; no teacher
