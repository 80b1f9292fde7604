"""The drawn pedestrians: reproducible, each attribute where it belongs, as unequal as real ones, written once."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from mmspike.datasets import synthetic_pedestrians as pedestrians
from mmspike.datasets.drawn_pedestrian import NAMES, draw_labels
from mmspike.datasets.drawn_pedestrian.painter import Painter
from mmspike.datasets.drawn_pedestrian.person import Look, draw_person
from mmspike.datasets.image_reader import read_image
from mmspike.datasets.synthetic_pedestrians import SyntheticPedestrians, make_pedestrian, write_image

# Part of the body that shows an attribute, from the crown (0) to the soles (1)
ROWS = dict(Hat=(-0.06, 0.08), Glasses=(0.04, 0.11), LongHair=(0.02, 0.32), ShortSleeve=(0.16, 0.54),
            UpperStripes=(0.18, 0.52), UpperRed=(0.14, 0.54), Skirt=(0.46, 1.0), Shorts=(0.46, 1.0),
            LowerBlue=(0.46, 1.0), Backpack=(0.15, 0.49), HandBag=(0.47, 0.71), Walking=(0.16, 1.02))


# What a picture shows

def test_a_pedestrian_depends_on_split_and_index_alone():
    first, labels = make_pedestrian('train', 11)
    assert first.shape == (128, 64, 3) and first.dtype == np.uint8 and labels.shape == (12,)
    again, same = make_pedestrian('train', 11)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(labels, same)
    for other in (('test', 11), ('val', 11), ('train', 12)):
        assert (first != make_pedestrian(*other)[0]).mean() > 0.5
    assert make_pedestrian('train', 0, 64)[0].shape == (64, 32, 3)


@pytest.fixture(scope='module')
def crowd():
    return np.stack([draw_labels(np.random.default_rng((7, index))) for index in range(6000)])


def test_attributes_are_rare_and_common(crowd):
    shares = dict(zip(NAMES, crowd.mean(0), strict=True))
    assert min(shares.values()) == shares['UpperRed'] and 0.11 < shares['UpperRed'] < 0.15
    assert max(shares.values()) == shares['Walking'] and 0.37 < shares['Walking'] < 0.43
    assert 0.24 < crowd.mean() < 0.26  # three attributes per person


@pytest.mark.parametrize('first, second, low, high', [
    ('Skirt', 'LongHair', 0.22, 0.34), ('Shorts', 'ShortSleeve', 0.2, 0.34), ('HandBag', 'LongHair', 0.17, 0.31),
    ('Hat', 'ShortSleeve', -0.26, -0.1), ('Backpack', 'LongHair', -0.22, -0.08), ('Walking', 'UpperRed', -0.06, 0.06)])
def test_attributes_keep_company(crowd, first, second, low, high):
    first, second = (crowd[:, NAMES.index(name)] for name in (first, second))
    assert low < np.corrcoef(first, second)[0, 1] < high


def test_who_wears_a_skirt_wears_no_shorts(crowd):
    assert not (crowd[:, NAMES.index('Skirt')] & crowd[:, NAMES.index('Shorts')]).any()


def figure(wanted: dict, seed: int) -> np.ndarray:
    """A figure alone, 400 pixels tall from row 50 of 500."""
    canvas = np.full((500, 300, 3), 128, np.uint8)
    draw_person(Painter(canvas, 150, 50, 400), wanted, Look.draw(np.random.default_rng(seed)))
    return canvas


@pytest.mark.parametrize('name', NAMES)
def test_an_attribute_shows_where_it_belongs_and_nowhere_else(name):
    top, bottom = (50 + 400 * row for row in ROWS[name])
    rng = np.random.default_rng(0)
    for seed in range(12):
        wanted = dict(zip(NAMES, draw_labels(rng).tolist(), strict=True))
        if name in ('Skirt', 'Shorts'):
            wanted['Skirt'] = wanted['Shorts'] = 0
        if name == 'Glasses':
            wanted['Hat'] = 0
        changed = (figure(wanted | {name: 0}, seed) != figure(wanted | {name: 1}, seed)).any(-1)
        rows = np.flatnonzero(changed.any(1))
        assert changed.sum() > 300  # of 400 pixels for the whole body; 24x8 at the size of the data set
        assert rows[0] >= top - 1 and rows[-1] <= bottom + 1, (rows[0], rows[-1])


@pytest.mark.parametrize('name', NAMES)
def test_the_rest_of_the_picture_stays(name):
    column, rng = NAMES.index(name), np.random.default_rng(1)
    labels = draw_labels(rng)
    if name in ('Skirt', 'Shorts'):
        labels[NAMES.index('Skirt')] = labels[NAMES.index('Shorts')] = 0
    pictures = []
    for labels[column] in (0, 1):
        pictures.append(pedestrians.draw_pedestrian(labels, np.random.default_rng(5)))
    changed = (pictures[0] != pictures[1]).any(-1)
    assert 0.002 < changed.mean() < 0.35
    assert not changed[:16, :16].any() and not changed[:16, -16:].any()  # beside the head


def test_a_picture_is_neither_black_nor_burnt():
    pictures = np.stack([make_pedestrian('train', index)[0] for index in range(60)]).astype(float)
    means = pictures.mean((1, 2, 3))
    assert 60 < means.mean() < 150 and means.std() > 10
    assert ((pictures == 0) | (pictures == 255)).mean() < 0.08


# The set on disk

def build(root, split='train', train=12, **kwargs) -> SyntheticPedestrians:
    options = dict(num_images=dict(train=train, val=4, test=4), height=32, pipeline=[]) | kwargs
    return SyntheticPedestrians(data_root=str(root), split=split, **options)


def files(root) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in Path(root).rglob('*.jpg')}


def test_first_use_writes_the_layout_of_pa100k_and_the_second_reads_it(tmp_path, capsys):
    dataset = build(tmp_path / 'set')
    assert f'Drawing 20 synthetic pedestrians into {tmp_path}/set' in capsys.readouterr().out
    content = loadmat(tmp_path / 'set/annotation.mat')
    assert content['attributes'].shape == (12, 1) and content['attributes'][1, 0].item() == 'Glasses'
    assert content['train_images_name'].shape == (12, 1) and content['val_label'].shape == (4, 12)
    assert content['test_images_name'][0, 0].item() == '000017.jpg'

    info = dataset.get_data_info(9)
    picture, labels = make_pedestrian('train', 9, 32)
    np.testing.assert_array_equal(info['gt_score'], labels)
    loss = np.abs(read_image(info['img_path']).astype(int) - picture)
    assert loss.mean() < 8  # JPEG keeps half of the colours' resolution
    before = files(tmp_path)
    sizes = {split: len(build(tmp_path / 'set', split)) for split in ('train', 'val', 'test', 'trainval')}
    assert sizes == dict(train=12, val=4, test=4, trainval=16)
    assert files(tmp_path) == before and len(before) == 20
    assert 'Drawing' not in capsys.readouterr().out


def test_metainfo_names_attributes_in_four_groups(tmp_path):
    meta = build(tmp_path / 'set').metainfo
    assert meta['attributes'] == NAMES and len(set(meta['groups'])) == 4
    assert meta['dataset'] == 'synthetic pedestrians' and 'a person with a hat' in meta['phrases']
    labels = np.stack([make_pedestrian('train', index, 32)[1] for index in range(12)])
    np.testing.assert_allclose(meta['positive_ratio'], labels.mean(0))


def test_other_parameters_write_anew(tmp_path):
    build(tmp_path / 'set')
    assert len(build(tmp_path / 'set', train=5)) == 5
    assert len(files(tmp_path)) == 13


def test_an_interrupted_write_is_redone(tmp_path, monkeypatch):
    def interrupted(path, picture):
        if path.name == '000006.jpg':
            raise KeyboardInterrupt
        write_image(path, picture)

    monkeypatch.setattr(pedestrians, 'write_image', interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / 'set')
    assert not (tmp_path / 'set').exists()
    monkeypatch.undo()
    assert len(build(tmp_path / 'set')) == 12 and len(files(tmp_path / 'set')) == 20


def test_foreign_files_are_not_overwritten(tmp_path):
    (tmp_path / 'thesis.tex').write_text('x')
    with pytest.raises(FileExistsError, match='not written by this data set.*another folder'):
        build(tmp_path)


TWO = """
import sys
from mmspike.datasets import SyntheticPedestrians
sys.stdin.readline()
print(len(SyntheticPedestrians(data_root=sys.argv[1], num_images=dict(train=40, val=4, test=4), height=32)))
"""


def test_of_two_processes_at_once_one_writes_and_the_other_waits(tmp_path):
    both = [subprocess.Popen([sys.executable, '-c', TWO, str(tmp_path / 'set')], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        process.stdin.write('go\n')
        process.stdin.flush()
    told = [process.communicate(timeout=240)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert [text.split()[-1] for text in told] == ['40', '40']
    assert sum('Drawing 48' in text for text in told) == 1


@pytest.mark.parametrize('kwargs, message', [
    (dict(num_images=dict(train=3)), "each of train, val and test, got {'train': 3}"),
    (dict(num_images=dict(train=3, val=0, test=1)), "positive number.*'val': 0"),
    (dict(num_images=1000), 'got 1000; by default'),
    (dict(height=100), 'multiple of 32, .* got 100; take 96'),
])
def test_impossible_arguments_are_refused(tmp_path, kwargs, message):
    with pytest.raises(ValueError, match=message):
        build(tmp_path, **kwargs)
