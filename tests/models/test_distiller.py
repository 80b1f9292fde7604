"""A distiller is its student to everything around it; its teacher stays as it is."""
import copy

import pytest
import torch
import torch.distributed as dist
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner.checkpoint import get_state_dict
from test_attribute_models import RESNET, SPIKINGFORMER, VIT, attribute_head, samples, vtb_head

from mmspike.models import BinaryKD, LogitKL, TextAlignmentKL
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict

STUDENT = dict(type='AttributeRecognizer', backbone=SPIKINGFORMER, head=attribute_head(16))
TEACHER = dict(type='AttributeRecognizer', backbone=VIT, head=vtb_head())
RESNET_TEACHER = dict(type='AttributeRecognizer', backbone=RESNET, head=attribute_head(64))
FEATURES = dict(type='TextAlignmentKL')


def save(folder, teacher=TEACHER, **meta):
    torch.manual_seed(1)
    model = MODELS.build(teacher)
    torch.save(dict(state_dict=model.state_dict(), meta=meta), folder / 'teacher.pth')
    return str(folder / 'teacher.pth')


def distiller(folder, teacher=TEACHER, student=STUDENT, **options):
    torch.manual_seed(0)
    options.setdefault('feature_loss', FEATURES)
    return MODELS.build(dict(type='Distiller', student=student, teacher=teacher,
                             teacher_checkpoint=save(folder, teacher), **options))


def images(*shape):
    return torch.randn(2, 3, *(shape or (64, 32)), generator=torch.Generator().manual_seed(0))


def test_state_parameters_and_answers_are_those_of_the_student(tmp_path):
    model = distiller(tmp_path)
    _ = model.teacher
    plain = MODELS.build(STUDENT)
    assert list(model.state_dict()) == list(plain.state_dict()) == list(get_state_dict(model))
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in plain.named_parameters()]
    assert not compare_state_dict(model, plain.state_dict())
    plain.load_state_dict(model.state_dict(), strict=True)
    plain.eval(), model.eval()
    with torch.no_grad():
        assert torch.equal(model(images()), plain(images()))
        scores = [sample.pred_score for sample in model(images(), samples(), mode='predict')]
        assert torch.equal(torch.stack(scores), plain(images()).sigmoid())


def test_a_test_needs_no_teacher(tmp_path):
    model = MODELS.build(dict(type='Distiller', student=STUDENT, teacher=TEACHER, teacher_checkpoint='not there.pth'))
    model.eval().init_weights()  # as for a model with random weights
    assert model(images()).shape == (2, 5)


def test_training_changes_the_student_and_not_the_teacher(tmp_path):
    model = distiller(tmp_path).train()
    before = copy.deepcopy(model.teacher.state_dict())
    student = copy.deepcopy(model.state_dict())
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    losses = model.train_step(dict(inputs=list(images()), data_samples=samples()), optimizer)
    assert set(losses) == {'loss', 'loss_feature', 'loss_logit'}
    assert all(torch.equal(value, before[name]) for name, value in model.teacher.state_dict().items())
    assert not any(module.training for module in model.teacher.modules())
    assert not any(p.requires_grad or p.grad is not None for p in model.teacher.parameters())
    assert not torch.equal(model.state_dict()['head.fc.weight'], student['head.fc.weight'])


def test_the_label_weight_scales_the_loss_of_the_labels_alone(tmp_path):
    once, half = (distiller(tmp_path, label_weight=weight)(images(), samples(), mode='loss') for weight in (1.0, 0.5))
    torch.testing.assert_close(once['loss'] / 2, half['loss'])
    assert torch.equal(once['loss_feature'], half['loss_feature'])


def test_legacy_leaves_the_teacher_in_training_mode(tmp_path):
    model = distiller(tmp_path, legacy=True).train()
    assert model.teacher.head.bn.training
    before = model.teacher.head.bn.running_mean.clone()
    model(images(), samples(), mode='loss')
    assert not torch.equal(before, model.teacher.head.bn.running_mean)
    assert not model.eval().teacher.head.bn.training


def test_the_whole_follows_to_another_type_and_is_copied_whole(tmp_path):
    model = distiller(tmp_path)
    _ = model.teacher
    twin = copy.deepcopy(model).double().train()
    assert twin.student.backbone is twin.backbone and twin.student.training
    assert {p.dtype for p in (*twin.teacher.parameters(), *twin.parameters())} == {torch.float64}
    twin(images().double(), samples(), mode='loss')['loss'].backward()
    assert all(p.grad is None for p in model.parameters())


def test_bf16_autocast_trains(tmp_path):
    model = distiller(tmp_path)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = model(images(), samples(), mode='loss')
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_distributed_training_finds_no_unused_parameters(tmp_path):
    model = distiller(tmp_path)
    dist.init_process_group('gloo', init_method=f'file://{tmp_path}/group', rank=0, world_size=1)
    try:
        wrapped = MMDistributedDataParallel(model, device_ids=None, find_unused_parameters=False)
        optimizer = OptimWrapper(torch.optim.SGD(wrapped.parameters(), lr=0.01))
        for _ in range(2):  # the second step fails where the first left a parameter without a gradient
            wrapped.train_step(dict(inputs=list(images()), data_samples=samples()), optimizer)
    finally:
        dist.destroy_process_group()


