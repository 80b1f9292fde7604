"""SequencePAR, whole and its decoder alone, against the published implementation, in float64, through converter and
config."""
import pytest
import torch
from golden_cases import PublishedGradients, differences, load_case
from mmengine import Config

from mmspike.convert import sequencepar
from mmspike.registry import MODELS

PARTS = {'self_att': 'self_attn', 'enc_att': 'memory_attn', 'pwff': 'ffn'}


def build(root, case: dict, state_dict: dict, tower: dict | None):
    """The model of a case from the shipped config; ``tower``: sizes of CLIP, None for a decoder alone."""
    cfg = Config.fromfile(root / 'configs/sequencepar/sequencepar_vit-l14_pa100k_legacy.py').model
    kwargs = case['model_kwargs']
    cfg.head.num_attributes = kwargs['num_attrs']
    cfg.head.decoder.update(depth=kwargs['depth'], embed_dims=kwargs['d_model'], num_heads=kwargs['heads'],
                            head_dims=kwargs['d_k'], feedforward_channels=kwargs['d_ff'], dropout=kwargs['dropout'])
    if tower is None:
        cfg.head.phrases = dict(type='LearnedPhrases', channels=kwargs['d_model'])
        cfg.backbone.arch = dict(width=16, layers=1, heads=1, output_dims=kwargs['d_model'], patch_size=14)
    else:
        dims = tower['embed_dim']
        cfg.backbone.update(img_size=tower['image_resolution'], arch=dict(
            width=tower['vision_width'], layers=tower['vision_layers'], heads=kwargs['clip_vision_heads'],
            output_dims=dims, patch_size=tower['vision_patch_size']))
        cfg.head.phrases.update(
            context_length=tower['context_length'], vocab_size=tower['vocab_size'], arch=dict(
                width=tower['transformer_width'], layers=tower['transformer_layers'],
                heads=tower['transformer_heads'], output_dims=dims))
    model = MODELS.build(cfg)
    missing, unexpected = model.load_state_dict(sequencepar(state_dict), strict=tower is not None)
    assert not unexpected and all(name.startswith(('backbone.', 'head.phrases.')) for name in missing)
    return model.double().eval()


def watch(model, stats: dict) -> None:
    """Mean, deviation and sum of magnitudes of what modules give, under the published names."""
    modules = {f'decoder.layers.{i}': layer for i, layer in enumerate(model.head.decoder.layers)}
    modules |= {f'{name}.{theirs}': getattr(layer, ours) for name, layer in list(modules.items())
                for theirs, ours in PARTS.items()}
    towers = {'clip_model.visual': model.backbone, 'clip_model': model.head.phrases}
    for name, tower in towers.items():
        for part in ('conv1', 'ln_pre', 'ln_final'):
            if hasattr(tower, part):
                modules[f'{name}.{part}'] = getattr(tower, part)
        if hasattr(tower, 'transformer'):
            modules |= {f'{name}.transformer.resblocks.{i}': block
                        for i, block in enumerate(tower.transformer.resblocks)}
    modules['clip_model.visual'] = model.backbone

    def note(name, y):
        y = (y[0] if isinstance(y, tuple) else y).detach()
        stats[name] = torch.stack([y.mean(), y.std(correction=0), y.abs().sum()])

    for name, module in modules.items():
        module.register_forward_hook(lambda _, x, y, name=name: note(name, y))


def trained(model, case: dict, state_dict: dict, logits: torch.Tensor, stats: dict) -> dict:
    """What the teacher-forced pass gives, with the gradients of its loss."""
    codec, want = model.head.codec, case['outputs']
    tokens = codec.encode(case['inputs']['labels'])
    assert torch.equal(tokens, case['inputs']['captions'])
    loss = model.head.loss_module(logits[:, :-1], codec.targets(tokens, case['inputs']['labels']))
    loss.backward()
    return dict(logits=logits.detach(), log_probs=logits.detach().log_softmax(-1), loss=loss.detach(),
                stage_stats={name: stats[name] for name in want['stage_stats']},
                **PublishedGradients(model, state_dict, sequencepar).outputs(want['grad_norms']))


