"""Figures of attribute recognition, over the set and per attribute."""
import logging
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmspike.registry import METRICS
from mmspike.structures import attribute_names

from ..attribute_files import attribute_rows, attribute_text, save_attribute_figures
from ..attributes import attribute_figures, best_threshold

FIGURES = ('mA', 'accuracy', 'precision', 'recall', 'f1', 'f1_of_means')


@METRICS.register_module()
class AttributeMetric(BaseMetric):
    """mA, the figures per image, F1 under both conventions, mAP, and a table of the attributes in the log.

    Keys: ``par/mA``, ``par/accuracy``, ``par/precision``, ``par/recall``, ``par/f1`` (mean of each image's F1),
    ``par/f1_of_means`` (harmonic mean of mean precision and mean recall), ``par/mAP``; with ``best_threshold`` also
    ``par/best_threshold`` and ``par/best_mA`` (or the figure asked for), found on the evaluated samples themselves and
    used for nothing else. All in [0, 1]. A label that is neither 1 nor 0 is unknown and takes part in nothing.

    Every sample of the data set counts, once: what a distributed sampler repeats at the end, to even out the processes,
    mmengine cuts off by the length of the data set.

    **Differs** from the published functions where there is nothing to divide, see :mod:`mmspike.evaluation.attributes`.

    Args:
        threshold: An attribute is predicted where its score is above it, strictly, in float32. The literature uses 0.5
            (Strong Baseline, SSPNet) and 0.45 (VTB, SNN-PAR, SequencePAR).
        best_threshold: A figure, such as ``'mA'`` or ``'f1'``: also look for the threshold that gives the highest one.
        out: Write figures and table as ``.json`` and ``.csv`` under this path, over those of the previous evaluation.
        by: A fact of each image, such as ``'domain'``: also the figures of the images of each of its values, as
            ``par/mA[PETA]`` and so on, and ``par/mA[mean]``, their mean.
        legacy: Published behaviour, to compare with published tables.
        collect_device: ``'cpu'`` or ``'gpu'``, how processes exchange results.
        prefix: In place of ``par``.

    Raises:
        ValueError: A threshold outside [0, 1), or a figure that does not exist.
    """

    default_prefix = 'par'

    def __init__(self, threshold: float = 0.5, best_threshold: str | None = None, out: str | None = None,
                 by: str | None = None, legacy: bool = False, collect_device: str = 'cpu',
                 prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        if not 0 <= threshold < 1:
            raise ValueError(f'AttributeMetric: threshold is {threshold}, expected a score from 0 to below 1, such as '
                             '0.5')
        if best_threshold not in (None, *FIGURES):
            raise ValueError(f'AttributeMetric: best_threshold is {best_threshold!r}, expected the figure to find the '
                             f'threshold for: one of {", ".join(FIGURES)}; or None')
        self.threshold = threshold
        self.best_threshold = best_threshold
        self.out = out
        self.by = by
        self.legacy = legacy

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep scores and labels of each sample.

        Args:
            data_batch: Not used.
            data_samples: Samples as dictionaries, with ``pred_score`` and ``gt_score``, both [A].

        Raises:
            ValueError: No labels, scores that are not finite, or another number of them than of labels.
        """
        for sample in data_samples:
            name = sample.get('img_path', 'a sample')
            if 'gt_score' not in sample:
                raise ValueError(f'AttributeMetric: {name} has no labels; evaluate on a split with labels, or run '
                                 'demo/attribute_demo.py on images without')
            scores = torch.as_tensor(sample['pred_score']).detach().float().cpu().numpy()
            labels = torch.as_tensor(sample['gt_score']).detach().float().cpu().numpy()
            if not np.isfinite(scores).all():
                raise ValueError(f'AttributeMetric: the scores of {name} are not finite; the model has diverged or the '
                                 'checkpoint is damaged')
            if scores.shape != labels.shape:
                raise ValueError(f'AttributeMetric: {name} has {labels.size} labels, but the model gives {scores.size} '
                                 'scores; set model.head.num_attributes to the number of attributes')
            if self.by is not None and self.by not in sample:
                raise ValueError(f'AttributeMetric: {name} has no {self.by!r}, by which by={self.by!r} divides the '
                                 f'images. Add "{self.by}": ... to each image of the annotation file, keep PackPerson '
                                 'at the end of the test pipeline, or leave out by=')
            self.results.append(dict(scores=scores, labels=labels, part=str(sample[self.by]) if self.by else ''))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Figures over all samples of all processes."""
        if not results:
            raise ValueError('AttributeMetric: no sample was evaluated; check that the data set of the dataloader is '
                             'not empty')
        widths = sorted({len(result['labels']) for result in results})
        if len(widths) > 1:
            raise ValueError(f'AttributeMetric: samples of {" and ".join(map(str, widths))} attributes in one '
                             'evaluation; give each data set an evaluation of its own')
        scores, labels = (np.stack([result[key] for result in results]) for key in ('scores', 'labels'))  # [N, A]
        figures, table = attribute_figures(scores, labels, self.threshold, self.legacy)
        names, groups = attribute_names(self.dataset_meta, scores.shape[1])
        rows = attribute_rows(table, names, groups)
        title = f'{len(scores)} images, {len(names)} attributes, threshold {self.threshold}, in per cent:'
        print_log(attribute_text(rows, figures, title), logger='current')
        self._name_degenerate(rows)
        if self.by is not None:
            figures.update(self._parts(scores, labels, np.array([result['part'] for result in results])))
        if self.best_threshold is not None:
            figures.update(self._best(scores, labels))
        if self.out is not None:
            files = save_attribute_figures(self.out, rows, figures, images=len(scores), threshold=self.threshold,
                                           legacy=self.legacy)
            print_log(f'results per attribute: {", ".join(map(str, files))}', logger='current')
        return figures

    def _name_degenerate(self, rows: list[dict]) -> None:
        single = [row['attribute'] for row in rows if not (row['positives'] and row['negatives'])]
        if single:
            count = 'count with a recall of 0' if self.legacy else 'are not in mA'
            print_log(f'{len(single)} of {len(rows)} attributes have no positives or no negatives here and {count}: '
                      f'{", ".join(single)}', logger='current', level=logging.WARNING)

    def _parts(self, scores: np.ndarray, labels: np.ndarray, part_of: np.ndarray) -> dict[str, float]:
        """The figures over the images of each part, and their mean over the parts."""
        parts = {part: attribute_figures(scores[part_of == part], labels[part_of == part], self.threshold,
                                         self.legacy)[0] for part in np.unique(part_of).tolist()}
        lines = [f'{self.by} {part}: {int((part_of == part).sum())} images, '
                 + ', '.join(f'{name} {100 * value:.2f}' for name, value in figures.items())
                 for part, figures in parts.items()]
        print_log('\n'.join(lines), logger='current')
        parts['mean'] = {name: float(np.nanmean([figures[name] for figures in parts.values()]))
                         for name in (*FIGURES, 'mAP')}
        return {f'{name}[{part}]': value for part, figures in parts.items() for name, value in figures.items()}

    def _best(self, scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        threshold, value = best_threshold(scores, labels, self.best_threshold, legacy=self.legacy)
        print_log(f'best threshold for {self.best_threshold} on these samples: {threshold} gives {100 * value:.2f} per '
                  f'cent. It was chosen on what it is measured on: use it elsewhere, by threshold={threshold}',
                  logger='current')
        return {'best_threshold': threshold, f'best_{self.best_threshold}': value}
