"""The converters of SequencePAR and CLIP: files as published, in every format, other sizes, and what is refused."""
import json
import re
import runpy

import numpy as np
import pytest
import torch
from mmengine import Config

from mmspike.convert import clip, sequencepar
from mmspike.datasets.attributes import Annotation, Attribute, save_annotation
from mmspike.models import CLIPVision
from mmspike.models.layers.phrases import CLIPPhrases
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict
from mmspike.utils.foreign_weights import read_weights
from mmspike.utils.text_embeddings import TextEmbeddings

VISION, TEXT = (dict(width=8, layers=2, heads=2, output_dims=6), dict(width=4, layers=1, heads=2, output_dims=6))
SIZES = dict(context_length=5, vocab_size=7)
OWN = ('head.phrases.tokens', 'backbone.position_grid')  # what no published file has


def tiny_clip(side=4):
    """A CLIP as OpenAI names it, with what is not read of it."""
    torch.manual_seed(0)
    towers = dict(visual=CLIPVision(dict(VISION, patch_size=8), 8 * side), text=CLIPPhrases(3, TEXT, **SIZES))
    names = {f'visual.{name}': value for name, value in towers['visual'].state_dict().items()
             if name != 'position_grid'}
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
            if name.startswith(('backbone.', 'head.phrases.')) and name not in OWN}
    assert {name: value.shape for name, value in clip(names).items()} == ours
    decoder = sum(p.numel() for p in model.head.decoder.parameters())
    assert decoder == 37_843_200  # the trainable ones, as published
    assert sum(p.numel() for p in model.parameters()) == 427_616_513 - 2 * 1024 - 1 + decoder  # ln_post, logit_scale


@pytest.mark.parametrize('form', ['torch.save', 'half', 'torchscript', 'safetensors', 'open_clip'])
def test_a_file_of_clip_in_every_format(root, tmp_path, form, capsys):
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
                     for name, value in names.items() if name != 'input_resolution'}
            names = dict(state_dict=names)
        torch.save(names, source)
    main = runpy.run_path(str(root / 'tools/model_converters/convert.py'))['main']
    assert main(['clip', str(source), str(tmp_path / 'ours.pth')]) == 0
    assert ("activation='gelu'" in capsys.readouterr().out) == (form == 'open_clip')
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
        with pytest.raises(CheckpointError, match="patches of 32, projected to 512, the model is one of width 768, 12 "
                                                  "layers, patches of 16, projected to 512. Set model.backbone.arch="
                                                  "'ViT-B/32', or give the file"):
            compare_state_dict(ours, theirs)
        theirs = {f'phrases.{name}': value for name, value in text['ViT-L/14'].state_dict().items()}
        with pytest.raises(CheckpointError, match="a CLIP of width 768, 12 layers, projected to 768, the model is one "
                                                  "of width 512, 12 layers, projected to 512. Set "
                                                  "model.head.phrases.arch='ViT-L/14'"):
            compare_state_dict(ours, theirs)


def test_another_mlp_is_another_architecture_and_a_norm_may_lack():
    """As ViT-g/14 and ViT-bigG/14 of open_clip have it; their files are read with ``mlp_dims``."""
    wide = CLIPVision(dict(VISION, mlp_dims=40, patch_size=8), 32)
    state_dict = {f'backbone.{name}': value for name, value in wide.state_dict().items()}
    plain = torch.nn.ModuleDict(dict(backbone=CLIPVision(dict(VISION, patch_size=8), 32)))
    with pytest.raises(CheckpointError, match='layers, patches of 8, 40 wide inside, projected .*arch=dict.*mlp_dims='):
        compare_state_dict(plain, state_dict)
    with pytest.raises(CheckpointError, match='projected to 6, the model is one .*, projected to 12'):
        CLIPVision(dict(VISION, output_dims=12, patch_size=8), 32).load_state_dict(plain.backbone.state_dict())
    without = {name: value for name, value in plain.state_dict().items() if 'ln_pre' not in name}
    with pytest.raises(CheckpointError, match='without a norm before its layers'):
        compare_state_dict(plain, without)


