"""SNN-PAR, student and teacher and losses, against the published implementation, in float64, through config."""
import numpy as np
import pytest
import torch
from golden_cases import PublishedGradients, differences, fill, load_case
from mmengine import Config
from mmpretrain.structures import DataSample

from mmspike.convert import snn_par, spikingformer, vtb
from mmspike.models import LogitKL, TextAlignmentKL, WeightedBCELoss
from mmspike.registry import MODELS
from mmspike.utils.text_embeddings import TextEmbeddings

FLAGS = dict(
    both=dict(label_weight=0.6),
    feats_only=dict(label_weight=0.8, logit_loss=None),
    logits_only=dict(label_weight=0.8, feature_loss=None))


def student_options(kwargs: dict, prefix: str) -> dict:
    arch = dict(_delete_=True, embed_dims=kwargs['embed_dims'], depth=kwargs['depths'], num_heads=kwargs['num_heads'],
                mlp_ratio=kwargs['mlp_ratio'])
    return {f'{prefix}.backbone.arch': arch, f'{prefix}.backbone.num_steps': kwargs['T'],
            f'{prefix}.head.num_attributes': kwargs['num_classes'], f'{prefix}.head.in_channels': kwargs['embed_dims']}


def samples_of(case: dict) -> list[DataSample]:
    return [DataSample().set_gt_score(labels) for labels in case['inputs']['labels']]


@pytest.mark.parametrize('mode', ['eval', 'train'])
@pytest.mark.parametrize('name', ['student_d2_a26', 'student_d3_a35'])
def test_student(golden, root, name, mode):
    case, state_dict = load_case(golden / f'cases/snnpar_{name}.pt')
    cfg = Config.fromfile(root / 'configs/_base_/models/spikingformer_8-768_attributes.py')
    cfg.merge_from_dict(student_options(case['model_kwargs'], 'model'))
    model = MODELS.build(cfg.model)
    model.load_state_dict(spikingformer(state_dict), strict=True)
    model.double().train(mode == 'train').head.loss_module.set_positive_ratio(case['inputs']['sample_weight'])
    image = case['inputs']['image'].double().requires_grad_()
    features = model.extract_feat(image)
    logits = model.head(features)
    loss = model.head.loss_of(logits, samples_of(case))['loss']
    loss.backward()
    want = case['outputs'][mode]
    got = dict(logits=logits.detach(), features=features[-1].detach().flatten(2).transpose(1, 2), loss=loss.detach(),
               grad_input_norm=image.grad.norm(),
               **PublishedGradients(model, state_dict, spikingformer).outputs(want['grad_norms']))
    assert set(want) - set(got) <= {'stage_stats', 'spike_rates', 'running_stats'}  # in test_spikingformer_golden
    assert differences(case, got, want) == []


def test_a_second_image_is_not_seen_through_the_first(golden, root):
    """The published model keeps its membranes until it is reset; ours has none to keep."""
    published = torch.load(golden / 'units/snnpar_reset.pt', weights_only=True)
    state_dict = fill(torch.load(golden / 'units/snnpar_backbone.pt', weights_only=True)['keys'], dict(name='snnpar'))
    cfg = Config.fromfile(root / 'configs/_base_/models/spikingformer_8-768_attributes.py')
    config = published['config']
    cfg.merge_from_dict(student_options(dict(config, mlp_ratio=config['mlp_ratios']), 'model'))
    model = MODELS.build(cfg.model)
    model.load_state_dict(spikingformer(state_dict), strict=True)
    image = torch.from_numpy(np.random.RandomState(31).standard_normal((2, 3, 128, 64)).astype(np.float32)).double()
    with torch.no_grad():
        first, second = model.double().eval()(image), model(image)
    assert torch.equal(first, second)
    for name in ('first', 'after_reset'):
        torch.testing.assert_close(second, published[name].double(), rtol=0, atol=2e-5)
    assert (second - published['second_without_reset']).abs().max() > 0.5


