"""EnergyMetric with its hook, and SpikeMonitorHook, in real runs, alone and in two processes."""
import json
import runpy

import pytest
import torch
from mmengine import Config
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmspike.analysis import EnergyMetric, SpikeRecorder
from mmspike.analysis.energy import OperationCounter
from mmspike.engine.hooks import EnergyHook, SpikeMonitorHook
from mmspike.neurons import LIF

SIZES = dict(train=8, val=2, test=7)


@pytest.fixture
def config(root, tmp_path):
    """The student of SNN-PAR in tiny on a few drawn pedestrians, and weights that nobody has trained."""
    path = tmp_path / 'tiny.py'
    sizes = dict(data_root=str(tmp_path / 'set'), num_images=SIZES)
    path.write_text(f"""_base_ = ['{root}/configs/snn_par/snn_par_synthetic.py']
sizes = {sizes!r}
train_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=sizes)
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=sizes)
test_dataloader = dict(batch_size=1, num_workers=0, dataset=sizes)
model = dict(backbone=dict(arch=dict(embed_dims=16, num_heads=2)), head=dict(in_channels=16))
epochs = 1
param_scheduler = dict(total_steps=1)
train_cfg = dict(max_epochs=1)
""")
    from mmspike.registry import MODELS
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(path).model)
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.constant_(module.bias, 0.7)  # or nothing fires
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / 'tiny.pth')
    return path, tmp_path / 'tiny.pth'


def expected(config, count):
    """Of the first samples of the test set, one by one as there: another order of additions flips spikes."""
    from mmspike.apis import init_model
    from mmspike.registry import DATASETS
    model = init_model(*config)
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    accounts = []
    with OperationCounter(model) as counter, SpikeRecorder(model) as spikes:
        for index in range(count):
            data = dict(inputs=[dataset[index]['inputs']], data_samples=None)
            model(model.data_preprocessor(data, False)['inputs'])
            accounts.append(counter.take(1))
    return sum(accounts[1:], accounts[0]), spikes


def test_accuracy_and_energy_from_the_same_run(config, root, tmp_path):
    out = tmp_path / 'out/figures.json'
    runpy.run_path(str(root / 'tools/test.py'))['main'](
        [*map(str, config), '--energy', '--out', str(out), '--work-dir', str(tmp_path / 'work')])
    figures, report = json.loads(out.read_text()), json.loads((out.parent / 'figures_energy.json').read_text())
    account, spikes = expected(config, 7)
    assert 'tiny.pth (sha256: ' in report['provenance']['checkpoint'] and 'tiny.py' in report['provenance']['config']
    assert report['model']['state_bytes'] == sum(n.state_bytes for n in account.neurons.values()) > 0  # of one sample
    rates, elements = spikes.rates, spikes.elements
    assert figures['energy/samples'] == 7 and 'par/mA' in figures
    assert figures['energy/gac'] == pytest.approx(account.sum('acs') / 7e9) and account.sum('acs') > 0
    assert figures['energy/gmac'] == pytest.approx(account.sum('macs') / 7e9)
    assert figures['energy/mj'] == pytest.approx((4.6 * account.sum('macs') + .9 * account.sum('acs')) / 7e9)
    assert figures['energy/total_mj'] > figures['energy/mj']
    fired = sum(float(rates[name] @ elements[name]) for name in rates)
    assert figures['energy/rate'] == pytest.approx(fired / sum(float(n.sum()) for n in elements.values()))
    assert {n['name']: n['rates'] for n in report['neurons']} == {
        name: pytest.approx(rate.tolist()) for name, rate in rates.items()}
    assert figures['energy/coverage'] > 0.99 and (out.parent / 'figures_energy.md').read_text().startswith('# Energy')


def test_counting_changes_no_prediction_and_can_end_early(config, root, tmp_path):
    main = runpy.run_path(str(root / 'tools/test.py'))['main']
    for name, options in (('without', []), ('with', ['--energy', '3'])):
        main([*map(str, config), *options, '--out', str(tmp_path / f'{name}.json'), '--work-dir',
              str(tmp_path / 'work')])
    without, figures = (json.loads((tmp_path / f'{name}.json').read_text()) for name in ('without', 'with'))
    assert {name: value for name, value in figures.items() if not name.startswith('energy/')} == without
    account, _ = expected(config, 3)
    assert figures['energy/samples'] == 3
    assert figures['energy/gac'] == pytest.approx(account.sum('acs') / 3e9)
    assert not torch.nn.modules.module._global_forward_hooks and torch.is_grad_enabled()


def test_a_metric_without_a_model_says_what_to_do():
    with pytest.raises(ValueError, match=r"no model to count. Add dict\(type='EnergyHook'\) to custom_hooks"):
        EnergyMetric().process({}, [{}])
    with pytest.raises(ValueError, match='max_samples=0; expected at least 1'):
        EnergyMetric(max_samples=0)
    with pytest.raises(ValueError, match="no energy model is called '45nm-fp23'. Did you mean '45nm-fp32'?"):
        EnergyMetric(models=['45nm-fp23'])