def test_what_is_refused():
    decoder = {'decoder.fc.weight': torch.zeros(5, 4), 'decoder.pos_emb.weight': torch.zeros(4, 4)}
    assert sequencepar(decoder)['head.special'].tolist() == [[1] * 4, [-1] * 4, [0] * 4]
    own = sequencepar({**decoder, 'bos_embedding': torch.full((1, 4), 3.)})['head.special']
    assert own.tolist() == [[3] * 4, [-1] * 4, [0] * 4]
    with pytest.raises(ValueError, match="'backbone.conv1.weight' is no name of such a checkpoint .*already converted"):
        sequencepar({**decoder, 'backbone.conv1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match=re.escape("'decoder.layers.0.self_att.attention.m_k' is no name")):
        sequencepar({**decoder, 'decoder.layers.0.self_att.attention.m_k': torch.zeros(1)})
    key = 'decoder.layers.0.enc_att.attention.fc_v.weight'
    with pytest.raises(ValueError, match='memory_attn.v.weight is there, head.decoder.layers.0.memory_attn.k.weight'):
        sequencepar({**decoder, key: torch.zeros(4, 4)})
    with pytest.raises(ValueError, match='no weight of the decoder .* for a CLIP alone use the system clip'):
        sequencepar({f'clip_model.{name}': value for name, value in tiny_clip().items()})
    with pytest.raises(ValueError, match="'visual.layer1.0.conv1.weight' is no name .*those of a ViT"):
        clip({'visual.layer1.0.conv1.weight': torch.zeros(1)})
    with pytest.raises(ValueError, match='no weight of an image tower'):
        clip({name: value for name, value in tiny_clip().items() if not name.startswith('visual.')})


def test_features_of_phrases_are_those_of_open_clip(root, tmp_path, capsys):
    """From one archive: its own text tower, by the tool that writes a file of them, and ours; the same tokenizer."""
    open_clip = pytest.importorskip('open_clip', reason='compared with open_clip_torch')
    sizes = dict(context_length=16, vocab_size=49408)
    torch.manual_seed(0)
    vision, text = CLIPVision(dict(VISION, patch_size=8), 32), CLIPPhrases(2, TEXT, **sizes)
    for parameter in text.parameters():
        parameter.data.mul_(3 if parameter.ndim > 1 else 1)
    names = {f'visual.{name}': value for name, value in vision.state_dict().items() if name != 'position_grid'}
    names |= {name: value for name, value in text.state_dict().items() if name != 'tokens'}
    names |= {'visual.ln_post.weight': torch.ones(8), 'visual.ln_post.bias': torch.zeros(8),
              'logit_scale': torch.tensor(4.6), 'input_resolution': torch.tensor(32)}
    torch.jit.save(torch.jit.trace(Holder(names), torch.zeros(1)), tmp_path / 'clip.pt')
    (tmp_path / 'mmspike-tiny-quickgelu.json').write_text(json.dumps(dict(
        embed_dim=6, quick_gelu=True,
        vision_cfg=dict(image_size=32, layers=2, width=8, head_width=4, patch_size=8),
        text_cfg=dict(context_length=16, vocab_size=49408, width=4, heads=2, layers=1))))
    open_clip.add_model_config(tmp_path / 'mmspike-tiny-quickgelu.json')
    phrases = ['a person with a hat', 'a bag']
    save_annotation(Annotation('toy', [Attribute('Hat', 'head', phrases[0]), Attribute('Bag', 'bags', phrases[1])],
                               ['0.jpg'], np.array([[1, 0]]), dict(train=[0])), tmp_path / 'toy.json')
    main = runpy.run_path(str(root / 'tools/dataset_converters/text_embeddings.py'))['main']
    command = [str(tmp_path / 'toy.json'), '--out', str(tmp_path / 'text.npz'), '--library', 'open_clip',
               '--pretrained', str(tmp_path / 'clip.pt'), '--model']
    main([*command, 'mmspike-tiny-quickgelu'])
    theirs = torch.from_numpy(TextEmbeddings.read(tmp_path / 'text.npz').vectors)
    ours = CLIPPhrases(2, TEXT, phrases=phrases, **sizes)
    ours.load_state_dict({name.removeprefix('head.phrases.'): value
                          for name, value in clip(read_weights(tmp_path / 'clip.pt')).items()
                          if name.startswith('head.phrases.')})
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours(), theirs, rtol=1e-4, atol=1e-5)
    with pytest.raises(SystemExit, match='expected a name that ends in -quickgelu, such as --model ViT-B-16-quickgelu'):
        main([*command, 'ViT-B-16'])
