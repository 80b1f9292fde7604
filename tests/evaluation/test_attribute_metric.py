"""Figures of attributes against the original implementations, hand counts, and what is undefined."""
import csv
import json
import logging

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmspike.evaluation import (
    AttributeMetric,
    attribute_figures,
    average_precision,
    best_threshold,
    instance_figures,
    label_figures,
)
from mmspike.evaluation.attributes import predict
from mmspike.registry import METRICS

# Hat: TPR 1/2, TNR 1; Bag: TPR 1, TNR 0; Boots: unknown in the last image
SCORES = np.array([[.9, .6, .1], [.2, .8, .7], [.1, .7, .6]], np.float32)
LABELS = np.array([[1, 1, 0], [1, 0, 1], [0, 0, -1]])
NAMES = {'label_pos_recall': 'tpr', 'label_neg_recall': 'tnr', 'label_prec': 'precision', 'label_acc': 'accuracy',
         'label_f1': 'f1', 'label_ma': 'mA', 'fn_num': 'fn', 'fp_num': 'fp'}
SUMMARY = {'ma': 'mA', 'acc': 'accuracy', 'prec': 'precision', 'recall': 'recall'}


def sample(index, scores=SCORES, labels=LABELS):
    out = DataSample(metainfo=dict(sample_idx=index, img_path=f'{index}.jpg'))
    return out.set_pred_score(torch.tensor(scores[index])).set_gt_score(torch.tensor(labels[index]).float())


def evaluate(metric, samples, size=None, **meta):
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = meta
    evaluator.process(data_samples=samples)
    return evaluator.evaluate(size or len(samples))


@pytest.fixture
def log(monkeypatch):
    lines = []
    monkeypatch.setattr('mmspike.evaluation.metrics.attribute_metric.print_log',
                        lambda text, logger, level=logging.INFO: lines.append(text))
    return lines


def _compare(expected, scores, labels, threshold, f1):
    figures, table = attribute_figures(scores, labels, threshold, legacy=True)
    assert f1 in figures
    got = {name: figures[ours] for name, ours in SUMMARY.items()} | dict(f1=figures[f1])
    got |= {name: table[ours] for name, ours in NAMES.items() if name in expected}
    if 'error_num' in expected:
        got['error_num'] = table['fp'] + table['fn']
    assert len(got) >= 11
    for name, value in got.items():
        np.testing.assert_allclose(value, np.asarray(expected[name]), rtol=1e-10, atol=1e-12, err_msg=name)


@pytest.mark.parametrize('system, f1', [('snnpar', 'f1'), ('sspnet', 'f1_of_means'), ('sequencepar', 'f1')])
def test_golden_cases(golden, system, f1):
    case = torch.load(golden / f'cases/{system}_metrics.pt', weights_only=True)
    compared = 0
    for name, inputs in case['inputs'].items():
        expected = case['outputs'][name]
        if 'ma' not in expected:
            continue  # losses and others
        columns = inputs.get('index') or slice(None)
        _compare(expected, inputs['probs'].numpy()[:, columns], inputs['gt'].numpy()[:, columns], inputs['threshold'],
                 f1)
        compared += 1
    assert compared == {'snnpar': 5, 'sspnet': 5, 'sequencepar': 2}[system]


def test_golden_units(golden):
    cases = json.loads((golden / 'units/snnpar_metrics.json').read_text())['cases']
    for case in cases:
        _compare(case, np.array(case['probs'], np.float32), np.array(case['gt']), case['threshold'], 'f1')
    assert len(cases) == 8


def test_golden_average_precision(golden):
    case = torch.load(golden / 'cases/sspnet_metrics.pt', weights_only=True)
    inputs, expected = case['inputs']['multilabel'], case['outputs']['multilabel']
    ap = average_precision(inputs['probs'].numpy(), inputs['gt'].numpy())
    np.testing.assert_allclose(ap, expected['ap_per_attribute'], rtol=1e-10)
    assert 100 * ap.mean() == pytest.approx(float(expected['map']), rel=1e-10)


def test_average_precision_of_ties_is_the_sum_over_thresholds():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 6, (50, 4)) / 6, rng.integers(0, 2, (50, 4))
    expected = np.zeros(4)
    for a in range(4):
        recall = 0.
        for threshold in np.unique(scores[:, a])[::-1]:
            hits = labels[scores[:, a] >= threshold, a]
            expected[a] += (hits.sum() / labels[:, a].sum() - recall) * hits.mean()
            recall = hits.sum() / labels[:, a].sum()
    np.testing.assert_allclose(average_precision(scores, labels), expected)
    assert average_precision(np.full((4, 1), .5), np.array([[1], [0], [0], [0]])).tolist() == [.25]  # in any order


