"""Which module of a model is running, seen from outside."""
from collections.abc import Callable

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

Listener = Callable[[nn.Module, str, object], None]


class ModuleTracker:
    """A stack of the modules whose forward is running, by name; a context manager.

    The hooks are torch's global ones: no module carries them, so none takes another path because it has hooks, and
    what a model calls without having it as a part is passed by.

    Args:
        model: whose modules to follow; without its ``data_preprocessor``.
        entered: called with module, name and None before each forward.
        left: called with module, name and the result after each forward.
    """

    def __init__(self, model: nn.Module, entered: Listener, left: Listener) -> None:
        outside = getattr(model, 'data_preprocessor', None)
        outside = set() if outside is None else set(outside.modules())
        self.names = {module: name or type(module).__name__ for name, module in model.named_modules()
                      if module not in outside}
        self.stack: list[nn.Module] = []
        self._entered, self._left, self._handles = entered, left, []

    def __enter__(self) -> 'ModuleTracker':
        self._handles = [register_module_forward_pre_hook(self._enter),
                         register_module_forward_hook(self._leave, always_call=True)]
        return self

    def __exit__(self, *exc) -> None:
        while self._handles:
            self._handles.pop().remove()
        self.stack.clear()

    @property
    def path(self) -> str:
        """Of the module that runs."""
        return self.names[self.stack[-1]]

    def _enter(self, module: nn.Module, args: tuple) -> None:
        if module in self.names:
            self._entered(module, self.names[module], None)
            self.stack.append(module)

    def _leave(self, module: nn.Module, args: tuple, output: object) -> None:
        if module in self.stack:  # not where an error kept it from being entered
            while self.stack.pop() is not module:  # a part may have run this very module again
                pass
            self._left(module, self.names[module], output)
