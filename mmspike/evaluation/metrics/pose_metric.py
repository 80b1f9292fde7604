"""Figures of poses over time: per bin, per joint, and in space."""
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmspike.registry import METRICS
from mmspike.structures import load_skeleton

from ..pose import AVERAGES, correct_joints, joint_errors, triangulated_errors
from ..pose_files import bin_rows, joint_rows, pose_text, save_pose_figures


@METRICS.register_module()
class PoseMetric(BaseMetric):
    """Mean errors of joints in pixels and mm, the share of correct joints, and the pose held from the window's start.

    Keys: ``pose/mpjpe`` (mean over the bins), ``pose/mpjpe_first`` and ``pose/mpjpe_last`` (of the first and the last
    bin), ``pose/pck``; where the model gives it ``pose/hold``, what it would be if the CNN's pose at the start of the
    window were kept, and ``pose/of_hold``, the ratio of the two; with several views ``pose/mpjpe_3d`` and
    ``pose/hold_3d`` in mm. Tables per bin and per joint go to the log, and to files with ``out``.

    Views of one moment are samples of different cameras of the same ``sequence`` and ``start_us``. Each bin is compared
    with its own label.

    **Differs** from the published evaluation in space, which compares every bin with the label of the first and takes
    the corner of a pixel for its middle.

    Args:
        pck: A joint is correct within this share of the torso, from the right shoulder to the left hip.
        average: ``'pose'``, as published: mean over the joints of each pose, then over poses; or ``'joint'``.
        views: Numbers of the cameras to triangulate from, such as ``(3, 2)``; by default all that there are.
        out: Write figures and tables as ``.json``, ``_joints.csv`` and ``_bins.csv`` under this path, over those of the
            previous evaluation.
        collect_device: ``'cpu'`` or ``'gpu'``, how processes exchange results.
        prefix: In place of ``pose``.

    Raises:
        ValueError: An average that does not exist, a share that is not positive, or fewer than two views.
    """

    default_prefix = 'pose'

    def __init__(self, pck: float = 0.2, average: str = 'pose', views: Sequence[int] | None = None,
                 out: str | None = None, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        if average not in AVERAGES:
            raise ValueError(f"PoseMetric: average is {average!r}, expected 'pose' or 'joint'")
        if pck <= 0:
            raise ValueError(f'PoseMetric: pck is {pck}, expected a share of the torso such as 0.2')
        if views is not None and len(set(views)) < 2:
            raise ValueError(f'PoseMetric: views is {tuple(views)}, expected two or more cameras, or None')
        self.pck, self.average, self.out = pck, average, out
        self.views = None if views is None else set(views)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep the poses of each sample.

        Args:
            data_batch: Not used.
            data_samples: Samples as dictionaries, with the fields of :class:`~mmspike.structures.PoseDataSample`.

        Raises:
            ValueError: No labels, another number of poses than of labels, or joints that are not finite.
        """
        for sample in data_samples:
            name = f'{sample.get("sequence", "a sample")} at {sample.get("start_us", 0) / 1000:g} ms'
            if 'gt_keypoints' not in sample:
                raise ValueError(f'PoseMetric: {name} has no labels; evaluate on recordings with poses')
            found = {key: _array(sample[key]) for key in ('pred_keypoints', 'hold_keypoints', 'gt_keypoints',
                                                          'gt_keypoints_3d') if key in sample}
            shape = found['gt_keypoints'].shape
            for key in ('pred_keypoints', 'hold_keypoints'):
                if key in found and found[key].shape != shape:
                    raise ValueError(f'PoseMetric: {name} has labels [T, K, 2] of the shape {list(shape)}, but the '
                                     f'model gives {key} of {list(found[key].shape)}; give both as many bins and '
                                     'joints')
            if not np.isfinite(found['pred_keypoints']).all():
                raise ValueError(f'PoseMetric: joints predicted for {name} are not finite; the model has diverged or '
                                 'the checkpoint is damaged')
            facts = {key: sample.get(key) for key in ('sequence', 'camera', 'start_us', 'bin_us', 'projection')}
            self.results.append(dict(found, **facts, gt_visible=_array(sample['gt_visible']).astype(bool)))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Figures over all samples of all processes."""
        if not results:
            raise ValueError('PoseMetric: no sample was evaluated; check that the data set of the dataloader is not '
                             'empty')
        shapes = sorted({result['gt_keypoints'].shape[:2] for result in results})
        if len(shapes) > 1:
            raise ValueError(f'PoseMetric: windows of {shapes[0]} and {shapes[1]} bins and joints in one evaluation; '
                             'give each data set an evaluation of its own')
        tables = self._flat_tables(results) | self._space_tables(results)
        names = (self.dataset_meta or {}).get('joints') or [f'joint {k}' for k in range(shapes[0][1])]
        per_bin = bin_rows(tables, (results[0]['bin_us'] or 0) / 1000, self.average)
        per_joint = joint_rows(tables, names)
        figures = self._figures(per_bin)
        views = sorted({result['camera'] for result in results}, key=str)
        title = (f'{len(results)} windows of {shapes[0][0]} bins, cameras {", ".join(map(str, views))}; '
                 + ', '.join(f'{key} {value:.3f}' for key, value in figures.items()))
        print_log(pose_text(per_joint, per_bin, title), logger='current')
        if self.out is not None:
            files = save_pose_figures(self.out, per_joint, per_bin, figures, windows=len(results), average=self.average,
                                      pck_share=self.pck)
            print_log(f'results per bin and joint: {", ".join(map(str, files))}', logger='current')
        return figures

    def _flat_tables(self, results: list[dict]) -> dict[str, np.ndarray]:
        """Errors in pixels and correctness of all joints, each [N, T, K]."""
        true, visible = (np.stack([result[key] for result in results]) for key in ('gt_keypoints', 'gt_visible'))
        errors = joint_errors(np.stack([result['pred_keypoints'] for result in results]), true, visible)
        tables = dict(mpjpe=errors)
        if all('hold_keypoints' in result for result in results):
            tables['hold'] = joint_errors(np.stack([result['hold_keypoints'] for result in results]), true, visible)
        torso = load_skeleton((self.dataset_meta or {}).get('skeleton', 'dhp19')).torso
        tables['pck'] = correct_joints(errors, true, visible, torso, self.pck)
        return tables

    def _space_tables(self, results: list[dict]) -> dict[str, np.ndarray]:
        """Errors in mm of all joints of all moments that two or more views see, each [M, T, K]; empty without any."""
        moments: dict[tuple, list[dict]] = {}
        for result in results:
            if result['projection'] is not None and (self.views is None or result['camera'] in self.views):
                moments.setdefault((result['sequence'], result['start_us']), []).append(result)
        needed = 2 if self.views is None else len(self.views)
        groups = [list({view['camera']: view for view in group}.values()) for group in moments.values()]
        groups = [group for group in groups if len(group) >= needed and 'gt_keypoints_3d' in group[0]]
        keys = dict(mpjpe_3d='pred_keypoints', hold_3d='hold_keypoints')
        return {name: np.stack([triangulated_errors([view[key] for view in group],
                                                    [view['projection'] for view in group],
                                                    group[0]['gt_keypoints_3d']) for group in groups])
                for name, key in keys.items() if groups and all(key in view for group in groups for view in group)}

    @staticmethod
    def _figures(per_bin: list[dict]) -> dict[str, float]:
        def mean(key: str) -> float:
            values = [row[key] for row in per_bin if row[key] is not None]
            return float(np.mean(values)) if values else float('nan')

        labelled = [row['mpjpe'] for row in per_bin if row['mpjpe'] is not None] or [float('nan')]
        figures = dict(mpjpe=mean('mpjpe'), mpjpe_first=labelled[0], mpjpe_last=labelled[-1], pck=mean('pck'))
        if 'hold' in per_bin[0]:
            figures.update(hold=mean('hold'), of_hold=figures['mpjpe'] / mean('hold') if mean('hold') else float('nan'))
        return figures | {key: mean(key) for key in ('mpjpe_3d', 'hold_3d') if key in per_bin[0]}


def _array(values) -> np.ndarray:
    return torch.as_tensor(values).detach().double().cpu().numpy()
