"""Check a whole config before anything is built: whatever it names must be something that somebody reads.

mmengine takes a misspelt key in silence, or fails on it an epoch later. ``check_config`` reads the types, arguments
and settings of every part and lists all that is wrong at once, each with its dotted path and the nearest known name.
"""
import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    EVALUATOR,
    FUNCTIONS,
    HOOKS,
    LOG_PROCESSORS,
    LOOPS,
    METRICS,
    MODEL_WRAPPERS,
    MODELS,
    OPTIM_WRAPPER_CONSTRUCTORS,
    OPTIM_WRAPPERS,
    OPTIMIZERS,
    PARAM_SCHEDULERS,
    RUNNERS,
    TRANSFORMS,
    VISBACKENDS,
    VISUALIZERS,
)
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, LogProcessor, Runner, TestLoop, ValLoop
from mmengine.utils import import_modules_from_strings
from mmengine.utils.dl_utils import set_multi_processing
from torch.utils.data import DataLoader

from mmspike.utils.component_check import ANYTHING, ComponentCheck, Slot
from mmspike.utils.lookup import advise_scope, did_you_mean, misspells, nearest, registries_of
from mmspike.utils.signatures import read_signature


class ConfigError(ValueError):
    """A config names something that nobody reads, or leaves out something that is needed.

    Args:
        problems: One line for each, beginning with its dotted path.
        where: The config's file, if it has one.
    """

    def __init__(self, problems: list[str], where: str | None = None) -> None:
        self.problems = problems
        count = '1 problem' if len(problems) == 1 else f'{len(problems)} problems'
        super().__init__('\n  '.join([f'{count} in {where or "the config"}:', *problems]))


def check_config(cfg: Config | dict) -> None:
    """Check the types, arguments and settings of a config; import only the libraries that it names; build nothing.

    Args:
        cfg: The config of a run, or a part of one with the same top-level keys.

    Raises:
        ConfigError: All problems, each with its path (``train_dataloader.dataset.pipeline.3.input_sizes``), what came
            and the nearest known names.
    """
    scope = cfg.get('default_scope') or 'mmengine'
    check = _RunnerCheck(scope)
    if registries_of(scope):
        for key, value in cfg.items():
            check.top_level(key, value)
    else:
        check.report('default_scope', advise_scope(scope))
    if check.problems:
        raise ConfigError(check.problems, getattr(cfg, 'filename', None))


_LOOP = ('runner', 'dataloader', 'evaluator')
_HOOK = Slot(HOOKS, taken=('priority',))
_SLOTS = {
    'model': Slot(MODELS, given=('data_preprocessor',)),
    'tta_model': Slot(MODELS, given=('module',)),
    'tta_pipeline': Slot(TRANSFORMS),
    'val_cfg': Slot(LOOPS, default=ValLoop, given=_LOOP),
    'test_cfg': Slot(LOOPS, default=TestLoop, given=_LOOP),
    'custom_hooks': _HOOK,
    'visualizer': Slot(VISUALIZERS, given=('name', 'save_dir')),
    'vis_backends': Slot(VISBACKENDS, given=('save_dir',)),
    'log_processor': Slot(LOG_PROCESSORS, default=LogProcessor),
    'model_wrapper_cfg': Slot(MODEL_WRAPPERS, default=MMDistributedDataParallel, given=('module', 'device_ids')),
}


def _names(function: Callable, *given: str) -> tuple[str, ...]:
    return tuple(name for name in read_signature(function).parameters if name not in given)


_SETTINGS = {
    'env_cfg': ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    'randomness': _names(Runner.set_randomness, 'self'),
    'auto_scale_lr': ('base_batch_size', 'enable'),
    'custom_imports': _names(import_modules_from_strings),
    'compile': _names(torch.compile, 'model'),
}
_DEFAULT_HOOKS = ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint')
_READ_BY_RUNNER = ('runner_type', 'sync_bn', 'find_unused_parameters', 'activation_checkpointing',
                   'efficient_conv_bn_eval')
