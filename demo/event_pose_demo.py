"""Follow a pose through an event recording, as if the events came in now, and make a video of it.

    python demo/event_pose_demo.py FILE [CONFIG CHECKPOINT] [--out-file pose.mp4] [--seconds 4]

FILE is a recording of any format that mmspike reads. Without CONFIG and CHECKPOINT it takes the model that was trained
last on the embedded set. Predictions are pink. Where FILE has the layout of DHP19 and its poses lie beside it, they are
drawn too (green), and the mean error is printed. The video shows every bin, four times slower than it was.
"""
import argparse
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config

from mmspike.apis import EventPoseStreamer
from mmspike.apis.model import checkpoint_for
from mmspike.datasets.dhp19_dataset import SUFFIX, DHP19Dataset
from mmspike.datasets.events import EventFile, event_streams, open_events
from mmspike.datasets.transforms import CropEvents
from mmspike.structures import load_skeleton
from mmspike.utils.config import add_cfg_options, load_config
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import draw_skeletons, frame_picture, label_picture
from mmspike.visualization.event_picture import PREDICTED, TRUTH

CONFIG = Path(__file__).resolve().parents[1] / 'configs/hybrid_pose/hybrid_pose_cnn-snn_synthetic.py'
INK, WIDTH, PORTION = (40, 40, 40), 480, 5_000  # of words, in pixels, us of events that are fed at a time


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file', type=Path, help='event recording')
    parser.add_argument('config', type=Path, nargs='?', default=CONFIG,
                        help=f'config of the model (default: {CONFIG.name})')
    parser.add_argument('checkpoint', nargs='?', help='its weights (default: the last of its training, below '
                        "work_dirs); 'none' for a model with random weights (to see the tool work)")
    parser.add_argument('--out-file', type=Path, default=Path('pose.mp4'), help='video to write (default: %(default)s)')
    parser.add_argument('--stream', help='camera, of a file of several, such as cam3 (default: the first that the '
                        'config tests on, else the first of the file)')
    parser.add_argument('--start', type=float, default=0, help='seconds from the beginning (default: %(default)s)')
    parser.add_argument('--seconds', type=float, default=4, help='of the recording (default: %(default)s)')
    parser.add_argument('--bin-ms', type=float, default=10, help='length of a bin (default: %(default)s)')
    parser.add_argument('--look-ms', type=float, default=100,
                        help='from look to look of the CNN (default: %(default)s)')
    parser.add_argument('--fps', type=float, default=25, help='bins per second of the video (default: %(default)s)')
    parser.add_argument('--skeleton', default='dhp19', help='default: %(default)s')
    parser.add_argument('--device', default='cpu', help="such as 'cuda' or 'cuda:1' (default: %(default)s)")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def camera_of(file: Path, cfg: Config) -> str | None:
    """The camera to take of a file: a model knows the view of those that it was trained on."""
    names = event_streams(file)
    known = [f'cam{number}' for number in cfg.test_dataloader.dataset.get('cameras', ())]
    return next((name for name in known if name in names), names[0] if names else None)


def truth_of(file: EventFile, streamer: EventPoseStreamer) -> Callable[[int], np.ndarray] | None:
    """Time in us -> joints [K, 2] in the model's picture, NaN where unknown; None without a file of poses."""
    path, camera = Path(file.path), re.fullmatch(r'cam(\d)', file.stream)
    subject = re.match(r'S(\d+)_', path.name)
    labels = Path(str(path)[:-len('.h5')] + '_label.h5')
    if not (camera and subject and path.name.endswith(SUFFIX) and labels.is_file()):
        return None
    options = streamer.model.cfg.test_dataloader.dataset
    data = DHP19Dataset(str(path.parent), (int(subject[1]),), (int(camera[1]),),
                        **({'label_lag_ms': options.label_lag_ms} if 'label_lag_ms' in options else {}))
    origin = np.sum([step.origin for step in streamer.transforms if isinstance(step, CropEvents)] or [(0, 0)], axis=0)
    info = dict(label_file=str(labels), camera=int(camera[1]), image_shape=(file.height, file.width))

    def at(moment: int) -> np.ndarray:
        pose = data.read_labels(info, np.array([moment - data.label_lag]))
        return np.where(pose['keypoints_visible'][0, :, None], pose['keypoints'][0] - origin, np.nan)

    return at


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    cfg = load_config(args.config, args.cfg_options)
    file = open_events(args.file, args.stream or camera_of(args.file, cfg))
    checkpoint = checkpoint_for(args.config, args.checkpoint)
    streamer = EventPoseStreamer(cfg, checkpoint, (file.height, file.width), round(args.bin_ms * 1000),
                                 round(args.look_ms * 1000), device=args.device)
    truth, edges = truth_of(file, streamer), load_skeleton(args.skeleton).edges
    first = file.start + round(args.start * 1e6)
    last = min(file.stop, first + round(args.seconds * 1e6))
    args.out_file.parent.mkdir(parents=True, exist_ok=True)
    video, errors, count, looks = None, [], 0, 0
    for moment in range(first, last, PORTION):
        until = min(moment + PORTION, last)
        for pose in streamer.feed(file.between(moment, until), until):
            count, looks = count + 1, looks + pose.looked
            words, drawn = [(f'{(pose.time_us - file.start) / 1e6:.2f} s', INK), ('predicted', PREDICTED)], []
            if truth is not None:
                joints = truth(pose.time_us)
                distances = np.linalg.norm(joints - pose.keypoints, axis=1)
                words.append(('label', TRUTH))
                drawn.append((joints, None, TRUTH))
                if np.isfinite(distances).any():
                    errors.append(np.nanmean(distances))
                    words.append((f'error {errors[-1]:.1f} px', INK))
            if pose.looked:
                words.append(('CNN looks', INK))
            drawn.append((pose.keypoints, None, PREDICTED))
            picture = label_picture(draw_skeletons(frame_picture(pose.seen), drawn, edges, WIDTH), words)
            if video is None:
                video = _open_video(args.out_file, args.fps, picture.shape)
            video.write(np.ascontiguousarray(picture[..., ::-1]))
    if video is None:
        events, duration = streamer.history
        back = f'{events} events' if events else f'{duration} us'
        raise SystemExit(f'{args.file}: no pose within {args.seconds} s: the CNN looks back at {back}, every '
                         f'{args.look_ms:g} ms (--look-ms), and there are {len(file)} events in {last - first} us')
    video.release()
    print(f'{count} poses, of which {looks} with a look of the CNN; latency: '
          + ', '.join(f'{name} {value:.1f}' for name, value in streamer.latency().items()))
    if errors:
        print(f'mean error: {np.mean(errors):.2f} px')
    print(f'video: {args.out_file}')


def _open_video(path: Path, fps: float, shape: tuple[int, int, int]) -> cv2.VideoWriter:
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), fps, (shape[1], shape[0]))
    if not video.isOpened():
        raise SystemExit(f'{path}: OpenCV cannot write it; expected a name ending in .mp4')
    return video


if __name__ == '__main__':
    run_tool(main)
