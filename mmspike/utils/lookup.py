"""Find a component by the name that a config gives it, as mmengine will, and the nearest known name where it fails."""
import difflib
from collections.abc import Callable, Iterable
from importlib import import_module

from mmengine.config.utils import MODULE2PACKAGE
from mmengine.registry import Registry
from mmengine.utils import get_object_from_string


def find(registry: Registry, name: str, scope: str) -> Callable | None:
    """The component called ``name`` in a registry as seen from ``scope``, or None.

    Args:
        registry: The root registry of the kind, or one that a library keeps to itself.
        name: ``'ResNet'`` (in the scope, then in the root), ``'mmpretrain.ResNet'`` or ``'torch.nn.ReLU'``.
        scope: The scope to look from.

    Raises:
        Exception: Whatever the import of the library raises.
    """
    prefix, bare = Registry.split_scope_key(name)
    here = _seen_from(registry, prefix or scope)
    if prefix and here.scope != prefix:
        component = get_object_from_string(name)
        return component if callable(component) else None
    here.import_from_location()
    if prefix == scope:  # a name with its own scope is not looked for in the root
        return here.module_dict.get(bare)
    return next((r.module_dict[bare] for r in _lineage(here) if bare in r.module_dict), None)


def registries_of(scope: str) -> list[Registry]:
    """All registries of a scope, those that it keeps to itself included; none where the scope is no library."""
    try:
        module = import_module(f'{scope}.registry')
    except ImportError:
        return []
    return [r if r.parent is None else r.root for r in vars(module).values() if isinstance(r, Registry)]


def advise_type(registry: Registry, name: str, scope: str, leaf: str | None = None) -> str:
    """What to say where ``find`` found nothing.

    Args:
        registry: As for ``find``.
        name: As for ``find``.
        scope: As for ``find``.
        leaf: The library of the component that ``name`` is a part of.
    """
    prefix, bare = Registry.split_scope_key(name)
    here = _seen_from(registry, prefix or scope)
    if not registries_of(prefix or scope):
        return f'{name!r} cannot be found: {advise_scope(prefix or scope)}'
    if leaf and leaf != scope and bare in _seen_from(registry, leaf).module_dict:
        return (f'no {registry.name} is called {name!r} in scope {scope!r}, where the parts of {leaf!r} components are '
                f"looked up. Write '{leaf}.{bare}', or _scope_='{leaf}' beside the type of the whole")
    near = [f'{prefix}.{n}' if prefix else n for r in _lineage(here) for n in r.module_dict]
    far = [f'{s}.{n}' for s, child in registry.children.items() if child is not here for n in child.module_dict]
    names = [n for n in far if n.endswith(f'.{bare}')] + nearest(name, near) + nearest(name, far)
    advice = did_you_mean(list(dict.fromkeys(names))[:3])
    return f'no {registry.name} is called {name!r} in scope {prefix or scope!r}.{advice}'


def advise_scope(scope: str) -> str:
    """What to say where a scope or a prefix is no library with registries."""
    known = ('mmengine', 'mmspike', *MODULE2PACKAGE)
    if scope in MODULE2PACKAGE:
        return f'{scope!r} is not installed. It comes with `pip install {MODULE2PACKAGE[scope]}`'
    return f'{scope!r} is not a library with registries.{did_you_mean(nearest(scope, known))}'


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names near to ``name``, the best first; prefixes and capitals do not count."""
    by_key: dict[str, list[str]] = {}
    for candidate in known:
        by_key.setdefault(candidate.rsplit('.', 1)[-1].lower(), []).append(candidate)
    keys = difflib.get_close_matches(name.rsplit('.', 1)[-1].lower(), by_key, n=3, cutoff=0.65)
    return [candidate for key in keys for candidate in by_key[key]][:3]


def did_you_mean(names: list[str]) -> str:
    """A question that names the candidates; empty where there are none."""
    return f' Did you mean {" or ".join(map(repr, names))}?' if names else ''


def misspells(name: str, known: Iterable[str]) -> bool:
    """Whether an unknown name is so near to a known one that it is a slip rather than a name of its own."""
    return any(sorted(name) == sorted(k) or difflib.SequenceMatcher(None, name, k).ratio() >= 0.85 for k in known)


def _seen_from(registry: Registry, scope: str) -> Registry:
    """The child of a root registry that belongs to ``scope``; the registry itself where there is none."""
    try:
        import_module(f'{scope}.registry')
    except ModuleNotFoundError as error:
        if error.name not in (scope, f'{scope}.registry'):
            raise
    return registry.children.get(scope, registry)


def _lineage(registry: Registry | None) -> Iterable[Registry]:
    while registry is not None:
        yield registry
        registry = registry.parent
