"""The dataset configs read real files of their layouts, and name what is missing where there are none."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

from mmspike.models import ActionRecognizer
from mmspike.registry import DATASETS, METRICS

NAMES = ['kinetics400', 'hmdb51', 'ucf101']


def load(root, name):
    return Config.fromfile(root / f'configs/_base_/datasets/{name}.py')


@pytest.fixture(params=NAMES)
def config(request, root, tmp_path, make_video):
    """A config whose lists and videos are there, in miniature."""
    cfg = load(root, request.param)
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        data = loader.dataset
        data.data_root = str(tmp_path)
        rows = []
        for index, frames in enumerate((40, 50)):
            make_video(tmp_path / data.data_prefix.video / f'class {index}/{index}.avi', frames)
            rows.append(f'class {index}/{index}.avi {frames} {index}\n')
        (tmp_path / data.ann_file).write_text(''.join(rows))
    return cfg


def test_training_batches(config):
    loader = dict(config.train_dataloader)
    data = DATASETS.build(loader['dataset'])
    batch = next(iter(DataLoader(data, batch_size=2, collate_fn=pseudo_collate, num_workers=1)))
    assert [clip.shape for clip in batch['inputs']] == [(1, 16, 224, 224, 3)] * 2
    assert len(data) == (2 if 'window' not in loader['dataset'] else 5)
    indices = [sample.frame_indices for sample in batch['data_samples']]
    if 'window' in loader['dataset']:
        assert indices == [list(range(16)), list(range(16, 32))]


def test_views_in_testing(config):
    windows = 'Windows' in config.test_pipeline[1].type
    for pipeline, views, size in ((config.test_pipeline, 3 if windows else 1, 224),
                                  (config.tta_pipeline, 9 if windows else 30, 224 if windows else 256)):
        config.test_dataloader.dataset.update(pipeline=pipeline, data_root=config.val_dataloader.dataset.data_root)
        sample = DATASETS.build(config.test_dataloader.dataset)[1]
        assert sample['inputs'].shape == (views, 16, size, size, 3) and sample['inputs'].dtype == torch.uint8
        assert len(sample['data_samples'].frame_indices) == sample['data_samples'].num_clips * 16
    assert config.test_dataloader.dataset.test_mode
    METRICS.build(config.test_evaluator)


class MeanColour(torch.nn.Module):
    """A backbone: [B, T, 3, H, W] -> [B, 1, 3, 1, 1]."""

    def forward(self, clips):
        return clips.mean((1, 3, 4))[:, None, :, None, None]


def test_the_model_averages_clips_times_crops(config):
    data = config.test_dataloader.dataset.copy()
    data.update(pipeline=config.tta_pipeline, data_root=config.val_dataloader.dataset.data_root)
    for step in data.pipeline:
        step.update({key: value for key, value in dict(scale=(-1, 32), crop_size=32).items() if key in step})
    for index, frames in enumerate((40, 50)):  # brightness 2 * (frame + column)
        path = f'{data.data_root}/{data.data_prefix.video}/class {index}/{index}.avi'
        writer = cv2.VideoWriter(path, cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*'HFYU'), 25, (64, 32))
        for frame in range(frames):
            row = (2 * (frame + np.arange(64))).astype(np.uint8)
            writer.write(np.tile(row[None, :, None], (32, 1, 3)))
        writer.release()
    batch_size = config.test_dataloader.batch_size
    loader = DataLoader(DATASETS.build(data), batch_size=batch_size, collate_fn=pseudo_collate)
    model = ActionRecognizer(dict(type=MeanColour), dict(type='ActionHead', num_classes=2, in_channels=3)).eval()
    model.head.fc.weight.data[:] = torch.tensor([[0.3], [-0.3]])
    norm = model.data_preprocessor
    samples = []
    for batch in loader:
        with torch.no_grad():
            samples += model.val_step(batch)
    assert [sample.num_clips for sample in samples] == ([2, 3] if batch_size == 1 else [10, 10])
    for sample in samples:
        clips = torch.tensor(sample.frame_indices).view(sample.num_clips, 16).float().mean(1)
        columns = torch.tensor([15.5, 47.5, 31.5])  # the middle of the crops left, right, centre
        colours = 2 * (columns[:, None] + clips).flatten()[:, None]  # [V, 1]
        with torch.no_grad():
            scores = model.head.fc((colours - norm.mean) / norm.std).softmax(-1)
        assert (scores[:len(clips)].mean(0) - scores.mean(0)).abs().min() > 0.1  # what one crop alone would give
        torch.testing.assert_close(sample.pred_scores.item, scores.mean(0), atol=0.01, rtol=0)


@pytest.mark.parametrize('name', NAMES)
def test_without_data_the_error_says_what_to_do(root, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(load(root, name).train_dataloader.dataset)
    for part in (f'data/{name}/{name}_train_', f'tools/dataset_converters/{name.removesuffix("400")}.py',
                 'configs/respike/respike_r18_synthetic.py'):
        assert part in str(error.value)
