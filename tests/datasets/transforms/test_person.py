"""Images of any mode, padding to a square, and the published transform."""
import numpy as np
import pytest
import torch
from mmpretrain.models.utils import ClsDataPreprocessor
from PIL import Image

from mmspike.datasets import ImageReadError
from mmspike.datasets.transforms import LoadImage, PadToSquare
from mmspike.registry import TRANSFORMS


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (30, 12, 3), np.uint8)


def read(path):
    return LoadImage()(dict(img_path=str(path)))['img'][..., ::-1]  # RGB


def test_load_image(picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / 'a b.png')
    results = LoadImage()(dict(img_path=str(tmp_path / 'a b.png')))
    assert (results['img'] == picture[..., ::-1]).all() and results['img'].dtype == np.uint8
    assert results['img_shape'] == results['ori_shape'] == (30, 12)
    assert repr(LoadImage()) == 'LoadImage()'


@pytest.mark.parametrize('mode', ['L', '1', 'LA', 'RGBA', 'CMYK', 'P', 'PA'])
def test_every_mode_becomes_colour(picture, tmp_path, mode):
    image = Image.fromarray(picture).convert(mode)
    path = tmp_path / ('a.tif' if mode in ('CMYK', 'PA') else 'a.png')
    if mode == 'PA':
        image = Image.fromarray(picture).convert('P')
    image.save(path, transparency=0) if mode == 'PA' and path.suffix == '.png' else image.save(path)
    assert (read(path) == np.asarray(image.convert('RGB'))).all()


def test_palette_with_transparency(picture, tmp_path):
    image = Image.fromarray(picture).convert('P')
    image.save(tmp_path / 'a.png', transparency=3)
    assert (read(tmp_path / 'a.png') == np.asarray(image.convert('RGB'))).all()


def test_alpha_is_dropped(picture, tmp_path):
    alpha = np.random.default_rng(1).integers(0, 256, (30, 12, 1), np.uint8)
    Image.fromarray(np.concatenate([picture, alpha], 2), 'RGBA').save(tmp_path / 'a.png')
    assert (read(tmp_path / 'a.png') == picture).all()


def test_sixteen_bits_are_scaled(tmp_path):
    Image.fromarray(np.array([[0, 255, 256, 65535]], np.uint16)).save(tmp_path / 'a.png')
    assert read(tmp_path / 'a.png')[0, :, 0].tolist() == [0, 0, 1, 255]


def test_turned_upright(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(picture).save(tmp_path / 'a.png', exif=exif)
    assert (read(tmp_path / 'a.png') == np.rot90(picture, -1)).all()


def test_what_cannot_be_read_is_named(picture, tmp_path):
    Image.fromarray(picture).save(tmp_path / 'cut.jpg')
    (tmp_path / 'cut.jpg').write_bytes((tmp_path / 'cut.jpg').read_bytes()[:-50])
    (tmp_path / 'text.jpg').write_text('text')
    (tmp_path / 'empty.jpg').touch()
    for name, why in (('cut.jpg', 'it cannot be decoded .*truncated'), ('text.jpg', 'cannot identify image file'),
                      ('empty.jpg', r'the file is empty \(0 bytes\)'), ('none.jpg', 'there is no such file')):
        with pytest.raises(ImageReadError, match=f'cannot read image .*{name}: .*{why}'):
            read(tmp_path / name)


@pytest.mark.parametrize('height, width, top, left', [(30, 12, 0, 9), (13, 30, 8, 0), (7, 7, 0, 0), (10, 7, 0, 1)])
def test_pad_to_square(height, width, top, left):
    picture = np.random.default_rng(0).integers(1, 255, (height, width, 3), np.uint8)
    results = PadToSquare(pad_val=0)(dict(img=picture))
    side = max(height, width)
    assert results['img'].shape == (side, side, 3) and results['img_shape'] == (side, side)
    assert (results['img'][top:top + height, left:left + width] == picture).all()
    assert (results['img'] > 0).sum() == picture.size
    assert (PadToSquare(pad_val=9)(dict(img=picture))['img'] == 9).all(2).sum() >= side * side - height * width


def test_the_published_transform(golden, tmp_path):
    """Resize, ToTensor and Normalize(.5, .5) of the published validation, by the pipeline and the preprocessor."""
    case = torch.load(golden / 'units/snnpar_transform.pt', weights_only=True)
    Image.fromarray(case['img'].numpy()).save(tmp_path / 'a.png')
    results = dict(img_path=str(tmp_path / 'a.png'))
    for step in (dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=(128, 256), backend='pillow'),
                 dict(type='mmpretrain.PackInputs')):
        results = TRANSFORMS.build(step)(results)
    preprocessor = ClsDataPreprocessor(mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True)
    got = preprocessor(dict(inputs=[results['inputs']], data_samples=[results['data_samples']]))['inputs'][0]
    torch.testing.assert_close(got[:, ::4, ::4], case['valid'], rtol=0, atol=1e-6)
    assert got.double().sum().item() == pytest.approx(case['valid_full_sum'], abs=1e-2)
    assert got.double().abs().sum().item() == pytest.approx(case['valid_abs_sum'], rel=1e-6)


def test_real_crops(samples):
    paths = sorted((samples / 'images/persons').iterdir())
    assert len(paths) > 10
    for path in paths:
        with Image.open(path) as image:
            assert read(path).shape == (image.height, image.width, 3)
