"""What a model with a sequence head wrote of a person: as plain values, as a picture, and the visualizer of it."""
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from matplotlib.figure import Figure
from mmengine.dist import master_only
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor

from mmspike.codecs.attribute_sequence import EOS, FIRST, with_absences
from mmspike.registry import VISUALIZERS
from mmspike.structures import attribute_names
from mmspike.visualization.figure_visualizer import FigureVisualizer
from mmspike.visualization.page import to_rgb
from mmspike.visualization.sequence_panel import Step, sequence_panel

END = 'end'


def written(output: DataSample, names: Sequence[str]) -> list[tuple[str, float]]:
    """The sequence of a prediction: name and probability of each step, an absence as 'not ...', and 'end' last."""
    words = with_absences(names)
    steps = [words[number] for number in output.pred_sequence.tolist()]
    probabilities = output.pred_steps.tolist()
    return list(zip([*steps, *[END] * (len(probabilities) - len(steps))], probabilities, strict=True))


@torch.no_grad()
def looks_of(model: BaseModel, features: Sequence[Tensor], output: DataSample, size: Sequence[int]) -> Tensor | None:
    """Where the decoder looked at each step of a prediction, [T, h, w] on the CPU; None where there is no grid.

    Args:
        model: with a ``SequenceHead``.
        features: what its head was given, of this image alone.
        output: the prediction.
        size: height and width of the image.

    Raises:
        ValueError: the model writes no sequences.
    """
    refuse_without_sequences(model)
    tokens = output.pred_tokens
    looks = model.head.looks(features, tokens, size)
    return None if looks is None else looks[(tokens >= FIRST) | (tokens == EOS)].float().cpu()


def refuse_without_sequences(model: BaseModel) -> None:
    """Checks that a model writes sequences.

    Raises:
        ValueError: it does not; names one that does.
    """
    head = getattr(model, 'head', model)  # a distiller has none
    if not hasattr(head, 'looks'):
        raise ValueError(f'{type(head).__name__} writes no sequence to draw; it takes a model with a '
                         'SequenceHead, such as configs/sequencepar/sequencepar_synthetic.py')


def sequence_picture(image: Tensor, output: DataSample, names: Sequence[str], title: str,
                     looks: Tensor | None = None) -> Figure:
    """Draw what was written of a person; with labels, what of it is wrong and what is missed.

    Args:
        image: uint8 BGR, [3, H, W], as the data loader gives it.
        output: the prediction, with ``gt_score`` where labels are known.
        names: of the attributes.
        title: first line of the picture.
        looks: of :func:`looks_of`; None draws the picture alone at each step.
    """
    labels = output.gt_score.tolist() if 'gt_score' in output else []
    numbers, steps = output.pred_sequence.tolist(), []
    for place, (name, probability) in enumerate(written(output, names)):
        right = _is_right(numbers[place], labels, len(names)) if place < len(numbers) else None
        steps.append(Step(name, probability, None if looks is None else looks[place].numpy(), right))
    missed = [name for number, name in enumerate(names) if labels and labels[number] == 1 and number not in numbers]
    return sequence_panel(to_rgb(image), steps, title=title, missed=missed)


def _is_right(number: int, labels: Sequence[float], count: int) -> bool | None:
    """Whether an attribute, or from ``count`` on an absence, is as the labels say; None where they say nothing."""
    label = labels[number % count] if labels else -1
    return None if label not in (0, 1) else label == (number < count)


@VISUALIZERS.register_module()
class SequenceVisualizer(FigureVisualizer):
    """Draws what a model with a ``SequenceHead`` wrote of one sample of a data set, and where it looked.

    Names are taken from ``dataset_meta``, which the runner sets from the data set.
    """

    @contextmanager
    def observe(self, model: BaseModel) -> Iterator[Callable[[int, int], dict]]:
        """Each image's own features, from which its looks are computed.

        Raises:
            ValueError: the model writes no sequences.
        """
        refuse_without_sequences(model)
        seen: list[Sequence[Tensor]] = []
        handle = (model.neck or model.backbone).register_forward_hook(lambda *given: seen.append(given[-1]))
        try:
            yield lambda index, count: dict(look=lambda output, size: looks_of(
                model, [x[index:index + 1] for x in seen[-1]], output, size))
        finally:
            handle.remove()

    @master_only
    def add_datasample(self, name: str, image: Tensor, data_sample: DataSample, *,
                       look: Callable[[DataSample, Sequence[int]], Tensor | None] | None = None,
                       out_file: str | Path | None = None, step: int = 0) -> None:
        """Draw one sample.

        Args:
            name: Title of the picture and its name in the back ends.
            image: uint8 BGR, [3, H, W], as the data loader gives it.
            data_sample: The prediction, and its ``gt_score`` where known.
            look: Gives where the decoder looked, of the prediction and the size of the image.
            out_file: Picture file to write; ``None`` hands the picture to the back ends instead.
            step: Step under which the back ends file the picture.
        """
        names, _ = attribute_names(self.dataset_meta, len(data_sample.pred_score))
        looks = None if look is None else look(data_sample, image.shape[-2:])
        self.add_figure(name, sequence_picture(image, data_sample, names, name, looks), out_file, step)
