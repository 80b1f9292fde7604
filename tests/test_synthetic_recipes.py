"""The recipes on drawn pedestrians: their parts fit together, from the files on disk to a checkpoint."""
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from mmspike.registry import DATASETS, METRICS, MODELS
from mmspike.utils.checkpoint import load_weights

STUDENT, TAUGHT, BASELINE = 'snn_par_synthetic', 'snn_par_distilled_synthetic', 'baseline_r18-narrow_synthetic'
SSPNET = [f'../sspnet/{name}_synthetic' for name in ('sspnet', 'sspnet-adaptive', 'baseline_r18-narrow')]


@pytest.fixture
def config(root):
    return lambda name: Config.fromfile(root / f'configs/snn_par/{name}.py')


def build(cfg):
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    ratio = torch.full((12,), 0.25)
    model.head.loss_module.set_positive_ratio(ratio)
    return model


def test_the_teacher_is_the_trained_baseline(config):
    taught, baseline = config(TAUGHT), config(BASELINE)
    teacher = MODELS.build(taught.model.teacher)
    expected = MODELS.build(baseline.model)
    assert {k: v.shape for k, v in teacher.state_dict().items()} == {
        k: v.shape for k, v in expected.state_dict().items()}
    torch.testing.assert_close(teacher.data_preprocessor.mean, expected.data_preprocessor.mean)
    torch.testing.assert_close(teacher.data_preprocessor.std, expected.data_preprocessor.std)
    assert taught.model.teacher_checkpoint == (
        f'work_dirs/{BASELINE}/epoch_{baseline.train_cfg.max_epochs}.pth')


@pytest.mark.parametrize('name', [STUDENT, TAUGHT, BASELINE, *SSPNET])
def test_the_schedule_ends_with_the_training(config, name):
    cfg = config(name)
    assert cfg.param_scheduler.total_steps == cfg.train_cfg.max_epochs
    assert cfg.param_scheduler.eta_max == cfg.optim_wrapper.optimizer.lr


def test_sspnet_and_its_baseline_have_the_same_budget(config):
    recipes = [config(name) for name in SSPNET]
    for key in ('train_cfg', 'param_scheduler', 'train_dataloader', 'val_dataloader'):
        assert recipes[0].get(key) == recipes[1].get(key) == recipes[2].get(key)
    assert all(cfg.optim_wrapper.optimizer == recipes[0].optim_wrapper.optimizer for cfg in recipes)
    assert all(cfg.model.backbone.depth == 18 and cfg.model.backbone.base_channels == 16 for cfg in recipes)


@pytest.mark.parametrize('name', [STUDENT, BASELINE])
def test_the_number_of_parameters_is_the_one_in_the_metafile(config, name, root):
    models = Config.fromfile(root / 'configs/snn_par/metafile.yml').Models
    expected = next(entry.Metadata.Parameters for entry in models if entry.Name == name)
    assert sum(p.numel() for p in build(config(name)).parameters()) == expected


def test_from_images_to_gradients_to_figures_and_from_the_taught_student_to_the_plain_one(config, tmp_path):
    cfg = config(TAUGHT)
    torch.save(dict(state_dict=build(config(BASELINE)).state_dict()), tmp_path / 'teacher.pth')
    cfg.model.teacher_checkpoint = str(tmp_path / 'teacher.pth')
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.dataset.update(data_root=str(tmp_path / 'set'), num_images=dict(train=8, val=4, test=4))
    data = DATASETS.build(cfg.train_dataloader.dataset)
    batch = pseudo_collate([data[index] for index in range(4)])
    assert batch['inputs'][0].shape == (3, 128, 64)

    model = build(cfg).train()
    losses = model(**model.data_preprocessor(batch, True), mode='loss')
    assert set(losses) == {'loss_label', 'loss_logit'}
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())

    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'student.pth')
    plain = build(config(STUDENT))
    load_weights(plain, tmp_path / 'student.pth')
    held_out = DATASETS.build(cfg.val_dataloader.dataset)
    metric = METRICS.build(cfg.val_evaluator)
    metric.dataset_meta = held_out.metainfo
    with torch.no_grad():
        batch = pseudo_collate([held_out[index] for index in range(4)])
        predicted, same = (m.eval().val_step(batch) for m in (plain, model))
    for first, second in zip(predicted, same, strict=True):
        torch.testing.assert_close(first.pred_score, second.pred_score)
    metric.process(batch, [sample.to_dict() for sample in predicted])
    assert 0 <= metric.evaluate(4)['par/mA'] <= 1
