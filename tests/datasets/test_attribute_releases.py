"""The readers of released attribute data sets, on miniature files in the original layouts."""
import numpy as np
import pytest
import raw_releases as raw
from scipy.io import savemat

from mmspike.datasets.attributes import (
    AnnotationError,
    load_list,
    read_market1501,
    read_pa100k,
    read_peta,
    read_peta_zs,
    read_pickle,
    read_rap_zs,
    read_rapv1,
    read_rapv2,
    read_upar,
    verify,
)
from mmspike.datasets.attributes.release import LISTS

COUNTS = dict(pa100k=26, peta=35, rapv1=51, rapv2=54, upar=40, market1501=30)
GROUPS = ('head', 'upper', 'lower', 'foot', 'accessory', 'age', 'gender', 'other')
# Attributes per group, as published
GROUP_SIZES = dict(pa100k=(2, 6, 6, 1, 4, 3, 1, 3), peta=(5, 10, 6, 4, 5, 4, 1, 0), rapv1=(6, 9, 6, 5, 8, 3, 1, 13),
                   rapv2=(5, 10, 6, 6, 8, 4, 1, 14))


def known(table):
    """Labels as ours: 2 is unknown."""
    return np.where(table == 2, -1, table.astype(int))


def names(release):
    return [attribute.name for attribute in release.annotation.attributes]


def rows(release, split):
    return release.annotation.splits[split].tolist()


@pytest.mark.parametrize('name', COUNTS)
def test_lists(name):
    entries = load_list(name)['attributes']
    assert len(entries) == COUNTS[name]
    for key in ('name', 'phrase'):  # words must tell attributes apart
        assert len({entry[key] for entry in entries}) == len(entries)
    groups = [entry['group'] for entry in entries]
    assert set(groups) <= set(GROUPS)
    if name in GROUP_SIZES:
        assert tuple(map(groups.count, GROUPS)) == GROUP_SIZES[name]
    if name in ('peta', 'rapv2'):  # these come in the order of the groups
        assert groups == sorted(groups, key=GROUPS.index)
    if name != 'market1501':
        assert sorted(entry['column'] for entry in entries) == list(range(COUNTS[name]))


def test_every_list_is_tested():
    assert set(COUNTS) <= {path.stem for path in LISTS.glob('*.json')}


def test_pa100k(tmp_path):
    labels = raw.write_pa100k(tmp_path)
    release = read_pa100k(tmp_path)
    annotation = release.annotation
    assert annotation.dataset == 'PA-100K' and annotation.files[5] == '000006.jpg'
    assert (annotation.labels == labels).all() and annotation.labels.dtype == np.int8
    assert rows(release, 'val') == [4, 5] and rows(release, 'trainval') == [0, 1, 2, 3, 4, 5]
    assert names(release)[:2] == ['Female', 'AgeOver60'] and names(release)[-2:] == ['Skirt&Dress', 'boots']
    assert (annotation.attributes[7].group, annotation.attributes[7].phrase) == ('head', 'a person with a hat')
    assert release.images == tmp_path / 'data' and not release.notes
    report = verify(release)
    assert not report.errors and 'train has 4 images, published are 80000' in report.warnings


def test_pa100k_in_other_folders(tmp_path):
    raw.write_pa100k(tmp_path)
    (tmp_path / 'data').rename(tmp_path / 'release_data')
    (tmp_path / 'annotation').mkdir()
    (tmp_path / 'annotation.mat').rename(tmp_path / 'annotation/annotation.mat')
    assert read_pa100k(tmp_path).images == tmp_path / 'release_data'


def test_one_image_per_split(tmp_path):
    raw.write_pa100k(tmp_path, test_images_name=raw.column(['000007.jpg']), test_label=raw.random_labels(1, 26))
    assert rows(read_pa100k(tmp_path), 'test') == [6]


