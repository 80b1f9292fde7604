"""Verification, and the command line of the attribute converter."""
import json
import runpy

import numpy as np
import pytest
import raw_releases as raw

from mmspike.datasets import AttributeDataset
from mmspike.datasets.attributes import Annotation, Attribute, Release, load_annotation, read_peta, verify


@pytest.fixture
def run(root, capsys):
    """Call the converter as its command line does; gives what it says."""

    def call(*arguments, status=0):
        capsys.readouterr()
        main = runpy.run_path(str(root / 'tools/dataset_converters/pedestrian_attributes.py'))['main']
        try:
            code, message = main([*map(str, arguments), '--workers', '1']), ''
        except SystemExit as stop:
            code, message = 1, str(stop)
        assert code == status, message
        return capsys.readouterr().out + message

    return call


def release(tmp_path, splits, files=None, **extras):
    files = files or [f'{index}.jpg' for index in range(6)]
    raw.write_images(tmp_path, files)
    labels = [[1, 0], [0, 1]] * 3
    return Release(Annotation('toy', [Attribute('Hat'), Attribute('Bag')], files, labels, splits, extras), tmp_path)


def test_a_sound_set_has_no_errors(tmp_path):
    report = verify(release(tmp_path, dict(train=[0, 1], val=[2, 3], test=[4, 5], trainval=[0, 1, 2, 3])))
    assert not report.errors and not report.warnings
    assert report.splits == dict(train=2, val=2, test=2, trainval=4)
    assert report.attributes[0] == dict(name='Hat', group='other', positive=.5, unknown=0)
    assert '       train  2 images' in report.lines()


@pytest.mark.parametrize('splits, title, items', [
    (dict(train=[0, 1], test=[1, 2]), 'images in both train and test', ['1.jpg']),
    (dict(train=[0, 1], val=[3], test=[3, 0]), 'images in both val and test', ['3.jpg']),
    (dict(trainval=[0, 1], test=[1, 0]), 'images in both trainval and test', ['0.jpg', '1.jpg']),
    (dict(train=[0, 1], test=[2], train_1=[0, 1], test_1=[1]), 'images in both train_1 and test_1', ['1.jpg']),
    (dict(train=[0, 1, 0], test=[2]), 'images twice in the split train', ['0.jpg']),
    (dict(train=[0], val=[1], trainval=[0, 1, 2], test=[3]),
     'images that are in trainval but neither in train nor val, or the other way round', ['2.jpg']),
])
def test_splits_that_overlap(tmp_path, splits, title, items):
    report = verify(release(tmp_path, splits))
    assert report.errors[title] == items
    assert f'Error: {len(items)} {title}:' in report.lines() and f'  {items[0]}' in report.lines()


def test_other_partitions_may_overlap(tmp_path):
    assert not verify(release(tmp_path, dict(train=[0, 1], test=[2], train_1=[2], test_1=[0, 1]))).errors


def test_the_same_file_under_two_rows_is_an_overlap(tmp_path):
    files = ['0.jpg', '1.jpg', '0.jpg', '3.jpg', '4.jpg', '5.jpg']
    report = verify(release(tmp_path, dict(train=[0, 1], test=[2, 3]), files))
    assert report.errors == {'images in both train and test': ['0.jpg']}


def test_identity_leak(tmp_path):
    report = verify(release(tmp_path, dict(train=[0, 1], test=[2, 3]), id=[7, 8, 7, None, 1, 1]))
    assert not report.errors
    assert report.warnings == ['identity leak: 1 persons are in both train and test, such as 7; figures on test are '
                               'flattered']


def test_counts_and_labels_are_warnings(tmp_path):
    found = release(tmp_path, dict(train=[0, 2], val=[]))
    found.published = dict(train=9500)
    assert verify(found).warnings == [
        'train has no positive example of Bag', 'train has no negative example of Hat',
        'train has 2 images, published are 9500', 'the split val is empty',
        'there is no split "test", only train, val']


def test_attribute_names_twice(tmp_path):
    found = release(tmp_path, dict(train=[0, 1], test=[2]))
    found.annotation.attributes[1].name = 'Hat'
    assert verify(found).errors == {'attribute names that occur twice': ['Hat']}


def test_conversion_is_what_the_dataset_reads(run, tmp_path):
    labels = raw.write_pa100k(tmp_path)
    out = run('pa100k', tmp_path)
    assert f'PA-100K: 8 images in {tmp_path / "data"}, 26 attributes in 8 groups' in out
    assert '       train  4 images' in out and 'Warning: train has 4 images, published are 80000' in out
    assert "ann_file='pa100k.json', data_prefix=dict(img='data')" in out
    data = AttributeDataset('pa100k.json', dict(img='data'), str(tmp_path), split='test',
                            pipeline=[dict(type='LoadImage'), dict(type='mmpretrain.PackInputs')])
    assert data.metainfo['dataset'] == 'PA-100K' and data.metainfo['attributes'][7] == 'Hat'
    assert data[1]['data_samples'].gt_score.tolist() == labels[7].tolist()
    report = json.loads((tmp_path / 'pa100k_report.json').read_text())
    assert report['splits']['trainval'] == 6 and report['errors'] == {}