@pytest.mark.parametrize('name', ['n26_d6', 'n6_d2'])
def test_the_decoder(golden, root, name):
    case, state_dict = load_case(golden / f'cases/sequencepar_decoder_{name}.pt')
    model = build(root, case, state_dict, None)
    head, stats = model.head, {}
    watch(model, stats)
    words = torch.cat([head.special, case['inputs']['word_embeddings'].double()])
    tokens = head.codec.encode(case['inputs']['labels'])
    logits, _ = head.decoder(tokens, words, head.decoder.start(case['inputs']['memory'].double()))
    head.requires_grad_(True)
    got = trained(model, case, state_dict, logits, stats)
    got['captions'] = tokens
    assert set(got) == set(case['outputs'])
    assert differences(case, got) == []


@pytest.mark.parametrize('name', ['n26_d2', 'n9_d2'])
def test_the_whole(golden, root, name):
    case, state_dict = load_case(golden / f'cases/sequencepar_full_{name}.pt')
    model = build(root, case, state_dict, case['model_kwargs']['clip'])
    head, stats = model.head, {}
    watch(model, stats)
    head.phrases.set_tokens(case['inputs']['text_tokens'])
    features = model.extract_feat(case['inputs']['image'].double())
    logits = head.next_tokens(features, head.codec.encode(case['inputs']['labels']))
    got = trained(model, case, state_dict, logits, stats)
    got |= dict(visual_tokens=features[0].detach(), text_features=head.phrases().detach(), generated={},
                predicted_set={})
    with torch.no_grad():
        for beams in (1, 2, 3):
            head.num_beams = beams
            sequences = head.generate(features)
            got['generated'][f'beam{beams}'] = sequences.tokens
            got['predicted_set'][f'beam{beams}'] = head.codec.decode(sequences.tokens)
            assert torch.equal(head.scores(sequences).float() > 0.5, head.codec.decode(sequences.tokens))
        # Greedy whatever it writes, the end included
        words, state = head.words(), head.decoder.start(head.memory(features))
        tokens, margins = torch.zeros(len(features[0]), 1, dtype=torch.long), []
        for _ in range(head.codec.length):
            step, state = head.decoder(tokens[:, -1:], words, state)
            best, token = step[:, -1].log_softmax(-1).topk(2)
            tokens = torch.cat([tokens, token[:, :1]], 1)
            margins.append(best[:, 0] - best[:, 1])
    got['generated'] |= dict(argmax_without_stop=tokens, greedy_margins=torch.stack(margins, 1))
    assert set(got) == set(case['outputs'])
    assert {name for name in case['outputs']['predicted_set'] if not name.endswith('first_attribute_dropped')} == set(
        got['predicted_set'])
    assert differences(case, got) == []


def test_metrics_and_losses(golden):
    from mmspike.evaluation import instance_figures, label_figures
    from mmspike.evaluation.attributes import predict
    from mmspike.models import TokenLoss
    case, _ = load_case(golden / 'cases/sequencepar_metrics.pt')
    got = {}
    for name in ('hard_degenerate', 'soft'):
        inputs = case['inputs'][name]
        labels = inputs['gt'].numpy()
        predicted = predict(inputs['probs'].numpy(), inputs['threshold'])
        table, figures = label_figures(predicted, labels, True), instance_figures(predicted, labels, True)
        got[name] = dict(ma=table['mA'].mean(), acc=figures['accuracy'], prec=figures['precision'],
                         recall=figures['recall'], f1=figures['f1'], label_pos_recall=table['tpr'],
                         label_neg_recall=table['tnr'], label_prec=table['precision'], label_acc=table['accuracy'],
                         label_f1=table['f1'], label_ma=table['mA'])
        assert set(got[name]) == set(case['outputs'][name])
    inputs = case['inputs']['nll']  # log-probabilities are logits that sum to 1 already
    got['nll'] = dict(ignore_pad=TokenLoss()(inputs['log_probs'][None], inputs['targets'][None]))
    assert differences(case, got) == []