def test_peta_words_and_labels_are_in_the_same_order(tmp_path):
    labels = raw.write_peta(tmp_path)
    release = read_peta(tmp_path)
    annotation = release.annotation
    by_name = {name: labels[:, column] for column, name in enumerate(raw.names_by_column('peta', 105))}
    for index, attribute in enumerate(annotation.attributes):
        assert (annotation.labels[:, index] == by_name[attribute.name]).all()
    assert names(release)[0] == 'accessoryHat' and annotation.attributes[0].phrase == 'a person with a hat'
    assert (annotation.labels[:, 0] == labels[:, 10]).all()
    assert names(release)[-1] == 'personalMale' and (annotation.labels[:, -1] == labels[:, 16]).all()
    assert annotation.files[0] == '00001.png' and release.images == tmp_path / 'images'
    order = np.random.default_rng(2).permutation(10).tolist()
    assert rows(release, 'train_2') == order[:5] and rows(release, 'test_2') == order[6:]
    assert rows(release, 'trainval_2') == order[:6] and len(annotation.splits) == 20
    assert not verify(release).errors


def test_rapv1(tmp_path):
    labels = raw.write_rapv1(tmp_path)
    release = read_rapv1(tmp_path)
    assert (release.annotation.labels == known(labels[:, :51])).all() and (release.annotation.labels == -1).any()
    assert names(release)[0] == 'Female' and names(release)[9] == 'hs-BaldHead'
    order = np.random.default_rng(0).permutation(10).tolist()
    assert rows(release, 'trainval') == order[:8] and rows(release, 'test') == order[8:]
    assert sorted(release.annotation.splits)[:2] == ['test', 'test_1'] and len(release.annotation.splits) == 10
    report = verify(release)
    assert not report.errors and 'trainval has 8 images, published are 33268' in report.warnings


def test_rapv2(tmp_path):
    labels, selected = raw.write_rapv2(tmp_path)
    release = read_rapv2(tmp_path)
    assert names(release)[0] == 'hs-BaldHead' and names(release)[39] == 'Female'
    assert (release.annotation.labels[:, 0] == known(labels[:, selected[10]])).all()
    assert (release.annotation.labels[:, 39] == known(labels[:, selected[0]])).all()
    assert (release.annotation.labels[:, 53] == known(labels[:, selected[53]])).all()
    order = np.random.default_rng(4).permutation(10).tolist()
    assert rows(release, 'val_4') == order[6:8] and not verify(release).errors
    with pytest.raises(AnnotationError, match='is the annotation of RAPv2; read it as rapv2'):
        read_rapv1(tmp_path)


def test_the_versions_of_rap_are_told_apart(tmp_path):
    raw.write_rapv1(tmp_path)
    with pytest.raises(AnnotationError, match='no field name and attribute and .* read it as rapv1'):
        read_rapv2(tmp_path)


def test_market1501(tmp_path):
    halves = raw.write_market1501(tmp_path)
    release = read_market1501(tmp_path)
    annotation = release.annotation
    assert annotation.files[:3] == ['bounding_box_train/0002_c1s1_000451_03.jpg',
                                    'bounding_box_train/0002_c2s1_1_1.jpg', 'bounding_box_train/0007_c1s1_1_1.jpg']
    assert annotation.extras == dict(id=[2, 2, 7, 1, 1, 3])
    assert (rows(release, 'train'), rows(release, 'query'), rows(release, 'test')) == ([0, 1, 2], [3], [4, 5])
    label = {name: annotation.labels[:, index].tolist() for index, name in enumerate(names(release))}
    train, test = (halves[half]['gender'][0] == 2 for half in ('train', 'test'))
    assert label['Female'] == [train[0], train[0], train[1], test[0], test[0], test[1]]
    assert label['AgeChild'] == [1, 1, 0, 0, 0, 0] and label['AgeOld'] == [0, 0, 0, 1, 1, 0]
    assert label['AgeAdult'] == [0, 0, 1, 0, 0, 0] and label['AgeTeenager'] == [0, 0, 0, 0, 0, 1]
    assert release.notes == ['bounding_box_test: 1 images of persons without attributes are left out']
    report = verify(release)
    assert not report.errors and not any('identity' in warning for warning in report.warnings)


