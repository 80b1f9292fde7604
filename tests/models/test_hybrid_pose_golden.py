"""The five pose networks against the published implementation, in float64, through converter and config."""
import pytest
import torch
from golden_cases import PublishedGradients, differences, load_case
from mmengine import Config

from mmspike import neurons
from mmspike.analysis import SpikeRecorder
from mmspike.codecs import HeatmapCodec
from mmspike.convert import hybrid_pose
from mmspike.models import HeatmapMSELoss
from mmspike.registry import MODELS
from mmspike.structures import PoseDataSample

STEPS = (5, 2)  # T and B of the cases with several steps


def build(root, name: str, state_dict: dict, **options):
    """The model of a case from the shipped config, with the case's weights, in float64."""
    cfg = Config.fromfile(root / f'configs/_base_/models/hybrid_pose_{name}.py')
    cfg.merge_from_dict({f'model.{path}': value for path, value in options.items()})
    model = MODELS.build(cfg.model)
    model.load_state_dict(hybrid_pose(state_dict), strict=True)
    return model.double().eval()


def statistics(x: torch.Tensor) -> torch.Tensor:
    return torch.stack([x.mean(), x.std(correction=0), x.abs().sum()])


class StageStats:
    """Statistics of what modules gave, under the published names: one row for each step of ``[T, B, ...]``."""

    def __init__(self):
        self.stats = {}

    def watch(self, name: str, module, steps: bool = False) -> None:
        module.register_forward_hook(lambda _, inputs, y: self.note(name, y, steps))

    def note(self, name: str, y, steps: bool) -> None:
        y = (y[0] if isinstance(y, tuple) else y).detach()
        self.stats[name] = torch.stack([statistics(step) for step in y]) if steps else statistics(y)


def watch_cnn(stats: StageStats, cnn, suffix: str = '') -> None:
    parts = {'conv1': cnn.conv1, 'conv2': cnn.conv2, 'conv3': cnn.head}
    parts |= {f'down{i}': down for i, down in enumerate(cnn.downs, 1)}
    parts |= {f'up{i}': up for i, up in enumerate(cnn.ups, 1)}
    for name, part in parts.items():
        stats.watch(name + suffix, part)


def landmarks(maps: torch.Tensor) -> torch.Tensor:
    """As published: ``[..., K, H, W]`` -> ``[..., 2, K]``."""
    return HeatmapCodec().decode(maps)[0].transpose(-1, -2)


def test_cnn(golden, root):
    case, state_dict = load_case(golden / 'cases/hybrid_cnn.pt')
    model = build(root, 'cnn', state_dict)
    stats = StageStats()
    watch_cnn(stats, model.backbone)
    with torch.no_grad():
        maps = model(dict(frames=case['inputs']['frames'][None].double()))[0]
    got = dict(y=maps, landmarks=landmarks(maps), stage_stats=stats.stats)
    assert set(got) == set(case['outputs']) and set(stats.stats) == set(case['outputs']['stage_stats'])
    assert differences(case, got) == []


SITES = ('stem', 'down1', 'down2', 'down3', 'residual1', 'residual2', 'up1', 'up2', 'up3')


@pytest.fixture(params=['reference', 'tiled'])
def backend(request):
    """The compiled one is left to the tests of neurons: it takes a minute to build."""
    with neurons.backend(request.param):
        yield


def watch_snn(stats: StageStats, snn, names: dict[str, str]) -> None:
    parts = {'stem': snn.stem, 'residual': snn.residual, 'readout': snn.readout}
    parts |= {f'down{i}': part for i, part in enumerate(snn.downs, 1)}
    parts |= {f'up{i}': part for i, part in enumerate(snn.ups, 1)}
    for name, part in parts.items():
        stats.watch(names[name], part, steps=True)


