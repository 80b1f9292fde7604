"""Cut a clip into groups: the key frame of each group, and the residual frames that follow it."""
from torch import Tensor


def split_key_frames(clip: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Key frames and residual frames of a clip.

    Group g of a clip holds the frames ``g*S .. g*S+S-1``. Its first frame is the key; each other frame, minus the
    key of its own group, is a residual: signed, neither clipped nor thresholded. Groups are folded into the batch,
    clip by clip (row ``b*n + g``), and the residuals of a group are the time steps of the spiking branch.

    Args:
        clip: normalised frames.
        stride: S, frames per group, at least 2.

    Shape:
        clip ``[B, T, C, H, W]`` -> key ``[B*n, C, H, W]``, residual ``[S-1, B*n, C, H, W]`` with n = T / S.

    Raises:
        ValueError: where T is not a multiple of S.

    Source: ReSpike (arXiv 2409.01564), section on residual frames.
    Differs: nothing; the residual of the key itself, zero by construction, is not computed.
    """
    frames = clip.shape[1]
    if stride < 2 or frames % stride:
        legal = [s for s in range(2, frames + 1) if frames % s == 0]
        sample = stride * max(1, round(frames / stride)) if stride > 1 else 8
        raise ValueError(
            f'split_key_frames: a clip of T={frames} frames cannot be cut into groups of stride S={stride}: T must be '
            f'a multiple of S, and S at least 2. Sample {sample} frames (num_segments or clip_len in the pipelines)'
            + (f', or set model.backbone.stride to one of {legal}.' if legal else '.'))
    groups = clip.unflatten(1, (frames // stride, stride)).flatten(0, 1)  # [B*n, S, C, H, W]
    key = groups[:, 0]
    residual = groups[:, 1:] - groups[:, :1]  # [B*n, S-1, C, H, W]
    return key, residual.transpose(0, 1)
