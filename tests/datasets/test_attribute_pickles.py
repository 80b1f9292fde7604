"""Pickles are read without running what is in them."""
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import raw_releases as raw

from mmspike.datasets.attributes import AnnotationError, read_pickle
from mmspike.datasets.attributes.restricted_pickle import load_pickle


class Evil:

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def dump(path, thing, protocol=4):
    path.write_bytes(pickle.dumps(thing, protocol))
    return path


@pytest.mark.parametrize('protocol', [0, 1, 2, 3, 4, 5])
def test_plain_content(tmp_path, protocol):
    content = dict(a=[1, 2.5, None, True, 'text', b'bytes', (1, {2})], b=OrderedDict(x=range(3)), c=frozenset('a'))
    assert load_pickle(dump(tmp_path / 'a.pkl', content, protocol)) == content
    for array in (np.arange(6.).reshape(2, 3), np.array(['a', 'bc']), np.array([[1], 'x'], dtype=object),
                  np.asfortranarray(np.eye(3, dtype=np.uint8)), np.zeros((0, 4))):
        again = load_pickle(dump(tmp_path / 'a.pkl', array, protocol))
        assert again.dtype == array.dtype and again.tolist() == array.tolist()
    assert load_pickle(dump(tmp_path / 'a.pkl', np.float32(.5), protocol)) == .5


def test_easydict(tmp_path):
    raw.write_pickle(tmp_path / 'a.pkl', name='x', inner=dict(rows=np.arange(3)))
    content = load_pickle(tmp_path / 'a.pkl')
    assert content['name'] == 'x' and content['inner']['rows'].tolist() == [0, 1, 2]


@pytest.mark.parametrize('function, name', [
    (os.system, f'{os.name}.system'), (eval, 'builtins.eval'), (exec, 'builtins.exec'), (getattr, 'builtins.getattr'),
    (open, 'open'), (__import__, 'builtins.__import__'), (bytearray, 'builtins.bytearray')])
@pytest.mark.parametrize('protocol', [0, 4])
def test_code_is_refused_by_name_and_not_run(tmp_path, function, name, protocol):
    witness = tmp_path / 'witness'
    thing = dict(label=[Evil(function, f'touch {witness}')])
    with pytest.raises(AnnotationError, match='which is refused: unpickling it could run any code') as error:
        load_pickle(dump(tmp_path / 'evil.pkl', thing, protocol))
    assert not witness.exists() and str(tmp_path / 'evil.pkl') in str(error.value)
    assert name.split('.')[-1] in str(error.value)


def test_dotted_names_do_not_reach_around(tmp_path):
    # STACK_GLOBAL with a dotted name: attributes of an allowed class are not allowed with it
    body = b'\x80\x04\x8c\x05numpy\x8c\x12ndarray.__reduce__\x93.'
    (tmp_path / 'evil.pkl').write_bytes(body)
    with pytest.raises(AnnotationError, match='numpy.ndarray.__reduce__, which is refused'):
        load_pickle(tmp_path / 'evil.pkl')


def test_other_codecs_are_refused(tmp_path):
    import codecs
    with pytest.raises(AnnotationError, match="text in the encoding 'rot13'"):
        load_pickle(dump(tmp_path / 'a.pkl', [Evil(codecs.encode, 'abc', 'rot13')]))


def test_damaged_pickles(tmp_path):
    raw.write_pickle(tmp_path / 'dataset_all.pkl', image_name=['a.jpg'] * 50, label=np.ones((50, 3)))
    content = (tmp_path / 'dataset_all.pkl').read_bytes()
    with pytest.raises(AnnotationError, match='lacks attr_name, partition; it holds image_name, label'):
        read_pickle(tmp_path)
    for cut in (0, 10, 100, len(content) - 3):
        (tmp_path / 'dataset_all.pkl').write_bytes(content[:cut])
        with pytest.raises(AnnotationError, match='cannot be read as a pickle .* it may be cut off'):
            read_pickle(tmp_path)
    dump(tmp_path / 'dataset_all.pkl', [1, 2])
    with pytest.raises(AnnotationError, match='lacks image_name, .*it holds list'):
        read_pickle(tmp_path)


@pytest.mark.parametrize('change, message', [
    (dict(partition=[0, 1]), r'partition holds \[0, 1\], expected a dictionary of the rows'),
    (dict(partition=dict(train='all')), 'partition.train holds all, expected the numbers of images, from 0 to 1'),
    (dict(partition=dict(train=np.array([.5]))), r'partition.train holds \[0.5\], expected the numbers'),
    (dict(partition=dict(train=np.array([True, False]))), 'partition.train holds .*True.*, expected the numbers'),
    (dict(partition=dict(train=None)), 'partition.train holds None, expected the numbers'),
    (dict(label_idx=[0]), r'label_idx holds \[0\], expected a dictionary'),
    (dict(label_idx=dict(eval=[0, 2])), 'label_idx.eval names column 2, but there are 2 columns'),
    (dict(label=[[0, 1], [1]]), 'rows of labels of different lengths, expected 2 in each'),
    (dict(image_name=None), 'image_name holds None, expected a list of names'),
])
def test_wrong_fields_are_named(tmp_path, change, message):
    content = dict(image_name=['a.jpg', 'b.jpg'], label=np.array([[0, 1], [1, 2]], np.uint8), attr_name=['Hat', 'Bag'],
                   partition=dict(train=np.array([0]), test=np.array([1])))
    dump(tmp_path / 'dataset_all.pkl', content)
    assert read_pickle(tmp_path).annotation.labels.tolist() == [[0, 1], [1, -1]]
    dump(tmp_path / 'dataset_all.pkl', dict(content, **change))
    with pytest.raises(AnnotationError, match=f'dataset_all.pkl.*{message}'):
        read_pickle(tmp_path)
