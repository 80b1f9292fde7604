"""Training on sequences: what the hook tells the head, what is refused, and a Spikingformer by config alone."""
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch.utils.data import ConcatDataset, Dataset

from mmspike.evaluation.metrics import AttributeMetric, SequenceMetric
from mmspike.registry import MODELS
from mmspike.utils import compat
from mmspike.utils.config_check import check_config

NAMES = ('Hat', 'Glasses', 'Bag')
HEAD = dict(
    type='SequenceHead', num_attributes=3, in_channels=16, codec=dict(order='frequency'),
    phrases=dict(type='CLIPPhrases', arch=dict(width=8, layers=1, heads=2, output_dims=8), context_length=12),
    decoder=dict(embed_dims=8, depth=1, num_heads=2, head_dims=4, feedforward_channels=8),
    loss=dict(type='TokenLoss', weighted=True))
MODEL = dict(type='AttributeRecognizer', head=HEAD, backbone=dict(
    type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2))
HOOKS = [dict(type='EpochSeedHook'), dict(type='CheckpointCheckHook'), dict(type='NumClassesHook'),
         dict(type='PositiveRatioHook'), dict(type='AttributePhrasesHook')]


class Pedestrians(Dataset):
    """Eight squares whose brightness are their attributes."""
    ann_file = 'lists/toy.json'

    def __init__(self, phrases=('a hat', 'glasses', 'a bag')):
        self.metainfo = dict(attributes=list(NAMES), phrases=list(phrases), positive_ratio=[.25, .5, .125])

    def __len__(self):
        return 8

    def __getitem__(self, index):
        labels = torch.tensor([index % 4 == 0, index % 2 == 0, index == 5]).float()
        return dict(inputs=torch.full((3, 32, 32), 20 * index, dtype=torch.uint8),
                    data_samples=DataSample().set_gt_score(labels))


@pytest.fixture(autouse=True)
def safe_loading():
    pytest.importorskip('open_clip', reason='the tokenizer of CLIP is that of open_clip_torch')
    compat.apply()


@pytest.fixture
def build(toy):
    def runner(folder, data=None, **settings):
        torch.manual_seed(0)
        loader = dict(batch_size=4, num_workers=0, dataset=data or Pedestrians())
        return toy(folder, **dict(dict(
            model=MODELS.build(MODEL), custom_hooks=HOOKS, train_cfg=dict(by_epoch=True, max_epochs=2),
            train_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=True)),
            val_dataloader=dict(loader, sampler=dict(type='DefaultSampler', shuffle=False)),
            val_evaluator=Evaluator([AttributeMetric(), SequenceMetric()]),
            default_hooks=dict(checkpoint=dict(type='AtomicCheckpointHook', interval=1, save_best='par/mA',
                                               rule='greater'))), **settings))
    return runner


def test_a_head_is_told_words_order_and_ratios_and_a_checkpoint_keeps_them(build, tmp_path):
    runner = build(tmp_path)
    runner.train()
    head = runner.model.head
    assert head.is_told and head.codec.order.tolist() == [1, 0, 2] and head.loss_module.positive_ratio is not None
    found = runner.val_loop.run()
    assert 0 <= found['par/mA'] <= 1 and 0 <= found['seq/stop_rate'] <= 1
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)['state_dict']
    fresh = MODELS.build(MODEL)
    fresh.load_state_dict(saved)
    assert fresh.head.is_told and torch.equal(fresh.head.phrases.tokens, head.phrases.tokens)
    runner.model.eval()
    fresh.eval()
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(fresh(images), runner.model(images))


