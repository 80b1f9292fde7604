"""List files: one video per line, with its label and perhaps its number of frames.

``path label`` or ``path num_frames label``, as Kinetics tools, mmaction2 and TDN write them. A row is read from the
right, so that paths may hold the delimiter. Lines that are empty or start with ``#`` are skipped.
"""
import os

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.webm', '.mov', '.m4v', '.flv', '.wmv', '.mpg', '.mpeg', '.3gp', '.ts',
                  '.ogv')
SHOWN = 5  # problems quoted in one error message


def read_video_list(path: str, delimiter: str | None = None, num_classes: int | None = None,
                    raw_frames: bool = False) -> list[dict]:
    """Read a list file.

    A row has a number of frames where the field before the label is a whole number, unless the row without the label
    already ends like a video file (``take 2.mp4 7``). Names without a video suffix get ``.mp4``, as published.

    Args:
        path: The list file, UTF-8.
        delimiter: What separates the fields; ``None`` is any white space.
        num_classes: Labels must be below it.
        raw_frames: Rows are folders of frames: no suffix is added.

    Returns:
        list[dict]: ``filename``, ``label``, ``line`` (from 1) and, where the row has it, ``total_frames``.

    Raises:
        ValueError: Rows with problems, by file and line, or no rows at all.
    """
    rows, problems = [], []
    with open(path, encoding='utf-8-sig') as file:
        for line, text in enumerate(file, 1):
            text = text.strip()
            if not text or text.startswith('#'):
                continue
            try:
                row = parse_row(text, delimiter, raw_frames)
                check_label(row['label'], num_classes)
            except ValueError as error:
                problems.append(f'{path}:{line}: {error}; the row is {text[:120]!r}')
                continue
            rows.append(dict(row, line=line))
    if problems:
        more = f'\n... and {len(problems) - SHOWN} more' if len(problems) > SHOWN else ''
        raise ValueError(f'{len(problems)} of {len(problems) + len(rows)} rows cannot be used. Expected "path label" '
                         'or "path num_frames label", labels from 0.\n' + '\n'.join(problems[:SHOWN]) + more)
    if not rows:
        raise ValueError(f'{path} lists no videos: it is empty or holds comments only')
    return rows


def parse_row(text: str, delimiter: str | None = None, raw_frames: bool = False) -> dict:
    """Split one row; see ``read_video_list``."""
    name, *label = _split_right(text, delimiter)
    if not label or not name:
        raise ValueError(f'one field, expected a path and a label (delimiter: {delimiter!r})')
    row = dict(filename=name, label=_whole(label[0], 'label'))
    front, *count = _split_right(name, delimiter)
    if count and front and count[0].lstrip('-').isdecimal() and not name.lower().endswith(VIDEO_SUFFIXES):
        row.update(filename=front, total_frames=_whole(count[0], 'number of frames'))
        if row['total_frames'] < 1:
            raise ValueError(f'{count[0]} frames: an empty video; take it off the list')
    if not raw_frames and not row['filename'].lower().endswith(VIDEO_SUFFIXES):
        row['filename'] += '.mp4'
    return row


def check_label(label: int, num_classes: int | None) -> None:
    """Raise ``ValueError`` for a label outside 0 .. num_classes - 1."""
    if label < 0:
        raise ValueError(f'label {label} is negative; labels start at 0')
    if num_classes is not None and label >= num_classes:
        hint = '; do the labels start at 1? They must start at 0' if label == num_classes else ''
        raise ValueError(f'label {label} is outside the {num_classes} classes (0 to {num_classes - 1}){hint}')


def read_classes(path: str) -> tuple[str, ...]:
    """Class names, one per line, in the order of the labels."""
    if not os.path.isfile(path):
        raise FileNotFoundError(f'class file {path} is missing. The converters in tools/dataset_converters write it: '
                                'one class name per line, in the order of the labels. classes=None goes without')
    with open(path, encoding='utf-8-sig') as file:
        return tuple(line.strip() for line in file if line.strip())


def _split_right(text: str, delimiter: str | None) -> list[str]:
    return [part.strip() for part in text.rsplit(delimiter, 1)]


def _whole(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{what} {text!r} is not a whole number') from None
