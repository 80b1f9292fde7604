"""Figures of attributes that are generated as a sequence."""
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.evaluator import BaseMetric

from mmspike.registry import METRICS

from ..sequences import sequence_figures


@METRICS.register_module()
class SequenceMetric(BaseMetric):
    """How sequences are: beside ``AttributeMetric``, which takes their scores.

    Keys: ``seq/exact_set`` (all known labels right), ``seq/stop_rate`` (ended by the model's own choice; 1 in mode
    ``posneg``, whose sequences have one length),
    ``seq/length`` and ``seq/true_length`` (attributes, means).

    Args:
        collect_device: ``'cpu'`` or ``'gpu'``, how processes exchange results.
        prefix: In place of ``seq``.
    """

    default_prefix = 'seq'

    def __init__(self, collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Keep sequence and labels of each sample.

        Args:
            data_batch: Not used.
            data_samples: Samples as dictionaries, with ``pred_sequence``, ``pred_stopped`` and ``gt_score`` [A].

        Raises:
            ValueError: No labels, or no sequence.
        """
        for sample in data_samples:
            for key, advice in (('gt_score', 'evaluate on a split with labels'),
                                ('pred_sequence', 'SequenceMetric is for models with a SequenceHead; leave it out')):
                if key not in sample:
                    raise ValueError(f'SequenceMetric: {sample.get("img_path", "a sample")} has no {key}; {advice}')
            labels = torch.as_tensor(sample['gt_score']).cpu().numpy()
            sequence = torch.as_tensor(sample['pred_sequence']).cpu().numpy()
            positive = sequence[sequence < len(labels)]  # others are absences
            emitted = np.zeros(len(labels), bool)
            emitted[positive] = True
            self.results.append(dict(emitted=emitted, labels=labels, stopped=sample['pred_stopped'],
                                     length=len(positive)))

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Figures over all samples of all processes."""
        if not results:
            raise ValueError('SequenceMetric: no sample was evaluated; check that the data set of the dataloader is '
                             'not empty')
        emitted, labels, stopped, lengths = (np.array([result[key] for result in results]) for key in (
            'emitted', 'labels', 'stopped', 'length'))
        return sequence_figures(emitted, labels, stopped, lengths)