def pickled_peta(labels, **fields):
    columns = [entry['column'] for entry in load_list('peta')['attributes']]
    partition = dict(train=[np.arange(5), np.arange(1, 6)], val=[np.array([5]), np.array([6])],
                     test=[np.arange(6, 10), np.array([7, 8, 9, 0])],
                     trainval=[np.arange(6), np.arange(1, 7)])
    return dict(dict(
        description='peta', root='/their/disk', image_name=[f'{index + 1:05}.png' for index in range(10)], label=labels,
        attr_name=raw.names_by_column('peta', 105), partition=partition, attr_words=np.array(['in another order']),
        label_idx=dict(eval=columns, color=list(range(35, 79)), extra=range(79, 105)), weight_train=[np.zeros(105)]),
        **fields)


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_dataset_all(tmp_path, protocol):
    labels = raw.random_labels(10, 105, highest=2)
    raw.write_pickle(tmp_path / 'dataset_all.pkl', protocol, **pickled_peta(labels))
    release = read_pickle(tmp_path)
    assert release.annotation.dataset == 'PETA' and names(release)[0] == 'accessoryHat'
    assert (release.annotation.labels[:, 0] == known(labels[:, 10])).all()
    assert release.annotation.attributes[0].phrase == 'a person with a hat'
    assert rows(release, 'train') == [0, 1, 2, 3, 4] and rows(release, 'test_1') == [7, 8, 9, 0]


def test_dataset_all_of_unknown_attributes(tmp_path):
    raw.write_pickle(tmp_path / 'mine.pkl', image_name=['a.jpg', 'b.jpg'], label=np.array([[1, 0, 0], [0, 1, -1]]),
                     attr_name=['Hat', 'Glasses', 'Umbrella'], partition=dict(train=np.array([0]), test=np.array([1])))
    release = read_pickle(tmp_path / 'mine.pkl')
    assert release.annotation.dataset == tmp_path.name and names(release) == ['Hat', 'Glasses', 'Umbrella']
    assert release.annotation.attributes[2].group == 'other' and not release.published
    assert release.notes == ['no group and words are known for Umbrella']
    assert release.annotation.labels.tolist() == [[1, 0, 0], [0, 1, -1]]


def test_zero_shot(tmp_path):
    labels = raw.write_peta(tmp_path / 'peta')
    raw.write_pickle(tmp_path / 'peta/dataset_zs_run0.pkl', train_idx=[0, 1, 2], val_idx=[3], test_idx=[4, 5])
    raw.write_pickle(tmp_path / 'peta/dataset_zs_run1.pkl', **pickled_peta(labels, partition=dict(
        train=np.array([9]), val=np.array([8]), test=np.array([7]), trainval=np.array([9, 8]))))
    release = read_peta_zs(tmp_path / 'peta')
    assert release.annotation.dataset == 'PETA-ZS' and len(names(release)) == 35
    assert rows(release, 'trainval') == [0, 1, 2, 3] and rows(release, 'test_1') == [7]
    assert 'train has 3 images, published are 11241' in verify(release).warnings

    table, selected = raw.write_rapv2(tmp_path / 'rap')
    raw.write_pickle(tmp_path / 'elsewhere.pkl', train_idx=[0, 1], val_idx=[2], test_idx=[4])
    with pytest.raises(FileNotFoundError, match='no dataset_zs_run0.pkl in .*name them with --splits'):
        read_rap_zs(tmp_path / 'rap')
    release = read_rap_zs(tmp_path / 'rap', [tmp_path / 'elsewhere.pkl'])
    assert len(names(release)) == 53 and 'Age46-60' not in names(release) and names(release)[38] == 'Female'
    assert (release.annotation.labels[:, 38] == known(table[:, selected[0]])).all()

    raw.write_pickle(tmp_path / 'elsewhere.pkl', train_idx=[0, 1], val_idx=[2])
    with pytest.raises(AnnotationError, match='has no rows for test; expected train_idx, val_idx and test_idx'):
        read_rap_zs(tmp_path / 'rap', [tmp_path / 'elsewhere.pkl'])
    raw.write_pickle(tmp_path / 'elsewhere.pkl', **pickled_peta(labels))
    with pytest.raises(AnnotationError, match='divides 10 images, expected the 10 of the release under the same names'):
        read_rap_zs(tmp_path / 'rap', [tmp_path / 'elsewhere.pkl'])


