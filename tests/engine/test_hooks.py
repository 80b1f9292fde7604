"""What the hooks refuse, and what they say."""
import logging

import pytest
import torch
from mmengine.evaluator import Evaluator
from torch.utils.data import ConcatDataset, Subset

from mmspike.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from mmspike.engine.hooks.inner_datasets import inner_datasets
from mmspike.utils import compat
from mmspike.utils.checkpoint import CheckpointError


@pytest.fixture(autouse=True)
def safe_loading():
    compat.apply()


@pytest.fixture
def other(tmp_path, toy):
    """Checkpoints of the toy model with another head, and of another network."""
    torch.save(dict(state_dict=toy.model(num_classes=5).state_dict()), tmp_path / 'head.pth')
    torch.save(dict(state_dict=toy.model(width=6).state_dict()), tmp_path / 'width.pth')
    torch.save(dict(state_dict={'conv.weight': torch.ones(1)}), tmp_path / 'alien.pth')
    return tmp_path


def runner_of_a_test(toy, folder, name):
    loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='default_collate'), dataset=toy.data(),
                  sampler=dict(type='DefaultSampler', shuffle=False))
    return toy(folder, load_from=str(folder / name), test_dataloader=loader, test_cfg=dict(),
               test_evaluator=Evaluator(toy.metric(prefix='toy')), custom_hooks=[dict(type='CheckpointCheckHook')])


@pytest.mark.parametrize(('name', 'advice'), [
    ('head.pth', 'Set model.head.num_classes=5'), ('width.pth', 'another config'), ('alien.pth', 'convert.py')])
def test_a_test_with_the_checkpoint_of_another_model_is_an_error(toy, other, name, advice):
    with pytest.raises(CheckpointError, match=f'{name} does not fit') as caught:
        runner_of_a_test(toy, other, name).test()
    assert advice in str(caught.value)


def test_a_test_with_its_own_checkpoint_runs(toy, tmp_path):
    torch.save(dict(state_dict=toy.model().state_dict()), tmp_path / 'own.pth')
    assert 'toy/top1' in runner_of_a_test(toy, tmp_path, 'own.pth').test()


def test_resuming_from_another_model_is_an_error(toy, other):
    with pytest.raises(CheckpointError, match='head.pth does not fit'):
        toy(other, load_from=str(other / 'head.pth'), resume=True).train()


def test_finetuning_with_another_head_is_allowed_and_logged(toy, other, caplog):
    runner = toy(other, load_from=str(other / 'head.pth'), train_cfg=dict(by_epoch=True, max_epochs=0),
                 param_scheduler=None, log_level='WARNING')
    runner.logger.addHandler(caplog.handler)
    with caplog.at_level(logging.WARNING):
        runner.train()
    assert 'what does not fit keeps its initial values' in caplog.text
    assert '2 have another shape: head.weight [3, 8] in the model, [5, 8] in the file' in caplog.text
    start = torch.load(other / 'head.pth')['state_dict']
    assert torch.equal(runner.model.backbone[0].weight, start['backbone.0.weight'])


def test_finetuning_from_a_file_of_which_nothing_fits_is_an_error(toy, other):
    with pytest.raises(CheckpointError, match='No tensor fits'):
        toy(other, load_from=str(other / 'alien.pth')).train()


def test_a_resumed_run_fetches_no_pretrained_weights(toy, tmp_path):
    toy(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=1)).train()
    model = toy.model()
    model.init_cfg = dict(type='mmspike.ImageNetWeights', checkpoint='no_such_file.pth')
    with pytest.raises(CheckpointError, match='no_such_file.pth'):
        toy(tmp_path / 'new', model=model).train()
    model = toy.model()
    model.init_cfg = dict(type='mmspike.ImageNetWeights', checkpoint='no_such_file.pth')
    toy(tmp_path, model=model, resume=True, load_from=str(tmp_path / 'epoch_1.pth')).train()


@pytest.mark.parametrize(('labels', 'message'), [
    ([0, 1, 7, 2] * 4, r'lists/toy.txt, line 3: label 7 of clip 2.mp4 \(and 3 more\) is outside the 3 classes of the '
                       r'model, 0 to 2. Correct the list, or set model.head.num_classes=8'),
    ([1, 2, 3, 1] * 4, 'line 3: label 3 .* count its labels from 1: subtract 1'),
    ([0, -1, 2, 1] * 4, 'line 2: label -1 .* Labels count from 0'),
])
def test_a_label_outside_the_classes_is_named(toy, tmp_path, labels, message):
    runner = toy(tmp_path)
    runner._train_dataloader['dataset'] = toy.data(labels)
    with pytest.raises(ValueError, match=message):
        runner.train()


def test_datasets_are_found_inside_wrappers(toy):
    first, second = toy.data(), toy.data()
    wrapped = ConcatDataset([Subset(first, [0, 1]), ConcatDataset([second])])
    assert list(inner_datasets(wrapped)) == [first, second]
    assert list(inner_datasets(first)) == [first]


def test_last_checkpoint_is_found_in_a_moved_folder_and_without_its_pointer(tmp_path):
    assert last_checkpoint(tmp_path / 'none') is None
    for name in ('epoch_2.pth', 'epoch_10.pth', 'best_acc_epoch_11.pth'):
        (tmp_path / name).touch()
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'
    (tmp_path / 'last_checkpoint').write_text('/where/it/was/epoch_2.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_2.pth'
    (tmp_path / 'last_checkpoint').write_text('/where/it/was/epoch_3.pth')
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_10.pth'


def test_the_augmentation_follows_the_seed_of_the_run_and_the_epoch(toy, tmp_path):
    runner = toy(tmp_path, train_cfg=dict(by_epoch=True, max_epochs=2))
    runner._train_dataloader['dataset'].seed = 1
    runner.train()
    data = runner.train_dataloader.dataset
    assert data.seed == 1 + 3 and data.epoch == 1  # 3 is the seed of the run
