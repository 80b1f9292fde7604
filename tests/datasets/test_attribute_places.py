"""Places of groups, boxes and keypoints of images, and the attributes of one data set in terms of another's."""
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmspike.datasets import AttributeDataset, SyntheticPedestrians
from mmspike.datasets.attributes import AnnotationError, load_annotation, load_list, save_annotation
from mmspike.datasets.drawn_pedestrian import NAMES
from mmspike.datasets.synthetic_pedestrians import make_boxes, make_pedestrian
from mmspike.structures.attribute_groups import places_of

POINTS = [[10, 20], [30, 70], [39, 79]]
CONTENT = dict(
    dataset='toy', attributes=[dict(name='Hat', group='head'), dict(name='Male', group='gender'),
                               dict(name='Skirt', group='legs'), dict(name='Dress', group='legs')],
    groups=dict(legs=dict(region=[0.5, 1], scale=2, keypoints=[1, 2])),
    splits=dict(train=[0, 1, 2]),
    images=[dict(file='0.png', labels=[1, 1, 0, 0], boxes=dict(Hat=[8, 4, 32, 20], person=[4, 2, 36, 78]),
                 keypoints=POINTS, domain='street'),
            dict(file='1.png', labels=[0, 0, 1, -1]), dict(file='2.png', labels=[-1, -1, 0, -1])])


@pytest.fixture
def toy(tmp_path):
    """A data set of three images of 80x40 pixels: constructor of AttributeDataset."""
    pixels = np.random.default_rng(0).integers(0, 255, (80, 40, 3), np.uint8)
    for i in range(3):
        Image.fromarray(pixels).save(tmp_path / f'{i}.png')
    save = tmp_path / 'toy.json'
    save.write_text(json.dumps(CONTENT))
    return lambda content=CONTENT, **kwargs: (
        save.write_text(json.dumps(content)),
        AttributeDataset('toy.json', data_root=str(tmp_path), data_prefix=dict(img=''), **kwargs))[1]


def test_places_are_those_of_the_file_over_the_common_ones(toy):
    meta = toy().metainfo
    head, _, skirt, _ = places_of(meta['groups'], meta['group_places'])
    assert head.region == (0, 0.375) and head.scale == 1 and head.keypoints == (0, 1, 2, 3, 4)
    assert skirt.region == (0.5, 1) and skirt.scale == 2 and skirt.keypoints == (1, 2)


@pytest.mark.parametrize('name', ['pa100k', 'peta', 'rapv1', 'rapv2', 'upar', 'market1501', 'synthetic_pedestrians'])
def test_every_published_list_has_places(name, toy):
    facts = load_list(name)
    known = {**toy().metainfo['group_places'], **facts.get('groups', {})}
    assert len(places_of([entry['group'] for entry in facts['attributes']], known)) == len(facts['attributes'])


def test_places_survive_saving(toy, tmp_path):
    toy()
    annotation = load_annotation(tmp_path / 'toy.json')
    save_annotation(annotation, tmp_path / 'again.json')
    again = load_annotation(tmp_path / 'again.json')
    assert again.groups == CONTENT['groups'] and again.extras == annotation.extras


@pytest.mark.parametrize(('groups', 'words'), [
    (dict(legs=dict(region=[50, 100])), r"the group 'legs' has the region \[50, 100\], expected \[top, bottom\]"),
    (['legs'], '"groups" is .* expected a dictionary such as')])
def test_wrong_places_name_the_file(toy, groups, words):
    with pytest.raises(AnnotationError, match=f'toy.json: .*{words}'):
        toy(dict(CONTENT, groups=groups))


def test_boxes_and_keypoints_go_with_the_image(toy):
    pipeline = [dict(type='LoadImage'), dict(type='mmpretrain.Resize', scale=(80, 80)),
                dict(type='mmpretrain.RandomFlip', prob=1.0), dict(type='PackPerson')]
    sample = toy(pipeline=pipeline)[0]['data_samples']
    assert sample.boxes[0].tolist() == [80 - 64, 4, 80 - 16, 20] and sample.boxes[4].tolist() == [8, 2, 72, 78]
    assert sample.boxes[1:4].isnan().all() and sample.boxes.dtype == torch.float32
    assert sample.keypoints.tolist() == [[60, 20, 1], [20, 70, 1], [2, 79, 1]]
    assert sample.domain == 'street'
    bare = toy(pipeline=pipeline)[1]['data_samples']
    assert not {'boxes', 'keypoints', 'domain'} & set(bare.all_keys())


def test_crop_moves_marks_and_equals_the_plain_crop(toy):
    seen = set()
    for seed in range(6):
        results = []
        for kind in ('PersonCrop', 'mmpretrain.RandomCrop'):
            np.random.seed(seed)
            pipeline = [dict(type='LoadImage'), dict(type=kind, crop_size=(70, 30), padding=10),
                        dict(type='PackPerson')]
            results.append(toy(pipeline=pipeline, seed=seed)[0])
        assert torch.equal(results[0]['inputs'], results[1]['inputs'])
        sample, plain = results[0]['data_samples'], results[1]['data_samples']
        x, y = (sample.keypoints[0, :2] - plain.keypoints[0, :2]).tolist()
        seen.add((x, y))
        # The pixel under the first keypoint is the one that was there
        column, row = int(10 + x), int(20 + y)
        if 0 <= column < 30 and 0 <= row < 70:
            source = np.array(Image.open(toy()[0]['img_path']))[20, 10][::-1]
            assert sample.keypoints[0, 2] == 1 and results[0]['inputs'][:, row, column].tolist() == source.tolist()
        inside = (sample.keypoints[:, :2] >= 0).all(1) & (sample.keypoints[:, 0] < 30) & (sample.keypoints[:, 1] < 70)
        assert torch.equal(sample.keypoints[:, 2] > 0, inside)
        assert sample.boxes[0, 2] <= 30 and sample.boxes[0, 0] >= 0
    assert len(seen) > 2


