"""Classify one video and draw what the model saw.

    python demo/action_demo.py VIDEO CONFIG CHECKPOINT [--out-file panel.png] [--device cuda] [--topk 5]

Prints the best classes, and writes a picture: key frames, residual frames, spike rate per layer and time step.
"""
import argparse
from pathlib import Path

from mmengine.config import DictAction

from mmspike.apis import ActionInferencer
from mmspike.datasets.video_list import read_classes
from mmspike.utils.tool_errors import run_tool


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('video', type=Path, help='video file')
    parser.add_argument('config', type=Path, help='config of the model')
    parser.add_argument('checkpoint', help="its weights; 'none' for a model with random weights (to see the tool work)")
    parser.add_argument('--device', default='cpu', help="such as 'cuda' or 'cuda:1' (default: %(default)s)")
    parser.add_argument('--out-file', type=Path, help='picture to write (default: <video>_respike.png, here)')
    parser.add_argument('--topk', type=int, default=5, help='classes to list (default: %(default)s)')
    parser.add_argument('--label-file', type=Path, help='text file with one class name per line, in label order; by '
                        'default the names that the checkpoint was trained on')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE',
                        help='settings to put over the config')
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    classes = read_classes(args.label_file) if args.label_file else None
    checkpoint = None if args.checkpoint.lower() == 'none' else args.checkpoint
    inferencer = ActionInferencer(args.config, checkpoint, args.device, args.cfg_options, classes)
    sample = inferencer.read(args.video)
    (output,), rates = inferencer.predict([sample])
    for rank, entry in enumerate(inferencer.describe(output, args.topk)['top'], 1):
        print(f"{rank}  {100 * entry['score']:5.1f} %  {entry['class']}")
    out_file = args.out_file or Path(f'{args.video.stem}_respike.png')
    out_file.parent.mkdir(parents=True, exist_ok=True)
    inferencer.panel(sample, output, rates, args.topk).savefig(out_file)
    print(f'picture: {out_file}')


if __name__ == '__main__':
    run_tool(main)
