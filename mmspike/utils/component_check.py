"""Check typed dicts, ``dict(type='ResNet', depth=50)``, against the components that they name, building nothing.

``typed dict -> component (looked up as mmengine will) -> signature -> problems, each with its dotted path``
"""
import contextlib
import functools
import inspect
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from mmengine.registry import (
    DATA_SAMPLERS,
    DATASETS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    TASK_UTILS,
    TRANSFORMS,
    VISBACKENDS,
    WEIGHT_INITIALIZERS,
    Registry,
)

from mmspike.utils.lookup import advise_type, did_you_mean, find, misspells, nearest, registries_of
from mmspike.utils.signatures import read_signature

ANYTHING = ('*',)
RESERVED = frozenset({'type', '_scope_', '_delete_', '_base_'})


@dataclass(frozen=True)
class Slot:
    """How the typed dicts at one place of a config are built.

    Args:
        registry: mmengine's root registry of the kind.
        default: The type where none is written.
        given: Arguments that the builder adds, so that they may be missing, or ``ANYTHING``.
        taken: Keys that the builder takes out before it builds.
    """
    registry: Registry
    default: str | None = None
    given: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


# Arguments whose name says what they hold. Any other typed dict is of its owner's kind, or else of any kind.
_BY_ARGUMENT = {
    **dict.fromkeys(('pipeline', 'transforms'), Slot(TRANSFORMS)),
    **dict.fromkeys(('dataset', 'datasets'), Slot(DATASETS)),
    **dict.fromkeys(('backbone', 'neck', 'head', 'cls_head', 'data_preprocessor'), Slot(MODELS)),
    'codec': Slot(TASK_UTILS, given=('num_attributes',)),
    'decoder': Slot(MODELS, given=('vocab_size', 'max_length')),
    'phrases': Slot(MODELS, given=('num_attributes', 'negatives')),
    'init_cfg': Slot(WEIGHT_INITIALIZERS, taken=('override', 'name')),
    'metrics': Slot(METRICS),
    'optimizer': Slot(OPTIMIZERS, given=('params',)),
    'sampler': Slot(DATA_SAMPLERS, given=('dataset', 'seed')),
    'vis_backends': Slot(VISBACKENDS, given=('save_dir',)),
}
# Keys that the owner takes out of a typed dict before it builds it
_TAKEN = {'norm_cfg': ('requires_grad',), 'policies': ('magnitude_key', 'magnitude_range')}