def test_another_grid_and_another_kind_of_student(tmp_path):
    vit = dict(VIT, patch_size=8, img_size=(64, 32))  # 8x4 tokens, the student's map is 2x1
    student = dict(type='AttributeRecognizer', backbone=RESNET, head=attribute_head(64))
    teacher = dict(TEACHER, backbone=dict(vit, arch=dict(vit['arch'], embed_dims=64)), head=vtb_head(in_channels=64))
    losses = distiller(tmp_path, teacher, student)(images(), samples(), mode='loss')
    assert all(value.isfinite() for value in losses.values()) and losses['loss_feature'] > 0


def test_a_teacher_of_its_own_kind_needs_no_sentences(tmp_path):
    losses = distiller(tmp_path, RESNET_TEACHER, feature_loss=None)(images(), samples(), mode='loss')
    assert set(losses) == {'loss', 'loss_logit'}


def test_the_teacher_is_given_images_as_it_knows_them(tmp_path):
    ours = dict(type='mmpretrain.ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
    theirs = dict(ours, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
    raw = [torch.randint(0, 256, (3, 64, 32), dtype=torch.uint8) for _ in range(2)]
    model = distiller(tmp_path, dict(TEACHER, data_preprocessor=theirs), dict(STUDENT, data_preprocessor=ours))
    seen = []
    model.teacher.backbone.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    model(**model.data_preprocessor(dict(inputs=raw, data_samples=samples())), mode='loss')
    torch.testing.assert_close(seen[0], model.teacher.data_preprocessor(dict(inputs=raw))['inputs'])
    model = distiller(tmp_path, dict(TEACHER, data_preprocessor=dict(theirs, to_rgb=False)),
                      dict(STUDENT, data_preprocessor=ours))
    with pytest.raises(ValueError, match='to_rgb is False in the preprocessor of the teacher and True'):
        model(images(), samples(), mode='loss')


@pytest.mark.parametrize(('change', 'error', 'message'), [
    (dict(teacher_checkpoint=None), CheckpointError, 'no teacher_checkpoint.*set model.teacher_checkpoint=FILE'),
    (dict(teacher_checkpoint='gone.pth'), CheckpointError, 'The teacher: gone.pth: no such checkpoint.*Train the teac'),
    (dict(teacher=RESNET_TEACHER), ValueError, r'needs a teacher whose head embeds sentences \(VTBHead\)'),
    (dict(teacher=RESNET_TEACHER, feature_loss=None), CheckpointError, 'The teacher: .*teacher.pth does not fit'),
    (dict(teacher=dict(TEACHER, head=vtb_head(num_attributes=7))), ValueError,
     'teacher has 7 attributes, the student 5'),
])
def test_a_teacher_that_does_not_fit_is_named_when_the_training_begins(tmp_path, change, error, message):
    config = dict(type='Distiller', student=STUDENT, teacher=TEACHER, teacher_checkpoint=save(tmp_path),
                  feature_loss=FEATURES)
    model = MODELS.build(dict(config, **change))
    with pytest.raises(error, match=message):
        model.init_weights()


def test_without_any_loss_of_the_teacher(tmp_path):
    with pytest.raises(ValueError, match='feature_loss and logit_loss are both None'):
        distiller(tmp_path, feature_loss=None, logit_loss=None)


def test_names_of_the_attributes_come_with_the_checkpoint(tmp_path):
    names = ['a', 'b', 'c', 'd', 'e']
    model = MODELS.build(dict(type='Distiller', student=STUDENT, teacher=TEACHER,
                              teacher_checkpoint=save(tmp_path, dataset_meta=dict(attributes=names))))
    assert model.teacher_attributes is None
    model.init_weights()
    assert model.teacher_attributes == names


def test_features_of_another_width_are_named():
    with pytest.raises(ValueError, match=r"last map is \[1, 8, 2, 1\].*expected \[B, 16, h, w\]. Give the student"):
        TextAlignmentKL()(torch.zeros(1, 8, 2, 1), torch.zeros(1, 16, 2, 1), torch.zeros(5, 16))


@pytest.mark.parametrize('loss', [LogitKL(), BinaryKD()])
def test_logit_losses_are_zero_where_student_and_teacher_agree_and_positive_elsewhere(loss):
    student, teacher = torch.randn(2, 4, 6, dtype=torch.float64)
    assert abs(float(loss(teacher, teacher))) < 1e-12 < float(loss(student, teacher))


def test_only_the_binary_loss_sees_how_many_attributes_there_are():
    teacher = torch.randn(4, 6)
    assert float(LogitKL()(teacher + 3, teacher)) == pytest.approx(0, abs=1e-5)
    assert float(BinaryKD()(teacher + 3, teacher)) > 1


def test_binary_loss_by_hand():
    student, teacher, t = torch.tensor([[0.3, -1.0]]), torch.tensor([[2.0, 0.5]]), 2.0
    p, q = torch.sigmoid(teacher / t), torch.sigmoid(student / t)
    want = t**2 * (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).sum()
    torch.testing.assert_close(BinaryKD(t)(student, teacher), want)


def test_products_instead_of_cosines():
    image, other, text = torch.randn(2, 8, 3, 2), torch.randn(2, 8, 3, 2), torch.randn(5, 8)
    loss = TextAlignmentKL(loss_weight=2.0, normalize=False)
    ours, theirs = (torch.einsum('ac,bchw->bahw', text, y / 8**0.5).flatten(2) for y in (image, other))
    want = (theirs.softmax(-1) * (theirs.log_softmax(-1) - ours.log_softmax(-1))).sum() / 2
    torch.testing.assert_close(loss(image, other, text), 2 * want)