@pytest.mark.parametrize(('marks', 'words'), [
    (dict(boxes=dict(Shoes=[0, 0, 1, 1])), "a box of 'Shoes', expected one of an attribute, or of 'person'"),
    (dict(boxes=dict(Hat=[5, 5, 5, 9])), r'expected \[x1, y1, x2, y2\] in pixels with x1 < x2'),
    (dict(keypoints=[1, 2, 3]), r'expected \[\[x, y, visible\], ...\] in pixels')])
def test_wrong_marks_name_the_image(toy, marks, words):
    images = [dict(CONTENT['images'][0], **marks), *CONTENT['images'][1:]]
    with pytest.raises(AnnotationError, match=f'0.png: .*{words}'):
        toy(dict(CONTENT, images=images)).get_data_info(0)


def test_attributes_are_chosen_and_ordered(toy):
    data = toy(attributes=['Skirt', 'Hat'])
    assert data.metainfo['attributes'] == ('Skirt', 'Hat') and data.metainfo['groups'] == ('legs', 'head')
    assert [data.get_data_info(i)['gt_score'].tolist() for i in range(3)] == [[0, 1], [1, 0], [0, -1]]
    assert data.get_data_info(0)['gt_bboxes'][1].tolist() == [8, 4, 32, 20]
    with pytest.raises(AnnotationError, match="no attribute 'Skrit'. Did you mean 'Skirt'.* It has Hat, Male, Skirt"):
        toy(attributes=['Skrit'])


MAPPING = dict(dataset='toy as another', attributes=[
    dict(name='Female', group='gender', **{'from': {'not': 'Male'}}), dict(name='Front', **{'from': None}),
    dict(name='Skirt&Dress', group='lower', **{'from': {'any': ['Skirt', 'Dress']}}),
    dict(name='Hat', group='head', phrase='a hat', **{'from': 'Hat'})])


def test_attributes_of_another_data_set(toy, tmp_path):
    (tmp_path / 'map.json').write_text(json.dumps(MAPPING))
    data = toy(attributes=str(tmp_path / 'map.json'))
    assert data.metainfo['dataset'] == 'toy as another'
    assert data.metainfo['attributes'] == ('Female', 'Front', 'Skirt&Dress', 'Hat')
    assert [data.get_data_info(i)['gt_score'].tolist() for i in range(3)] == [
        [0, -1, 0, 1], [1, -1, 1, 0], [-1, -1, -1, -1]]


@pytest.mark.parametrize(('content', 'words'), [
    ('{"names": 1}', r'map.json is no mapping file .* Expected \{"attributes"'),
    (json.dumps(dict(attributes=[dict(name='Hat')])), 'says not where it comes from. Expected "from": a name'),
    (json.dumps(dict(attributes=[{'name': 'Hat', 'from': {'all': ['Hat']}}])), r"Hat: \"from\" is \{'all'"),
    (json.dumps(dict(attributes=[{'name': 'Hat', 'from': 'Cap'}])), "toy.json has no attribute 'Cap'")])
def test_a_mapping_that_is_none_is_an_error(toy, tmp_path, content, words):
    (tmp_path / 'map.json').write_text(content)
    with pytest.raises(AnnotationError, match=words):
        toy(attributes=str(tmp_path / 'map.json'))
    with pytest.raises(FileNotFoundError, match='nowhere.json is missing. Set attributes= of the dataset'):
        toy(attributes='nowhere.json')


def test_shipped_mapping_names_what_is_there(root):
    content = json.loads((root / 'configs/sspnet/pa100k_from_peta.json').read_text())
    here, there = ([entry['name'] for entry in load_list(name)['attributes']] for name in ('pa100k', 'peta'))
    assert [entry['name'] for entry in content['attributes']] == here
    sources = [entry['from'] for entry in content['attributes'] if entry['from'] is not None]
    named = [name for source in sources for value in (source.values() if isinstance(source, dict) else [source])
             for name in ([value] if isinstance(value, str) else value)]
    assert len(sources) == 14 and set(named) <= set(there)


def test_drawn_attributes_are_in_their_boxes():
    """Without the pixels of its box, a picture with an attribute is the one without."""
    for index in range(12):
        _, labels = make_pedestrian('test', index)
        boxes = make_boxes('test', index)
        assert set(boxes) - {'person'} <= {name for name, label in zip(NAMES, labels, strict=True) if label}
        for name, (left, top, right, bottom) in boxes.items():
            assert 0 <= left < right <= 64 and 0 <= top < bottom <= 128
            person = boxes['person']
            assert left >= person[0] and top >= person[1] and right <= person[2] and bottom <= person[3], name


def test_boxes_of_the_drawn_set(tmp_path):
    sizes = dict(train=2, val=1, test=3)
    options = dict(data_root=str(tmp_path / 'set'), num_images=sizes, pipeline=[
        dict(type='LoadImage'), dict(type='PackPerson')])
    assert 'boxes' not in SyntheticPedestrians(split='train', **options)[0]['data_samples']
    data = SyntheticPedestrians(split='test', **options)
    boxes = data[1]['data_samples'].boxes
    assert boxes.shape == (13, 4) and boxes[-1].isfinite().all()
    assert 'bag and stance' in data.metainfo['group_places']