def watch_rnn(stats: StageStats, rnn) -> None:
    # the published head ends with its activation, ours with the convolution
    rnn.head.register_forward_hook(
        lambda _, inputs, y: stats.note('unetrecurrent.head', y.relu().unflatten(0, STEPS), True))
    for kind, parts in (('encoders', rnn.encoders), ('resblocks', rnn.residuals)):
        for i, part in enumerate(parts):
            stats.watch(f'unetrecurrent.{kind}.{i}', part, steps=True)
    for i, part in enumerate(rnn.decoders):
        part.register_forward_hook(lambda _, inputs, y, i=i: stats.note(f'unetrecurrent.decoders.{i}', y.relu(), True))
    stats.watch('unetrecurrent.pred', rnn.readout, steps=True)


def published_rates(recorder: SpikeRecorder, names: dict[str, str]) -> dict[str, torch.Tensor]:
    return {names[name.split('.', 1)[1]]: rate for name, rate in recorder.rates.items() if 'readout' not in name}


def of_steps(maps: torch.Tensor, want: dict) -> dict[str, torch.Tensor]:
    """What a case keeps of maps ``[T, B, K, H, W]``."""
    kept = dict(y_last=maps[-1], y_first=maps[0, :1], y_step_map_mean=maps.mean((-2, -1)),
                y_step_map_abs=maps.abs().mean((-2, -1)), y_step_map_max=maps.amax((-2, -1)),
                landmarks=landmarks(maps))
    return {name: value for name, value in kept.items() if name in want}


def bins_of(case: dict) -> torch.Tensor:
    """``[T, B, 2, H, W]``: the published loop takes step t of ``[T, B, ...]``, the training of ``[B, T, ...]``."""
    bins = case['inputs']['frames'].double()
    return bins.transpose(0, 1) if 'train' in case['case'] else bins


SNN_NAMES = dict(stem='static_conv', down1='down1', down2='down2', down3='down3', residual='residualBlock.0',
                 up1='up1', up2='up2', up3='up3', readout='temporalflat')
SNN_NEURONS = {'stem.neuron': 'static_conv.2', 'residual.neuron1': 'residualBlock.0.lif1',
               'residual.neuron2': 'residualBlock.0.lif2'}
SNN_NEURONS |= {f'downs.{i}.neuron': f'down{i + 1}.conv.activation' for i in range(3)}
SNN_NEURONS |= {f'ups.{i}.neuron': f'up{i + 1}.activation' for i in range(3)}
HYBRID_NAMES = {name: f'{theirs.removesuffix(".0")}_snn' for name, theirs in SNN_NAMES.items()}
HYBRID_NEURONS = {'stem.neuron': 'static_conv_snn.activation', 'residual.neuron1': 'residualBlock_snn.activation1',
                  'residual.neuron2': 'residualBlock_snn.activation2'}
HYBRID_NEURONS |= {f'downs.{i}.neuron': f'down{i + 1}_snn.conv.activation' for i in range(3)}
HYBRID_NEURONS |= {f'ups.{i}.neuron': f'up{i + 1}_snn.activation' for i in range(3)}


def neuron_options(case: dict) -> dict:
    kwargs = case['model_kwargs']
    return {name: kwargs[name] for name in ('tau', 'v_threshold', 'detach_reset')}


def test_snn(golden, root, backend):
    case, state_dict = load_case(golden / 'cases/hybrid_snn.pt')
    options = {f'backbone.neuron.{name}': value for name, value in neuron_options(case).items()}
    options['backbone.readout_neuron.tau'] = case['model_kwargs']['tau']
    model, stats = build(root, 'snn', state_dict, **options), StageStats()
    watch_snn(stats, model.backbone, SNN_NAMES)
    with torch.no_grad(), SpikeRecorder(model) as recorder:
        maps = model(dict(bins=bins_of(case)))
    got = of_steps(maps, case['outputs'])
    got |= dict(stage_stats=stats.stats, spike_rates=published_rates(recorder, SNN_NEURONS))
    check(case, got)


