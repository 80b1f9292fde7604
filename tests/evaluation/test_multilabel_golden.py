"""The multi-label figures of the published code are those of mmpretrain's metrics, which configs can name."""
import pytest
import torch
from mmpretrain.evaluation import AveragePrecision, MultiLabelMetric


def test_published_multilabel_figures(golden):
    case = torch.load(golden / 'cases/sspnet_metrics.pt', weights_only=True)
    inputs, want = case['inputs']['multilabel'], case['outputs']['multilabel']
    scores, labels = inputs['probs'], inputs['gt']
    thr = inputs['threshold']
    micro, each = (MultiLabelMetric.calculate(scores, labels, thr=thr, average=average) for average in ('micro', None))
    for name, value in zip(('OP', 'OR', 'OF1'), micro[:3], strict=True):
        assert float(value) == pytest.approx(float(want[name]), rel=1e-6)
    for name, values in zip(('CP_all', 'CR_all', 'CF1_all'), each[:3], strict=True):
        torch.testing.assert_close(values.double() / 100, want[name], rtol=1e-6, atol=1e-9)
    cp, cr = (float(values.mean()) for values in each[:2])
    assert (cp, cr) == pytest.approx((float(want['CP']), float(want['CR'])), rel=1e-6)
    assert 2 * cp * cr / (cp + cr) == pytest.approx(float(want['CF1']), rel=1e-6)
    assert float(each[2].mean()) / 100 == pytest.approx(float(want['CF1_mean']), rel=1e-6)
    assert float(AveragePrecision.calculate(scores, labels)) == pytest.approx(float(want['map']), rel=1e-5)
