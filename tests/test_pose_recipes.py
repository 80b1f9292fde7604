"""The recipes on the moving figure: their parts fit together, from files on disk through three stages to figures."""
import copy
import functools

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmspike.neurons import backend
from mmspike.registry import DATASETS, METRICS, MODELS

FOLDER = 'configs/hybrid_pose'
SMALL = dict(num_sequences=dict(train=1, val=1, test=1), seconds=0.8)
METAFILE = 'metafile.yml'


@pytest.fixture
def config(root):
    return lambda name: copy.deepcopy(read(root / FOLDER / f'{name}.py'))


@functools.cache
def read(path):
    return Config.fromfile(path)


@pytest.fixture(autouse=True)
def no_compiler():
    with backend('tiled'):
        yield


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('poses')


def without_stages(part):
    """A model's config that needs no earlier stage."""
    if isinstance(part, dict):
        if 'StageWeights' in str(part.get('init_cfg')):
            part['init_cfg'] = None
        for child in part.values():
            without_stages(child)
    return part


def names(root):
    return sorted(file.stem for file in (root / FOLDER).glob('*.py'))


def test_the_metafile_has_every_config_and_its_number_of_parameters(root, config):
    models = Config.fromfile(root / FOLDER / METAFILE).Models
    assert sorted(entry.Name for entry in models) == names(root)
    for entry in models:
        with torch.device('meta'):
            model = MODELS.build(without_stages(config(entry.Name).model.to_dict()))
        assert sum(p.numel() for p in model.parameters()) == entry.Metadata.Parameters, entry.Name


def test_a_hybrid_starts_from_what_its_stages_have_left(root, config):
    """Checkpoints are named by the config that makes them and the epoch that it ends with; parts have one width."""
    hybrids = [name for name in names(root) if name.startswith(('hybrid_pose_cnn-snn', 'hybrid_pose_cnn-rnn'))]
    assert len(hybrids) == 15
    for name in hybrids:
        model = config(name).model
        for part in (model.cnn, model.network):
            inits = part.get('init_cfg') or ()
            for init in [inits] if isinstance(inits, dict) else inits:
                if init.type == 'mmspike.StageWeights':
                    work_dir, checkpoint = init.checkpoint.removeprefix('work_dirs/').split('/')
                    stage = config(work_dir)
                    assert checkpoint == f'epoch_{stage.train_cfg.max_epochs}.pth', name
                    widths = [p.get('base_channels') for p in (part, stage.model.backbone)]
                    channels = [p.get('in_channels') for p in (part, stage.model.backbone)]
                    assert widths[0] == widths[1] and channels[0] == channels[1], name


@pytest.mark.parametrize('name', ['cnn', 'snn', 'rnn', 'cnn-snn', 'cnn-rnn'])
def test_the_schedule_ends_with_the_training(config, name):
    cfg = config(f'hybrid_pose_{name}_synthetic')
    assert cfg.param_scheduler.total_steps == cfg.train_cfg.max_epochs
    assert cfg.param_scheduler.eta_max == cfg.optim_wrapper.optimizer.lr


def narrow(cfg, folder):
    """The config with few recordings and channels."""
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.update(data_root=str(folder / 'set'), step_ms=200, **SMALL)
    for key in ('backbone', 'cnn', 'network'):
        if key in cfg.model:
            cfg.model[key].base_channels = 4
    return cfg


def learn(cfg, count=2):
    """The model, after a step of gradients."""
    data = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([data[index] for index in range(count)])
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()
    losses = model.train()(**model.data_preprocessor(batch, True), mode='loss')
    sum(losses.values()).backward()
    trained = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trained)
    return model


@pytest.mark.parametrize('network', ['snn', 'rnn'])
def test_from_recordings_through_the_stages_to_figures(config, folder, tmp_path, network):
    for stage in ('cnn', network):
        model = learn(narrow(config(f'hybrid_pose_{stage}_synthetic'), folder))
        torch.save(dict(state_dict=model.state_dict()), tmp_path / f'{stage}.pth')
    cfg = narrow(config(f'hybrid_pose_cnn-{network}_synthetic'), folder)
    cfg.model.cnn.init_cfg.checkpoint = str(tmp_path / 'cnn.pth')
    init = cfg.model.network.init_cfg
    (init if isinstance(init, dict) else init[-1]).checkpoint = str(tmp_path / f'{network}.pth')
    hybrid = learn(cfg)
    cnn = torch.load(tmp_path / 'cnn.pth', weights_only=True)['state_dict']
    assert all(torch.equal(value, cnn[f'backbone.{name}']) for name, value in hybrid.cnn.state_dict().items())

    held_out = DATASETS.build(cfg.test_dataloader.dataset)
    assert len(held_out) == 2 * len({held_out.get_data_info(index)['start'] for index in range(len(held_out))})
    metric = METRICS.build(cfg.test_evaluator)
    metric.dataset_meta = held_out.metainfo
    batch = pseudo_collate([held_out[index] for index in range(len(held_out))])
    with torch.no_grad():
        samples = hybrid.eval().test_step(batch)
    metric.process(batch, [sample.to_dict() for sample in samples])
    figures = metric.evaluate(len(held_out))
    assert {'pose/mpjpe', 'pose/hold', 'pose/of_hold', 'pose/mpjpe_3d', 'pose/hold_3d', 'pose/pck'} <= set(figures)
    assert all(0 <= value < 1e5 for value in figures.values())


def test_a_cnn_at_the_full_rate_has_a_frame_for_each_bin(config, folder):
    cfg = narrow(config('hybrid_pose_cnn_synthetic'), folder)
    sample = DATASETS.build(cfg.test_dataloader.dataset)[0]
    assert sample['inputs']['frames'].shape == (10, 20, 64, 64)
    assert sample['data_samples'].gt_keypoints.shape == (10, 13, 2)
    assert DATASETS.build(cfg.val_dataloader.dataset)[0]['inputs']['frames'].shape == (1, 20, 64, 64)