def test_rnn(golden, root):
    case, state_dict = load_case(golden / 'cases/hybrid_rnn.pt')
    model, stats = build(root, 'rnn', state_dict), StageStats()
    watch_rnn(stats, model.backbone)
    with torch.no_grad():
        maps, state = model.backbone(bins_of(case))
    check(case, of_steps(maps, case['outputs']) | dict(stage_stats=stats.stats, state_stats=recurrent(state)))


def recurrent(state: dict) -> torch.Tensor:
    return torch.stack([torch.stack([statistics(state[f'{kind}{i}']) for kind in ('hidden', 'cell')])
                        for i in range(3)])


@pytest.mark.parametrize('steps', [5, 1])
def test_cnn_snn(golden, root, backend, steps):
    """All bins at once and bin by bin."""
    case, state_dict = load_case(golden / 'cases/hybrid_cnn_snn.pt')
    options = {f'network.neuron.{name}': value for name, value in neuron_options(case).items()}
    options['output_decay'] = case['model_kwargs']['output_decay']
    model, stats = build(root, 'cnn-snn', state_dict, **options), StageStats()
    if steps == 5:
        watch_cnn(stats, model.cnn, '_cnn')
        watch_states(stats, model.initializer, SITES)
        watch_snn(stats, model.network, HYBRID_NAMES)
    with torch.no_grad(), SpikeRecorder(model) as recorder:
        state = start = model.initialise(case['inputs']['frames_cnn'].double())
        outputs = []
        for bins in bins_of(case).split(steps):
            maps, state = model.step(bins, state)
            outputs.append(maps)
    got = of_steps(torch.cat(outputs), case['outputs']) | dict(cnn_out=start.maps[:1])
    for name, v in (('init_stats', start.network), ('final_v_stats', state.network)):
        got[name] = {f'v_{i or "in"}': statistics(v[site]) for i, site in enumerate(SITES)}
    if steps == 5:
        got |= dict(stage_stats=stats.stats, spike_rates=published_rates(recorder, HYBRID_NEURONS))
        check(case, got)
    else:
        assert len(got) > 6 and differences(case, got) == []


def watch_states(stats: StageStats, initializer, sites: tuple[str, ...], first: int = 0) -> None:
    for i, site in enumerate(sites, first):
        initializer.nets[site].register_forward_hook(
            lambda _, inputs, y, i=i: stats.note(f'states_{i or "in"}', y if len(y) > 1 else y[0], len(y) > 1))


def test_cnn_rnn(golden, root):
    case, state_dict = load_case(golden / 'cases/hybrid_cnn_rnn.pt')
    model = build(root, 'cnn-rnn', state_dict, output_decay=case['model_kwargs']['output_decay'])
    stats = StageStats()
    watch_cnn(stats, model.cnn, '_cnn')
    watch_states(stats, model.initializer, ('hidden0', 'hidden1', 'hidden2'), first=1)
    watch_rnn(stats, model.network)
    with torch.no_grad():
        start = model.initialise(case['inputs']['frames_cnn'].double())
        maps, state = model.step(bins_of(case), start)
    check(case, of_steps(maps, case['outputs']) | dict(
        cnn_out=start.maps[:1], stage_stats=stats.stats, state_stats=recurrent(state.network)))


def check(case: dict, got: dict) -> None:
    assert set(got) == set(case['outputs'])
    for name in ('stage_stats', 'spike_rates'):
        assert set(got.get(name, {})) == set(case['outputs'].get(name, {}))
    assert differences(case, got) == []


