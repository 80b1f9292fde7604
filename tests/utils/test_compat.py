"""Each repair of mmengine on today's torch: what fails without it, and works with it, in one fresh process."""
import http.server
import importlib.util
import os
import socket
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer

from mmspike.utils import compat

ROOT = Path(__file__).parents[2]


def run(script, tmp_path, **environment):
    """Runs a script in a fresh process; its last line must be ``ok``."""
    paths = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    env = dict(os.environ, PYTHONPATH=paths, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='', **environment)
    done = subprocess.run([sys.executable, '-c', script], cwd=tmp_path, env=env, capture_output=True, text=True,
                          timeout=120)
    assert done.stdout.strip().endswith('ok'), done.stdout + done.stderr


def test_a_checkpoint_of_the_runner_loads_again(tmp_path):
    history = HistoryBuffer()
    history.update(1.0)
    torch.save(dict(message_hub=dict(loss=history)), tmp_path / 'epoch_1.pth')
    run('''
import pickle
from mmengine.runner.checkpoint import _load_checkpoint
from mmspike.utils import compat
try:
    _load_checkpoint('epoch_1.pth')
except pickle.UnpicklingError:
    compat.apply()
    assert _load_checkpoint('epoch_1.pth')['message_hub']['loss'].current() == 1.0
    print('ok')
''', tmp_path)


class RunsCode:

    def __reduce__(self):
        return os.mkdir, ('made_by_a_checkpoint', )


def test_a_downloaded_checkpoint_is_read_safely_too(tmp_path):
    (tmp_path / 'served').mkdir()
    torch.save(dict(state_dict={}, code=RunsCode()), tmp_path / 'served/code.pth')
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / 'served')
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run('''
import os, sys
from mmengine.runner.checkpoint import _load_checkpoint
from mmspike.utils import compat
from mmspike.utils.checkpoint import CheckpointError
url = os.environ['URL']
_load_checkpoint(url)
assert os.path.isdir('made_by_a_checkpoint')
os.rmdir('made_by_a_checkpoint')
compat.apply()
try:
    _load_checkpoint(url)
except CheckpointError as error:
    assert 'refused' in str(error) and not os.path.exists('made_by_a_checkpoint')
    print('ok')
''', tmp_path, URL=f'http://127.0.0.1:{server.server_port}/code.pth', TORCH_HOME=str(tmp_path / 'home'),
            NO_PROXY='127.0.0.1', no_proxy='127.0.0.1')
        server.shutdown()


def test_packages_are_found_without_pkg_resources(tmp_path):
    run('''
import importlib.machinery, sys
finder = importlib.machinery.PathFinder
class Blind(finder):
    """The ordinary finder, blind to pkg_resources, as with setuptools 82."""
    find_spec = staticmethod(lambda name, *rest: None if name == 'pkg_resources' else finder.find_spec(name, *rest))
sys.meta_path[sys.meta_path.index(finder)] = Blind
from mmengine.utils import get_installed_path, is_installed
try:
    is_installed('mmengine')
except ModuleNotFoundError as error:
    assert error.name == 'pkg_resources'
from mmspike.utils import compat
compat.apply()
import mmengine
assert is_installed('mmengine') and is_installed('MMEngine') and not is_installed('no_such_package')
assert get_installed_path('mmengine') == mmengine.__path__[0]
from mmengine.config import Config
import pkg_resources
assert pkg_resources.get_distribution('mmengine').version == mmengine.__version__
assert Config.fromfile(get_installed_path('mmpretrain') + '/.mim/configs/_base_/default_runtime.py').default_scope
print('ok')
''', tmp_path)


def test_the_real_pkg_resources_is_preferred():
    pytest.importorskip('pkg_resources', reason='this setuptools has no pkg_resources')
    compat.apply()
    compat.apply()
    assert sum(type(finder).__name__ == '_PkgResourcesFinder' for finder in sys.meta_path) == 1
    assert 'stand_in' not in importlib.util.find_spec('pkg_resources').origin


def test_a_process_group_opens_without_cuda(tmp_path):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    run('''
import torch, torch.distributed as dist
from mmengine.config import Config
from mmengine.dist import init_dist
from mmengine.registry import MODEL_WRAPPERS
from mmspike.utils import compat
try:
    init_dist('pytorch', backend='gloo')
except Exception as error:
    assert not dist.is_initialized()
cfg = Config(dict(launcher='pytorch'))
compat.init_cpu_distributed(cfg)
assert dist.get_backend() == 'gloo' and dist.get_world_size() == 1
# what Runner.wrap_model does: mmengine's default device_ids make DDP fail on a CPU
model = torch.nn.Linear(2, 2)
try:
    MODEL_WRAPPERS.build(dict(type='MMDistributedDataParallel', module=model, device_ids=[0]))
except ValueError:
    wrapped = MODEL_WRAPPERS.build(cfg.model_wrapper_cfg, default_args=dict(module=model, device_ids=[0]))
    assert wrapped(torch.ones(1, 2)).shape == (1, 2)
    # a user's own settings stay
    cfg = Config(dict(launcher='pytorch', model_wrapper_cfg=dict(broadcast_buffers=True, static_graph=True)))
    compat.init_cpu_distributed(cfg)
    wrapped = MODEL_WRAPPERS.build(cfg.model_wrapper_cfg, default_args=dict(module=model, device_ids=[0]))
    assert wrapped.broadcast_buffers and wrapped.static_graph and not wrapped.find_unused_parameters
    print('ok')
''', tmp_path, RANK='0', LOCAL_RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))


def test_a_run_without_a_launcher_opens_no_group():
    cfg = Config(dict(launcher='none'))
    compat.init_cpu_distributed(cfg)
    assert not torch.distributed.is_initialized() and 'model_wrapper_cfg' not in cfg
