"""Any multi-step neuron of SpikingJelly 2.0 as a :class:`SpikingNeuron`, usable from a config.

SpikingJelly keeps the membrane inside the module; here it is taken in and handed out, and the module is left at rest.
"""
import inspect
from difflib import get_close_matches
from types import ModuleType

from torch import Tensor, nn

from mmspike.neurons.modules import SpikingNeuron

State = Tensor | float | dict[str, object] | None


class SpikingJellyNeuron(SpikingNeuron):
    """A neuron of ``spikingjelly.activation_based.neuron`` without hidden state.

    Args:
        node: its class name, such as ``'LIFNode'``.
        node_args: arguments of that class, without ``step_mode`` and ``surrogate_function``.
        surrogate: class name in ``spikingjelly.activation_based.surrogate``, such as ``'ATan'``
            (default: that of the neuron).
        surrogate_args: arguments of the surrogate, such as ``dict(alpha=2.0)``.

    Shape: [T, B, ...] -> [T, B, ...]. The state of :meth:`run` is the membrane [B, ...]; a dict of all states by name
    for neurons that have several, ``None`` for neurons that have none.

    Raises:
        ImportError: SpikingJelly is not installed.
        ValueError: a name that it does not have, or a neuron that runs single steps only.
        TypeError: arguments that the neuron does not take.

    Example: ``dict(type='SpikingJellyNeuron', node='LIFNode', node_args=dict(tau=2.0), surrogate='ATan')``.
    """

    def __init__(self, node: str = 'LIFNode', node_args: dict | None = None, surrogate: str | None = None,
                 surrogate_args: dict | None = None) -> None:
        super().__init__()
        library = _import_spikingjelly(node)
        args = dict(node_args or {})
        if surrogate is not None:
            args['surrogate_function'] = _build(library.surrogate, surrogate, dict(surrogate_args or {}), 'surrogate')
        elif surrogate_args:
            raise ValueError(f'SpikingJellyNeuron({node}): surrogate_args={surrogate_args} need a surrogate, '
                             "such as surrogate='ATan'.")
        self.node = _build(library.neuron, node, args, 'node')

    def dynamics(self, x: Tensor, v: State) -> tuple[Tensor, State]:
        from spikingjelly.activation_based.functional import reset_net
        reset_net(self.node)
        try:
            self._put_state(v, x)
            spikes = self.node(x)
            return spikes, self._take_state()
        finally:  # leave nothing of this call behind: a kept graph would hold memory and stop deepcopy
            reset_net(self.node)
            for module in self.node.modules():
                vars(module).update({k: a.detach() for k, a in vars(module).items() if isinstance(a, Tensor)})

    def _put_state(self, v: State, x: Tensor) -> None:
        if v is None:
            return
        memories = getattr(self.node, '_memories', {})
        # SpikingJelly starts again from rest, in silence, where the shape of v is not that of a step
        state = v if isinstance(v, dict) else {'v': v.expand(x.shape[1:]) if isinstance(v, Tensor) else float(v)}
        if not state.keys() <= memories.keys() or (len(memories) > 1 and not isinstance(v, dict)):
            raise ValueError(f'SpikingJellyNeuron({type(self.node).__name__}): got a state for {sorted(state)}, '
                             f'but this neuron has {sorted(memories)}. Pass what run returned.')
        for name, value in state.items():
            setattr(self.node, name, value)

    def _take_state(self) -> State:
        memories = dict(getattr(self.node, '_memories', {}))
        return memories['v'] if memories.keys() == {'v'} else memories or None


def _import_spikingjelly(node: str) -> ModuleType:
    try:
        from spikingjelly import activation_based
        from spikingjelly.activation_based import neuron, surrogate  # noqa: F401  (binds them on the package)
    except ImportError as e:
        raise ImportError(f'SpikingJellyNeuron(node={node!r}) needs SpikingJelly 2.0: '
                          "pip install 'spikingjelly>=2,<3'. mmspike's own neurons do not need it.") from e
    return activation_based


def _build(module: ModuleType, name: str, args: dict, argument: str) -> nn.Module:
    """Build ``module.name(**args)``, in multi-step mode where there is a choice."""
    classes = {n: c for n, c in vars(module).items() if inspect.isclass(c) and issubclass(c, nn.Module)
               and c.__module__.startswith(module.__name__) and 'Base' not in n and 'NonSpiking' not in n}
    if name not in classes:
        near = get_close_matches(str(name), classes, n=1, cutoff=0.5)
        hint = f" Did you mean '{near[0]}'?" if near else ''
        raise ValueError(f'SpikingJellyNeuron: {argument}={name!r} is no spiking class of {module.__name__}.{hint} '
                         f'Known: {", ".join(sorted(classes))}.')
    known = inspect.signature(classes[name]).parameters
    multi_step = {'step_mode': 'm'} if argument == 'node' and 'step_mode' in known else {}
    try:
        built = classes[name](**args, **multi_step)
        if getattr(built, 'step_mode', 'm') != 'm':  # some constructors have no step_mode and start with single steps
            built.step_mode = 'm'
        return built
    except TypeError as e:
        raise TypeError(f'SpikingJellyNeuron: {name} does not take {args}: {e}. '
                        f'Its arguments: {", ".join(known)}.') from e
    except (AssertionError, ValueError) as e:
        if 'step' in str(e):
            raise ValueError(f'SpikingJellyNeuron: {name} runs single steps only; choose a multi-step neuron.') from e
        raise ValueError(f'SpikingJellyNeuron: {name} refuses {args}: '
                         f'{str(e) or "an assertion of its own (numbers must be floats: 1.0, not 1)"}.') from e
