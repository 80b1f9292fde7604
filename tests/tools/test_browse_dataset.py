import importlib.util
import json

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure


@pytest.fixture(scope='module')
def tool(root):
    spec = importlib.util.spec_from_file_location('browse_dataset', root / 'tools/visualization/browse_dataset.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('browse')
    path = folder / 'config.py'
    path.write_text(f"""
default_scope = 'mmspike'
train_dataloader = dict(sampler=dict(type='DefaultSampler'), dataset=dict(
    type='SyntheticActions', data_root={str(folder / 'data')!r}, split='train', num_clips=16, pipeline=[
        dict(type='VideoInit'), dict(type='SampleSegments', num_segments=4), dict(type='VideoDecode'),
        dict(type='mmaction.CenterCrop', crop_size=32), dict(type='mmaction.Flip', flip_ratio=1.0),
        dict(type='PackClip')]))
""")
    return path


@pytest.fixture(scope='module')
def dataset(tool, config):
    from mmspike.registry import DATASETS
    from mmspike.utils.config import load_config
    return DATASETS.build(load_config(config).train_dataloader.dataset)


def test_sheets_are_written_from_the_whole_set(tool, config, tmp_path, capsys):
    tool.main([str(config), '--output-dir', str(tmp_path / 'out'), '--number', '3'])
    sheets = sorted((tmp_path / 'out').iterdir())
    assert [int(sheet.name.split('_')[0]) for sheet in sheets] == [0, 7, 15]
    assert all(cv2.imread(str(sheet)).std() > 0 for sheet in sheets)
    assert f'3 of 16 samples written to {tmp_path / "out"}' in capsys.readouterr().out


def test_modes(tool, dataset):
    (model_input,), sample = tool.blocks_of(dataset, 5, 'transformed')
    assert model_input[0] == 'model input'
    np.testing.assert_array_equal(model_input[1], sample['inputs'][0].numpy())
    (decoded,), _ = tool.blocks_of(dataset, 5, 'original')
    assert decoded[0] == 'VideoDecode' and decoded[1].shape == (4, 64, 64, 3)
    stages, _ = tool.blocks_of(dataset, 5, 'pipeline')
    assert [name for name, _ in stages] == ['VideoDecode', 'CenterCrop', 'Flip', 'model input']
    np.testing.assert_array_equal(stages[1][1], decoded[1][:, 16:48, 16:48])
    np.testing.assert_array_equal(stages[2][1], stages[1][1][:, :, ::-1])
    np.testing.assert_array_equal(stages[3][1], stages[2][1])


def test_watching_changes_nothing(tool, dataset):
    before = dataset[5]['inputs']
    tool.blocks_of(dataset, 5, 'pipeline')
    np.testing.assert_array_equal(dataset[5]['inputs'], before)
    assert not any(isinstance(transform, type(lambda: 0)) for transform in dataset.pipeline.transforms)


@pytest.fixture(scope='module')
def attributes(tmp_path_factory):
    """A config of a set of three images with an unknown label."""
    folder = tmp_path_factory.mktemp('attributes')
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 24, 3), np.uint8)
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(folder / f'{i}.png'), picture)
    annotation = dict(dataset='three', attributes=[dict(name='Hat', group='head'), dict(name='Bag', group='other')],
                      splits=dict(train=[0, 1, 2]),
                      images=[dict(file=f'{i}.png', labels=[i % 2, -1 if i == 2 else 1]) for i in range(3)])
    (folder / 'annotation.json').write_text(json.dumps(annotation))
    path = folder / 'config.py'
    path.write_text(f"""
default_scope = 'mmspike'
train_dataloader = dict(sampler=dict(type='DefaultSampler'), dataset=dict(
    type='AttributeDataset', data_root={str(folder)!r}, ann_file='annotation.json', split='train', pipeline=[
        dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=(16, 32)),
        dict(type='mmpretrain.RandomFlip', prob=1.0), dict(type='mmpretrain.PackInputs')]))
""")
    return path, pictures


def test_images_with_attributes(tool, attributes, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(tool, 'attribute_panel', lambda *args, **kwargs: drawn.append((args, kwargs)) or Figure())
    config, pictures = attributes
    tool.main([str(config), '--output-dir', str(tmp_path / 'out'), '--mode', 'pipeline'])
    assert [sheet.name for sheet in sorted((tmp_path / 'out').iterdir())] == ['000000_0.png', '000001_1.png',
                                                                             '000002_2.png']
    (stages, names, groups), facts = drawn[2]
    assert (list(names), list(groups), facts['truth'].tolist()) == (['Hat', 'Bag'], ['head', 'other'], [0, -1])
    assert [stage.heading for stage in stages] == ['LoadImage 24x40', 'Resize 16x32', 'RandomFlip 16x32',
                                                  'model input 16x32']
    np.testing.assert_array_equal(stages[0].pixels, pictures[2][..., ::-1])
    np.testing.assert_array_equal(stages[2].pixels, stages[1].pixels[:, ::-1])
    np.testing.assert_array_equal(stages[3].pixels, stages[2].pixels)
