"""List files in all their forms."""
import pytest

from mmspike.datasets.video_list import parse_row, read_classes, read_video_list


@pytest.mark.parametrize('text, delimiter, expected', [
    ('a/b.mp4 3', None, ('a/b.mp4', 3, None)),
    ('a/b.avi 120 3', None, ('a/b.avi', 3, 120)),
    ('a/b.avi\t120\t3', None, ('a/b.avi', 3, 120)),
    ('abseiling/xyz 0', None, ('abseiling/xyz.mp4', 0, None)),
    ('abseiling/xyz 300 0', None, ('abseiling/xyz.mp4', 0, 300)),
    ('my holiday/take 2.mp4 7', None, ('my holiday/take 2.mp4', 7, None)),
    ('my holiday/take 2.mp4 90 7', None, ('my holiday/take 2.mp4', 7, 90)),
    ('playing cards/deal it 7', None, ('playing cards/deal it.mp4', 7, None)),
    ('take 2,7', ',', ('take 2.mp4', 7, None)),
    ('one, two.MKV, 30, 7', ',', ('one, two.MKV', 7, 30)),
])
def test_rows(text, delimiter, expected):
    row = parse_row(text, delimiter)
    assert (row['filename'], row['label'], row.get('total_frames')) == expected


def test_folders_of_frames_get_no_suffix():
    assert parse_row('abseiling/xyz 300 0', raw_frames=True) == dict(
        filename='abseiling/xyz', total_frames=300, label=0)


def test_comments_empty_lines_and_line_numbers(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('\ufeff# name label\n\n  a.mp4 0\nb.mp4 12 1\n', encoding='utf-8')
    assert read_video_list(str(path)) == [dict(filename='a.mp4', label=0, line=3),
                                          dict(filename='b.mp4', label=1, total_frames=12, line=4)]


@pytest.mark.parametrize('row, message', [
    ('a.mp4', 'one field, expected a path and a label'),
    ('a.mp4 abseiling', "label 'abseiling' is not a whole number"),
    ('a.mp4 1.0', "label '1.0' is not a whole number"),
    ('a.mp4 -1', 'label -1 is negative; labels start at 0'),
    ('a.mp4 5', r'label 5 is outside the 5 classes \(0 to 4\); do the labels start at 1'),
    ('a.mp4 9', r'label 9 is outside the 5 classes \(0 to 4\)'),
    ('a.mp4 0 1', '0 frames: an empty video; take it off the list'),
])
def test_problems_are_named_by_file_and_line(tmp_path, row, message):
    path = tmp_path / 'list.txt'
    path.write_text(f'# list\ngood.mp4 0\n{row}\n')
    with pytest.raises(ValueError, match=message) as error:
        read_video_list(str(path), num_classes=5)
    assert f'{path}:3: ' in str(error.value) and repr(row) in str(error.value)
    assert '1 of 2 rows cannot be used' in str(error.value)


def test_many_problems_are_counted(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('a.mp4\n' * 12)
    with pytest.raises(ValueError, match=r'12 of 12 rows[\s\S]*list.txt:5[\s\S]*and 7 more') as error:
        read_video_list(str(path))
    assert 'list.txt:6' not in str(error.value)


def test_empty_list(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_text('# nothing\n')
    with pytest.raises(ValueError, match='lists no videos'):
        read_video_list(str(path))


def test_class_file(tmp_path):
    (tmp_path / 'classes.txt').write_text('arm wrestling\n\nbowling\n')
    assert read_classes(str(tmp_path / 'classes.txt')) == ('arm wrestling', 'bowling')
    with pytest.raises(FileNotFoundError, match='none.txt is missing.*converters.*classes=None'):
        read_classes(str(tmp_path / 'none.txt'))
