"""The converters of SequencePAR and CLIP: files as published, in every format, other sizes, and what is refused."""
import json
import re
import runpy

import pytest
import torch
from mmengine import Config

from mmspike.convert import clip, sequencepar
from mmspike.models import CLIPVision
from mmspike.models.layers.phrases import CLIPPhrases
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict
from mmspike.utils.foreign_weights import read_weights

VISION, TEXT = (dict(width=8, layers=2, heads=2, output_dims=6), dict(width=4, layers=1, heads=2, output_dims=6))
SIZES = dict(context_length=5, vocab_size=7)


def tiny_clip(side=4):
    """A CLIP as OpenAI names it, with what is not read of it."""
    torch.manual_seed(0)
    towers = dict(visual=CLIPVision(dict(VISION, patch_size=8), 8 * side), text=CLIPPhrases(3, TEXT, **SIZES))
    names = {f'visual.{name}': value for name, value in towers['visual'].state_dict().items()}
    names |= {name: value for name, value in towers['text'].state_dict().items() if name != 'tokens'}
    return names | {'visual.ln_post.weight': torch.ones(8), 'visual.ln_post.bias': torch.zeros(8),
                    'logit_scale': torch.tensor(4.6), 'input_resolution': torch.tensor(8 * side),
                    'context_length': torch.tensor(5), 'vocab_size': torch.tensor(7)}


class Holder(torch.nn.Module):
    """Tensors under dotted names, to be traced."""

    def __init__(self, names):
        super().__init__()
        for name, value in names.items():
            *parents, leaf = name.split('.')
            module = self
            for parent in parents:
                if not hasattr(module, parent):
                    module.add_module(parent, torch.nn.Module())
                module = getattr(module, parent)
            module.register_buffer(leaf, value)

    def forward(self, x):
        return x


def test_all_names_of_a_published_model_at_full_size(golden, root):
    """Shapes only: the model is built without memory."""
    keys = json.loads((golden / 'units/sequencepar_keys.json').read_text())['clip_vitl14_keys']
    with torch.device('meta'):
        names = {name: torch.empty(shape) for name, shape in keys.items()}
        cfg = Config.fromfile(root / 'configs/sequencepar/sequencepar_vit-l14_pa100k_legacy.py').model
        model = MODELS.build(cfg)
    ours = {name: value.shape for name, value in model.state_dict().items()
            if name.startswith(('backbone.', 'head.phrases.')) and name != 'head.phrases.tokens'}
    assert {name: value.shape for name, value in clip(names).items()} == ours
    decoder = sum(p.numel() for p in model.head.decoder.parameters())
    assert decoder == 37_843_200  # the trainable ones, as published
    assert sum(p.numel() for p in model.parameters()) == 427_616_513 - 2 * 1024 - 1 + decoder  # ln_post, logit_scale


@pytest.mark.parametrize('form', ['torch.save', 'half', 'torchscript', 'safetensors', 'open_clip'])
def test_a_file_of_clip_in_every_format(root, tmp_path, form):
    names, source = tiny_clip(), tmp_path / ('clip.safetensors' if form == 'safetensors' else 'clip.pt')
    if form == 'torchscript':
        torch.jit.save(torch.jit.trace(Holder({name: value.half() if value.is_floating_point() else value
                                               for name, value in names.items()}), torch.zeros(1)), source)
    elif form == 'safetensors':
        pytest.importorskip('safetensors.torch').save_file(names, source)
    else:
        if form == 'half':
            names = {name: value.half() for name, value in names.items()}
        if form == 'open_clip':  # of the class whose text tower is a part of its own, after a distributed training
            names = {f'module.{name}' if name.startswith(('visual', 'logit')) else f'module.text.{name}': value
                     for name, value in names.items()}
        torch.save(dict(state_dict=names) if form == 'open_clip' else names, source)
    main = runpy.run_path(str(root / 'tools/model_converters/convert.py'))['main']
    assert main(['clip', str(source), str(tmp_path / 'ours.pth')]) == 0
    saved = torch.load(tmp_path / 'ours.pth', weights_only=True)['state_dict']
    assert {value.dtype for value in saved.values()} == {torch.float32}
    for side in (4, 6):  # the second: another image size
        vision = CLIPVision(dict(VISION, patch_size=8), 8 * side)
        vision.load_state_dict({name.removeprefix('backbone.'): value for name, value in saved.items()
                                if name.startswith('backbone.')})
    text = CLIPPhrases(3, TEXT, **SIZES)
    text.load_state_dict({name.removeprefix('head.phrases.'): value for name, value in saved.items()
                          if name.startswith('head.phrases.')})


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CheckpointError, match='no such checkpoint'):
        read_weights(tmp_path / 'none.pt')
    (tmp_path / 'bad.safetensors').write_bytes(b'nothing of the kind')
    with pytest.raises(CheckpointError, match='bad.safetensors: not a file of safetensors, or damaged'):
        read_weights(tmp_path / 'bad.safetensors')


def test_a_file_of_another_architecture_is_refused_by_name():
    """As a training compares it with the model, before it is loaded; a ViT-B/32 nearly fits a ViT-B/16."""
    with torch.device('meta'):
        vision = {arch: CLIPVision(arch) for arch in ('ViT-B/16', 'ViT-B/32')}
        text = {arch: CLIPPhrases(2, arch) for arch in ('ViT-B/16', 'ViT-L/14')}
        ours = torch.nn.ModuleDict(dict(backbone=vision['ViT-B/16'], phrases=text['ViT-B/16']))
        theirs = {f'backbone.{name}': value for name, value in vision['ViT-B/32'].state_dict().items()}
        with pytest.raises(CheckpointError, match="patches of 32, the model is one of width 768, 12 layers, patches of "
                                                  "16. Set model.backbone.arch='ViT-B/32', or give the file"):
            compare_state_dict(ours, theirs)
        theirs = {f'phrases.{name}': value for name, value in text['ViT-L/14'].state_dict().items()}
        with pytest.raises(CheckpointError, match="a CLIP of width 768, 12 layers, the model is one of width 512, 12 "
                                                  "layers. Set model.head.phrases.arch='ViT-L/14'"):
            compare_state_dict(ours, theirs)


def test_what_is_refused():
    decoder = {'decoder.fc.weight': torch.zeros(5, 4), 'decoder.pos_emb.weight': torch.zeros(4, 4)}
    assert sequencepar(decoder)['head.special'].tolist() == [[1] * 4, [-1] * 4, [0] * 4]
    own = sequencepar({**decoder, 'bos_embedding': torch.full((1, 4), 3.)})['head.special']
    assert own.tolist() == [[3] * 4, [-1] * 4, [0] * 4]
    with pytest.raises(ValueError, match="'backbone.conv1.weight' is no name of such a checkpoint .*already converted"):
        sequencepar({**decoder, 'backbone.conv1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match=re.escape("'decoder.layers.0.self_att.attention.m_k' is no name")):
        sequencepar({**decoder, 'decoder.layers.0.self_att.attention.m_k': torch.zeros(1)})
    with pytest.raises(ValueError, match='no weight of the decoder .* for a CLIP alone use the system clip'):
        sequencepar({f'clip_model.{name}': value for name, value in tiny_clip().items()})
    with pytest.raises(ValueError, match="'visual.layer1.0.conv1.weight' is no name .*those of a ViT"):
        clip({'visual.layer1.0.conv1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match='no weight of an image tower'):
        clip({name: value for name, value in tiny_clip().items() if not name.startswith('visual.')})
