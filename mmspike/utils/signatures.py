"""Which arguments a component takes, read without building it.

``component -> Signature(parameters, required, takes_anything)``

A class that ends in ``**kwargs`` usually hands them on to its base class, so what it takes is written along its
method resolution order. The source of each ``__init__`` says where its ``**kwargs`` go and what the call binds.
"""
import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from torch import nn

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_END_OF_THE_LINE = (object, nn.Module)  # their __init__ takes nothing that a config could give


@dataclass(frozen=True)
class Signature:
    """What a component may be given by name.

    Args:
        parameters: The arguments by name, the component's own first.
        required: Those without a default.
        takes_anything: Whether other names are kept as well (``**kwargs`` that are stored, or given to something else
            than the base class).
    """
    parameters: dict[str, inspect.Parameter] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    takes_anything: bool = False

    def without(self, names: set[str]) -> 'Signature':
        """The same signature where somebody else gives ``names``."""
        return replace(self, parameters={k: p for k, p in self.parameters.items() if k not in names},
                       required=self.required - names)


def read_signature(component: Callable) -> Signature:
    """Read what a class, a function or any other callable takes; one without a readable signature takes anything.

    Args:
        component: A class (its ``__init__`` is followed along the method resolution order) or a callable.
    """
    try:
        return _read(component)
    except TypeError:  # not hashable, so not cached
        return _read.__wrapped__(component)


@functools.cache
def _read(component: Callable) -> Signature:
    return _read_class(component.__mro__) if inspect.isclass(component) else _read_function(component)


def _read_class(mro: tuple[type, ...]) -> Signature:
    index = next(i for i, cls in enumerate(mro) if '__init__' in vars(cls))
    if mro[index] in _END_OF_THE_LINE:
        has_new = mro[0] not in _END_OF_THE_LINE and mro[0].__new__ is not object.__new__
        return _read_function(mro[0]) if has_new else Signature()
    init = inspect.unwrap(vars(mro[index])['__init__'])
    own, rest = _named_parameters(init, skip_first=True)
    if rest is None:
        return own
    use = _KwargsUse.read(init, rest)
    if use is None:
        return replace(own, takes_anything=True)
    parameters, required = dict(own.parameters), set(own.required)
    for name in use.names:
        parameters.setdefault(name, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None))
    takes_anything = use.elsewhere
    for call in use.base_calls:
        base = _base_signature(call, init, mro[index + 1:])
        parameters = {**base.parameters, **parameters}
        required |= set() if use.elsewhere else base.required - use.names
        takes_anything |= base.takes_anything
    parameters = {**own.parameters, **parameters}  # own first: their order tells what a positional argument binds
    return Signature(parameters, frozenset(required), takes_anything)


def _read_function(function: Callable) -> Signature:
    signature, rest = _named_parameters(function)
    return replace(signature, takes_anything=True) if rest else signature


def _named_parameters(function: Callable, skip_first: bool = False) -> tuple[Signature, str | None]:
    """The signature of ``function`` alone, and the name of its ``**kwargs``."""
    try:
        parameters = list(inspect.signature(function).parameters.values())[int(skip_first):]
    except (TypeError, ValueError):  # written in C, without a signature
        return Signature(takes_anything=True), None
    named = {p.name: p for p in parameters if p.kind in _NAMED}
    required = frozenset(name for name, p in named.items() if p.default is inspect.Parameter.empty)
    rest = next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), None)
    return Signature(named, required), rest


def _base_signature(call: ast.Call, init: Callable, rest_of_mro: tuple[type, ...]) -> Signature:
    """What is left to give to the base class once ``call``, ``super().__init__(a, b=1, **kwargs)``, has had its say."""
    positional = [argument for argument in call.args if not isinstance(argument, ast.Starred)]
    owner = call.func.value
    if isinstance(owner, ast.Call):  # super()
        base = _read_class(rest_of_mro)
    else:  # Base.__init__(self, ...)
        cls = getattr(init, '__globals__', {}).get(owner.id) if isinstance(owner, ast.Name) else None
        if not inspect.isclass(cls):
            return Signature(takes_anything=True)
        base, positional = _read_class(cls.__mro__), positional[1:]
    bound = {keyword.arg for keyword in call.keywords if keyword.arg} | set(list(base.parameters)[:len(positional)])
    return base.without(bound)


@dataclass(frozen=True)
class _KwargsUse:
    """Where an ``__init__`` lets its ``**kwargs`` go: to base classes, out by name, or elsewhere."""
    base_calls: tuple[ast.Call, ...]
    names: frozenset[str]
    elsewhere: bool

    @classmethod
    def read(cls, init: Callable, kwargs: str) -> '_KwargsUse | None':
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
        except (OSError, TypeError, SyntaxError):
            return None
        base_calls, names, understood = [], set(), set()
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Attribute(attr='__init__'), keywords=keywords):
                    handed_on = [k.value for k in keywords if k.arg is None and _is_name(k.value, kwargs)]
                    if handed_on:
                        base_calls.append(node)
                        understood.add(id(handed_on[0]))
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as where, attr='get' | 'pop' | 'setdefault'),
                              args=[ast.Constant(value=str(key)), *_]) if name == kwargs:
                    names.add(key)
                    understood.add(id(where))
                case ast.Subscript(value=ast.Name(id=name) as where,
                                   slice=ast.Constant(value=str(key))) if name == kwargs:
                    names.add(key)
                    understood.add(id(where))
                case ast.Compare(left=ast.Constant(value=str(key)), ops=[ast.In() | ast.NotIn()],
                                 comparators=[ast.Name(id=name) as where]) if name == kwargs:
                    names.add(key)
                    understood.add(id(where))
        elsewhere = any(_is_name(node, kwargs) and id(node) not in understood for node in ast.walk(tree))
        return cls(tuple(base_calls), frozenset(names), elsewhere)


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
