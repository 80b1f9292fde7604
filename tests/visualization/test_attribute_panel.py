"""What stands in the panel: found among the words and bars of the figure."""
import cv2
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from mmpretrain.structures import DataSample
from torch import nn

from mmspike.analysis import HeatMap
from mmspike.registry import VISUALIZERS
from mmspike.visualization import AttributeVisualizer, Picture, attribute_panel, to_array, to_rgb
from mmspike.visualization.attribute_panel import MISSED, NOT_SEEN, SEEN, WRONG

HEAT = HeatMap(np.random.default_rng(1).random((8, 4)), 'share of neurons that fire in backbone.blocks.7.mlp.lif2', 0,
               1)
NAMES, GROUPS = ['Hat', 'Skirt', 'Glasses', 'Bag'], ['head', 'lower', 'head', 'other']


@pytest.fixture
def crop():
    return np.random.default_rng(0).integers(0, 256, (60, 30, 3), np.uint8)


def words(figure):
    """All words in the order in which they were drawn."""
    return [text.get_text() for axes in figure.axes for text in axes.texts] + [t.get_text() for t in figure.texts]


def bars(figure):
    """(colour, length in full bars) from top to bottom."""
    found = []
    for axes in figure.axes:
        scale = figure.get_size_inches()[0] * axes.get_position().width / np.ptp(axes.get_xlim())
        found += [(to_hex(bar.get_facecolor()), bar.get_width() * scale) for bar in axes.patches]
    return found


def outside(figure):
    """Words that are cut off at an edge."""
    to_array(figure)
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts if text.get_text()]
    width, height = figure.bbox.width, figure.bbox.height
    return [text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height]


def test_attributes_stand_by_group_with_scores_and_truth(crop):
    figure = attribute_panel([Picture(crop, 'image')], NAMES, GROUPS, scores=np.array([.9, .8, .1, .2]),
                             truth=np.array([1, 0, 1, -1]), title='someone.jpg')
    told = words(figure)
    order = ['HEAD', 'Hat', '90 %', 'Glasses', '10 %', 'LOWER', 'Skirt', '80 %', 'OTHER', '?', 'Bag', '20 %']
    assert [word for word in told if word in order] == order
    assert 'someone.jpg' in told and 'image' in told and any('unknown' in word for word in told)
    colours, lengths = zip(*bars(figure), strict=True)
    assert colours == (SEEN, MISSED, WRONG, NOT_SEEN)
    np.testing.assert_allclose(np.array(lengths) / lengths[0] * .9, [.9, .1, .8, .2])


def test_the_threshold_decides_and_equal_is_not_above(crop):
    figure = attribute_panel([Picture(crop)], NAMES, GROUPS, scores=np.array([.6, .5, .4, .3]), threshold=.4)
    assert [colour for colour, _ in bars(figure)] == [SEEN, NOT_SEEN, SEEN, NOT_SEEN]
    assert any('threshold 0.4' in word for word in words(figure))


def test_labels_alone(crop):
    figure = attribute_panel([Picture(crop)] * 4, NAMES, GROUPS, truth=np.array([1, 0, 0, -1]))
    assert not bars(figure) and not any('%' in word for word in words(figure))
    weights = {text.get_text(): text.get_weight() for axes in figure.axes for text in axes.texts}
    assert weights['Hat'] == 'bold' and weights['Skirt'] == 'normal'


@pytest.mark.parametrize('count', [1, 12, 60])
def test_nothing_is_cut_off_and_every_attribute_is_there(crop, count):
    names = [f'{"upperBodyWithAVeryLongName" if a % 3 else ""}{a}' for a in range(count)]
    groups = ['a' if a < 3 else 'the largest of the groups' if a < 45 else '' for a in range(count)]
    figure = attribute_panel([Picture(crop, 'a long heading above a picture'), Picture(crop, heat=HEAT)], names, groups,
                             scores=np.linspace(0, 1, count), truth=np.arange(count) % 2, title='a title ' * 8)
    told = words(figure)
    assert set(names) <= set(told) and not outside(figure)
    assert figure.get_size_inches()[1] < 8
    assert any('CONTINUED' in word for word in told) == (count == 60)


def test_a_heat_map_is_drawn_over_the_whole_picture(crop):
    heat = np.zeros((4, 2))
    heat[3, 1] = 1
    plain = attribute_panel([Picture(crop)], NAMES, GROUPS)
    hot = attribute_panel([Picture(crop, heat=HeatMap(heat, 'rate', 0, 2))], NAMES, GROUPS)
    assert len(plain.axes[0].images) == 1
    below, above = hot.axes[0].images
    assert tuple(above.get_extent()) == tuple(below.get_extent()) and above.get_array().shape == (4, 2)
    assert above.get_clim() == (0, 2)
    assert 'rate' in words(hot)


def test_the_visualizer_takes_samples_as_they_come(tmp_path, crop):
    visualizer = VISUALIZERS.build(dict(type='AttributeVisualizer', name='panel', threshold=.3))
    visualizer.dataset_meta = dict(attributes=tuple(NAMES), groups=tuple(GROUPS))
    sample = DataSample().set_pred_score(torch.tensor([.9, .8, .1, .2])).set_gt_score(torch.tensor([1., 0, 1, -1]))
    image = torch.from_numpy(crop).permute(2, 0, 1).flip(0)  # BGR
    np.testing.assert_array_equal(to_rgb(image), crop)
    visualizer.add_datasample('one', image, sample, heat=HEAT, out_file=tmp_path / 'new/one.png')
    assert cv2.imread(str(tmp_path / 'new/one.png')).shape[1] > 500
    visualizer.add_datasample('bare', image, DataSample().set_gt_score(torch.ones(7)), out_file=tmp_path / 'bare.png')
    assert (tmp_path / 'bare.png').is_file()


def test_the_visualizer_gives_each_image_of_a_batch_its_own_map():
    model = nn.Module()
    model.backbone = nn.AvgPool2d(4)
    with AttributeVisualizer().observe(model) as observed:
        images = torch.rand(2, 3, 16, 8)
        maps = model.backbone(images).mean(1)
        heat = observed(1, 2)['heat']
    np.testing.assert_allclose(heat.values, maps[1], rtol=1e-6)
    assert 'magnitude' in heat.name and (heat.low, heat.high) == (maps[1].min(), maps[1].max())