def test_upar(tmp_path):
    labels = raw.random_labels(6, 40)
    files = [f'{name}/{index}.jpg' for name in ('PA100k', 'Market1501') for index in range(3)]
    partition = dict(train=[np.array([0, 1, 3]), np.array([0, 1])],
                     test=[[np.array([2]), np.array([4, 5])], [np.array([3, 4])]])
    raw.write_pickle(tmp_path / 'UPAR/dataset_all.pkl', image_name=files, label=labels, partition=partition,
                     attr_name=raw.names_by_column('upar', 40), dataset_ids=np.array([0, 0, 0, 1, 1, 1]))
    raw.write_images(tmp_path, files)
    release = read_upar(tmp_path)
    assert (release.annotation.labels == labels).all() and names(release)[39] == 'Accessory-Hat'
    assert rows(release, 'test') == [2, 4, 5] and rows(release, 'test_1') == [3, 4]
    assert release.annotation.extras['domain'] == ['PA100k'] * 3 + ['Market1501'] * 3
    assert not verify(release).errors


def test_missing_files_say_what_is_there(tmp_path):
    (tmp_path / 'PETA.mat').touch()
    with pytest.raises(FileNotFoundError, match=r'no annotation.mat or .* in .*there is: PETA.mat\). Expected'):
        read_pa100k(tmp_path)
    with pytest.raises(FileNotFoundError, match=r'\(no such folder\). Expected'):
        read_pa100k(tmp_path / 'none')
    with pytest.raises(AnnotationError, match='PETA.mat cannot be read as a MATLAB file'):
        read_peta(tmp_path)


@pytest.mark.parametrize('change, message', [
    (dict(val_label=raw.random_labels(3, 26)), r'val_label has labels of shape \[3, 26\], expected 2 rows'),
    (dict(val_label=raw.random_labels(2, 25)), r'val_label has labels of shape \[2, 25\], expected 2 rows .* 26 col'),
    (dict(test_label=raw.random_labels(2, 26) + 7), r"test_label: 000007.jpg has .*for 'Female' \(and 51 more\), exp"),
    (dict(attributes=raw.column(['Female'] * 20)), 'names 20 attributes, expected at least 26'),
])
def test_wrong_tables_are_named(tmp_path, change, message):
    raw.write_pa100k(tmp_path, **change)
    with pytest.raises(AnnotationError, match=f'annotation.mat.*{message}'):
        read_pa100k(tmp_path)


def test_other_names_of_attributes_are_noted(tmp_path):
    names = raw.names_by_column('pa100k', 26)
    names[7], names[8] = 'hat', 'Brille'  # capitals do not count
    raw.write_pa100k(tmp_path, attributes=raw.column(names))
    assert read_pa100k(tmp_path).notes == [
        "1 attributes have other names: column 8 is 'Brille' in the file and 'Glasses' in the published list"]


def test_files_of_other_data_sets(tmp_path):
    savemat(tmp_path / 'annotation.mat', dict(peta=1))
    with pytest.raises(AnnotationError, match='has no variable attributes and .*it has peta'):
        read_pa100k(tmp_path)
    savemat(tmp_path / 'PETA.mat', dict(peta=raw.struct(a=1)))
    with pytest.raises(AnnotationError, match='PETA.mat: peta is a struct of 1 fields, expected .* at least 4'):
        read_peta(tmp_path)


def test_rows_that_do_not_exist(tmp_path):
    def change(parts):
        parts[1]['val'][0, 0] = np.array([[11]])
        return parts

    raw.write_peta(tmp_path, partitions=change)
    with pytest.raises(AnnotationError, match='PETA.mat: partition 1 names image 11, expected 1 to 10'):
        read_peta(tmp_path)


def test_market1501_errors(tmp_path):
    raw.write_market1501(tmp_path)
    (tmp_path / 'query/0001_c3s1_1_1.jpg').unlink()
    (tmp_path / 'query').rmdir()
    with pytest.raises(FileNotFoundError, match='has no folder query, expected the folders of Market-1501'):
        read_market1501(tmp_path)
    savemat(tmp_path / 'market_attribute.mat', dict(market_attribute=raw.struct(train=raw.struct(age=1), test=1)))
    with pytest.raises(AnnotationError, match='market_attribute.train lacks backpack, .*image_index'):
        read_market1501(tmp_path)
