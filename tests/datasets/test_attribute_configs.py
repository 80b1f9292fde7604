"""The dataset configs of pedestrian attributes read the files that the converter writes."""
import numpy as np
import pytest
import raw_releases as raw
import torch
from mmengine.config import Config
from PIL import Image

from mmspike.datasets.attributes import Annotation, Attribute, save_annotation
from mmspike.registry import DATASETS, METRICS, TRANSFORMS
from mmspike.utils.config_check import check_config

SETS = ['pa100k', 'peta', 'rapv1', 'rapv2', 'peta_zs', 'rap_zs', 'upar', 'market1501']
SIZES = ['256x128', '256x192', '224x224']


def load(root, name):
    return Config.fromfile(root / f'configs/_base_/datasets/{name}.py')


@pytest.mark.parametrize('name', SETS)
def test_sets(root, name, tmp_path):
    cfg, splits = load(root, name), dict(train=[0], trainval=[0, 1], test=[2])
    check_config(Config(dict(cfg, default_scope='mmspike')))
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root in ('data/peta', 'data/rapv2', f'data/{name}')
        loader.dataset.data_root = str(tmp_path)
    files = ['0.png', '1.png', '2.png']
    raw.write_images(tmp_path / cfg.train_dataloader.dataset.data_prefix.img, files)
    save_annotation(Annotation(name, [Attribute('Hat')], files, [[1], [0], [1]], splits), tmp_path / f'{name}.json')
    data = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(data) == (1 if name in ('upar', 'market1501') else 2) and not data.test_mode
    assert data[0]['inputs'].shape == (3, 256, 128) and data[0]['inputs'].dtype == torch.uint8
    data = DATASETS.build(cfg.test_dataloader.dataset)
    assert data.test_mode and data[0]['data_samples'].img_path.endswith('2.png')
    assert cfg.val_dataloader == cfg.test_dataloader
    METRICS.build(cfg.test_evaluator)


@pytest.mark.parametrize('name', SETS)
def test_without_data_the_error_says_what_to_do(root, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f'{name}.json is missing. Make it with '
                                                'tools/dataset_converters/pedestrian_attributes.py .*docs/datasets.md'):
        DATASETS.build(load(root, name).train_dataloader.dataset)


def run(steps, path):
    results = dict(img_path=str(path), gt_score=np.ones(2, np.float32), sample_idx=0)
    for step in steps:
        results = TRANSFORMS.build(step)(results)
    return results


@pytest.mark.parametrize('size', SIZES)
def test_sizes(root, size, tmp_path):
    cfg, shape = load(root, f'pedestrians_{size}'), tuple(map(int, size.split('x')))
    assert cfg.train_dataloader.dataset.pipeline == cfg.train_pipeline
    assert cfg.val_dataloader.dataset.pipeline == cfg.test_dataloader.dataset.pipeline == cfg.test_pipeline
    Image.new('RGB', (40, 100), (10, 20, 30)).save(tmp_path / 'a.png')
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
        sample = run(pipeline, tmp_path / 'a.png')
        assert sample['inputs'].shape == (3, *shape) and sample['data_samples'].img_shape[:2] == shape
    picture = run(cfg.test_pipeline, tmp_path / 'a.png')['inputs']
    assert picture[:, 100, shape[1] // 2].tolist() == [30, 20, 10]  # BGR
    border = (picture == 0).all(0)
    assert border[:, 0].all() == border[:, -1].all() == (size == '224x224')
    if size == '224x224':  # padded, so that 40 of 100 columns hold the picture
        assert abs((~border[100]).sum().item() - 224 * .4) <= 3


def test_training_shifts_by_ten_and_flips(root, tmp_path):
    """The crops are windows of the picture in a black border of 10, and their mirror images."""
    rng = np.random.default_rng(0)
    picture = rng.integers(1, 255, (256, 128, 3), np.uint8)
    Image.fromarray(picture).save(tmp_path / 'a.png')
    steps = load(root, 'pedestrians_256x128').train_pipeline
    padded, seen = np.pad(picture, ((10, 10), (10, 10), (0, 0))), set()
    np.random.seed(0)
    for _ in range(60):
        crop = run(steps, tmp_path / 'a.png')['inputs'].numpy()[::-1].transpose(1, 2, 0)  # RGB
        found = [(flip, top, left) for flip, image in ((False, crop), (True, crop[:, ::-1]))
                 for top in range(21) for left in range(21)
                 if (padded[top + 100, left:left + 128] == image[100]).all()]
        assert len(found) == 1
        flip, top, left = found[0]
        assert (padded[top:top + 256, left:left + 128] == (crop[:, ::-1] if flip else crop)).all()
        seen.add(found[0])
    assert {flip for flip, _, _ in seen} == {False, True} and len(seen) > 40
    assert max(top for _, top, _ in seen) > 17 and min(left for _, _, left in seen) < 3
