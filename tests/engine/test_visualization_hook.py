"""The visualization hook in real validation and test loops of a small spiking model."""
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import LabelData
from mmengine.visualization import Visualizer
from torch import nn

from mmspike.engine.hooks import VisualizationHook
from mmspike.neurons import LIF
from mmspike.visualization import ActionVisualizer


class TinyModel(BaseModel):
    """Two frames per group, so that the one residual is the one time step."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.stride = 2
        self.backbone.neuron = LIF(tau=1.01)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        clips = torch.stack(list(inputs)).float()[:, 0]  # [B, T, H, W, 3]
        self.backbone.neuron((clips[:, 1] - clips[:, 0])[None])
        if mode == 'loss':
            return dict(loss=self.weight.sum())
        for sample in data_samples:
            sample.pred_scores = LabelData(item=torch.tensor([0.25, 0.75]))
        return data_samples


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(clips=len(results))


class Recording(ActionVisualizer):
    calls: list = []

    def add_datasample(self, name, views, data_sample=None, **kwargs):
        self.calls.append(dict(kwargs, name=name, views=views, data_sample=data_sample))
        super().add_datasample(name, views, data_sample, **kwargs)


def _sample(index):
    clip = torch.zeros(1, 2, 8, 8, 3, dtype=torch.uint8)
    if index % 2:
        clip[:, 1, :4] = 255  # in odd clips half of the residual is far above the threshold
    sample = ActionDataSample(metainfo=dict(filename=f'videos/v{index}.mp4', sample_idx=index))
    return dict(inputs=clip, data_samples=sample.set_gt_labels(index % 2))


@pytest.fixture
def run(tmp_path, request):
    def build(**hook):
        loader = dict(dataset=[_sample(i) for i in range(5)], batch_size=2, collate_fn=pseudo_collate,
                      sampler=dict(type='DefaultSampler', shuffle=False))
        Recording.calls = []
        visualizer = Recording.get_instance(request.node.name, vis_backends=[], save_dir=None)
        return Runner(model=TinyModel(), work_dir=str(tmp_path / 'work'), train_dataloader=loader,
                      val_dataloader=loader, test_dataloader=loader, val_evaluator=[Nothing()],
                      test_evaluator=[Nothing()], val_cfg={}, test_cfg={}, train_cfg=dict(by_epoch=True, max_epochs=2),
                      optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), visualizer=visualizer,
                      default_hooks=dict(checkpoint=None), custom_hooks=[VisualizationHook(**hook)],
                      default_scope='mmengine', experiment_name=request.node.name)
    return build


def test_test_pictures(run, tmp_path):
    run(enable=True, interval=2, out_dir=str(tmp_path / 'show')).test()
    assert sorted(file.name for file in (tmp_path / 'show').iterdir()) == ['v0_0.png', 'v2_2.png', 'v4_4.png']
    first, _, last = Recording.calls
    assert first['stride'] == 2
    assert first['data_sample'].pred_scores.item.tolist() == [0.25, 0.75]
    assert first['rates']['backbone.neuron'].tolist() == [0.25]  # of the batch: 0 and 0.5
    assert first['rates_note'] == 'mean of a batch of 2'
    assert last['rates']['backbone.neuron'].tolist() == [0.] and last['rates_note'] == ''


def test_the_interval_runs_on_across_batches(run, tmp_path):
    run(enable=True, interval=3, out_dir=str(tmp_path / 'show')).test()
    assert [call['name'] for call in Recording.calls] == ['v0_0', 'v3_3']
    assert Recording.calls[1]['rates']['backbone.neuron'].tolist() == [0.25]


def test_validation_pictures_carry_their_epoch(run, tmp_path):
    run(enable=True, interval=5, out_dir=str(tmp_path / 'show')).train()
    assert sorted(file.name for file in (tmp_path / 'show').iterdir()) == ['v0_0_epoch1.png', 'v0_0_epoch2.png']


def test_it_draws_nothing_unless_enabled_and_leaves_no_hooks(run, tmp_path):
    runner = run(out_dir=str(tmp_path / 'show'))
    runner.test()
    assert not Recording.calls and not (tmp_path / 'show').exists()
    runner.register_hook(VisualizationHook(enable=True, out_dir=str(tmp_path / 'show')))
    runner.test()
    assert len(Recording.calls) == 1
    assert not runner.model.backbone.neuron._forward_hooks


def test_an_interval_below_one_is_an_error():
    with pytest.raises(ValueError, match='interval=0; expected 1'):
        VisualizationHook(interval=0)


def test_a_visualizer_that_cannot_draw_samples_is_an_error(run):
    runner = run(enable=True)
    runner.visualizer = Visualizer.get_instance('plain')
    with pytest.raises(TypeError, match="is a Visualizer, expected that of a task. Set visualizer=dict\\(type='Action"):
        runner.test()