def test_training_of_the_hybrid(golden, root, backend):
    case, state_dict = load_case(golden / 'cases/hybrid_cnn_snn_train.pt')
    kwargs, want = case['model_kwargs'], case['outputs']
    options = {f'network.neuron.{name}': value for name, value in neuron_options(case).items()}
    options |= {'output_decay': kwargs['output_decay'], 'state_loss': kwargs['mp_loss_ratio'],
                'head.codec.sigma': kwargs['sigma'], 'head.codec.legacy': True, 'head.loss.legacy': True}
    model = build(root, 'cnn-snn', state_dict, **options).train()
    stats, outputs = StageStats(), []
    watch_states(stats, model.initializer, SITES)
    watch_snn(stats, model.network, HYBRID_NAMES)
    for part in (model.cnn.conv1, model.cnn.conv2, model.cnn.head, *model.cnn.downs, *model.cnn.ups):
        part.register_forward_hook(lambda module, inputs, y: outputs.append((module, y.unflatten(0, (2, -1)).clone())))
    head_loss, maps_seen = model.head.loss, []
    model.head.loss = lambda maps, samples: (maps_seen.append(maps.detach()), head_loss(maps, samples))[1]
    inputs = dict(frames=case['inputs']['frames_cnn'].double().transpose(0, 1), bins=bins_of(case))
    with SpikeRecorder(model) as recorder:
        losses = model(inputs, samples_of(case), mode='loss')
    sum(losses.values()).backward()
    names = {id(module): name for name, module in published_cnn(model.cnn).items()}
    for module, y in outputs:
        stats.note(names[id(module)], y, True)
    ratio = kwargs['mp_loss_ratio']
    buffers = PublishedBuffers(model, state_dict)
    got = dict(
        y_last=maps_seen[0][-1], loss=sum(losses.values()).detach(),
        out_loss=losses['loss_pose'].detach() / (1 - ratio), mp_loss=losses['loss_state'].detach() / ratio,
        stage_stats=stats.stats, spike_rates=published_rates(recorder, HYBRID_NEURONS),
        running_stats={name: buffers[name] for name in want['running_stats']},
        **PublishedGradients(model, state_dict, hybrid_pose).outputs(want['grad_norms']))
    check(case, got)


def published_cnn(cnn) -> dict:
    parts = {'conv1_cnn': cnn.conv1, 'conv2_cnn': cnn.conv2, 'conv3_cnn': cnn.head}
    parts |= {f'down{i}_cnn': down for i, down in enumerate(cnn.downs, 1)}
    return parts | {f'up{i}_cnn': up for i, up in enumerate(cnn.ups, 1)}


class PublishedBuffers:
    """Buffers of ours under the published names."""

    def __init__(self, model, state_dict: dict):
        tags = {name: torch.full(value.shape, float(i)) for i, (name, value) in enumerate(state_dict.items())}
        published = list(state_dict)
        self.found = {published[int(tag.flatten()[0])]: model.state_dict()[ours]
                      for ours, tag in hybrid_pose(tags).items()}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self.found[name]


def samples_of(case: dict) -> list[PoseDataSample]:
    samples = []
    for b, uv in enumerate(case['inputs']['uv']):  # [2, T, K]
        visible = torch.ones(uv.shape[1:], dtype=torch.bool)
        for image, joint in case['inputs']['missing']:
            visible[:, joint] &= image != b
        samples.append(PoseDataSample(gt_keypoints=uv.permute(1, 2, 0).double(), gt_visible=visible))
    return samples


def test_codec_and_loss(golden):
    case, _ = load_case(golden / 'cases/hybrid_pose_metrics.pt')
    maps, target = case['inputs']['heatmaps'], case['inputs']['target'].transpose(1, 2)
    visible = ~target.isnan().any(-1)
    got = dict(landmarks=landmarks(maps))
    for name, sigma in (('sigma2', 2.0), ('other', 2.6)):
        encoded = HeatmapCodec(sigma, legacy=True).encode(target, visible, maps.shape[-2:])
        got[f'loss_{name}'] = HeatmapMSELoss(legacy=True)(maps, encoded, visible)
        if sigma == 2:
            got['blurred_sigma2'] = encoded
    assert differences(case, got) == []


def test_frames_of_other_sizes_are_named(root):
    model = MODELS.build(Config.fromfile(root / 'configs/_base_/models/hybrid_pose_cnn.py').model)
    with pytest.raises(ValueError, match=r'a frame of 48x64, but both sides have to be multiples of 32'):
        model(dict(frames=torch.zeros(1, 1, 20, 48, 64)))
