"""Event-Human3.6m: simulated events and Human3.6m's poses -> HDF5 for EventH36MDataset.

  python tools/dataset_converters/event_human36m.py data/event_h36m --poses data_2d_h36m_gt_13joints.npz \\
      --crops crop_video_coordinates.txt

ROOT holds    S*/upsample/<Action>.<camera code>/events.h5 (events/{t,x,y,p}, t in ns), or events/*.npz there as the
              simulator writes them; imgs/*.png and timestamps.txt beside them stay where they are
--poses       2D poses in the form of VideoPose3D: positions_2d by subject, action and camera, 13 or 32 joints
--crops       where the videos were cropped, from the published code (h36m_dataset_generate)
writes        events.h5 where there are chunks, the index ms_to_idx where it is missing, that the order of the events
              has been checked (a training then opens them at once), ROOT/labels.h5, and ROOT/event_h36m_report.json

Without --poses and --crops the labels.h5 of the release is kept. What is finished stays when the command is repeated;
recordings that cannot be read are skipped, counted and named.
"""
import argparse
import json
import os
import sys
from pathlib import Path

import h5py
from common import SHOWN, need_folder
from mmengine.utils import ProgressBar

from mmspike.datasets.event_h36m_release import (
    CAMERA_CODES,
    SIZE,
    action_of,
    index_events,
    merge_chunks,
    read_crops,
    read_positions,
    write_labels,
)
from mmspike.datasets.events import EventFileError, open_events
from mmspike.utils.tool_errors import run_tool


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', type=Path, metavar='ROOT', help='folder of the recordings: see above')
    parser.add_argument('--poses', type=Path, help='2D poses in the videos (.npz)')
    parser.add_argument('--crops', type=Path, help='crop_video_coordinates.txt')
    args = parser.parse_args(argv)
    if (args.poses is None) != (args.crops is None):
        parser.error('--poses and --crops belong together: poses are moved by the crop of their video')
    return args


def prepare(folder: Path) -> dict:
    """Complete the events of one recording; what was found, with ``skipped`` where it cannot be used."""
    action, camera = action_of(folder.name)
    if camera is None:
        return dict(skipped=f'the name does not end with a camera, {", ".join(CAMERA_CODES)}')
    file, chunks = folder / 'events.h5', sorted((folder / 'events').glob('*.npz'))
    try:
        if not file.is_file():
            if not chunks:
                return dict(skipped='it has neither events.h5 nor events/*.npz')
            unfinished = folder / '.events.h5.unfinished'
            merge_chunks(chunks, unfinished, camera)
            unfinished.replace(file)
        complete(file, camera)
        found = measure(file)
        mark_checked(file)
        return dict(action=action, camera=camera, **found)
    except (EventFileError, OSError) as error:
        return dict(skipped=str(error))


def complete(path: Path, camera: int) -> None:
    """Write what a simulator leaves out: the index of milliseconds, and the camera."""
    with h5py.File(path, 'r') as file:
        missing = {'ms_to_idx', 'cam_view'} - set(file) if 'events/t' in file else set()
    if missing:
        with h5py.File(path, 'r+') as file:
            if 'ms_to_idx' in missing:
                file['ms_to_idx'] = index_events(file)
            if 'cam_view' in missing:
                file['cam_view'] = camera


def measure(path: Path) -> dict:
    """Number of events and seconds of a recording, which is looked at once as a whole unless that was done before."""
    events = open_events(path, 'events', size=SIZE)
    return dict(events=len(events), seconds=round(events.stop * 1e-6, 3))


def mark_checked(path: Path) -> None:
    """Say in a file that its events are in order and within the picture; it stays as it is where it is read-only."""
    facts = dict(height=SIZE[0], width=SIZE[1], ordered=True)
    with h5py.File(path, 'r') as file:
        known = all(file['events'].attrs.get(name) == value for name, value in facts.items())
    if not known and os.access(path, os.W_OK):
        with h5py.File(path, 'r+') as file:
            file['events'].attrs.update(facts)


def run(args: argparse.Namespace) -> None:
    need_folder(args.root, 'S1/upsample/<Action>.<camera code>/events.h5 and so on')
    folders = sorted(path for path in args.root.glob('S*/upsample/*') if path.is_dir())
    if not folders:
        sys.exit(f'{args.root} has no S*/upsample/<Action>.<camera code>/')
    labels, without_crop = args.root / 'labels.h5', []
    if args.poses is not None:
        unfinished = args.root / '.labels.h5.unfinished'
        without_crop = write_labels(unfinished, read_positions(args.poses), read_crops(args.crops))
        unfinished.replace(labels)
    if not labels.is_file():
        sys.exit(f'{labels} is missing; give --poses and --crops, and it is written')
    report, bar = {}, ProgressBar(len(folders))
    with h5py.File(labels, 'r') as poses:
        for folder in folders:
            found = prepare(folder)
            where = f'{folder.parents[1].name}/{found.get("action")}/cam_view_{found.get("camera")}'
            if 'skipped' not in found and where not in poses:
                found['skipped'] = f'labels.h5 has no {where}'
            report[str(folder.relative_to(args.root))] = found
            bar.update()
    bar.file.write('\n')
    (args.root / 'event_h36m_report.json').write_text(json.dumps(report, indent=1), encoding='utf-8')
    tell(report, args.root, without_crop)


def tell(report: dict[str, dict], root: Path, without_crop: list[str]) -> None:
    skipped = [f'{name}: {found["skipped"]}' for name, found in report.items() if 'skipped' in found]
    ready = [found for found in report.values() if 'skipped' not in found]
    print(f'{len(ready)} of {len(report)} recordings are ready, {sum(one["events"] for one in ready):,} events in '
          f'{sum(one["seconds"] for one in ready):.1f} s')
    for what, items in (('skipped', skipped), ('poses without a crop, left out', without_crop)):
        if items:
            print(f'{len(items)} {what}:')
            print('\n'.join(f'  {item}' for item in items[:SHOWN]))
            if len(items) > SHOWN:
                print(f'  ... and {len(items) - SHOWN} more')
    if not ready:
        sys.exit('No recording can be used, see above')
    print(f'Use it as data_root={str(root)!r}, for instance with configs/hybrid_pose/hybrid_pose_cnn_h36m-events.py')


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    run_tool(lambda: run(args))
    return 0


if __name__ == '__main__':
    sys.exit(main())
