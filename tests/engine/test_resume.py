"""A training that dies at any of its writes, and is resumed, ends as the unbroken one does."""
import os
from pathlib import Path

import pytest
import torch

from mmspike.engine.atomic_backend import AtomicLocalBackend
from mmspike.utils import compat
from mmspike.utils.checkpoint import load_checkpoint_file


class Killed(BaseException):
    """Ends a run at once, as a kill does: nothing may catch it."""


@pytest.fixture(autouse=True)
def safe_loading():
    compat.apply()


def last_checkpoint(work_dir):
    pointer = Path(work_dir, 'last_checkpoint')
    return Path(pointer.read_text()) if pointer.exists() else None


def assert_same(ours, theirs, path=''):
    if isinstance(ours, torch.Tensor):
        assert torch.equal(ours, theirs), path
    elif isinstance(ours, dict):
        assert list(ours) == list(theirs), path
        for key in ours:
            assert_same(ours[key], theirs[key], f'{path}.{key}')
    elif isinstance(ours, list | tuple):
        assert len(ours) == len(theirs), path
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f'{path}.{index}')
    elif not hasattr(ours, 'data'):  # log histories hold times
        assert ours == theirs, path


def assert_same_end(work_dir, unbroken):
    """Weights, averages, optimiser, schedules and the best checkpoint are those of the unbroken run."""
    ours, theirs = (load_checkpoint_file(Path(folder, 'epoch_3.pth')) for folder in (work_dir, unbroken))
    for key in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert_same(ours[key], theirs[key], key)
    best = [sorted(path.name for path in Path(folder).glob('best_*')) for folder in (work_dir, unbroken)]
    assert best[0] == best[1] and len(best[0]) == 1
    assert_same(load_checkpoint_file(Path(work_dir, best[0][0]))['state_dict'],
                load_checkpoint_file(Path(unbroken, best[0][0]))['state_dict'])


def resume(toy, work_dir, **settings):
    last = last_checkpoint(work_dir)
    toy(work_dir, resume=last is not None, load_from=last and str(last), **settings).train()


def test_killed_at_any_write_and_resumed_it_ends_the_same(tmp_path, toy, monkeypatch):
    toy(tmp_path / 'unbroken').train()
    replace, writes = os.replace, 0

    def counted(source, target):
        nonlocal writes
        writes += 1
        if writes == deadly:
            Path(source).write_bytes(Path(source).read_bytes()[:100])  # died in mid-file
            raise Killed
        replace(source, target)

    monkeypatch.setattr(os, 'replace', counted)
    deadly = 1
    while True:
        work_dir, writes = tmp_path / f'killed_{deadly}', 0
        try:
            toy(work_dir).train()
        except Killed:
            if last_checkpoint(work_dir) is not None:
                load_checkpoint_file(last_checkpoint(work_dir))  # names a whole file
            if deadly > 6:  # the first epoch has written: epoch_1, its pointer, the best, and the first two again
                assert list(work_dir.glob('best_*.pth'))
            resume(toy, work_dir)
            assert_same_end(work_dir, tmp_path / 'unbroken')
            deadly += 1
        else:
            break
    assert deadly > 12  # three epochs with at least four writes each have been broken off


def test_killed_in_mid_epoch_with_another_seed_and_resumed_it_keeps_the_first_seed(tmp_path, toy):
    toy(tmp_path / 'unbroken').train()
    runner = toy(tmp_path / 'killed')

    def die(runner, batch_idx, **_):
        if runner.iter == 6:
            raise Killed

    runner.hooks[0].before_train_iter = die
    with pytest.raises(Killed):
        runner.train()
    resume(toy, tmp_path / 'killed', randomness=dict(seed=99))
    assert_same_end(tmp_path / 'killed', tmp_path / 'unbroken')


def test_without_the_seed_hook_a_resumed_run_ends_elsewhere(tmp_path, toy):
    hooks = [dict(type='CheckpointCheckHook'), dict(type='EMAHook', momentum=0.1)]
    toy(tmp_path / 'unbroken', custom_hooks=hooks).train()
    toy(tmp_path / 'broken', custom_hooks=hooks, train_cfg=dict(by_epoch=True, max_epochs=1)).train()
    resume(toy, tmp_path / 'broken', custom_hooks=hooks)
    with pytest.raises(AssertionError):
        assert_same_end(tmp_path / 'broken', tmp_path / 'unbroken')


def test_outdated_checkpoints_go_only_after_their_successor_is_there(tmp_path, toy):
    hook = dict(type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2)
    toy(tmp_path, default_hooks=dict(checkpoint=hook)).train()
    assert sorted(path.name for path in tmp_path.glob('*.pth*')) == ['epoch_2.pth', 'epoch_3.pth']
    assert last_checkpoint(tmp_path) == tmp_path / 'epoch_3.pth'


def test_an_unfinished_write_leaves_the_file_of_before(tmp_path, monkeypatch):
    backend, path = AtomicLocalBackend(), tmp_path / 'sub/file.pth'
    backend.put(b'before', path)

    def die(*_):
        raise Killed

    monkeypatch.setattr(os, 'fsync', die)
    with pytest.raises(Killed):
        backend.put(b'after, half', path)
    assert path.read_bytes() == b'before'
