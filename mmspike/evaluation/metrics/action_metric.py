"""Accuracy of action recognition, per video."""
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmspike.registry import METRICS

from ..confusion_files import save_confusion_matrix
from ..functional import confusion_matrix, mean_class_accuracy, top_k_hits

LISTED = 20  # unreadable videos named in the log


@METRICS.register_module()
class ActionMetric(BaseMetric):
    """Top-k and mean class accuracy over videos, whose scores are already averaged over clips and crops.

    A video that could not be read counts as wrong in every figure; they are counted and listed by path. Samples that a
    distributed sampler repeats to even out the processes count once.

    Keys: ``acc/top1``, ``acc/top5`` (as in ``topk``), ``acc/mean_class`` (over the classes that occur), all in
    [0, 1], and ``acc/unreadable``, a number of videos.

    Args:
        topk (sequence): Values of k.
        confusion_matrix (str, optional): Write the matrix as ``.npy``, ``.json`` and ``.png`` under this path, over
            those of the previous evaluation. Videos that could not be read are left out of it.
        collect_device (str): ``'cpu'`` or ``'gpu'``, how processes exchange results.
        prefix (str, optional): In place of ``acc``.
    """

    default_prefix = 'acc'

    def __init__(self, topk: Sequence[int] = (1, 5), confusion_matrix: str | None = None, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        self.topk = (topk,) if isinstance(topk, int) else tuple(topk)
        if not self.topk or min(self.topk) < 1:
            raise ValueError(f'ActionMetric: topk is {topk}, expected whole numbers from 1, such as (1, 5)')
        self.confusion_matrix = confusion_matrix

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep scores, label and facts of each sample.

        Args:
            data_batch (dict): Not used.
            data_samples (sequence): Samples as dictionaries, with ``pred_scores`` and ``gt_labels``.

        Raises:
            ValueError: Scores that are not finite, or a label outside them.
        """
        for sample in data_samples:
            scores = torch.as_tensor(sample['pred_scores']['item']).detach().float().cpu().numpy()
            label, name = int(sample['gt_labels']['item'][0]), sample.get('filename')
            if not np.isfinite(scores).all():
                raise ValueError(f'ActionMetric: the scores of {name} are not finite; the model has diverged or the '
                                 'checkpoint is damaged')
            if not 0 <= label < len(scores):
                raise ValueError(f'ActionMetric: {name} has the label {label}, but the model gives {len(scores)} '
                                 'scores; set model.head.num_classes to the number of classes')
            self.results.append(dict(index=sample.get('sample_idx'), scores=scores, label=label, filename=name,
                                     unreadable=sample.get('unreadable')))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Figures over all samples of all processes."""
        results = _once_each(results)
        scores = np.stack([result['scores'] for result in results])  # [N, K]
        labels = np.array([result['label'] for result in results])
        readable = np.array([result['unreadable'] is None for result in results])

        out = {f'top{k}': float((top_k_hits(scores, labels, k) & readable).mean()) for k in self.topk}
        out['mean_class'] = mean_class_accuracy(top_k_hits(scores, labels, 1) & readable, labels)
        out['unreadable'] = int((~readable).sum())
        self._list_unreadable([result for result in results if result['unreadable'] is not None], len(results))
        if self.confusion_matrix is not None:
            matrix = confusion_matrix(scores[readable].argmax(1), labels[readable], scores.shape[1])
            files = save_confusion_matrix(matrix, self.confusion_matrix, (self.dataset_meta or {}).get('classes'))
            print_log(f'confusion matrix: {", ".join(str(Path(file)) for file in files)}', logger='current')
        return out

    @staticmethod
    def _list_unreadable(results: list[dict], total: int) -> None:
        if not results:
            return
        names = '\n'.join(f'  {result["unreadable"]}' for result in results[:LISTED])
        more = f'\n  ... and {len(results) - LISTED} more' if len(results) > LISTED else ''
        print_log(f'{len(results)} of {total} videos could not be read and count as wrong:\n{names}{more}',
                  logger='current', level=logging.WARNING)


def _once_each(results: list[dict]) -> list[dict]:
    """Drop repeats by the sample's index in the data set, where it is known."""
    if any(result['index'] is None for result in results):
        return results
    return list({result['index']: result for result in results}.values())