class ComponentCheck:
    """Walks typed dicts to any depth and collects what is wrong with them in ``problems``.

    Args:
        scope: The default scope of the config.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self.problems: list[str] = []

    def report(self, path: str, message: str) -> None:
        self.problems.append(f'{path}: {message}')

    def components(self, value: Any, path: str, slot: Slot, scope: str | None = None, leaf: str | None = None) -> None:
        """Check what stands at a slot: a typed dict, lists of them, or something built already.

        Args:
            value: The part of the config.
            path: Its dotted path.
            slot: How it is built.
            scope: The scope to look from; the config's where not given.
            leaf: The library of the owner, if it was named by a prefix (``'mmpretrain'``).
        """
        if isinstance(value, dict):
            scope = value.get('_scope_') or scope or self.scope
            name = value.get('type', slot.default)
            if 'type' not in value and slot.default is None:
                self.report(path, f"no 'type': came a dict of {_keys(value)}, expected dict(type=..., ...) naming a "
                                  f'{slot.registry.name}')
            elif (component := self.look_up(name, f'{path}.type', slot.registry, scope, leaf)) is not None:
                self._call(component, name, value, path, slot, scope)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                self.components(item, f'{path}.{index}', slot, scope, leaf)

    def look_up(self, name: Any, path: str, registry: Registry, scope: str, leaf: str | None = None) -> Callable | None:
        """The component called ``name`` as seen from ``scope``; None, and a problem, if there is none."""
        if not isinstance(name, str):
            if callable(name):
                return name
            self.report(path, f'came {name!r}, expected the name of a {registry.name} or a class')
            return None
        try:
            component = find(registry, name, scope)
        except Exception as error:  # a library that cannot be imported must not hide the other problems
            self.report(path, f'{name!r} cannot be looked up ({type(error).__name__}: {error}). '
                              '`python -m mmspike.utils.collect_env` says what to do about a broken library')
            return None
        if component is None:
            self.report(path, advise_type(registry, name, scope, leaf))
        return component

    def arguments(self, cfg: dict, path: str, owner: str, known: Collection[str], required: Iterable[str] = (),
                  takes_anything: bool = False) -> None:
        """Check the keys of ``cfg`` as the arguments of ``owner``."""
        meant = set()
        for key, value in cfg.items():
            key = str(key)  # a dict of options may have numbers as keys
            if key not in known and key not in RESERVED and (not takes_anything or misspells(key, known)):
                names = nearest(key, known)
                meant.update(names[:1])
                self.report(f'{path}.{key}', f'{owner} has no argument {key!r} (came {_short(value)}).'
                                             f'{did_you_mean(names) or f" It takes {_listed(known)}"}')
        for key in sorted(set(required) - set(cfg) - meant):
            self.report(path, f'{owner} needs the argument {key!r}; came {_keys(cfg)}')

    def _call(self, component: Callable, name: Any, cfg: dict, path: str, slot: Slot, scope: str) -> None:
        """Check the arguments that ``cfg`` gives to ``component``, and the typed dicts inside them."""
        signature = read_signature(component)
        owner_name = name if isinstance(name, str) else getattr(name, '__name__', repr(name))
        arguments = {key: value for key, value in cfg.items() if key not in RESERVED and key not in slot.taken}
        required = signature.required - set(slot.given) if slot.given != ANYTHING else ()
        self.arguments(arguments, path, owner_name, signature.parameters, required, signature.takes_anything)
        owner = _Owner(component, slot.registry, scope, Registry.split_scope_key(owner_name)[0])
        for key, value in arguments.items():
            parameter = signature.parameters.get(key)
            if _is_plain(parameter, value, owner):
                if isinstance(value, dict) and isinstance(parameter.default, dict):
                    self.arguments(value, f'{path}.{key}', key, list(map(str, parameter.default)), takes_anything=True)
            else:
                self._inside(value, f'{path}.{key}', key, owner)

    def _inside(self, value: Any, path: str, argument: str, owner: '_Owner') -> None:
        """Check the typed dicts inside one argument of ``owner``."""
        if isinstance(value, dict) and 'type' in value:
            slot, scope = _home(value, argument, owner) or (Slot(owner.registry), owner.scope)
            self.components(value, path, slot, scope, owner.leaf)
        elif isinstance(value, dict):
            for key, item in value.items():
                tells = key in _BY_ARGUMENT or str(key).endswith('_cfg')
                self._inside(item, f'{path}.{key}', key if tells else argument, owner)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                self._inside(item, f'{path}.{index}', argument, owner)


@dataclass(frozen=True)
class _Owner:
    """The component that a typed dict is given to: its kind, the scope it builds from, and its library if prefixed."""
    component: Callable
    registry: Registry
    scope: str
    leaf: str | None


def _home(cfg: dict, argument: str, owner: _Owner) -> tuple[Slot, str] | None:
    """How a typed dict inside an argument is built and the scope it is looked up from; None where nobody knows it."""
    if argument in _BY_ARGUMENT:
        return _BY_ARGUMENT[argument], owner.scope
    scope = cfg.get('_scope_') or owner.scope
    homes = [(r, scope) for r in (owner.registry, *registries_of(scope))]
    if owner.leaf:
        # A library keeps some registries to itself, and builds normalisation from its own whatever the scope is.
        homes += [(r, owner.leaf) for r in registries_of(owner.leaf) if r.scope == owner.leaf or argument == 'norm_cfg']
    for registry, seen_from in homes:
        with contextlib.suppress(Exception):  # whatever does not import is not what is meant
            if component := isinstance(cfg['type'], str) and find(registry, cfg['type'], seen_from):
                added = _names_added(owner.component, argument, read_signature(component).required)
                return Slot(registry, given=added, taken=_TAKEN.get(argument, ())), seen_from
    return None


def _names_added(owner: Callable, argument: str, required: Iterable[str]) -> tuple[str, ...]:
    """Those of the required arguments that the owner adds to a part before it builds it.

    No signature tells, so the source of the owner's module is searched for ``name=`` and ``'name'``. A name that
    stands there for another reason passes too: a missing argument then goes unnoticed until the part is built. A name
    that the owner adds from elsewhere, or without its source at hand, is reported as missing although it is not.
    """
    if argument.endswith('_cfg'):  # built by a helper of the owner's library
        return ANYTHING
    source = _source_around(owner)
    return tuple(name for name in required if re.search(rf'\b{name}\s*=|[\'"]{name}[\'"]', source))


@functools.cache
def _source_around(component: Callable) -> str:
    """The source of the module of a component; nothing where it is not to be had."""
    try:
        return inspect.getsource(inspect.getmodule(component))
    except (OSError, TypeError):
        return ''


def _is_plain(parameter: inspect.Parameter | None, value: Any, owner: _Owner) -> bool:
    """Whether an argument's default says that no registry is asked: a function, or a dict that names no component."""
    default = None if parameter is None or parameter.default is inspect.Parameter.empty else parameter.default
    if not isinstance(default, dict):
        return callable(default)
    if 'type' not in default:
        return True
    same = isinstance(value, dict) and value.get('type') == default['type']
    return same and _home(value, parameter.name, owner) is None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def _keys(cfg: dict) -> str:
    return _listed(key for key in cfg if key not in RESERVED)


def _listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names)) or 'nothing'