def build(root, tmp_path, case: dict, state_dict: dict, **options):
    """The distiller of a case, from the shipped config, its teacher from converted files, in float64."""
    student, teacher = case['model_kwargs']['student'], case['model_kwargs']['teacher']
    names = [f'attribute {i}' for i in range(teacher['attrs'])]
    TextEmbeddings(names, names, case['inputs']['word_vec'].numpy(), 'golden').write(tmp_path / 'text.npz')
    torch.save(dict(state_dict=vtb(state_dict)), tmp_path / 'teacher.pth')
    cfg = Config.fromfile(root / 'configs/_base_/models/snn_par_8-768.py')
    width, depth, heads = teacher['embed_dim'], teacher['depth'], teacher['num_heads']
    cfg.merge_from_dict({
        **student_options(student, 'model.student'),
        'model.teacher.backbone.arch': dict(embed_dims=width, num_layers=depth - 1, num_heads=heads,
                                            feedforward_channels=teacher['mlp_ratio'] * width),
        'model.teacher.backbone.img_size': (teacher['height'], teacher['width']),
        'model.teacher.backbone.drop_path_rate': teacher['drop_path'],
        'model.teacher.head': dict(num_attributes=teacher['attrs'], in_channels=width, num_heads=heads,
                                   drop_path_rate=teacher['drop_path'], text_embeddings=str(tmp_path / 'text.npz')),
        'model.teacher_checkpoint': str(tmp_path / 'teacher.pth'),
    })
    model = MODELS.build(dict(cfg.model, legacy=True, **options))
    model.load_state_dict(snn_par(state_dict), strict=True)
    model.head.loss_module.set_positive_ratio(case['inputs']['sample_weight'])
    return model.double()


class TeacherStats:
    """Mean, population standard deviation and absolute sum of what the teacher's modules give, as published."""

    def __init__(self, teacher):
        self.stats, layers = {}, [*teacher.backbone.layers, teacher.head.layer]
        self.watch(teacher.head.word_embed, 'word_embed')
        self.watch(teacher.head.norm, 'vit.norm')
        teacher.backbone.patch_embed.register_forward_hook(lambda _, x, y: self.note('vit.patch_embed', y[0]))
        for i, layer in enumerate(layers):
            self.watch(layer, f'vit.blocks.{i}')
            self.watch(layer.attn, f'vit.blocks.{i}.attn')
            self.watch(layer.ffn.layers, f'vit.blocks.{i}.mlp')

    def watch(self, module, name):
        module.register_forward_hook(lambda _, x, y: self.note(name, y))

    def note(self, name, y):
        self.stats[name] = torch.stack([y.mean(), y.std(correction=0), y.abs().sum()])


@pytest.mark.parametrize('mode', ['eval', 'train'])
@pytest.mark.parametrize('flags', FLAGS)
def test_distillation(golden, root, tmp_path, flags, mode):
    case, state_dict = load_case(golden / 'cases/snnpar_full_a26.pt')
    want = case['outputs'][mode]
    model = build(root, tmp_path, case, state_dict, **FLAGS[flags]).train(mode == 'train')
    image, samples = case['inputs']['image'].double(), samples_of(case)
    teacher = TeacherStats(model.teacher)
    losses = model(image, samples, mode='loss')
    total = sum(losses.values())
    total.backward()
    got = dict(totals={flags: total.detach()}, ce=losses['loss_label'].detach() / model.label_weight,
               stage_stats=teacher.stats)
    if model.feature_loss is not None:
        got['kl_feats'] = losses['loss_feature'].detach() / 100
    if model.logit_loss is not None:
        got['kl_logits'] = losses['loss_logit'].detach()
    gradients = PublishedGradients(model, {n: v for n, v in state_dict.items() if n.startswith('snn_model.')}, snn_par)
    gradients = gradients.outputs(want['grad_norms'][flags])
    got['n_params_with_grad'] = gradients['n_params_with_grad']
    got['grad_norms'] = {flags: gradients['grad_norms']}
    got['grad_norm_total'] = {flags: gradients['grad_norm_total']}
    assert set(teacher.stats) == {name for name in want['stage_stats'] if not name.startswith('snn_model.')}
    assert differences(case, got, want) == []


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_outputs_of_teacher_and_student(golden, root, tmp_path, mode):
    case, state_dict = load_case(golden / 'cases/snnpar_full_a26.pt')
    model = build(root, tmp_path, case, state_dict)
    _ = model.teacher
    model.train(mode == 'train')
    image = case['inputs']['image'].double()
    with torch.no_grad():
        tokens = model.teacher.extract_feat(image)
        text, visual = model.teacher.head.embed(tokens)
        features = model.student.extract_feat(image)
        got = dict(T_logits=model.teacher.head(tokens), T_features=visual[:, 1:],
                   text=text.expand(len(image), -1, -1), S_logits=model.student.head(features),
                   S_features=features[-1].flatten(2).transpose(1, 2))
    assert differences(case, got, case['outputs'][mode]) == []


