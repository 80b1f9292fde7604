"""What a model with a sequence head wrote of a person: as plain values, and as a picture."""
from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample

from mmspike.codecs.attribute_sequence import EOS, FIRST
from mmspike.models.layers.phrases import with_absences
from mmspike.visualization import Step, sequence_panel, to_rgb

END = 'end'


def written(output: DataSample, names: Sequence[str]) -> list[tuple[str, float]]:
    """The sequence of a prediction: name and probability of each step, an absence as 'not ...', and 'end' last."""
    words = with_absences(names)
    steps = [words[number] for number in output.pred_sequence.tolist()]
    probabilities = output.pred_steps.tolist()
    return list(zip([*steps, *[END] * (len(probabilities) - len(steps))], probabilities, strict=True))


@torch.no_grad()
def sequence_picture(model: BaseModel, sample: dict, output: DataSample, names: Sequence[str], title: str) -> Figure:
    """Draw what was written of a person, and where the decoder looked at each step; with labels, what of it is wrong.

    Args:
        model: with a ``SequenceHead``.
        sample: ``inputs`` uint8 BGR [3, H, W], and ``data_samples``.
        output: its prediction.
        names: of the attributes.
        title: first line of the picture.

    Raises:
        ValueError: the model writes no sequences.
    """
    if not hasattr(model.head, 'looks'):
        raise ValueError(f'{type(model.head).__name__} writes no sequence to draw; it takes a model with a '
                         'SequenceHead, such as configs/sequencepar/sequencepar_synthetic.py')
    data = model.data_preprocessor(dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]), False)
    size = data['inputs'].shape[-2:]
    tokens = output.pred_tokens
    looks = model.head.looks(model.extract_feat(data['inputs']), tokens, size)
    if looks is not None:
        looks = looks[(tokens >= FIRST) | (tokens == EOS)]
    labels = output.gt_score.tolist() if 'gt_score' in output else []
    numbers, steps = output.pred_sequence.tolist(), []
    for place, (name, probability) in enumerate(written(output, names)):
        look = None if looks is None else looks[place].float().cpu().numpy()
        right = _is_right(numbers[place], labels, len(names)) if place < len(numbers) else None
        steps.append(Step(name, probability, look, right))
    missed = [name for number, name in enumerate(names) if labels and labels[number] == 1 and number not in numbers]
    return sequence_panel(to_rgb(sample['inputs']), steps, title=title, missed=missed)


def _is_right(number: int, labels: Sequence[float], count: int) -> bool | None:
    """Whether an attribute, or from ``count`` on an absence, is as the labels say; None where they say nothing."""
    label = labels[number % count] if labels else -1
    return None if label not in (0, 1) else label == (number < count)
