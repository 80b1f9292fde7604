"""Accuracies against hand counts and mmaction, and what unreadable videos and padding do."""
import json
import logging

import cv2
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator

from mmspike.evaluation import ActionMetric, confusion_matrix, mean_class_accuracy, top_k_hits
from mmspike.registry import METRICS

SCORES = np.array([[.5, .3, .2], [.2, .3, .5], [.1, .8, .1], [.6, .3, .1]])
LABELS = np.array([0, 1, 1, 2])


def sample(index, scores=SCORES, labels=LABELS, **facts):
    out = ActionDataSample(metainfo=dict(sample_idx=index, filename=f'{index}.mp4', **facts))
    return out.set_gt_labels(int(labels[index])).set_pred_score(torch.tensor(scores[index]))


def evaluate(metric, samples, size=None):
    evaluator = Evaluator(metric)
    evaluator.process(data_samples=samples)
    return evaluator.evaluate(size or len(samples))


def test_top_k_and_ties():
    assert top_k_hits(SCORES, LABELS, 1).tolist() == [True, False, True, False]
    assert top_k_hits(SCORES, LABELS, 2).tolist() == [True, True, True, False]
    assert top_k_hits(SCORES, LABELS, 9).all()
    tied = np.full((3, 3), 1 / 3)
    assert top_k_hits(tied, np.arange(3), 1).tolist() == [True, False, False]  # as argmax
    assert top_k_hits(tied, np.arange(3), 2).tolist() == [True, True, False]


def test_top_k_equals_mmaction_without_ties():
    from mmaction.evaluation import top_k_accuracy
    rng = np.random.default_rng(0)
    scores, labels = rng.random((200, 12)), rng.integers(0, 12, 200)
    ours = [top_k_hits(scores, labels, k).mean() for k in (1, 3, 5)]
    np.testing.assert_allclose(ours, top_k_accuracy(list(scores), labels.tolist(), (1, 3, 5)))


def test_mean_class_accuracy_leaves_out_classes_without_samples():
    assert mean_class_accuracy(np.array([1, 0, 1, 0], bool), [0, 1, 1, 7]) == pytest.approx((1 + .5 + 0) / 3)


def test_confusion_matrix_keeps_every_class():
    matrix = confusion_matrix([0, 2, 1, 0], LABELS, 4)
    assert matrix.tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_metric():
    out = evaluate(METRICS.build(dict(type='ActionMetric', topk=(1, 2))), [sample(i) for i in range(4)])
    assert out == {'acc/top1': .5, 'acc/top2': .75, 'acc/mean_class': pytest.approx(.5), 'acc/unreadable': 0}


def test_unreadable_videos_count_as_wrong_and_are_listed(monkeypatch):
    lines = []
    monkeypatch.setattr('mmspike.evaluation.metrics.action_metric.print_log',
                        lambda text, logger, level=logging.INFO: lines.append(text))
    samples = [sample(0, unreadable='cannot read video 0.mp4: empty'), *(sample(i) for i in (1, 2, 3))]
    out = evaluate(ActionMetric(topk=(1, 3)), samples)
    assert out == {'acc/top1': .25, 'acc/top3': .75, 'acc/mean_class': pytest.approx(.5 / 3), 'acc/unreadable': 1}
    assert lines == ['1 of 4 videos could not be read and count as wrong:\n  cannot read video 0.mp4: empty']


def test_samples_repeated_by_a_distributed_sampler_count_once():
    padded = [sample(i) for i in (0, 1, 2, 3, 0, 1)]
    assert evaluate(ActionMetric(topk=(1,)), padded, size=4)['acc/top1'] == .5
    assert evaluate(ActionMetric(topk=(1,)), padded, size=6)['acc/top1'] == .5


def test_confusion_files(tmp_path):
    metric = ActionMetric(confusion_matrix=str(tmp_path / 'new/confusion.png'))
    metric.dataset_meta = dict(classes=('run', 'walk', 'jump'))
    evaluate(metric, [*(sample(i) for i in range(3)), sample(3, unreadable='broken')])
    expected = [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    assert np.load(tmp_path / 'new/confusion.npy').tolist() == expected
    content = json.loads((tmp_path / 'new/confusion.json').read_text())
    assert content['classes'] == ['run', 'walk', 'jump'] and content['counts'] == expected
    assert cv2.imread(str(tmp_path / 'new/confusion.png')).shape[0] > 200


def test_scores_that_are_not_finite():
    scores = np.where(SCORES == .8, np.nan, SCORES)
    with pytest.raises(ValueError, match='scores of 2.mp4 are not finite; the model has diverged'):
        evaluate(ActionMetric(), [sample(2, scores)])


def test_label_outside_the_scores():
    with pytest.raises(ValueError, match='0.mp4 has the label 7, but the model gives 3 scores; set model.head.num_cla'):
        evaluate(ActionMetric(), [sample(0, labels=[7])])


def test_illegal_topk():
    with pytest.raises(ValueError, match='topk'):
        ActionMetric(topk=(0, 5))


def _evaluate_in_process(rank, world, port, out):
    """One of two gloo processes with the padded share that a DefaultSampler gives it."""
    import os

    import torch.distributed as dist
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=world)
    rng = np.random.default_rng(0)
    scores, labels = rng.random((5, 4)), rng.integers(0, 4, 5)
    share = [0, 1, 2, 3, 4, 0][rank::world]
    evaluator = Evaluator(ActionMetric(topk=(1, 2)))
    for index in share:
        evaluator.process(data_samples=[sample(index, scores, labels)])
    torch.save(evaluator.evaluate(5), f'{out}/{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_give_the_figures_of_one(tmp_path):
    import socket

    import torch.multiprocessing as mp
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    mp.spawn(_evaluate_in_process, (2, port, str(tmp_path)), nprocs=2)
    rng = np.random.default_rng(0)
    scores, labels = rng.random((5, 4)), rng.integers(0, 4, 5)
    alone = evaluate(ActionMetric(topk=(1, 2)), [sample(i, scores, labels) for i in range(5)])
    assert torch.load(tmp_path / '0.pt') == torch.load(tmp_path / '1.pt') == alone
