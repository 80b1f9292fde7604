"""The names of the five published pose networks, and what is none of them."""
import json

import pytest
import torch
from mmengine import Config

from mmspike.convert import hybrid_pose
from mmspike.registry import MODELS

NETWORKS = dict(cnn='cnn', rnn='rnn', snn='snn', hybrid_cnn_snn='cnn-snn', hybrid_cnn_rnn='cnn-rnn')


def published(golden, name, prefix=''):
    keys = json.loads((golden / 'units/hybrid_state_dict_keys.json').read_text())
    return {prefix + key: torch.zeros(shape, dtype=getattr(torch, dtype.split('.')[-1]))
            for key, (shape, dtype) in keys[name].items()}, keys['_params'][name]


@pytest.mark.parametrize('name', NETWORKS)
def test_every_name_has_its_place(golden, root, name):
    model = MODELS.build(Config.fromfile(root / f'configs/_base_/models/hybrid_pose_{NETWORKS[name]}.py').model)
    state_dict, count = published(golden, name, prefix='module.')
    model.load_state_dict(hybrid_pose(state_dict), strict=True)
    assert sum(p.numel() for p in model.parameters()) == count


def test_stages_meet_the_hybrid_where_the_published_ones_do(golden):
    """The published maps of names from CNN and SNN to the hybrid are the same as by our names."""
    keys = json.loads((golden / 'units/hybrid_state_dict_keys.json').read_text())
    hybrid, _ = published(golden, 'hybrid_cnn_snn')
    ours = dict(zip(hybrid, hybrid_pose(hybrid), strict=True))
    for stage, part in (('cnn', 'cnn'), ('snn', 'network')):
        alone, _ = published(golden, stage)
        names = dict(zip(alone, hybrid_pose(alone), strict=True))
        pairs = [(one, other) for one, other in keys[f'_key_map_{stage}2hybrid'].items() if other in ours]
        assert len(pairs) > 40
        for one, other in pairs:
            assert names[one].replace('backbone.', f'{part}.', 1) == ours[other]


def test_other_checkpoints_are_named():
    with pytest.raises(ValueError, match='1 names, but none of conv1'):
        hybrid_pose({'layer1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match="'down1.conv9.weight' is no name of the published CNN"):
        hybrid_pose({'conv1.weight': torch.zeros(1), 'conv3.weight': torch.zeros(1),
                     'down1.conv9.weight': torch.zeros(1)})