_KNOWN = {*_names(Runner.__init__, 'self', 'cfg'), *_SLOTS, *_SETTINGS, *_READ_BY_RUNNER}
_USUAL_VARIABLES = ('train_pipeline', 'val_pipeline', 'test_pipeline')  # near to tta_pipeline, yet no slips


class _RunnerCheck(ComponentCheck):
    """Knows how mmengine's Runner builds each top-level key."""

    def top_level(self, key: str, value: Any) -> None:
        if key not in _KNOWN:  # a variable of the user's own, unless it looks like a slip
            if key not in _USUAL_VARIABLES and misspells(key, _KNOWN):
                advice = did_you_mean(nearest(key, _KNOWN))
                self.report(key, f'nothing reads this key (came {type(value).__name__}).{advice} '
                                 'A variable of your own needs a name further from that')
        elif value is None:
            return
        elif key in _SLOTS:
            self.components(value, key, _SLOTS[key])
        elif key in _SETTINGS:
            self._settings(value, key, _SETTINGS[key])
        elif key.endswith('_dataloader'):
            self._dataloader(value, key)
        elif key.endswith('_evaluator'):
            grouped = isinstance(value, dict) and 'metrics' in value
            self.components(value, key, Slot(EVALUATOR, default=Evaluator) if grouped else Slot(METRICS))
        elif check := getattr(self, f'_{key}', None):
            check(value, key)

    def _settings(self, value: Any, path: str, known: tuple[str, ...], takes_anything: bool = False) -> None:
        if isinstance(value, dict):
            self.arguments(value, path, path, known, takes_anything=takes_anything)
            if path == 'env_cfg':
                self._settings(value.get('mp_cfg'), f'{path}.mp_cfg', _names(set_multi_processing, 'distributed'))
                self._settings(value.get('dist_cfg'), f'{path}.dist_cfg', ('backend', 'timeout'), takes_anything=True)

    def _runner_type(self, value: Any, path: str) -> None:
        self.look_up(value, path, RUNNERS, self.scope)

    def _data_preprocessor(self, value: Any, path: str) -> None:
        if isinstance(value, dict) and 'type' in value:  # else the model adds the type
            self.components(value, path, Slot(MODELS))

    def _dataloader(self, value: Any, path: str) -> None:
        if isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                self._dataloader(item, f'{path}.{index}')
        elif isinstance(value, dict):
            known = (*_names(DataLoader), 'num_batch_per_epoch', 'disable_subprocess_warning')
            self.arguments(value, path, 'a data loader', known, required=('dataset', 'sampler'))
            for key, slot, scope in (
                ('dataset', Slot(DATASETS), None),
                ('sampler', Slot(DATA_SAMPLERS, given=('dataset', 'seed')), None),
                ('batch_sampler', Slot(DATA_SAMPLERS, given=('sampler', 'batch_size')), None),
                ('collate_fn', Slot(FUNCTIONS, given=ANYTHING), 'mmengine'),  # looked up in the root registry
                ('worker_init_fn', Slot(FUNCTIONS, given=ANYTHING), 'mmengine'),
            ):
                self.components(value.get(key), f'{path}.{key}', slot, scope)

    def _train_cfg(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            return
        if 'type' in value and 'by_epoch' in value:
            self.report(path, "came both 'type' and 'by_epoch', expected one: the type says which loop runs")
        elif 'type' not in value and 'by_epoch' not in value:
            self.report(path, "needs 'by_epoch' (True: max_epochs, False: max_iters) or the 'type' of a loop; came "
                              f'{", ".join(value) or "nothing"}')
        else:
            loop = EpochBasedTrainLoop if value.get('by_epoch') else IterBasedTrainLoop
            self.components(value, path, Slot(LOOPS, default=loop, given=_LOOP, taken=('by_epoch',)))

    def _optim_wrapper(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            return
        constructor = self.look_up(value.get('constructor', DefaultOptimWrapperConstructor), f'{path}.constructor',
                                   OPTIM_WRAPPER_CONSTRUCTORS, self.scope)
        if constructor is not None:
            self._paramwise_cfg(value.get('paramwise_cfg'), f'{path}.paramwise_cfg', constructor)
        parts = {key: part for key, part in value.items() if isinstance(part, dict) and 'optimizer' in part}
        if 'optimizer' not in value and parts and 'constructor' in value:  # one wrapper for each optimizer
            for key, part in parts.items():
                self._optim_wrapper(part, f'{path}.{key}')
            return
        self.components(value.get('optimizer'), f'{path}.optimizer', Slot(OPTIMIZERS, given=('params',)))
        self.components(value, path, Slot(
            OPTIM_WRAPPERS, default=OptimWrapper, given=('optimizer',) if 'optimizer' in value else (),
            taken=('constructor', 'paramwise_cfg', 'clip_grad', 'optimizer')))
        self._clip_grad(value.get('clip_grad'), f'{path}.clip_grad')

    def _clip_grad(self, value: Any, path: str) -> None:
        if isinstance(value, dict):
            clips = {'norm': torch.nn.utils.clip_grad_norm_, 'value': torch.nn.utils.clip_grad_value_}
            clip = clips.get(value.get('type', 'norm'))
            if clip is None:
                self.report(f'{path}.type', f"came {value['type']!r}, expected 'norm' or 'value'")
            else:
                signature = read_signature(clip)
                known = _names(clip, 'parameters')
                self.arguments(value, path, clip.__name__, known, signature.required - {'parameters'})

    def _paramwise_cfg(self, value: Any, path: str, constructor: Callable) -> None:
        known, of_a_key = _paramwise_names(constructor)
        if isinstance(value, dict) and known:
            self.arguments(value, path, 'paramwise_cfg', known)
            for key, part in (value.get('custom_keys') or {}).items():
                self.arguments(part, f'{path}.custom_keys.{key}', 'a custom key', of_a_key, takes_anything=True)

    def _param_scheduler(self, value: Any, path: str) -> None:
        if isinstance(value, dict) and 'type' not in value and all(isinstance(v, (dict, list)) for v in value.values()):
            for name, part in value.items():  # one list for each optimizer
                self._param_scheduler(part, f'{path}.{name}')
        else:
            self.components(value, path, Slot(
                PARAM_SCHEDULERS, given=('optimizer',), taken=('convert_to_iter_based', 'epoch_length')))

    def _default_hooks(self, value: dict, path: str) -> None:
        for name, hook in value.items():
            if name not in _DEFAULT_HOOKS and (hook is None or misspells(name, _DEFAULT_HOOKS)):
                advice = did_you_mean(nearest(name, _DEFAULT_HOOKS)) or f' There are {", ".join(_DEFAULT_HOOKS)}'
                self.report(f'{path}.{name}', f'no default hook has this name.{advice}')
            self.components(hook, f'{path}.{name}', _HOOK)


@functools.cache
def _paramwise_names(constructor: Callable) -> tuple[frozenset[str], frozenset[str]]:
    """The keys of ``paramwise_cfg`` and of one of its ``custom_keys``, which only the constructor's source tells."""
    for cls in inspect.getmro(constructor) if inspect.isclass(constructor) else ():
        if 'add_params' in vars(cls):
            source = inspect.getsource(cls)
            break
    else:
        return frozenset(), frozenset()
    if re.search(r'for \w+ in self\.paramwise_cfg\b(?!\[)', source):  # its keys are parts of parameter names
        return frozenset(), frozenset()
    keys = re.findall(r"paramwise_cfg(?:\.get\(|\[)\s*['\"](\w+)", source)
    of_a_key = re.findall(r"custom_keys\[\w+\](?:\.get\(|\[)\s*['\"](\w+)", source)
    return frozenset(keys), frozenset(of_a_key)