def test_the_threshold_is_compared_in_the_precision_of_the_scores():
    at = np.array([[.45]], np.float32)  # less than 0.45 by rounding, and equal to it in float32
    assert not predict(at, .45).any() and not predict(at.astype(float), .45).any()
    assert predict(np.nextafter(at, np.float32(1)), .45).all()
    at = np.array([[.6]], np.float32)  # more than 0.6 by rounding
    assert not predict(at, .6).any()


def test_figures_by_hand():
    figures, table = attribute_figures(SCORES, LABELS, .5)
    assert table['tpr'].tolist() == [.5, 1, 1] and table['tnr'].tolist() == [1, 0, 1]
    assert table['positives'].tolist() == [2, 1, 1] and table['negatives'].tolist() == [1, 2, 1]
    assert table['precision'].tolist() == [1, pytest.approx(1 / 3), 1]
    assert table['f1'].tolist() == [pytest.approx(2 / 3), .5, 1]
    assert table['ap'].tolist() == [1, pytest.approx(1 / 3), 1]
    assert figures['mA'] == pytest.approx((.75 + .5 + 1) / 3) and figures['mAP'] == pytest.approx(7 / 9)
    # Image 1 both right; image 2 predicts Bag and Boots, has Hat and Boots; image 3 has none, predicts Bag
    assert figures['accuracy'] == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert figures['precision'] == figures['recall'] == pytest.approx((1 + .5 + 0) / 3)
    assert figures['f1'] == pytest.approx((1 + .5 + 0) / 3) and figures['f1_of_means'] == pytest.approx(.5)


def test_an_unknown_label_takes_part_in_nothing():
    rng = np.random.default_rng(1)
    scores, labels = rng.random((30, 5)), rng.integers(0, 2, (30, 5))
    labels[rng.random(labels.shape) < .2] = -1
    figures, table = attribute_figures(scores, labels)
    others, other_table = attribute_figures(np.where(labels < 0, rng.random(scores.shape), scores),
                                            np.where(labels < 0, 2, labels))
    assert figures == others and all(np.array_equal(table[name], other_table[name]) for name in table)
    # By switch a prediction where the label is unknown is wrong in the figures per image, as published
    assert instance_figures(scores > .5, labels, legacy=True)['precision'] < figures['precision']


def test_images_without_positives():
    nothing, one = np.zeros((1, 3), bool), np.array([[1, 0, 0]], bool)
    assert set(instance_figures(nothing, nothing.astype(int)).values()) == {1.}
    assert set(instance_figures(nothing, nothing.astype(int), legacy=True).values()) == {0.}
    for predicted, truth in ((nothing, one), (one, nothing)):
        assert set(instance_figures(predicted, truth.astype(int)).values()) == {0.}
    # No label known: left out; beside a wrong image that is
    labels = np.array([[-1, -1, -1], [0, 1, 0]])
    assert instance_figures(np.concatenate([one, one]), labels)['accuracy'] == 0
    assert instance_figures(np.concatenate([one, ~one]), labels)['recall'] == 1
    assert np.isnan(instance_figures(one, labels[:1])['f1'])


def test_attributes_with_one_kind_of_label_are_not_in_the_means():
    labels = np.array([[0, 1, 1], [0, 1, 0]])
    scores = np.array([[.1, .9, .9], [.2, .8, .1]])
    figures, table = attribute_figures(scores, labels)
    assert figures['mA'] == 1 and figures['mAP'] == 1
    assert np.isnan(table['mA']).tolist() == [True, True, False]
    assert attribute_figures(scores, labels, legacy=True)[0]['mA'] == pytest.approx(2 / 3)
    assert label_figures(scores > .5, labels, legacy=True)['mA'].tolist() == [.5, .5, 1]


def test_best_threshold():
    scores = np.array([[.1], [.2], [.3], [.4]])
    labels = np.array([[0], [0], [1], [1]])
    assert best_threshold(scores, labels) == (.29, 1.)  # of 0.20 to 0.29, all of which part the two, nearest to 0.5
    threshold, f1 = best_threshold(SCORES, LABELS, 'f1')
    assert f1 == max(instance_figures(predict(SCORES, t / 100), LABELS)['f1'] for t in range(1, 100))
    assert f1 == pytest.approx(instance_figures(predict(SCORES, threshold), LABELS)['f1'])
    assert np.isnan(best_threshold(SCORES, np.full_like(LABELS, -1))).all()