def test_published_weights_are_told_in_a_test(build, tmp_path):
    """They have no phrases; those of a training are not replaced."""
    model = MODELS.build(dict(MODEL, head=dict(HEAD, codec=dict())))
    weights = {name: value for name, value in model.state_dict().items() if name != 'head.phrases.tokens'}
    torch.save(dict(state_dict=weights), tmp_path / 'published.pth')
    settings = dict(model=model, test_cfg=dict(), train_cfg=None, train_dataloader=None, optim_wrapper=None,
                    param_scheduler=None, load_from=str(tmp_path / 'published.pth'), val_cfg=None,
                    val_dataloader=None, val_evaluator=None,
                    default_hooks=dict(checkpoint=None),
                    test_evaluator=Evaluator([SequenceMetric()]),
                    test_dataloader=dict(batch_size=4, num_workers=0, dataset=Pedestrians(),
                                         sampler=dict(type='DefaultSampler', shuffle=False)))
    assert not model.head.is_told
    assert 0 <= build(tmp_path, **settings).test()['seq/exact_set'] <= 1
    assert model.head.is_told
    told = model.head.phrases.tokens.clone()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'published.pth')
    settings['test_dataloader'] = dict(settings['test_dataloader'], dataset=Pedestrians(('x', 'y', 'z')))
    build(tmp_path, **settings).test()
    assert torch.equal(model.head.phrases.tokens, told)


def test_an_order_by_frequency_is_that_of_all_data_sets(build, tmp_path):
    few, many = Pedestrians(), ConcatDataset([Pedestrians() for _ in range(3)])
    few.metainfo['positive_ratio'] = [.5, .125, .25]
    runner = build(tmp_path, ConcatDataset([few, many]), train_cfg=dict(by_epoch=True, max_epochs=1))
    runner.train()
    assert runner.model.head.codec.order.tolist() == [1, 0, 2]  # .3125, .40625, .15625


def test_data_sets_of_different_phrases_are_refused(build, tmp_path):
    data = ConcatDataset([Pedestrians(), Pedestrians(('a cap', 'glasses', 'a bag'))])
    with pytest.raises(ValueError, match='have other phrases than each other: .*Give their attributes the same'):
        build(tmp_path, data).train()
    with pytest.raises(ValueError, match="'Hat' and 'Bag' have the same phrase, 'a bag'"):
        build(tmp_path, Pedestrians(('a bag', 'glasses', 'a bag'))).train()


@pytest.mark.parametrize('name', ['sequencepar_synthetic', 'sequencepar-legacy_synthetic',
                                  'sequencepar_spikingformer_synthetic'])
def test_the_small_configs_train_from_images_on_disk(root, tmp_path, name):
    cfg = Config.fromfile(root / f'configs/sequencepar/{name}.py')
    check_config(cfg)
    for split, loader in dict(train=cfg.train_dataloader, val=cfg.val_dataloader, test=cfg.test_dataloader).items():
        loader.dataset.update(data_root=str(tmp_path / 'set'), num_images=dict(train=8, val=4, test=4), split=split)
        loader.update(num_workers=0, batch_size=4, persistent_workers=False)
    cfg.update(work_dir=str(tmp_path / 'run'), experiment_name=f'{name}_{tmp_path.name}', log_level='ERROR')
    cfg.train_cfg.max_epochs = 1
    cfg.visualizer.vis_backends = []
    runner = Runner.from_cfg(cfg)
    before = {key: value.clone() for key, value in runner.model.state_dict().items()}
    runner.train()
    changed = [key for key, value in runner.model.named_parameters() if not torch.equal(value, before[key])]
    assert len(changed) > 0.9 * len(list(runner.model.parameters()))
    assert cfg.param_scheduler.total_steps == Config.fromfile(root / f'configs/sequencepar/{name}.py').epochs
    assert (tmp_path / 'run/epoch_1.pth').is_file()


def test_the_numbers_of_parameters_are_those_of_the_metafile(root):
    models = {entry.Name: entry for entry in Config.fromfile(root / 'configs/sequencepar/metafile.yml').Models}
    configs = sorted((root / 'configs/sequencepar').glob('*.py'))
    assert set(models) == {path.stem for path in configs}
    for path in configs:
        cfg = Config.fromfile(path).model
        from_file = cfg.head.phrases.type == 'FilePhrases'  # the file is of the data set
        if from_file:
            cfg.head.phrases = dict(type='LearnedPhrases', channels=cfg.head.decoder.embed_dims)
        with torch.device('meta' if 'vit' in path.stem else 'cpu'):
            model = MODELS.build(cfg)
        if from_file:
            model.head.phrases = None
        assert sum(p.numel() for p in model.parameters()) == models[path.stem].Metadata.Parameters, path.stem
