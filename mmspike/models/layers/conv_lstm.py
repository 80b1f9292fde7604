"""A convolutional LSTM over all time steps of a map."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmspike.models.layers.time import per_step


class ConvLSTM(nn.Module):
    """LSTM whose gates are one 3x3 convolution of input and hidden map.

    The part of that convolution that sees the input runs over all steps at once; only the rest is a loop.

    Shape:
        x ``[T, B, C, H, W]``, hidden and cell ``[B, C, H, W]`` (None: zeros) -> hidden of every step
        ``[T, B, C, H, W]``, last cell ``[B, C, H, W]``.

    Source: Shi et al. 2015, ConvLSTM (arXiv 1506.04214), without peepholes, as in E2VID (arXiv 1906.07165).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(2 * channels, 4 * channels, 3, padding=1)  # input, remember, output, cell

    def forward(self, x: Tensor, hidden: Tensor | None, cell: Tensor | None) -> tuple[Tensor, Tensor]:
        of_input, of_hidden = self.gates.weight.split(self.channels, 1)
        from_input = per_step(lambda frames: F.conv2d(frames, of_input, self.gates.bias, padding=1), x)
        outputs = []
        for gates in from_input:  # [B, 4C, H, W]
            if hidden is not None:
                gates = gates + F.conv2d(hidden, of_hidden, padding=1)
            write, remember, give, new = gates.chunk(4, 1)
            new = write.sigmoid() * new.tanh()
            cell = new if cell is None else remember.sigmoid() * cell + new
            hidden = give.sigmoid() * cell.tanh()
            outputs.append(hidden)
        return torch.stack(outputs), cell
