"""Overlap of boxes, and figures per domain."""
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmspike.evaluation import AttributeMetric, attribute_figures, box_iou, localization_rows

BOX = st.tuples(st.integers(0, 20), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
NOTHING = [np.nan] * 4


@given(BOX, BOX)
def test_overlap_is_that_of_the_pixels(one, other):
    drawn = np.zeros((2, 30, 30), bool)
    for pixels, (x1, y1, x2, y2) in zip(drawn, (one, other), strict=True):
        pixels[y1:y2, x1:x2] = True
    want = drawn.all(0).sum() / drawn.any(0).sum()
    assert box_iou(np.array([one]), np.array([other])) == pytest.approx(want)


def test_a_missing_box_overlaps_nothing():
    assert box_iou(np.array([NOTHING, [0, 0, 2, 2]]), np.array([[0, 0, 2, 2]] * 2)).tolist() == [0, 1]


def test_rows_of_attributes():
    true = np.array([[[0, 0, 2, 4], NOTHING], [[0, 0, 4, 4], NOTHING]], float)
    found = np.array([[[0, 0, 2, 2], NOTHING], [NOTHING, NOTHING]], float)
    rows = localization_rows(found, true, np.array([[0, 0, 4, 4]] * 2), ['Hat', 'Bag'])
    assert rows[0] == {'attribute': 'Hat', 'images': 2, 'iou': 0.25, 'baseline': 0.75, 'found_0.3': 0.5,
                       'found_0.5': 0.5}
    assert rows[1] == {'attribute': 'Bag', 'images': 0, 'iou': None, 'baseline': None, 'found_0.3': None,
                       'found_0.5': None}
    assert rows[2]['iou'] == 0.25 and rows[2]['images'] == 2  # of the attributes that have boxes


def evaluate(metric, scores, labels, domains):
    samples = [DataSample(metainfo=dict(sample_idx=i, **({} if domain is None else dict(domain=domain))))
               .set_pred_score(torch.tensor(s)).set_gt_score(torch.tensor(y))
               for i, (s, y, domain) in enumerate(zip(scores, labels, domains, strict=True))]
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {}
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_figures_of_each_domain_in_one_run():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((30, 4)).astype(np.float32), rng.integers(0, 2, (30, 4)).astype(np.float32)
    domains = ['PETA', 'RAP2', 'Market1501'] * 10
    got = evaluate(AttributeMetric(by='domain'), scores, labels, domains)
    assert got['par/mA'] == pytest.approx(attribute_figures(scores, labels)[0]['mA'])
    each = [attribute_figures(scores[i::3], labels[i::3])[0] for i in range(3)]
    for name, figures in zip(domains, each, strict=False):
        assert got[f'par/mA[{name}]'] == pytest.approx(figures['mA'])
        assert got[f'par/f1[{name}]'] == pytest.approx(figures['f1'])
    assert got['par/mA[mean]'] == pytest.approx(np.mean([figures['mA'] for figures in each]))


def test_an_image_without_a_domain_is_an_error():
    with pytest.raises(ValueError, match=r'has no \'domain\', by which by=.* "domain": ... to each image of the '
                       'annotation file, keep PackPerson at the end'):
        evaluate(AttributeMetric(by='domain'), np.zeros((1, 2), np.float32), np.zeros((1, 2)), [None])