def test_missing_images_are_named(run, tmp_path):
    raw.write_pa100k(tmp_path)
    (tmp_path / 'data/000003.jpg').unlink()
    out = run('pa100k', tmp_path, status=1)
    assert f'Error: 1 images that are not on disk:\n  000003.jpg: not in {tmp_path / "data"}' in out
    assert 'Not written: 1 kinds of errors' in out and '--skip-unreadable leaves out the images' in out
    assert not (tmp_path / 'pa100k.json').exists()
    out = run('pa100k', tmp_path, '--skip-unreadable')
    assert '1 images are left out of all splits' in out and '       train  3 images' in out
    annotation = load_annotation(tmp_path / 'pa100k.json')
    assert annotation.splits['train'].tolist() == [0, 1, 3] and len(annotation.files) == 8
    report = json.loads((tmp_path / 'pa100k_report.json').read_text())
    assert report['unreadable'] == {'images that are not on disk': [f'000003.jpg: not in {tmp_path / "data"}']}


def test_broken_images_are_named(run, tmp_path):
    raw.write_pa100k(tmp_path)
    (tmp_path / 'data/000005.jpg').write_bytes(b'')
    path = tmp_path / 'data/000008.jpg'
    path.write_bytes(path.read_bytes()[:-40])
    run('pa100k', tmp_path)  # they are there; not opened
    out = run('pa100k', tmp_path, '--check', status=1)
    assert 'Error: 2 images that cannot be decoded:\n  000005.jpg: the file is empty (0 bytes)' in out
    assert '000008.jpg: it cannot be decoded (' in out
    run('pa100k', tmp_path, '--check', '--skip-unreadable')
    splits = load_annotation(tmp_path / 'pa100k.json').splits
    assert splits['val'].tolist() == [5] and splits['test'].tolist() == [6]


def test_overlapping_splits_are_not_written(run, tmp_path):
    def overlap(parts):
        parts[3]['test'][0, 0] = parts[3]['train'][0, 0][:2]
        return parts

    raw.write_peta(tmp_path, partitions=overlap)
    names = sorted(np.random.default_rng(3).permutation(10)[:2])
    out = run('peta', tmp_path, '--skip-unreadable', status=1)
    assert f'Error: 2 images in both train_3 and test_3:\n  {names[0] + 1:05}.png\n  {names[1] + 1:05}.png' in out
    assert 'Not written' in out and '--skip-unreadable leaves' not in out and not (tmp_path / 'peta.json').exists()
    assert 'images in both trainval_3 and test_3' in verify(read_peta(tmp_path)).errors


def test_wrong_labels_are_one_message(run, tmp_path):
    raw.write_pa100k(tmp_path, val_label=raw.random_labels(3, 26))
    out = run('pa100k', tmp_path, status=1)
    assert 'val_label has labels of shape [3, 26], expected 2 rows' in out and 'Traceback' not in out


@pytest.mark.parametrize('name, write', [('rapv1', raw.write_rapv1), ('rapv2', raw.write_rapv2),
                                         ('market1501', raw.write_market1501)])
def test_the_other_releases(run, tmp_path, name, write):
    write(tmp_path / 'raw')
    out = run(name, tmp_path / 'raw', '--out', tmp_path / f'new/{name}.json')
    assert 'written' in out and load_annotation(tmp_path / f'new/{name}.json').splits
    prefix = dict(market1501='../raw').get(name, '../raw/RAP_dataset')
    assert f'data_prefix=dict(img={prefix!r})' in out
    assert AttributeDataset(f'{name}.json', dict(img=prefix), str(tmp_path / 'new'), split='test')


def test_pickles_and_zero_shot_splits(run, tmp_path):
    raw.write_peta(tmp_path)
    raw.write_pickle(tmp_path / 'a/mine.pkl', train_idx=[0, 1, 2], val_idx=[3], test_idx=[4, 5])
    run('peta_zs', tmp_path, '--splits', tmp_path / 'a/mine.pkl')
    assert load_annotation(tmp_path / 'peta_zs.json').splits['test'].tolist() == [4, 5]
    raw.write_pickle(tmp_path / 'set.pkl', image_name=['00001.png', '00002.png'], label=np.eye(2, dtype=int),
                     attr_name=['Hat', 'Glasses'], partition=dict(train=np.array([0]), test=np.array([1])))
    run('pickle', tmp_path / 'set.pkl', '--images', tmp_path / 'images')
    assert load_annotation(tmp_path / 'set.json').attributes[0].group == 'head'
    run('peta', tmp_path, '--splits', tmp_path / 'a/mine.pkl', status=1)  # it brings its own


def test_own_table(run, tmp_path):
    raw.write_images(tmp_path, ['a.jpg', 'b.jpg'])
    (tmp_path / 'mine.csv').write_text('file,split,Hat\na.jpg,train,1\nb.jpg,test,0\n')
    run('own', tmp_path / 'mine.csv')
    assert load_annotation(tmp_path / 'mine.json').splits['test'].tolist() == [1]
    (tmp_path / 'rows.json').write_text('[{"file": "a.jpg", "Hat": 1}]')
    out = run('own', tmp_path / 'rows.json')
    assert 'rows_annotation.json' in out and load_annotation(tmp_path / 'rows_annotation.json').files == ['a.jpg']
