"""A user's own table as a data set."""
import json

import pytest

from mmspike.datasets.attributes import AnnotationError, Attribute, read_own_set, verify
from mmspike.datasets.attributes.verify import without_unreadable

CSV = """file,split,id,head:Hat,upper:Red:a red top,Bag
a/001.jpg,train,7,1,0,yes
a/002.jpg,val,7,0,,no
"b, c.png",test,9,TRUE,?,-1
"""


def table(tmp_path, text, name='mine.csv'):
    (tmp_path / name).write_text(text, encoding='utf-8')
    return tmp_path / name


def test_csv(tmp_path):
    release = read_own_set(table(tmp_path, CSV))
    annotation = release.annotation
    assert annotation.dataset == 'mine' and annotation.files == ['a/001.jpg', 'a/002.jpg', 'b, c.png']
    assert annotation.attributes == [Attribute('Hat', 'head', 'Hat'), Attribute('Red', 'upper', 'a red top'),
                                     Attribute('Bag', 'other', 'Bag')]
    assert annotation.labels.tolist() == [[1, 0, 1], [0, -1, 0], [1, -1, -1]]
    assert {name: rows.tolist() for name, rows in annotation.splits.items()} == dict(
        train=[0], val=[1], test=[2], trainval=[0, 1])
    assert annotation.extras == dict(id=['7', '7', '9']) and release.images == tmp_path


@pytest.mark.parametrize('separator', [';', '\t'])
def test_other_separators_a_mark_and_empty_lines(tmp_path, separator):
    text = '\ufefffile,Hat\na.jpg,1\n\n , \nb.jpg,0\n'.replace(',', separator)
    annotation = read_own_set(table(tmp_path, text)).annotation
    assert annotation.labels.tolist() == [[1], [0]] and annotation.splits['train'].tolist() == [0, 1]


def test_json(tmp_path):
    rows = [dict(file='a.jpg', split='train', **{'head:Hat': 1}), dict(file='b.jpg', Bag=False, domain='street')]
    annotation = read_own_set(table(tmp_path, json.dumps(rows), 'mine.json')).annotation
    assert annotation.attributes == [Attribute('Hat', 'head'), Attribute('Bag')]
    assert annotation.labels.tolist() == [[1, -1], [-1, 0]] and annotation.splits['train'].tolist() == [0, 1]
    assert annotation.extras == dict(domain=[None, 'street'])


@pytest.mark.parametrize('text, message', [
    (CSV.replace(',yes', ',maybe'), "1 problems(.|\n)*line 2: a/001.jpg: the label of Bag is 'maybe'"),
    (CSV.replace('a/002.jpg', ''), '1 problems(.|\n)*line 3: no file'),
    (CSV.replace('7,0,,no', '7,0,no'), 'line 3 has 5 fields, expected 6 as in the header'),
    (CSV.replace('file,', 'name,'), 'the header is name, split, .*expected "file"'),
    (CSV.replace('Bag', 'id'), 'the header is id twice'),
    ('file,split\na.jpg,train\n', 'has 1 rows and 0 attributes, expected at least one of each'),
    ('file,head:\na.jpg,1\n', "the column 'head:' has no name of an attribute, expected name, group:name"),
    ('file,Hat\n', 'has 0 rows and 0 attributes'),
    ('', 'the header is ; expected "file"'),
])
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(AnnotationError, match=message) as error:
        read_own_set(table(tmp_path, text))
    assert 'mine.csv' in str(error.value)


def test_a_table_of_another_encoding(tmp_path):
    (tmp_path / 'mine.csv').write_bytes('file,Größe\na.jpg,1\n'.encode('latin1'))
    with pytest.raises(AnnotationError, match='mine.csv is not in UTF-8 .* Save it as "CSV UTF-8"'):
        read_own_set(tmp_path / 'mine.csv')


def test_person_0_is_a_person(tmp_path):
    rows = [dict(file='a.jpg', split='train', id=0, Hat=1), dict(file='b.jpg', split='test', id=0, Hat=0)]
    release = read_own_set(table(tmp_path, json.dumps(rows), 'mine.json'))
    assert release.annotation.extras == dict(id=[0, 0])
    assert any('identity leak: 1 persons are in both train and test' in line for line in verify(release).warnings)


def test_a_misspelt_split_is_pointed_out(tmp_path):
    warnings = verify(read_own_set(table(tmp_path, CSV.replace('.jpg,train', '.jpg,trian')))).warnings
    assert ("the split trian (1 images) is none of train, val, test, query, trainval: only a config that names it uses "
            "it. Did you mean 'train'?") in warnings
    assert not any('is none of' in line for line in verify(read_own_set(table(tmp_path, CSV))).warnings)


def test_names_with_colons_can_be_left_out(tmp_path):
    release = read_own_set(table(tmp_path, 'file,Hat\na: 1.jpg,1\na,0\n'))
    (tmp_path / 'a').write_bytes(b'')
    report = verify(release)
    assert report.errors['images that are not on disk'] == [f'a: 1.jpg: not in {tmp_path}']
    assert without_unreadable(release, report) == 1 and not report.errors
    assert release.annotation.splits['train'].tolist() == [1]


def test_wrong_json_and_missing_files(tmp_path):
    with pytest.raises(AnnotationError, match='mine.json is no valid JSON'):
        read_own_set(table(tmp_path, '[', 'mine.json'))
    with pytest.raises(AnnotationError, match='mine.json holds a dict, expected a list of dictionaries'):
        read_own_set(table(tmp_path, '{"file": 1}', 'mine.json'))
    with pytest.raises(FileNotFoundError, match='none.csv: no such file. Expected a CSV or JSON table'):
        read_own_set(tmp_path / 'none.csv')
