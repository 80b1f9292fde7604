"""HMDB51: videos and official splits -> lists for VideoDataset.

  python tools/dataset_converters/hmdb51.py data/hmdb51/videos data/hmdb51/annotations

VIDEOS  <class>/<video>.avi, the 51 class archives unpacked
SPLITS  testTrainMulti_7030_splits: <class>_test_split{1,2,3}.txt, lines "video.avi 0|1|2" (unused, train, test)

Writes hmdb51_{train,val}_split_{1,2,3}_videos.txt, classes.txt and hmdb51_report.json beside VIDEOS.
"""
import re
import sys
from pathlib import Path

from common import Split, convert, need_folder, parser

TRAIN, TEST = '1', '2'


def read_splits(folder: Path) -> tuple[list[str], dict[tuple[int, str], list[tuple[str, int]]]]:
    """Class names, and the entries of each (split, mark)."""
    files = {path: re.fullmatch(r'(.+)_test_split([123])\.txt', path.name) for path in sorted(folder.rglob('*.txt'))}
    files = {path: match for path, match in files.items() if match}
    if not files:
        sys.exit(f'{folder} has no files <class>_test_split{{1,2,3}}.txt; unpack test_train_splits.rar of HMDB51 there')
    classes = sorted({match[1] for match in files.values()})
    entries: dict = {}
    for path, match in files.items():
        for line, text in enumerate(path.read_text().splitlines(), 1):
            if not text.strip():
                continue
            name, _, mark = text.strip().rpartition(' ')
            if mark not in ('0', TRAIN, TEST) or not name:
                sys.exit(f'{path}:{line}: expected "video.avi 0|1|2", found {text!r}')
            entries.setdefault((int(match[2]), mark), []).append(
                (f'{match[1]}/{name.strip()}', classes.index(match[1])))
    return classes, entries


def main(argv: list[str] | None = None) -> int:
    args = parser(__doc__, check='open')
    args.add_argument('videos', type=Path)
    args.add_argument('splits', type=Path)
    args = args.parse_args(argv)
    need_folder(args.videos, '<class>/<video>.avi')
    need_folder(args.splits, 'the files <class>_test_split{1,2,3}.txt')
    classes, entries = read_splits(args.splits)
    splits = [Split(f'hmdb51_{kind}_split_{number}_videos.txt', args.videos, entries.get((number, mark), []),
                    training=mark == TRAIN)
              for number in sorted({number for number, _ in entries})
              for kind, mark in (('train', TRAIN), ('val', TEST))]
    convert('hmdb51', args.out or args.videos.parent, splits, classes, args.check, args.workers)
    return 0


if __name__ == '__main__':
    sys.exit(main())
