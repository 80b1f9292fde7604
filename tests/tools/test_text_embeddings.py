"""tools/dataset_converters/text_embeddings.py and the file that it writes."""
import pickle
import runpy
import sys
import types

import numpy as np
import pytest

from mmspike.datasets.attributes import Annotation, Attribute, save_annotation
from mmspike.utils.text_embeddings import TextEmbeddings


@pytest.fixture
def annotations(tmp_path):
    path = tmp_path / 'toy.json'
    save_annotation(Annotation('toy', [Attribute('Hat', 'head', 'a hat'), Attribute('Bag', 'bags', 'a bag')],
                               ['0.jpg'], np.array([[1, 0]]), dict(train=[0])), path)
    return path


@pytest.fixture
def run(root, capsys):
    def call(*arguments):
        runpy.run_path(str(root / 'tools/dataset_converters/text_embeddings.py'))['main']([*map(str, arguments)])
        return capsys.readouterr().out
    return call


@pytest.fixture
def encoder(monkeypatch):
    """In place of sentence-transformers: a vector of lengths and of the model's name."""
    class SentenceTransformer:
        def __init__(self, name, device):
            self.name = name

        def encode(self, phrases):
            return np.array([[len(phrase), len(self.name), 0] for phrase in phrases])

    module = types.ModuleType('sentence_transformers')
    module.SentenceTransformer = SentenceTransformer
    monkeypatch.setitem(sys.modules, 'sentence_transformers', module)


def test_phrases_become_vectors_under_the_names_of_the_attributes(annotations, run, encoder, tmp_path):
    out = tmp_path / 'deep/text.npz'
    said = run(annotations, '--out', out, '--template', 'wears {}')
    file = TextEmbeddings.read(out)
    assert file.attributes == ['Hat', 'Bag'] and file.phrases == ['wears a hat', 'wears a bag']
    assert file.vectors.tolist() == [[11, 17, 0], [11, 17, 0]] and file.vectors.dtype == np.float32
    assert file.encoder == 'sentence_transformers'
    assert '2 attributes, 3 numbers each' in said and 'Hat: wears a hat' in said


def test_published_embeddings_come_by_the_names_of_the_attributes(annotations, run, tmp_path):
    content = dict(attr_name=['Bag', 'Boots', 'Hat'], attr_words=np.array(['with a bag', 'boots', 'a hat on']),
                   attr_vectors=np.arange(6.0).reshape(3, 2))
    (tmp_path / 'dataset.pkl').write_bytes(pickle.dumps(content))
    run(annotations, '--out', tmp_path / 'text.npz', '--pickle', tmp_path / 'dataset.pkl')
    file = TextEmbeddings.read(tmp_path / 'text.npz')
    assert file.attributes == ['Hat', 'Bag'] and file.phrases == ['a hat on', 'with a bag']
    assert file.vectors.tolist() == [[4, 5], [0, 1]] and file.encoder == 'dataset.pkl'
    (tmp_path / 'other.pkl').write_bytes(pickle.dumps(dict(content, attr_name=['Bag', 'Boots', 'Cap'])))
    with pytest.raises(SystemExit, match='other.pkl has no Hat among its attributes'):
        run(annotations, '--out', tmp_path / 'text.npz', '--pickle', tmp_path / 'other.pkl')
    (tmp_path / 'none.pkl').write_bytes(pickle.dumps(dict(label=1)))
    with pytest.raises(SystemExit, match='none.pkl has no attr_name, attr_words, attr_vectors'):
        run(annotations, '--out', tmp_path / 'text.npz', '--pickle', tmp_path / 'none.pkl')


@pytest.mark.parametrize(('library', 'package'), [
    ('sentence_transformers', 'sentence-transformers'), ('open_clip', 'open_clip_torch')])
def test_a_missing_library_says_what_to_install(annotations, run, tmp_path, monkeypatch, library, package):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SystemExit, match=f'{package} is not installed.*pip install {package}'):
        run(annotations, '--out', tmp_path / 'text.npz', '--library', library)


def test_open_clip_without_weights_is_refused(annotations, run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'open_clip', types.ModuleType('open_clip'))
    with pytest.raises(SystemExit, match='needs --pretrained: a tag such as openai, or a file'):
        run(annotations, '--out', tmp_path / 'text.npz', '--library', 'open_clip')


@pytest.mark.parametrize('options', [['--out', 'text.txt'], ['--out', 'text.npz', '--template', 'a hat']])
def test_senseless_options(annotations, run, options):
    with pytest.raises(SystemExit):
        run(annotations, *options)


def test_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(ValueError, match=r'none.npz: no such file of text embeddings. Write one with: python tools/'):
        TextEmbeddings.read(tmp_path / 'none.npz')


@pytest.mark.parametrize('content', [b'', b'no archive', dict(vectors=np.zeros(2)), dict(
    attributes=np.array(['a'], object), phrases=np.array(['a']), vectors=np.zeros((1, 2)), encoder=np.array('x'))])
def test_other_files_are_refused_without_running_them(tmp_path, content):
    path = tmp_path / 'text.npz'
    if isinstance(content, dict):
        np.savez(path, **content)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match='text.npz: not a file of text embeddings'):
        TextEmbeddings.read(path)


def test_counts_that_differ_are_refused(tmp_path):
    TextEmbeddings(['a', 'b'], ['a', 'b'], np.zeros((3, 4)), 'x').write(tmp_path / 'text.npz')
    with pytest.raises(ValueError, match=r'2 attributes, 2 phrases and vectors of shape \[3, 4\]'):
        TextEmbeddings.read(tmp_path / 'text.npz')


def test_absences_have_vectors_of_their_own(annotations, run, encoder, tmp_path):
    out = tmp_path / 'text.npz'
    run(annotations, '--out', out, '--negative', 'not {}')
    file = TextEmbeddings.read(out)
    assert file.negative_phrases == ['not a hat', 'not a bag']
    assert file.vectors_of(2, negatives=True)[:, 0].tolist() == [5, 5, 9, 9]
    assert file.vectors_of(2).shape == (2, 3)
    with pytest.raises(SystemExit):
        run(annotations, '--out', out, '--negative', 'absent')
