"""What is told and drawn of a prediction, and the visualizer that sees what the head was given."""
import pytest
import torch
from mmengine.config import Config
from mmpretrain.structures import DataSample
from PIL import Image

from mmspike.registry import MODELS
from mmspike.visualization import SequenceVisualizer
from mmspike.visualization.sequence_visualizer import looks_of, sequence_picture, written

NAMES = ['Hat', 'Skirt', 'Glasses', 'Bag']


@pytest.fixture
def model():
    torch.manual_seed(0)
    return MODELS.build(Config(dict(
        type='AttributeRecognizer', backbone=dict(
            type='CLIPVision', img_size=(64, 32), arch=dict(width=8, layers=1, heads=2, output_dims=8, patch_size=16)),
        head=dict(type='SequenceHead', num_attributes=4, phrases=dict(type='LearnedPhrases', channels=8), decoder=dict(
            embed_dims=8, depth=2, num_heads=2, head_dims=4, feedforward_channels=8))))).eval()


def prediction(sequence, steps, labels=None):
    output = DataSample() if labels is None else DataSample().set_gt_score(torch.tensor(labels))
    for name, values in dict(pred_sequence=sequence, pred_steps=steps).items():
        output.set_field(torch.tensor(values), name)
    return output


def test_names_of_steps():
    output = prediction([1, 2], [.5, .75, .25])
    assert written(output, ['Hat', 'Bag']) == [('Bag', .5), ('not Hat', .75), ('end', .25)]


def test_labels_colour_the_steps_and_name_what_is_missed():
    image = torch.randint(0, 256, (3, 64, 32), dtype=torch.uint8)
    figure = sequence_picture(image, prediction([1, 2, 3], [.9] * 4, [1., 0, 1, -1]), NAMES, 'someone')
    colours = {text.get_text(): text.get_color() for text in figure.texts}
    assert colours['Skirt'] == '#c0392b' != colours['Glasses'] == colours['Bag'] and 'missed: Hat' in colours


@torch.no_grad()
def test_each_image_is_drawn_with_its_own_looks(model, tmp_path):
    visualizer = SequenceVisualizer()
    visualizer.dataset_meta = dict(attributes=NAMES)
    images = torch.randint(0, 256, (3, 3, 64, 32), dtype=torch.uint8)
    with visualizer.observe(model) as observed:
        outputs = model(images.float() / 255, [DataSample() for _ in images], mode='predict')
    assert not model.backbone._forward_hooks
    for i, output in enumerate(outputs):
        looks = observed(i, 3)['look'](output, (64, 32))
        assert looks.shape == (len(output.pred_steps), 4, 2)
        alone = looks_of(model, model.extract_feat(images[i:i + 1].float() / 255), output, (64, 32))
        torch.testing.assert_close(looks, alone)
        visualizer.add_datasample('a', images[i], output, **observed(i, 3), out_file=tmp_path / f'{i}.png')
        assert Image.open(tmp_path / f'{i}.png').size[0] > 200


def test_a_model_without_sequences_is_refused(model):
    model.head = torch.nn.Identity()
    with pytest.raises(ValueError, match='Identity writes no sequence to draw'), SequenceVisualizer().observe(model):
        pass
