import cv2
import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.structures import LabelData

from mmspike.registry import VISUALIZERS
from mmspike.visualization import action_visualizer


@pytest.fixture
def views():
    return torch.randint(256, (2, 4, 16, 16, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def sample():
    sample = ActionDataSample(metainfo=dict(filename='a/clip.mp4'))
    sample.set_gt_labels(1)
    sample.pred_scores = LabelData(item=torch.tensor([0.75, 0.25]))
    return sample


@pytest.fixture
def drawn(monkeypatch):
    """What the panel was asked for."""
    calls = []
    panel = action_visualizer.clip_panel
    monkeypatch.setattr(action_visualizer, 'clip_panel',
                        lambda *args, **kwargs: calls.append(kwargs) or panel(*args, **kwargs))
    return calls


def test_configs_find_it_by_name():
    assert VISUALIZERS.get('ActionVisualizer') is action_visualizer.ActionVisualizer


def test_a_file_is_written_with_scores_truth_and_class_names(views, sample, drawn, tmp_path):
    visualizer = action_visualizer.ActionVisualizer()
    visualizer.dataset_meta = dict(classes=['run', 'jump'])
    visualizer.add_datasample('clip', views, sample, stride=2, out_file=tmp_path / 'new' / 'clip.png')
    assert cv2.imread(str(tmp_path / 'new' / 'clip.png')).ndim == 3
    assert drawn[0]['scores'].tolist() == [0.75, 0.25]
    assert (drawn[0]['truth'], drawn[0]['classes'], drawn[0]['title']) == (1, ['run', 'jump'], 'clip, view 1 of 2')


def test_without_a_file_the_back_ends_get_the_picture(views, sample, tmp_path):
    visualizer = action_visualizer.ActionVisualizer(vis_backends=[dict(type='LocalVisBackend')], save_dir=str(tmp_path))
    visualizer.add_datasample('clip', views, sample, step=3)
    picture = cv2.imread(str(tmp_path / 'vis_data' / 'vis_image' / 'clip_3.png'))
    assert picture is not None and picture.std() > 0


def test_a_sample_without_label_or_scores_and_an_unreadable_one(views, sample, drawn, tmp_path):
    visualizer = action_visualizer.ActionVisualizer()
    visualizer.add_datasample('bare', views, ActionDataSample(), out_file=tmp_path / 'a.png')
    assert drawn[0]['scores'] is None and drawn[0]['truth'] is None
    sample.set_gt_labels(-1)
    sample.set_metainfo(dict(unreadable='no frames'))
    visualizer.add_datasample('bad', views, sample, out_file=tmp_path / 'b.png')
    assert drawn[1]['truth'] is None
    assert 'could not be read' in drawn[1]['title']
