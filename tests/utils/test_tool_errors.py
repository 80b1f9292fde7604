"""Which errors end a tool with their message, and which keep their traceback."""
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from mmspike.neurons import lif
from mmspike.utils.checkpoint import CheckpointError, load_checkpoint_file
from mmspike.utils.config_check import ConfigError, check_config
from mmspike.utils.tool_errors import message_for_user, run_tool


def caught(function):
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError('nothing was raised')


def raise_from_config_error():
    try:
        check_config(Config(dict(default_scope='mmspike', modle={})))
    except ConfigError as error:
        raise KeyError('wrapped by a library') from error


class ReadsACheckpoint(torch.utils.data.Dataset):
    """Fails in a worker process, by a message of ours or by a bug."""

    def __init__(self, bug):
        self.bug = bug

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return lif(torch.ones(1), surrogate='no such surrogate') if not self.bug else [][index]


def read_through_worker(bug):
    next(iter(DataLoader(ReadsACheckpoint(bug), num_workers=1)))


@pytest.mark.parametrize(('function', 'start'), [
    (lambda: load_checkpoint_file('no/such.pth'), 'no/such.pth: no such checkpoint'),
    (raise_from_config_error, '1 problem'),
    (lambda: lif(torch.ones(1), surrogate='no such surrogate'), ''),
    (lambda: read_through_worker(bug=False), ''),
])
def test_what_mmspike_says_is_shown(function, start):
    message = message_for_user(caught(function))
    assert message is not None and message.startswith(start) and 'Traceback' not in message
    if not start:
        assert 'no such surrogate' in message


@pytest.mark.parametrize('function', [
    lambda: [][1],
    lambda: int('x'),
    lambda: lif(None),
    lambda: torch.ones(2) @ torch.ones(3),
    lambda: read_through_worker(bug=True),
])
def test_a_bug_keeps_its_traceback(function):
    assert message_for_user(caught(function)) is None


def test_a_tool_ends_with_the_message_and_status_1(monkeypatch):
    def tool():
        raise CheckpointError('x.pth: refused.')

    with pytest.raises(SystemExit, match=r'Error: x.pth: refused.\n\(MMSPIKE_DEBUG=1'):
        run_tool(tool)
    monkeypatch.setenv('WORLD_SIZE', '2')
    monkeypatch.setenv('RANK', '1')
    with pytest.raises(SystemExit, match=r'Error \[rank 1\]: x.pth'):
        run_tool(tool)
    monkeypatch.setenv('MMSPIKE_DEBUG', '1')
    with pytest.raises(CheckpointError):
        run_tool(tool)
    run_tool(lambda: None)
