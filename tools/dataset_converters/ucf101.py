"""UCF101: videos and official splits -> lists for VideoDataset.

  python tools/dataset_converters/ucf101.py data/ucf101/videos data/ucf101/annotations

VIDEOS  <Class>/v_<Class>_gNN_cNN.avi, the folder UCF-101 of the archive
SPLITS  ucfTrainTestlist: classInd.txt, trainlist0{1,2,3}.txt, testlist0{1,2,3}.txt

Writes ucf101_{train,val}_split_{1,2,3}_videos.txt, classes.txt and ucf101_report.json beside VIDEOS.
"""
import sys
from pathlib import Path

from common import Split, convert, need_folder, parser


def read_class_index(path: Path) -> list[str]:
    """Lines ``1 ApplyEyeMakeup``, from 1, in order."""
    if not path.is_file():
        sys.exit(f'{path} is missing; unpack UCF101TrainTestSplits-RecognitionTask.zip there')
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    if [row[0] for row in rows] != [str(k + 1) for k in range(len(rows))] or any(len(row) != 2 for row in rows):
        sys.exit(f'{path}: expected lines "1 ApplyEyeMakeup", numbered from 1 without gaps')
    return [name for _, name in rows]


def read_list(path: Path, classes: list[str]) -> list[tuple[str, int]]:
    """Lines ``Class/video.avi`` with or without a number; the class folder gives the label."""
    entries = []
    for line, text in enumerate(path.read_text().splitlines(), 1):
        if not text.strip():
            continue
        name = text.split()[0]
        label = next((k for k, known in enumerate(classes) if known == name.split('/')[0]), None)
        if label is None:
            sys.exit(f'{path}:{line}: {name.split("/")[0]!r} is not in classInd.txt')
        entries.append((name, label))
    return entries


def main(argv: list[str] | None = None) -> int:
    args = parser(__doc__, check='open')
    args.add_argument('videos', type=Path)
    args.add_argument('splits', type=Path)
    args = args.parse_args(argv)
    need_folder(args.videos, '<Class>/v_<Class>_gNN_cNN.avi')
    need_folder(args.splits, 'classInd.txt, trainlist0{1,2,3}.txt and testlist0{1,2,3}.txt')
    classes = read_class_index(args.splits / 'classInd.txt')
    splits = [Split(f'ucf101_{kind}_split_{number}_videos.txt', args.videos, read_list(path, classes), kind == 'train')
              for number in (1, 2, 3) for kind, prefix in (('train', 'trainlist'), ('val', 'testlist'))
              if (path := args.splits / f'{prefix}0{number}.txt').is_file()]
    if not splits:
        sys.exit(f'{args.splits} has no trainlist0{{1,2,3}}.txt')
    convert('ucf101', args.out or args.videos.parent, splits, classes, args.check, args.workers)
    return 0


if __name__ == '__main__':
    sys.exit(main())