def test_samples_that_a_sampler_repeats_do_not_count():
    """Two processes with batches of two of three samples: the fourth repeats the first."""
    model = nn.Sequential(nn.Linear(4, 3), LIF())
    metric = EnergyMetric()
    metric.watch(model)
    for batch in (torch.ones(2, 4), torch.zeros(2, 4)):
        model(batch[None])
        metric.process({}, [{}, {}])
    figures = metric.compute_metrics(metric.results[:3])
    assert figures['samples'] == 3 and figures['gac'] == pytest.approx((12 + 12 + 0) / 3e9)


def figures_of(samples, batch_size, **options):
    """Of a metric that sees these samples in batches, in whatever process."""
    model = nn.Sequential(nn.Linear(4, 3, bias=False), LIF(), nn.Linear(3, 2))
    nn.init.constant_(model[0].weight, 0.3)  # the larger the sample, the more it fires
    metric = EnergyMetric(**options)
    evaluator = Evaluator(metric)
    metric.watch(model)
    for start in range(0, len(samples), batch_size):
        batch = samples[start:start + batch_size]
        model(torch.stack([torch.full((2, 4), float(sample)) for sample in batch], 1))  # [T, B, 4]
        evaluator.process(data_samples=[{} for _ in batch])
    figures = evaluator.evaluate(5)
    metric.stop()
    return figures


def _evaluate_in_process(rank, world, folder):
    """One of two gloo processes with the padded share that a DefaultSampler gives it."""
    import torch.distributed as dist
    dist.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=world)
    share = [0, 1, 2, 3, 4, 0][rank::world]
    out = f'{folder}/report' if rank == 0 else None
    torch.save([figures_of(share, 1, out=out), figures_of(share, 1, max_samples=2)], f'{folder}/{rank}.pt')
    assert not torch.nn.modules.module._global_forward_hooks
    dist.destroy_process_group()


def test_two_processes_give_the_figures_of_one(tmp_path):
    import torch.multiprocessing as mp
    mp.spawn(_evaluate_in_process, (2, str(tmp_path)), nprocs=2)
    first, second = (torch.load(tmp_path / f'{rank}.pt') for rank in range(2))
    assert first == second
    for found, samples in zip(first, (5, 4), strict=True):  # with max_samples, two of each
        alone = figures_of(list(range(5)), 1, max_samples=samples)
        assert found['energy/samples'] == samples and found == pytest.approx(alone) and found['energy/gac'] > 0
    assert json.loads((tmp_path / 'report.json').read_text())['samples'] == 5


def test_membranes_are_those_of_one_sample_whatever_the_batch(tmp_path):
    figures_of(list(range(5)), 2, out=str(tmp_path / 'report'))
    report = json.loads((tmp_path / 'report.json').read_text())
    assert report['model']['state_bytes'] == report['neurons'][0]['state_bytes'] == 3 * 4


def test_of_the_last_batch_no_more_samples_count_than_are_asked_for():
    whole, cut = figures_of(list(range(5)), 5), figures_of(list(range(5)), 5, max_samples=2)
    assert cut['energy/samples'] == 2 and cut['energy/gac'] == pytest.approx(whole['energy/gac'])
    assert figures_of(list(range(5)), 2, max_samples=3)['energy/samples'] == 3


class Noise(Dataset):
    metainfo = {}

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return torch.full((4,), float(index % 3))


class Spiking(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.fc, self.lif = nn.Linear(4, 6), LIF()


def build_spiking():
    from mmengine.model import BaseModel

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            parts = Spiking()
            self.fc, self.lif = parts.fc, parts.lif

        def forward(self, inputs, mode='loss'):
            self.seen = self.lif(self.fc(inputs).expand(3, *inputs.shape[:1], 6) * 3)
            return dict(loss=self.seen.sum() * 1e-3 + self.fc(inputs).sum() * 0)

    return Model()


def test_rates_in_log_and_in_the_curves(tmp_path):
    """What is written is what was seen, at the right iterations."""
    model = build_spiking()
    model.data_preprocessor.forward = lambda data, training: dict(inputs=data)
    seen = {}

    class Look(SpikeMonitorHook):
        def _tell(self, runner, found):
            seen[runner.iter + 1] = runner.model.seen.detach().double().mean().item()
            super()._tell(runner, found)

    runner = Runner(
        model, str(tmp_path), train_dataloader=dict(
            batch_size=2, num_workers=0, dataset=Noise(), sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='default_collate')),
        train_cfg=dict(by_epoch=False, max_iters=6, val_interval=100),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), custom_hooks=[Look(interval=2)],
        visualizer=dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')]), experiment_name='monitor',
        default_scope='mmspike', default_hooks=dict(checkpoint=None))
    runner.train()
    lines = [json.loads(line) for line in next(tmp_path.rglob('scalars.json')).read_text().splitlines()]
    written = {line['step']: line for line in lines if 'spikes/rate' in line}
    assert list(written) == list(seen) == [2, 4, 6]
    for step, line in written.items():
        assert line['spikes/rate'] == line['spikes_rate/lif'] == pytest.approx(seen[step], abs=1e-12)
        assert line['iter'] == step and 0 <= line['spikes/dead'] <= 1
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'Spikes at iteration 4: rate' in log and 'dead channels' in log


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match='interval=0; expected at least 1 iteration'):
        SpikeMonitorHook(interval=0)
    assert EnergyHook.priority
