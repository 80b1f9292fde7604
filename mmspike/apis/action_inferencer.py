"""Video files in, actions out."""
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from matplotlib.figure import Figure
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import Tensor

from mmspike.analysis import SpikeRecorder
from mmspike.apis.inferencer import Inferencer, find_files
from mmspike.datasets.video_list import VIDEO_SUFFIXES
from mmspike.visualization import clip_panel


class ActionInferencer(Inferencer):
    """Classify videos with the test pipeline of a config.

    file -> pipeline -> preprocessor -> model -> classes and scores, for any number of files.

    Args:
        config: Path of a config, or a loaded one; its ``test_dataloader.dataset.pipeline`` reads the videos.
        checkpoint: File with the model's weights; ``None`` leaves a model that guesses.
        device: Where the model runs.
        cfg_options: Dotted path -> value, put over the config.
        classes: Names of the classes; by default those that the checkpoint was trained on.

    Raises:
        ValueError: The config has no test pipeline, or there are more or fewer names than classes.
    """

    def __init__(self, config: str | Path | Config, checkpoint: str | Path | None = None,
                 device: str | torch.device = 'cpu', cfg_options: dict | None = None,
                 classes: Sequence[str] | None = None) -> None:
        super().__init__(config, checkpoint, device, cfg_options)
        self.pipeline = Compose(self.transforms)
        self.classes = self._check_classes(classes or self.model.dataset_meta.get('classes'))
        self.stride = getattr(self.model.backbone, 'stride', 1)

    def __call__(self, inputs: str | Path | Iterable[str | Path], batch_size: int = 1, topk: int = 5,
                 out_dir: str | Path | None = None, draw: bool = False) -> dict:
        """Classify videos; those that cannot be read are left out, counted and listed.

        Args:
            inputs: A file, a folder (searched for video files at any depth), or several of them.
            batch_size: Videos per forward.
            topk: Classes to list for each video.
            out_dir: Folder for ``predictions.json`` (what is returned).
            draw: Also write a picture per video into ``out_dir``, one video per forward, so that the spike rates in
                it are that video's own.

        Returns:
            ``predictions``: one dict per video, ``filename``, ``label``, ``class``, ``score`` and ``top`` (a list of
            ``label``, ``class``, ``score``, best first). ``skipped``: dicts of ``filename`` and ``error``.

        Raises:
            FileNotFoundError: A folder holds no video.
            ValueError: ``draw`` without ``out_dir``.
        """
        def picture(sample: dict, output: ActionDataSample, rates: dict, place: int) -> tuple[str, Figure]:
            return Path(output.filename).stem, self.panel(sample, output, rates, topk)

        return self._run(find_videos(inputs), lambda video: [self.read(video)], 1 if draw else batch_size, out_dir,
                         lambda output: self.describe(output, topk), picture if draw else None)

    def read(self, video: str | Path) -> dict:
        """One sample of a video: ``inputs`` uint8 [V, T, H, W, 3] and ``data_samples``.

        Raises:
            VideoReadError: The file is missing, is no video, or is damaged.
        """
        return self.pipeline(dict(filename=str(video)))

    @torch.no_grad()
    def predict(self, samples: Sequence[dict]) -> tuple[list[ActionDataSample], dict[str, Tensor]]:
        """The samples with their scores, and the spike rate of each layer and time step over all of them."""
        batch = {key: [sample[key] for sample in samples] for key in ('inputs', 'data_samples')}
        with SpikeRecorder(self.model) as recorder:
            outputs = self.model.test_step(batch)
        return outputs, recorder.rates

    def describe(self, output: ActionDataSample, topk: int = 5) -> dict:
        """The best classes of one prediction, in plain Python types."""
        scores, labels = output.pred_scores.item.float().cpu().topk(min(topk, len(output.pred_scores.item)))
        top = [dict(label=label, **{'class': self.classes[label] if self.classes else f'class {label}'}, score=score)
               for label, score in zip(labels.tolist(), scores.tolist(), strict=True)]
        return dict(filename=output.filename, **top[0], top=top)

    def panel(self, sample: dict, output: ActionDataSample, rates: dict[str, Tensor], topk: int = 5) -> Figure:
        """A picture of one video's first view, its best classes and the spike rates."""
        views = sample['inputs']  # [V, T, H, W, 3]
        title = Path(output.filename).name + (f', view 1 of {len(views)}' if len(views) > 1 else '')
        return clip_panel(views[0].numpy(), self.stride, scores=output.pred_scores.item.cpu().numpy(),
                          classes=self.classes, rates=rates, title=title, topk=topk,
                          rates_note=f'mean of {len(views)} views' if len(views) > 1 else '')

    def _check_classes(self, classes: Sequence[str] | None) -> Sequence[str] | None:
        known = self.model.head.num_classes
        if classes is not None and len(classes) != known:
            raise ValueError(f'ActionInferencer: {len(classes)} class names for a model of {known} classes; give one '
                             'name per class, in the order of the labels')
        return classes


def find_videos(inputs: str | Path | Iterable[str | Path]) -> list[Path]:
    """Files as they are, folders searched for video files.

    Raises:
        FileNotFoundError: A folder holds no video.
    """
    return find_files(inputs, VIDEO_SUFFIXES, 'video')
