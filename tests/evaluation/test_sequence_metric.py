"""Figures of sequences: by hand on a few, from a head's predictions, and what is refused."""
import numpy as np
import pytest
import torch

from mmspike.evaluation import sequence_figures
from mmspike.registry import METRICS


def test_figures_by_hand():
    emitted = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0]], bool)
    labels = np.array([[1, 0, 1], [0, 1, 0], [1, -1, 0]])  # right, wrong, right where it is known
    figures = sequence_figures(emitted, labels, np.array([True, True, False]), np.array([2, 0, 4]))
    assert figures == pytest.approx(dict(exact_set=2 / 3, stop_rate=2 / 3, length=2, true_length=4 / 3))


def sample(sequence, labels, stopped=True):
    return dict(pred_sequence=torch.tensor(sequence, dtype=torch.long), pred_stopped=stopped,
                gt_score=torch.tensor(labels))


def test_the_metric_reads_sequences_repeats_and_absences():
    metric = METRICS.build(dict(type='SequenceMetric'))
    metric.process({}, [sample([0, 2], [1., 0, 1]), sample([], [0., 0, 0]),
                        sample([1, 1, 5], [0., 1, 0], False)])  # 5: the absence of 2
    assert metric.evaluate(3) == pytest.approx({'seq/exact_set': 1, 'seq/stop_rate': 2 / 3, 'seq/length': 4 / 3,
                                                'seq/true_length': 1})


def test_what_it_refuses():
    metric = METRICS.build(dict(type='SequenceMetric'))
    with pytest.raises(ValueError, match='a.jpg has no pred_sequence; SequenceMetric is for models with a Seq'):
        metric.process({}, [dict(gt_score=torch.ones(2), img_path='a.jpg')])
    with pytest.raises(ValueError, match='a sample has no gt_score; evaluate on a split with labels'):
        metric.process({}, [dict(pred_sequence=torch.ones(2))])
    with pytest.raises(ValueError, match='no sample was evaluated'):
        metric.compute_metrics([])
