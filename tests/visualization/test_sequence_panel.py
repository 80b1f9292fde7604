"""What stands in the picture of a sequence: found among the words, bars and pictures of the figure."""
import numpy as np
import pytest
from matplotlib.colors import to_hex

from mmspike.visualization import Step, sequence_panel, to_array
from mmspike.visualization.sequence_panel import SURE, WRONG

PIXELS = np.random.default_rng(0).integers(0, 256, (128, 64, 3), np.uint8)
LOOK = np.random.default_rng(1).random((8, 4))


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_steps_stand_in_their_order_with_probabilities_and_looks():
    steps = [Step('Hat', .9, LOOK, True), Step('Skirt', .6, 2 * LOOK, False), Step('end', .75, 3 * LOOK)]
    figure = sequence_panel(PIXELS, steps, title='someone.jpg', missed=['Glasses', 'Bag'])
    told = words(figure)
    order = ['someone.jpg', '1', 'Hat', '90 %', '2', 'Skirt', '60 %', '3', 'end', '75 %', 'missed: Glasses, Bag']
    assert [word for word in told if word in order] == order
    bars = [(to_hex(bar.get_facecolor()), bar.get_width()) for axes in figure.axes for bar in axes.patches]
    assert bars[1::2] == [(SURE, .9), (WRONG, .6), (SURE, .75)]
    looks = [image.get_array() for axes in figure.axes for image in axes.images if image.get_array().shape == (8, 4)]
    np.testing.assert_allclose(looks, [LOOK, 2 * LOOK, 3 * LOOK])


@pytest.mark.parametrize('count', [0, 1, 8, 9, 30])
def test_nothing_is_cut_off_and_long_sequences_break(count):
    steps = [Step(f'an attribute of a rather long name {i}', i / 30, LOOK) for i in range(count)]
    figure = sequence_panel(PIXELS, steps, title='a', missed=[f'attribute {i}' for i in range(count)])
    array = to_array(figure)
    boxes = [(text.get_text(), text.get_window_extent()) for text in figure.texts if text.get_text()]
    width, height = figure.bbox.width, figure.bbox.height
    assert [text for text, box in boxes if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height] == []
    assert array.shape[1] < 1600
