"""Check typed dicts, ``dict(type='ResNet', depth=50)``, against the components that they name, building nothing.

``typed dict -> component (looked up as mmengine will) -> signature -> problems, each with its dotted path``
"""
import contextlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

from mmengine.registry import (
    DATASETS,
    METRICS,
    MODELS,
    OPTIMIZERS,
    TRANSFORMS,
    VISBACKENDS,
    WEIGHT_INITIALIZERS,
    Registry,
)

from mmspike.utils.lookup import advise_type, did_you_mean, find, misspells, registries_of
from mmspike.utils.signatures import read_signature

RESERVED = frozenset({'type', '_scope_', '_delete_', '_base_'})


@dataclass(frozen=True)
class Slot:
    """How the typed dicts at one place of a config are built.

    Args:
        registry: mmengine's root registry of the kind.
        default: The type where none is written.
        given: Arguments that the builder adds, so that they may be missing.
        taken: Keys that the builder takes out before it builds.
        complete: Whether it is built as written; if not, its owner may add what is missing.
    """
    registry: Registry
    default: str | None = None
    given: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    complete: bool = True


# Arguments whose name says what they hold. Any other typed dict is of its owner's kind, or else of any kind.
_BY_ARGUMENT = {
    **dict.fromkeys(('pipeline', 'transforms'), Slot(TRANSFORMS)),
    **dict.fromkeys(('dataset', 'datasets'), Slot(DATASETS)),
    **dict.fromkeys(('backbone', 'neck', 'head', 'cls_head', 'data_preprocessor'), Slot(MODELS, complete=False)),
    'init_cfg': Slot(WEIGHT_INITIALIZERS, taken=('override', 'name')),
    'metrics': Slot(METRICS),
    'optimizer': Slot(OPTIMIZERS, given=('params',)),
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
        for key, value in cfg.items():
            if key not in known and key not in RESERVED and (not takes_anything or misspells(key, known)):
                self.report(f'{path}.{key}', f'{owner} has no argument {key!r} (came {_short(value)}).'
                                             f'{did_you_mean(key, known)} It takes {_listed(known)}')
        for key in sorted(set(required) - set(cfg)):
            self.report(path, f'{owner} needs the argument {key!r}; came {_keys(cfg)}')

    def _call(self, component: Callable, name: Any, cfg: dict, path: str, slot: Slot, scope: str) -> None:
        """Check the arguments that ``cfg`` gives to ``component``, and the typed dicts inside them."""
        signature = read_signature(component)
        owner = name if isinstance(name, str) else getattr(name, '__name__', repr(name))
        arguments = {key: value for key, value in cfg.items() if key not in RESERVED and key not in slot.taken}
        required = signature.required - set(slot.given) if slot.complete else ()
        self.arguments(arguments, path, owner, signature.parameters, required, signature.takes_anything)
        leaf = Registry.split_scope_key(owner)[0]
        for key, value in arguments.items():
            if not _is_plain(signature.parameters.get(key), value):
                self._inside(value, f'{path}.{key}', key, slot.registry, scope, leaf)

    def _inside(self, value: Any, path: str, argument: str, registry: Registry, scope: str, leaf: str | None) -> None:
        """Check the typed dicts inside one argument of a component of ``registry``."""
        if isinstance(value, dict) and 'type' in value:
            slot, scope = self._home(value, argument, registry, scope, leaf)
            self.components(value, path, slot, scope, leaf)
        elif isinstance(value, dict):
            for key, item in value.items():
                self._inside(item, f'{path}.{key}', key if key in _BY_ARGUMENT else argument, registry, scope, leaf)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                self._inside(item, f'{path}.{index}', argument, registry, scope, leaf)

    @staticmethod
    def _home(cfg: dict, argument: str, registry: Registry, scope: str, leaf: str | None) -> tuple[Slot, str]:
        """How a typed dict inside an argument is built, and the scope that it is looked up from."""
        if argument in _BY_ARGUMENT:
            return _BY_ARGUMENT[argument], scope
        scope = cfg.get('_scope_') or scope
        homes = [(r, scope) for r in (registry, *registries_of(scope))]
        if leaf:
            # A library keeps some registries to itself, and builds normalisation from its own whatever the scope is.
            homes += [(r, leaf) for r in registries_of(leaf) if r.scope == leaf or argument == 'norm_cfg']
        for home, seen_from in homes:
            with contextlib.suppress(Exception):  # whatever does not import is not what is meant
                if isinstance(cfg['type'], str) and find(home, cfg['type'], seen_from):
                    return Slot(home, taken=_TAKEN.get(argument, ()), complete=False), seen_from
        return Slot(registry, complete=False), scope


def _is_plain(parameter: Parameter | None, value: Any) -> bool:
    """Whether an argument's default says that no registry is asked: a function, a dict with no type or the same."""
    default = None if parameter is None or parameter.default is Parameter.empty else parameter.default
    if isinstance(default, dict):
        same = isinstance(value, dict) and value.get('type') == default.get('type')
        return 'type' not in default or same and parameter.name not in _BY_ARGUMENT
    return callable(default)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'


def _keys(cfg: dict) -> str:
    return _listed(key for key in cfg if key not in RESERVED)


def _listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names)) or 'nothing'
