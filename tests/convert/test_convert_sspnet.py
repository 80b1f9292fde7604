"""What the converter of SSPNet refuses, and files as published."""
import json
import runpy

import pytest
import torch

from mmspike.convert import sspnet


@pytest.fixture
def published(golden):
    keys = json.loads((golden / 'units/sspnet_keys.json').read_text())['keys']
    return {name: torch.zeros(shape, dtype=torch.long if name.endswith('tracked') else torch.float)
            for name, shape in keys.items()}


def test_a_published_file(published, root, tmp_path):
    torch.save(dict(state_dicts={f'module.{name}': value for name, value in published.items()}, epoch=3,
                    state_dict_ema=dict(published)), tmp_path / 'published.pth')
    main = runpy.run_path(str(root / 'tools/model_converters/convert.py'))['main']
    assert main(['sspnet', str(tmp_path / 'published.pth'), str(tmp_path / 'ours.pth')]) == 0
    saved = torch.load(tmp_path / 'ours.pth', weights_only=True)
    assert saved['state_dict']['head.fc.weight'].shape == (26, 1280)
    assert saved['state_dict']['head.prior.offset.bias'].shape == (6,)


def test_what_it_refuses(published):
    with pytest.raises(ValueError, match="'backbone.conv9.weight' is no name of a published SSPNet"):
        sspnet({**published, 'backbone.conv9.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match=r'head.fc.weight only the parts \[0, 2, 3\] are there, expected one for each'):
        sspnet({name: value for name, value in published.items() if 'cls_mid' not in name})
    with pytest.raises(ValueError, match='nothing among .* names becomes neck., head.prior., head.fc.'):
        sspnet({name: value for name, value in published.items() if name.startswith('backbone.layer')})
