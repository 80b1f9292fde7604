"""A neck made for a backbone."""
import torch
from torch import nn

from mmspike.registry import MODELS

PROBES = (64, 224)  # side of a square image; some Transformers take no smaller one


def build_neck(config: dict, backbone: nn.Module) -> nn.Module:
    """Build a neck; one that can read its channels from the backbone, and has none in the config, does.

    Args:
        config: of the neck.
        backbone: takes images ``[B, 3, H, W]``.

    Raises:
        ValueError: the backbone takes none of the images that are tried.
    """
    kind = config['type']
    kind = MODELS.get(kind) if isinstance(kind, str) else kind
    if getattr(kind, 'reads_channels', False) and config.get('in_channels') is None:
        config = dict(config, in_channels=map_channels(backbone))
    return MODELS.build(config)


@torch.no_grad()
def map_channels(backbone: nn.Module) -> tuple[int, ...]:
    """Channels of each map that a backbone returns, found by showing it an image."""
    training, problems = backbone.training, []
    backbone.eval()
    try:
        for side in PROBES:
            try:
                return tuple(x.shape[1] for x in backbone(torch.zeros(1, 3, side, side)))
            except (AssertionError, RuntimeError, ValueError) as error:
                problems.append(f'{side}x{side}: {error}')
    finally:
        backbone.train(training)
    raise ValueError(f'{type(backbone).__name__} takes none of the images shown to it to read its channels '
                     f'({"; ".join(problems)}). Give model.neck.in_channels=[...], one number per map.')
