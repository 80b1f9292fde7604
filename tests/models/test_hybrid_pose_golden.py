"""The five pose networks against the published implementation, in float64, through converter and config."""
import pytest
import torch
from golden_cases import differences, load_case
from mmengine import Config

from mmspike.codecs import HeatmapCodec
from mmspike.convert import hybrid_pose
from mmspike.models import HeatmapMSELoss
from mmspike.registry import MODELS


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