def test_metric(log):
    out = evaluate(METRICS.build(dict(type='AttributeMetric')), [sample(i) for i in range(3)],
                   attributes=['Hat', 'Bag', 'A very long attribute name'], groups=['head', 'other', 'other'])
    expected = attribute_figures(SCORES, LABELS, .5)[0]
    assert out == {f'par/{name}': pytest.approx(value) for name, value in expected.items()}
    (table,) = log
    lines = table.splitlines()
    assert lines[0] == '3 images, 3 attributes, threshold 0.5, in per cent:'
    assert lines[1].startswith('mA 75.00   accuracy 44.44')
    assert ' '.join(lines[2].split()) == 'attribute positives negatives recall+ recall- mA precision F1 AP'
    assert lines[3] == '[head]' and lines[5] == '[other]'
    assert lines[4].split() == ['Hat', '2', '1', '50.00', '100.00', '75.00', '100.00', '66.67', '100.00']
    assert len(lines) == 8 and len({len(line) for line in lines if line[0] != '[' and line is not lines[1]} - {
        len(lines[0])}) == 1  # columns stand below one another


def test_best_threshold_is_reported_apart(log):
    plain = evaluate(AttributeMetric(threshold=.45), [sample(i) for i in range(3)])
    out = evaluate(AttributeMetric(threshold=.45, best_threshold='mA'), [sample(i) for i in range(3)])
    assert {name: value for name, value in out.items() if 'best' not in name} == plain
    assert out['par/best_mA'] >= plain['par/mA']
    assert any('chosen on what it is measured on' in line for line in log)


def test_files(tmp_path, log):
    labels = np.where([True, True, False], LABELS, 0)  # Boots without positives
    out = evaluate(AttributeMetric(out=str(tmp_path / 'new/result.json')), [sample(i, labels=labels) for i in range(3)],
                   attributes=['Hat', 'Bag', 'Boots'], groups=['head', 'other', 'other'])
    content = json.loads((tmp_path / 'new/result.json').read_text())
    assert content['figures'] == {name.removeprefix('par/'): value for name, value in out.items()}
    assert content['images'] == 3 and content['threshold'] == .5 and content['legacy'] is False
    assert content['attributes'][2]['tpr'] is None and content['attributes'][2]['tnr'] == pytest.approx(1 / 3)
    with (tmp_path / 'new/result.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert [row['attribute'] for row in rows] == ['Hat', 'Bag', 'Boots']
    assert rows[0]['tpr'] == '0.5' and rows[2]['mA'] == ''
    assert '1 of 3 attributes have no positives or no negatives here and are not in mA: Boots' in log
    assert '-' in next(line for line in log[0].splitlines() if line.startswith('Boots')).split()


def test_padding_counts_once():
    padded = [sample(i) for i in (0, 1, 2, 0)]
    assert evaluate(AttributeMetric(), padded, size=3) == evaluate(AttributeMetric(), [sample(i) for i in range(3)])


def test_errors_say_what_to_do():
    with pytest.raises(ValueError, match='1.jpg has 3 labels, but the model gives 2 scores; set model.head.num_attri'):
        evaluate(AttributeMetric(), [dict(img_path='1.jpg', pred_score=torch.zeros(2), gt_score=torch.zeros(3))])
    with pytest.raises(ValueError, match='scores of 0.jpg are not finite; the model has diverged'):
        evaluate(AttributeMetric(), [sample(0, np.full_like(SCORES, np.nan))])
    with pytest.raises(ValueError, match='0.jpg has no labels; evaluate on a split with labels'):
        evaluate(AttributeMetric(), [DataSample(metainfo=dict(img_path='0.jpg')).set_pred_score(torch.zeros(3))])
    with pytest.raises(ValueError, match='no sample was evaluated; check that the data set .* not empty'):
        AttributeMetric().evaluate(0)
    both = [dict(pred_score=torch.zeros(count), gt_score=torch.zeros(count)) for count in (3, 4)]
    with pytest.raises(ValueError, match='samples of 3 and 4 attributes in one evaluation'):
        evaluate(AttributeMetric(), both)
    with pytest.raises(ValueError, match='threshold is 1.5'):
        AttributeMetric(threshold=1.5)
    with pytest.raises(ValueError, match="best_threshold is True, expected the figure to find .* mA, accuracy"):
        AttributeMetric(best_threshold=True)


def _evaluate_in_process(rank, world, port, out):
    """One of two gloo processes with the padded share that a DefaultSampler gives it."""
    import os

    import torch.distributed as dist
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    dist.init_process_group('gloo', rank=rank, world_size=world)
    evaluator = Evaluator(AttributeMetric(best_threshold='f1'))
    for index in [0, 1, 2, 0][rank::world]:
        evaluator.process(data_samples=[sample(index)])
    torch.save(evaluator.evaluate(3), f'{out}/{rank}.pt')
    dist.destroy_process_group()


def test_two_processes_give_the_figures_of_one(tmp_path):
    import socket

    import torch.multiprocessing as mp
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    mp.spawn(_evaluate_in_process, (2, port, str(tmp_path)), nprocs=2)
    alone = evaluate(AttributeMetric(best_threshold='f1'), [sample(i) for i in range(3)])
    assert torch.load(tmp_path / '0.pt') == torch.load(tmp_path / '1.pt') == alone
