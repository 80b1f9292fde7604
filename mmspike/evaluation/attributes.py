"""Attribute recognition in numbers: scores [N, A] and labels [N, A] in, figures per attribute and per image out.

A label is 1 (has it), 0 (has it not) or anything else (unknown). Unknown labels take no part in any figure.

Source: the field's two families of figures, label-based (mA) and instance-based (accuracy, precision, recall, F1), of
`RAP <https://arxiv.org/abs/1603.07054>`_.

Differs: what cannot be said is left out, and an empty answer to an image without attributes is right. The published
functions score 0 in both cases; ``legacy=True`` does the same, in every function that takes it:

============================================  ========================================  ===============================
case                                          default                                   ``legacy=True``
============================================  ========================================  ===============================
attribute without positives or negatives      not in the mean (mA, mAP)                 that recall, or AP, counts as 0
image without positives, none predicted       1 in all four figures                     0 in all four figures
prediction where the label is unknown         ignored                                   wrong, in the figures per image
image with unknown labels only                not in the mean                           0 in all four figures
============================================  ========================================  ===============================
"""
from collections.abc import Sequence

import numpy as np

GRID = tuple(i / 100 for i in range(1, 100))  # thresholds that are tried; finer ones would fit the noise


def predict(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Scores above the threshold, strictly, compared in the precision of the scores, so that equal is not above.

    Args:
        scores: **Shape** [N, A].
        threshold: A number; NumPy rounds it to the scores' precision.

    Returns:
        np.ndarray: bool. **Shape** [N, A].
    """
    return np.asarray(scores) > float(threshold)


def label_figures(predicted: np.ndarray, labels: np.ndarray, legacy: bool = False) -> dict[str, np.ndarray]:
    """Counts and rates of each attribute.

    Args:
        predicted: bool. **Shape** [N, A].
        labels: 1, 0 or unknown. **Shape** [N, A].
        legacy: Published behaviour, see the module.

    Returns:
        dict: By name, each **Shape** [A]: the counts ``positives``, ``negatives``, ``tp``, ``fp``, ``fn``, ``tn``;
        recall of positives ``tpr`` and of negatives ``tnr``, their mean ``mA``; ``precision``, ``f1`` and ``accuracy``,
        which is TP / (TP + FP + FN). NaN where there is nothing to divide by.
    """
    predicted, labels = np.asarray(predicted, bool), np.asarray(labels)
    positive, negative = labels == 1, labels == 0
    tp, fp = (predicted & positive).sum(0), (predicted & negative).sum(0)
    fn, tn = (~predicted & positive).sum(0), (~predicted & negative).sum(0)
    tpr, tnr = _ratio(tp, tp + fn, legacy), _ratio(tn, tn + fp, legacy)
    return dict(positives=tp + fn, negatives=tn + fp, tp=tp, fp=fp, fn=fn, tn=tn, tpr=tpr, tnr=tnr, mA=(tpr + tnr) / 2,
                precision=_ratio(tp, tp + fp, legacy), f1=_ratio(2 * tp, 2 * tp + fp + fn, legacy),
                accuracy=_ratio(tp, tp + fp + fn, legacy))


def instance_figures(predicted: np.ndarray, labels: np.ndarray, legacy: bool = False) -> dict[str, float]:
    """Figures of each image, averaged over the images.

    Accuracy is the number of attributes that are both true and predicted, over those that are either; precision is over
    those predicted, recall over those true. Where only one of the two sets is empty, all are 0.

    Args:
        predicted: bool. **Shape** [N, A].
        labels: 1, 0 or unknown. **Shape** [N, A].
        legacy: Published behaviour, see the module.

    Returns:
        dict: ``accuracy``, ``precision``, ``recall``, and F1 under both conventions of the literature: ``f1``, the
        mean of each image's F1 (VTB, SNN-PAR, SequencePAR), and ``f1_of_means``, the harmonic mean of the mean
        precision and the mean recall (Strong Baseline, SSPNet). The numbers are not interchangeable.
    """
    predicted, labels = np.asarray(predicted, bool), np.asarray(labels)
    truth, known = labels == 1, (labels == 0) | (labels == 1)
    if not legacy:
        predicted = predicted & known
        predicted, truth = predicted[known.any(1)], truth[known.any(1)]
    both, either = (predicted & truth).sum(1), (predicted | truth).sum(1)
    has, told = truth.sum(1), predicted.sum(1)
    nothing = 0. if legacy else (either == 0).astype(float)  # what an image scores where there is nothing to divide
    precision, recall = (_ratio(both, n, True) + nothing for n in (told, has))
    out = dict(accuracy=_ratio(both, either, True) + nothing, precision=precision, recall=recall,
               f1=_ratio(2 * both, has + told, True) + nothing)
    out = {name: _mean(values) for name, values in out.items()}
    total = out['precision'] + out['recall']
    out['f1_of_means'] = 2 * out['precision'] * out['recall'] / total if total != 0 else 0.
    return out


def average_precision(scores: np.ndarray, labels: np.ndarray, legacy: bool = False) -> np.ndarray:
    """Area under each attribute's precision-recall steps; images of equal score are passed together.

    Args:
        scores: **Shape** [N, A].
        labels: 1, 0 or unknown. **Shape** [N, A].
        legacy: An attribute without positives scores 0 rather than NaN.

    Returns:
        np.ndarray: **Shape** [A].
    """
    scores, labels = np.asarray(scores), np.asarray(labels)
    out = np.full(scores.shape[1], 0. if legacy else np.nan)
    for a in range(scores.shape[1]):
        known = (labels[:, a] == 0) | (labels[:, a] == 1)
        score, hit = scores[known, a], labels[known, a] == 1
        if hit.any():
            order = np.argsort(-score, kind='stable')
            score, hits = score[order], np.cumsum(hit[order])
            last = np.append(score[1:] != score[:-1], True)  # of the images of one score
            precision = hits[last] / (np.flatnonzero(last) + 1)
            out[a] = (np.diff(hits[last], prepend=0) * precision).sum() / hits[-1]
    return out


def attribute_figures(scores: np.ndarray, labels: np.ndarray, threshold: float = 0.5,
                      legacy: bool = False) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """All figures at one threshold.

    Returns:
        tuple: The figures over the set (``mA``, those of :func:`instance_figures`, ``mAP``), and those of each
        attribute (those of :func:`label_figures`, ``ap``), each **Shape** [A].
    """
    predicted = predict(scores, threshold)
    table = label_figures(predicted, labels, legacy) | dict(ap=average_precision(scores, labels, legacy))
    return dict(mA=_mean(table['mA']), **instance_figures(predicted, labels, legacy), mAP=_mean(table['ap'])), table


def best_threshold(scores: np.ndarray, labels: np.ndarray, figure: str = 'mA', grid: Sequence[float] = GRID,
                   legacy: bool = False) -> tuple[float, float]:
    """The threshold of the grid that gives the highest figure on these very samples.

    Choose it on a validation set and report another: on the set that it was chosen on it flatters.

    Args:
        scores: **Shape** [N, A].
        labels: 1, 0 or unknown. **Shape** [N, A].
        figure: ``'mA'`` or one of :func:`instance_figures`, such as ``'f1'``.
        grid: Thresholds; of equally good ones the one nearest 0.5 is taken.
        legacy: Published behaviour, see the module.

    Returns:
        tuple: Threshold and figure, both NaN where the figure is undefined at all of them.
    """
    def at(threshold: float) -> float:
        predicted = predict(scores, threshold)
        if figure == 'mA':
            return _mean(label_figures(predicted, labels, legacy)['mA'])
        return instance_figures(predicted, labels, legacy)[figure]

    figures = [(at(threshold), -abs(threshold - 0.5), threshold) for threshold in grid]
    best, _, threshold = max((entry for entry in figures if not np.isnan(entry[0])), default=(np.nan,) * 3)
    return threshold, best


def _ratio(part: np.ndarray, whole: np.ndarray, zero: bool) -> np.ndarray:
    """Their quotient; 0 (``zero``) or NaN where there is nothing to divide by."""
    return np.where(whole > 0, part / np.maximum(whole, 1), 0. if zero else np.nan)


def _mean(values: np.ndarray) -> float:
    """Mean of what is not NaN; NaN if nothing is left."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float('nan')
