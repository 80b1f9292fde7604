"""Recognise the attributes of persons and draw a panel of each.

    python demo/attribute_demo.py IMAGE|FOLDER|VIDEO [CONFIG CHECKPOINT] [--out-dir panels] [--show heatmap|sequence]

Prints what it predicts, and writes pictures and predictions.json. Without CONFIG and CHECKPOINT it takes the model that
was trained last on the embedded set.
"""
import argparse
from pathlib import Path

from mmspike.apis import AttributeInferencer
from mmspike.apis.model import checkpoint_for
from mmspike.datasets.attributes import load_annotation
from mmspike.utils.config import add_cfg_options
from mmspike.utils.tool_errors import run_tool

CONFIG = Path(__file__).resolve().parents[1] / 'configs/snn_par/snn_par_synthetic.py'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('input', type=Path, help='image of a person, video, or folder of such')
    parser.add_argument('config', type=Path, nargs='?', default=CONFIG,
                        help=f'config of the model (default: {CONFIG.name})')
    parser.add_argument('checkpoint', nargs='?', help='its weights (default: the last of its training, below '
                        "work_dirs); 'none' for a model with random weights (to see the tool work)")
    parser.add_argument('--out-dir', type=Path, default=Path('attribute_panels'), help='default: %(default)s, here')
    parser.add_argument('--show', choices=('heatmap', 'sequence'), help='heatmap: also draw where the model was '
                        'active: share of neurons that fire, or magnitude in a model without spikes; sequence: draw '
                        'what a model that generates attributes wrote, and where it looked')
    parser.add_argument('--boxes', type=Path, metavar='FILE.json', help='persons in the pictures: {"street.jpg": '
                        '[[x1, y1, x2, y2], ...], "walk.mp4": {"FRAME": [[x1, y1, x2, y2], ...]}}; by default each '
                        'picture is one person')
    parser.add_argument('--interval', type=int, default=25, help='take each such frame of a video '
                        '(default: %(default)s)')
    parser.add_argument('--threshold', type=float, help="score to predict from (default: that of the config's "
                        'evaluator)')
    parser.add_argument('--ann-file', type=Path, help='annotation file with names and groups of the attributes; by '
                        'default those that the checkpoint was trained on')
    parser.add_argument('--batch-size', type=int, default=1, help='persons per forward (default: %(default)s)')
    parser.add_argument('--device', default='cpu', help="such as 'cuda' or 'cuda:1' (default: %(default)s)")
    add_cfg_options(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    names = None
    if args.ann_file:
        attributes = load_annotation(args.ann_file).attributes
        names = dict(attributes=[a.name for a in attributes], groups=[a.group for a in attributes])
    checkpoint = checkpoint_for(args.config, args.checkpoint)
    inferencer = AttributeInferencer(args.config, checkpoint, args.device, args.cfg_options, names, args.threshold)
    results = inferencer(args.input, args.batch_size, args.boxes, args.interval, args.out_dir, draw=True,
                         heatmap=args.show == 'heatmap', sequence=args.show == 'sequence')
    for person in results['predictions']:
        where = ''.join(f', {key} {person[key]}' for key in ('frame', 'box') if key in person)
        print(f"{person['filename']}{where}: {', '.join(person['predicted']) or 'none of the attributes'}")
    for file in results['skipped']:
        print(f"left out: {file['error']}")
    if not results['predictions']:
        raise SystemExit(f'{args.input}: no person in it that could be read')
    print(f"{len(results['predictions'])} panels and predictions.json in {args.out_dir}")


if __name__ == '__main__':
    run_tool(main)
