"""Generated sequences of attributes in numbers."""
import numpy as np


def sequence_figures(emitted: np.ndarray, labels: np.ndarray, stopped: np.ndarray,
                     lengths: np.ndarray) -> dict[str, float]:
    """Figures of sequences beside those of their sets.

    Args:
        emitted: which attributes each image's sequence names, bool. **Shape** [N, A].
        labels: 1, 0 or unknown, which takes no part. **Shape** [N, A].
        stopped: whether the sequence ended by the model's own choice, bool. **Shape** [N].
        lengths: attributes in the sequence, repeated ones as often as they came. **Shape** [N].

    Returns:
        dict: ``exact_set``, the share of images all of whose known labels are right; ``stop_rate``; ``length`` and
        ``true_length``, means.
    """
    emitted, labels = np.asarray(emitted, bool), np.asarray(labels)
    known = (labels == 0) | (labels == 1)
    return dict(exact_set=float(((emitted == (labels == 1)) | ~known).all(1).mean()),
                stop_rate=float(np.mean(stopped)), length=float(np.mean(lengths)),
                true_length=float((labels == 1).sum(1).mean()))
