"""Images, folders and videos in, attributes of persons out."""
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from mmengine.config import Config
from mmengine.dataset import Compose
from mmpretrain.structures import DataSample
from torch import Tensor

from mmspike.analysis import HeatMapRecorder
from mmspike.apis.inferencer import Inferencer, find_files
from mmspike.apis.persons import Person, PersonReader
from mmspike.datasets.video_backends import IMAGE_SUFFIXES
from mmspike.datasets.video_list import VIDEO_SUFFIXES
from mmspike.structures import attribute_names
from mmspike.visualization import Picture, attribute_panel, input_pictures, to_rgb
from mmspike.visualization.sequence_visualizer import looks_of, refuse_without_sequences, sequence_picture, written


class AttributeInferencer(Inferencer):
    """Recognise the attributes of persons with the test pipeline of a config.

    file -> persons -> pipeline -> preprocessor -> model -> scores by group, for any number of files.

    Args:
        config: Path of a config, or a loaded one; its ``test_dataloader.dataset.pipeline``, after the transform that
            loads the image, prepares the persons.
        checkpoint: File with the model's weights; ``None`` leaves a model that guesses.
        device: Where the model runs.
        cfg_options: Dotted path -> value, put over the config.
        names: ``attributes`` and ``groups``, as in a data set's ``metainfo``; by default those that the checkpoint was
            trained on.
        threshold: Above this score an attribute is predicted; by default that of the config's ``test_evaluator``, or
            0.5.

    Raises:
        ValueError: The config has no test pipeline, or it does not begin with loading an image, or there are more or
            fewer names than attributes.
    """

    def __init__(self, config: str | Path | Config, checkpoint: str | Path | None = None,
                 device: str | torch.device = 'cpu', cfg_options: dict | None = None, names: Mapping | None = None,
                 threshold: float | None = None) -> None:
        super().__init__(config, checkpoint, device, cfg_options)
        first = type(self.transforms[0]).__name__
        if not first.startswith('LoadImage'):
            raise ValueError(f'{self.model.cfg.filename}: the test pipeline begins with {first}; expected LoadImage, '
                             'whose place the persons of this inferencer take')
        self.pipeline = Compose(self.transforms[1:])
        self.names, self.groups = self._check_names(names)
        self.threshold = self._threshold_of_config() if threshold is None else threshold

    def __call__(self, inputs: str | Path | Iterable[str | Path], batch_size: int = 1,
                 boxes: str | Path | Mapping | None = None, interval: int = 25, out_dir: str | Path | None = None,
                 draw: bool = False, heatmap: bool = False, sequence: bool = False) -> dict:
        """Recognise attributes; files that cannot be read are left out, counted and listed.

        Args:
            inputs: A file, a folder (searched for images and videos at any depth), or several of them.
            batch_size: Persons per forward.
            boxes: Where the persons are, see :class:`~mmspike.apis.persons.PersonReader`; by default each picture is
                one person.
            interval: Every so-manieth frame of a video is looked at, unless ``boxes`` names frames.
            out_dir: Folder for ``predictions.json`` (what is returned).
            draw: Also write a picture per person into ``out_dir``.
            heatmap: With ``draw``, show where the model was active, too.
            sequence: With ``draw``, show instead what a model with a ``SequenceHead`` wrote, step by step, and where it
                looked.

        Returns:
            ``predictions``: one dict per person, ``filename``, ``frame`` (videos), ``box`` (where given), ``predicted``
            (names), ``attributes`` (group -> name -> score) and, of a ``SequenceHead``, ``sequence`` (name and
            probability of each step). ``skipped``: dicts of ``filename`` and ``error``.

        Raises:
            FileNotFoundError: A folder holds no image and no video.
            ValueError: ``draw`` without ``out_dir``, unusable boxes, or a heat map or a sequence of a model that has
                none.
        """
        persons = PersonReader(boxes, interval)

        def picture(sample: dict, output: DataSample, maps: HeatMapRecorder, place: int) -> tuple[str, Figure]:
            if sequence:
                figure = sequence_picture(sample['inputs'], output, self.names, self._title(sample['person']),
                                          self._looks(sample, output))
            else:
                figure = self.panel(sample, output, maps if heatmap else None, place)
            return sample['person'].name, figure

        files = find_files(inputs, (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES), 'image or video')
        persons.check(files)
        return self._run(files, lambda file: self.samples(file, persons), batch_size, out_dir, self.describe,
                         picture if draw else None)

    def samples(self, file: Path, persons: PersonReader) -> Iterator[dict]:
        """The persons in a file, each with ``inputs`` uint8 [3, H, W], ``data_samples``, and itself as ``person``."""
        for person in persons(file):
            shape = person.crop.shape[:2]
            sample = self.pipeline(dict(img_path=str(file), img=person.crop, img_shape=shape, ori_shape=shape))
            sample['data_samples'].set_metainfo(dict(img_path=str(file), frame=person.frame, box=person.box))
            yield sample | dict(person=person)

    @torch.no_grad()
    def predict(self, samples: Sequence[dict]) -> tuple[list[DataSample], HeatMapRecorder]:
        """The samples with their scores, and where the model was active in each."""
        batch = {key: [sample[key] for sample in samples] for key in ('inputs', 'data_samples')}
        with HeatMapRecorder(self.model) as recorder:
            outputs = self.model.test_step(batch)
        return outputs, recorder

    @torch.no_grad()
    def _looks(self, sample: dict, output: DataSample) -> Tensor | None:
        """Where the model looked as it wrote a sequence."""
        refuse_without_sequences(self.model)
        inputs = self.model.data_preprocessor(dict(inputs=[sample['inputs']], data_samples=[output]), False)['inputs']
        return looks_of(self.model, self.model.extract_feat(inputs), output, inputs.shape[-2:])

    def describe(self, output: DataSample) -> dict:
        """One prediction in plain Python types."""
        scores = self._scores(output)
        attributes: dict[str, dict[str, float]] = {}
        for name, group, score in zip(self.names, self.groups, scores.tolist(), strict=True):
            attributes.setdefault(group, {})[name] = score
        where = {key: output.get(key) for key in ('frame', 'box') if output.get(key) is not None}
        predicted = [name for name, score in zip(self.names, scores, strict=True) if score > self.threshold]
        wrote = dict(sequence=written(output, self.names)) if 'pred_sequence' in output else {}
        return dict(filename=output.img_path, **where, predicted=predicted, attributes=attributes, **wrote)

    def panel(self, sample: dict, output: DataSample, maps: HeatMapRecorder | None = None, place: int = 0) -> Figure:
        """A picture of one person with its attributes and, given ``maps``, where the model was active.

        Raises:
            ValueError: No layer of the model has positions.
        """
        person = sample['person']
        height, width = person.crop.shape[:2]
        pictures = [Picture(np.ascontiguousarray(person.crop[..., ::-1]), f'as it came, {width}x{height}')]
        if maps is not None:
            heat = maps.of(place)
            if heat is None:
                raise ValueError('AttributeInferencer: this model has no layer with positions to draw a heat map of; '
                                 'draw without it')
            pictures += input_pictures(to_rgb(sample['inputs']), heat)[1:]
        return attribute_panel(pictures, self.names, self.groups, scores=self._scores(output),
                               threshold=self.threshold, title=self._title(person))

    @staticmethod
    def _title(person: Person) -> str:
        return person.path.name + (f', frame {person.frame}' if person.frame is not None else '') + (
            f', person {person.number}' if person.box is not None else '')

    @staticmethod
    def _scores(output: DataSample) -> np.ndarray:
        return output.pred_score.detach().float().cpu().numpy()

    def _check_names(self, names: Mapping | None) -> tuple[list[str], list[str]]:
        count = self.model.head.num_attributes
        if names is not None and len(names['attributes']) != count:
            raise ValueError(f"AttributeInferencer: {len(names['attributes'])} names for a model of {count} "
                             'attributes; give one per attribute, in the order of the labels')
        return attribute_names(names or self.model.dataset_meta, count)

    def _threshold_of_config(self) -> float:
        evaluator = self.model.cfg.get('test_evaluator') or []
        metrics = evaluator if isinstance(evaluator, list | tuple) else [evaluator]
        return next((metric.threshold for metric in metrics if 'threshold' in metric), 0.5)
