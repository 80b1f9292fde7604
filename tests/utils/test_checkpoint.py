"""Checkpoints: read without running anything, and every unusable one explained."""
import os
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.registry import PARAM_SCHEDULERS
from torch import nn

from mmspike.utils.checkpoint import (
    CheckpointError,
    compare_state_dict,
    load_checkpoint_file,
    load_weights,
    mismatch_message,
    weights_of,
)


class RunsCode:
    """Pickles as a call of any function, as an attacker's file would."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Net(nn.Module):

    def __init__(self, num_classes=4, width=3):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(1, width, 1), nn.BatchNorm2d(width))
        self.head = nn.Linear(width, num_classes)


def error_of(function, *args):
    with pytest.raises(CheckpointError) as caught:
        function(*args)
    return str(caught.value)


def test_reads_what_the_runner_writes(tmp_path):
    history = HistoryBuffer()
    history.update(1.0)
    history.update(3.0)
    torch.save(dict(state_dict=dict(a=torch.ones(2)), message_hub=dict(loss=history, best=np.float64(0.5))),
               tmp_path / 'epoch_1.pth')
    checkpoint = load_checkpoint_file(tmp_path / 'epoch_1.pth')
    assert checkpoint['message_hub']['loss'].mean() == 2.0
    assert checkpoint['message_hub']['best'] == 0.5


@pytest.mark.parametrize(('kind', 'settings'), [
    ('OneCycleLR', dict(eta_max=1.0, total_steps=5)), ('OneCycleLR', dict(eta_max=1.0, total_steps=5,
                                                                         anneal_strategy='linear')),
    ('CosineAnnealingLR', dict(T_max=5)), ('MultiStepLR', dict(milestones=[2])), ('PolyLR', {}),
    ('LinearLR', {}), ('ExponentialLR', dict(gamma=0.5)), ('ConstantLR', {}), ('StepLR', dict(step_size=1)),
    ('ReduceOnPlateauLR', dict(monitor='loss')), ('CosineRestartLR', dict(periods=[5], eta_min=0.0)),
])
def test_the_state_of_a_schedule_is_no_code(tmp_path, kind, settings):
    def build():
        return PARAM_SCHEDULERS.build(dict(type=kind, optimizer=torch.optim.SGD([torch.ones(1)], lr=0.1), **settings))

    state = build().state_dict()
    torch.save(dict(state_dict={}, param_schedulers=[state]), tmp_path / 'epoch_1.pth')
    loaded = load_checkpoint_file(tmp_path / 'epoch_1.pth')['param_schedulers'][0]
    assert loaded == state
    build().load_state_dict(loaded)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(('payload', 'named'), [
    (RunsCode(os.mkdir, 'made_by_a_checkpoint'), 'mkdir'),
    (RunsCode(getattr, HistoryBuffer, 'register_statistics'), 'getattr'),
    (RunsCode(getattr, nn.Linear, 'forward'), 'Linear'),
    (RunsCode(OneCycleParamScheduler, 1), 'OneCycle'),
    (nn.Linear(1, 1), 'torch.nn.modules.linear.Linear'),
])
def test_a_checkpoint_holding_code_is_refused(tmp_path, monkeypatch, payload, named, zipped):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict=dict(a=torch.ones(2)), other=payload), 'code.pth',
               _use_new_zipfile_serialization=zipped)
    message = error_of(load_checkpoint_file, 'code.pth')
    assert 'code.pth: refused' in message and named in message
    assert "torch.save({'state_dict'" in message and 'only if you trust its origin' in message
    assert not os.path.exists('made_by_a_checkpoint')


def test_each_unreadable_file_is_explained(tmp_path):
    torch.save(dict(a=torch.ones(100)), tmp_path / 'whole.pth')
    data = (tmp_path / 'whole.pth').read_bytes()
    (tmp_path / 'cut.pth').write_bytes(data[:-100])
    (tmp_path / 'empty.pth').write_bytes(b'')
    (tmp_path / 'page.pth').write_bytes(b'<html>404 not found</html>')
    torch.save([torch.ones(1)], tmp_path / 'list.pth')
    with zipfile.ZipFile(tmp_path / 'archive.pth', 'w') as archive:
        archive.writestr('notes.txt', 'no checkpoint')
    message = error_of(load_checkpoint_file, tmp_path / 'archive.pth')
    assert 'a whole zip archive, but torch.load cannot read it (RuntimeError: ' in message and 'PK' not in message
    assert f'cut off after {len(data) - 100} bytes' in error_of(load_checkpoint_file, tmp_path / 'cut.pth')
    assert 'the file is empty' in error_of(load_checkpoint_file, tmp_path / 'empty.pth')
    assert 'not a checkpoint of torch.save' in error_of(load_checkpoint_file, tmp_path / 'page.pth')
    assert 'holds a list, expected a dict' in error_of(load_checkpoint_file, tmp_path / 'list.pth')
    assert 'The folder holds archive.pth' in error_of(load_checkpoint_file, tmp_path / 'absent.pth')
    assert 'is a folder' in error_of(load_checkpoint_file, tmp_path)


def test_weights_of_takes_a_state_dict_alone_or_inside_a_checkpoint_without_the_ddp_prefix():
    weights = OrderedDict({'module.a': torch.ones(1)})
    assert list(weights_of(weights)) == list(weights_of(dict(state_dict=weights, meta={}))) == ['a']
    assert 'its keys are meta, optimizer' in error_of(weights_of, dict(meta={}, optimizer={}))


def test_loads_only_weights_that_fit_completely(tmp_path):
    source = Net()
    weights = source.state_dict()
    del weights['backbone.1.num_batches_tracked']
    torch.save(dict(state_dict=weights, meta=dict(epoch=3)), tmp_path / 'net.pth')
    model = Net()
    assert load_weights(model, tmp_path / 'net.pth')['meta'] == dict(epoch=3)
    assert torch.equal(model.head.weight, source.head.weight)
    untouched = Net(width=5)
    before = untouched.head.weight.clone()
    assert 'does not fit' in error_of(load_weights, untouched, tmp_path / 'net.pth')
    assert torch.equal(untouched.head.weight, before)


def test_what_the_model_drops_on_loading_is_no_mismatch():
    model, weights = Net(), Net().state_dict()
    weights['head.unused'] = torch.ones(1)
    assert compare_state_dict(model, weights).unexpected == ['head.unused']
    model.head.register_load_state_dict_pre_hook(lambda module, state, prefix, *_: state.pop(f'{prefix}unused', None))
    assert not compare_state_dict(model, weights) and 'head.unused' in weights


def test_another_number_of_classes_is_named_with_its_fix():
    difference = compare_state_dict(Net(num_classes=4), Net(num_classes=7).state_dict())
    assert len(difference.shapes) == 2 and not difference.missing and not difference.unexpected
    message = mismatch_message(difference, 'net.pth', dict(meta=dict(experiment_name='net_2024')))
    assert "net.pth (made by the run 'net_2024') does not fit" in message
    assert 'head.weight [4, 3] in the model, [7, 3] in the file' in message
    assert 'Set model.head.num_classes=7' in message and 'load_from=FILE' in message


def test_a_file_with_the_published_names_points_to_the_converter():
    difference = compare_state_dict(Net(), {f'resnet.{i}': torch.ones(1) for i in range(9)})
    message = mismatch_message(difference, 'published.pth')
    assert difference.matched == 0
    assert '8 of the model are missing in the file: backbone.0.weight' in message
    assert 'unknown to the model: resnet.0, resnet.1, resnet.2, resnet.3, resnet.4 and 4 more' in message
    assert 'tools/model_converters/convert.py SYSTEM SRC DST' in message


def test_a_file_of_another_config_says_so():
    message = mismatch_message(compare_state_dict(Net(width=3), Net(width=5).state_dict()), 'net.pth')
    assert 'have another shape' in message and 'made with another config' in message