@pytest.mark.parametrize('name', ['bce_26', 'bce_17', 'bce_51'])
def test_weighted_cross_entropy(golden, name):
    case, _ = load_case(golden / 'cases/snnpar_losses.pt')
    inputs = case['inputs'][name]
    weighted = WeightedBCELoss(inputs['sample_weight'])
    logits, targets = inputs['logits'].clone().requires_grad_(), inputs['targets']
    loss = weighted(logits, targets)
    loss.backward()
    unknown = targets.clone()
    unknown[1, 2] = 2
    got = dict(loss=loss.detach(), loss_sum=loss.detach() * len(logits), grad=logits.grad,
               weights=weighted.weights(targets), loss_unweighted=WeightedBCELoss(weighted=False)(logits, targets),
               ratio2weight_target_2_at_1_2=weighted.weights(unknown)[1, :5])
    assert set(got) == set(case['outputs'][name])
    assert differences(case, {name: {key: torch.as_tensor(value).detach() for key, value in got.items()}}) == []


def test_distillation_losses(golden):
    case, _ = load_case(golden / 'cases/snnpar_losses.pt')
    inputs, want = case['inputs']['kd'], case['outputs']['kd']
    text = inputs['text']
    logits, features = inputs['S_logits'].clone().requires_grad_(), inputs['S_features'].clone().requires_grad_()

    def as_map(tokens):  # [B, N, C] -> [B, C, 3, N / 3]
        return tokens.transpose(1, 2).unflatten(2, (3, -1))

    feature_loss, logit_loss = TextAlignmentKL(loss_weight=1.0), LogitKL(inputs['temp'])
    # The case has sentences of its own for each image; ours are those of a data set
    kl_feats = sum(feature_loss(as_map(features[i:i + 1]), as_map(inputs['T_features'][i:i + 1]), text[i])
                   for i in range(len(text))) / len(text)
    kl_logits = logit_loss(logits, inputs['T_logits'])
    (kl_feats + kl_logits).backward()
    ce = inputs['ce']
    totals = dict(both=0.6 * ce + 100 * kl_feats + kl_logits, feats_only=0.8 * ce + 100 * kl_feats,
                  logits_only=0.8 * ce + kl_logits)
    got = dict(kl_feats=kl_feats.detach(), kl_logits=kl_logits.detach(), grad_S_logits=logits.grad,
               grad_S_features=features.grad, totals={name: value.detach() for name, value in totals.items()})
    assert set(got) == set(want)
    assert differences(case, dict(kd=got)) == []


def test_the_loss_of_the_model_takes_the_teacher_with_its_sentences(golden, root, tmp_path):
    """Through the class that the config names, not only through its parts."""
    case, state_dict = load_case(golden / 'cases/snnpar_full_a26.pt')
    model = build(root, tmp_path, case, state_dict)
    assert np.array_equal(model.teacher.head.text.numpy(), case['inputs']['word_vec'].double().numpy())
