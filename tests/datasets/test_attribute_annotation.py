"""The annotation file of attribute data sets: round trip, and what is said of a broken one."""
import json

import numpy as np
import pytest

from mmspike.datasets.attributes import Annotation, AnnotationError, Attribute, load_annotation, save_annotation


@pytest.fixture
def annotation():
    return Annotation('toy', [Attribute('Hat', 'head', 'a hat'), Attribute('Grün')], ['a.jpg', 'b c.png', 'd.jpg'],
                      [[1, 0], [-1, 1], [0, -1]], dict(train=[0, 1], test=[2]), dict(id=[7, 7, None]))


@pytest.fixture
def content(annotation, tmp_path):
    save_annotation(annotation, tmp_path / 'toy.json')
    return json.loads((tmp_path / 'toy.json').read_text())


def test_round_trip(annotation, tmp_path):
    save_annotation(annotation, tmp_path / 'new/toy.json')
    again = load_annotation(tmp_path / 'new/toy.json')
    assert again.dataset == 'toy' and again.attributes == annotation.attributes and again.files == annotation.files
    assert again.attributes[1] == Attribute('Grün', 'other', 'Grün')
    assert again.labels.dtype == np.int8 and (again.labels == annotation.labels).all()
    assert list(again.splits) == ['train', 'test'] and again.splits['train'].tolist() == [0, 1]
    assert again.extras == dict(id=[7, 7, None])
    assert sum(line.startswith('{"file"') for line in (tmp_path / 'new/toy.json').read_text().splitlines()) == 3


def test_positive_ratio_is_of_the_known_labels(annotation):
    assert annotation.positive_ratio('train') == [1, .5] and annotation.positive_ratio('test') == [0, 0]


def test_missing_and_broken_files(tmp_path, content):
    with pytest.raises(FileNotFoundError, match='no.json is missing. Make it with tools/.*pedestrian.* set data_'):
        load_annotation(tmp_path / 'no.json')
    text = (tmp_path / 'toy.json').read_text()
    (tmp_path / 'cut.json').write_text(text[:-40])
    with pytest.raises(AnnotationError, match=r'cut.json is no valid JSON \(.* line \d+ .*make it anew with tools/'):
        load_annotation(tmp_path / 'cut.json')


@pytest.mark.parametrize('change, message', [
    (lambda c: c.pop('splits'), '"splits" holds nothing, expected a dictionary'),
    (lambda c: c.update(images={}), '"images" holds dict, expected a list'),
    (lambda c: c['attributes'].append('Hat'), "attribute 2 is 'Hat', expected .*\"name\""),
    (lambda c: c['images'][1]['labels'].pop(), r'1 of 3 images cannot(.|\n)*images\[1\]: b c.png has 1 labels, '
                                               'expected 2'),
    (lambda c: c['images'][0].update(labels=[2, 0]), r'images\[0\]: a.jpg has the label 2'),
    (lambda c: c['images'][0].update(labels=[.5, 0]), r'images\[0\]: a.jpg has the label 0.5'),
    (lambda c: c['images'][0].update(labels=['1', 0]), r"images\[0\]: a.jpg has the label '1'"),
    (lambda c: c['images'][2].pop('labels'), r'images\[2\]: d.jpg has no list of "labels"'),
    (lambda c: c['images'][2].pop('file'), r'images\[2\]: it is .*without a "file"'),
    (lambda c: c['splits'].update(test=[2, 3]), r'"test" names row 3, but there are 3 images \(rows 0 to 2\)'),
    (lambda c: c['splits'].update(test='all'), '"test" is all, expected a list of rows'),
    (lambda c: c['splits'].update(test=[.5]), r'"test" is \[0.5\], expected a list of rows'),
    (lambda c: c['splits'].update(test=[[0], [1, 2]]), r'"test" is \[\[0\], \[1, 2\]\], expected a list of rows'),
    (lambda c: c['splits'].update(test=[True, False, True]), r'"test" is \[True, False, True\], expected a list'),
    (lambda c: c.update(attributes=[]), '"attributes" is empty, expected at least one'),
])
def test_what_is_wrong_is_named(tmp_path, content, change, message):
    change(content)
    (tmp_path / 'bad.json').write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match=message) as error:
        load_annotation(tmp_path / 'bad.json')
    assert 'bad.json' in str(error.value)


def test_only_some_problems_are_quoted(tmp_path, content):
    content['images'] *= 10
    for image in content['images']:
        image['labels'] = [0]
    (tmp_path / 'bad.json').write_text(json.dumps(content))
    with pytest.raises(AnnotationError, match='30 of 30 images') as error:
        load_annotation(tmp_path / 'bad.json')
    assert str(error.value).count('expected 2\n') == 5 and str(error.value).endswith('... and 25 more')
