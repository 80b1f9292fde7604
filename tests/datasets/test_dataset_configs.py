"""The dataset configs read real files of their layouts, and name what is missing where there are none."""
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader

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


@pytest.mark.parametrize('name', NAMES)
def test_without_data_the_error_says_what_to_do(root, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        DATASETS.build(load(root, name).train_dataloader.dataset)
    for part in (f'data/{name}/{name}_train_', f'tools/dataset_converters/{name.removesuffix("400")}.py',
                 'configs/respike/respike_r18_synthetic.py'):
        assert part in str(error.value)
