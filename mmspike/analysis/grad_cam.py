"""Where in an image one attribute is seen: gradient-weighted maps of the level that it is read from."""
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AttributeCam:
    """Response maps of single attributes.

    features -> head -> logit of the attribute -> its gradient at the map and in the rows that the attribute is read
    from -> times what each channel is above its mean -> positive part -> sum over channels -> smoothed

    A head that says where an attribute is read from (``sources_of``, SSPNet) is asked; of several maps the responses
    are added with their weights. For any other head the last map counts, whole. The model is not changed.

    Args:
        model: predictor with ``extract_feat`` and ``head``, in evaluation mode.
        smoothing: sigma of a Gaussian over the response, in pixels of the map; 0 leaves it out.

    Raises:
        ValueError: the head gives no logits of attributes at once, as one that writes them in sequence.

    Source: Grad-CAM (arXiv 1610.02391), at the scale of the attribute's group as SSPNet does (arXiv
        2312.06049); the details of the published variant are not known.
    Differs from Grad-CAM: gradients are not averaged over positions, which would say the same of both sides of a
        pyramid pooling; they are as sparse as its maxima, hence the smoothing. The maps of a pyramid are signed, so
        that 0 means nothing: each channel counts from its mean in the rows.
    """

    def __init__(self, model: nn.Module, smoothing: float = 2.0):
        if not hasattr(model.head, 'logits'):
            raise ValueError(f'{type(model.head).__name__} gives no logits of the attributes, whose gradients are '
                             'needed; expected a head such as AttributeHead or SSPNetHead. Where a SequenceHead '
                             'looked is drawn by demo/attribute_demo.py --show sequence')
        self.model, self.smoothing = model, smoothing

    def __call__(self, inputs: Tensor, attributes: Sequence[int], samples: Sequence | None = None) -> Tensor:
        """Responses, stretched to the size of the input.

        Args:
            inputs: normalised images. **Shape** [B, 3, H, W].
            attributes: numbers of attributes.
            samples: of the images, for heads that ask for keypoints.

        Returns:
            Tensor: float32, 0 or more. **Shape** [B, len(attributes), H, W].
        """
        with torch.no_grad():
            features = [x.detach() for x in self.model.extract_feat(inputs)]
        with torch.enable_grad():
            features = [x.requires_grad_() for x in features]
            logits = self.model.head.logits(features, samples)  # [B, A]
            maps = [self._map(features, logits, attribute) for attribute in attributes]
        return torch.cat([F.interpolate(x, inputs.shape[-2:], mode='bilinear') for x in maps], 1)

    def _map(self, features: Sequence[Tensor], logits: Tensor, attribute: int) -> Tensor:
        """[B, 1, h, w], of the finest map that counts."""
        head = self.model.head
        sources = head.sources_of(attribute) if hasattr(head, 'sources_of') else [((len(features) - 1, 0.0, 1.0), 1.0)]
        maps = [features[level] for (level, *_), _ in sources]
        gradients = torch.autograd.grad(logits[:, attribute].sum(), maps, retain_graph=True)
        responses = [weight * self._response(x, gradient, top, bottom)
                     for x, gradient, ((_, top, bottom), weight) in zip(maps, gradients, sources, strict=True)]
        return sum(F.interpolate(response, maps[0].shape[-2:], mode='bilinear') for response in responses)

    def _response(self, x: Tensor, gradient: Tensor, top: float, bottom: float) -> Tensor:
        """[B, 1, h, w] of a map [B, C, h, w], 0 outside the rows from ``top`` to ``bottom``."""
        height = x.shape[2]
        first = min(round(top * height), height - 1)
        last = max(round(bottom * height), first + 1)
        x, gradient = x.detach()[:, :, first:last].float(), gradient[:, :, first:last].float()
        x = x - x.mean((2, 3), keepdim=True)
        return F.pad(_smooth((gradient * x).clamp(min=0).sum(1, keepdim=True), self.smoothing),
                     (0, 0, first, height - last))


def _smooth(x: Tensor, sigma: float) -> Tensor:
    """A Gaussian over [B, 1, h, w]."""
    if sigma <= 0:
        return x
    half = int(2 * sigma + 0.5)
    bell = torch.exp(-torch.arange(-half, half + 1, device=x.device) ** 2 / (2 * sigma**2))
    bell = bell / bell.sum()
    return F.conv2d(F.conv2d(x, bell.view(1, 1, 1, -1), padding=(0, half)), bell.view(1, 1, -1, 1), padding=(half, 0))


def response_box(response: np.ndarray, threshold: float = 0.5) -> np.ndarray | None:
    """The box around the strongest response.

    Args:
        response: 0 or more. **Shape** [H, W].
        threshold: share of the highest response that a pixel needs.

    Returns:
        ``[x1, y1, x2, y2]`` in pixels, of the connected part that holds the highest response; None where there is none.
    """
    highest = float(response.max(initial=0))
    if not highest > 0:
        return None
    _, parts = cv2.connectedComponents((response >= threshold * highest).astype(np.uint8))
    rows, columns = np.nonzero(parts == parts[np.unravel_index(response.argmax(), response.shape)])
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float32)
