"""What a neuron does at every step, in one frozen record: the contract between the public API and the back ends."""
from dataclasses import dataclass
from typing import Literal

from mmspike.neurons.surrogate import get_surrogate


@dataclass(frozen=True)
class NeuronSettings:
    """Dynamics of one layer of neurons. Hashable, and free of tensors.

    Args:
        kind: ``'lif'``; ``'if'`` (no leak); ``'plif'`` (leak from a tensor ``w``, ``tau`` unused);
            ``'leaky'`` (leaks and never fires: the output is the membrane).
        tau: membrane time constant, in time steps, at least 1.
        v_threshold: fires at ``h >= v_threshold``.
        v_reset: membrane after a spike (hard reset), or ``None``: ``v_threshold`` is subtracted (soft reset).
            Also the value that the membrane leaks to and starts from (0 for ``None``).
        decay_input: whether the input is divided by tau as well.
        detach_reset: whether the gradient stops at the spike that resets the membrane.
        surrogate: name of the surrogate derivative.
        alpha: its sharpness.

    Raises:
        ValueError: a value that no neuron can have, with what is allowed.
    """

    kind: Literal['lif', 'if', 'plif', 'leaky']
    tau: float = 2.0
    v_threshold: float = 1.0
    v_reset: float | None = 0.0
    decay_input: bool = True
    detach_reset: bool = False
    surrogate: str = 'atan'
    alpha: float = 2.0

    def __post_init__(self) -> None:
        get_surrogate(self.surrogate)
        if not self.tau >= 1:
            raise ValueError(f'tau={self.tau} must be at least 1 time step: below, the membrane overshoots its input.')
        if not self.alpha > 0:
            raise ValueError(f'alpha={self.alpha} must be positive: it is the sharpness of the surrogate gradient.')

    @property
    def rest(self) -> float:
        """Where the membrane starts and what it leaks to."""
        return 0.0 if self.v_reset is None else float(self.v_reset)
