"""The visualizer of pose estimators: the bins of a window with their poses, to a file or to the visual back ends."""
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from mmengine.dist import master_only
from torch import Tensor

from mmspike.registry import VISUALIZERS
from mmspike.structures import PoseDataSample, load_skeleton
from mmspike.visualization.contact_sheet import contact_sheet
from mmspike.visualization.event_picture import (
    HELD,
    PREDICTED,
    TRUTH,
    draw_skeletons,
    event_picture,
    frame_picture,
)
from mmspike.visualization.figure_visualizer import FigureVisualizer


@VISUALIZERS.register_module()
class PoseVisualizer(FigureVisualizer):
    """Draws what :func:`pose_sheet` draws for one sample of a data set.

    The skeleton is taken from ``dataset_meta['skeleton']``, which the runner sets from the data set.
    """

    @master_only
    def add_datasample(self, name: str, inputs: Mapping[str, Tensor], data_sample: PoseDataSample | None = None, *,
                       out_file: str | Path | None = None, step: int = 0) -> None:
        """Draw one sample.

        Args:
            name: Title of the picture and its name in the back ends.
            inputs: ``bins`` [T, 2, H, W], ``frames`` [F, C, H, W] or both, as the data loader gives them.
            data_sample: Its poses, where set, are drawn: labels green, predictions pink, held ones grey.
            out_file: Picture file to write; ``None`` hands the picture to the back ends instead.
            step: Step under which the back ends file the picture.
        """
        skeleton = (self.dataset_meta or {}).get('skeleton', 'dhp19')
        self.add_figure(name, pose_sheet(inputs, data_sample, skeleton, name), out_file, step)


def pose_sheet(inputs: Mapping[str, Tensor], sample: PoseDataSample | None, skeleton: str = 'dhp19',
               title: str = '') -> Figure:
    """Frames and bins of a window, with labels (green), predictions (pink) and the held pose (grey) on the bins.

    Args:
        inputs: As above. Where there are no bins, poses are drawn on the frames.
        sample: Whatever poses it has.
        skeleton: Name of the skeleton.
        title: First line.
    """
    edges = load_skeleton(skeleton).edges
    pictures = {name: [draw(np.asarray(one)) for one in inputs[name].cpu().numpy()]
                for name, draw in (('frames', frame_picture), ('bins', event_picture)) if name in inputs}
    carrier = 'bins' if 'bins' in pictures else 'frames'
    blocks = []
    for name, stack in pictures.items():
        steps = [_poses_of(sample, t) if name == carrier else [] for t in range(len(stack))]
        height, width = stack[0].shape[:2]
        heading = f'{"what the CNN looks at" if name == "frames" else "bins"}, of {width}x{height} pixels'
        if name == carrier and any(steps):
            heading += ', labels green, predictions pink, held grey; drawn'
        blocks.append((heading, np.stack([draw_skeletons(picture, poses, edges)
                                          for picture, poses in zip(stack, steps, strict=True)])))
    return contact_sheet(blocks, title, columns=5, cell_width=1.9)


def _poses_of(sample: PoseDataSample | None, t: int) -> list[tuple]:
    """Held, labelled and predicted pose of bin t, as far as they are there."""
    if sample is None:
        return []
    found = []
    for key, colour in (('hold_keypoints', HELD), ('gt_keypoints', TRUTH), ('pred_keypoints', PREDICTED)):
        if key in sample and t < len(sample.get(key)):
            known = sample.gt_visible[t].cpu().numpy() if key == 'gt_keypoints' else None
            found.append((sample.get(key)[t].detach().float().cpu().numpy(), known, colour))
    return found
