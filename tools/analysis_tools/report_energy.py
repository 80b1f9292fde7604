"""An account of operations, spikes and estimated energy of any model, on real samples.

    python tools/analysis_tools/report_energy.py CONFIG CHECKPOINT --samples 64 --out-dir energy

Counts every operation of the forward on samples of the test set, one at a time, and writes ``report.json``,
``report.md`` and ``report.html`` (one page, with charts). ``--compare CONFIG[=CHECKPOINT]`` puts other models on the
same samples beside it. Without a checkpoint, or with ``--random-input``, the report says so all over: an untrained
network fires at rates that mean nothing. See docs/energy.md for what the figures are and what they leave out.
"""
import argparse
import json
from pathlib import Path

import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from mmengine.utils import ProgressBar
from torch import nn

from mmspike.analysis.energy import Account, EnergyReport, ModelFacts, OperationCounter, markdown
from mmspike.analysis.energy.gpu_meter import measure_gpu
from mmspike.analysis.energy.provenance import provenance
from mmspike.analysis.energy.report import default_models
from mmspike.apis import init_model
from mmspike.registry import DATASETS
from mmspike.utils.config import add_cfg_options
from mmspike.utils.tool_errors import run_tool
from mmspike.visualization import energy_page

RANDOM_WEIGHTS = 'Random weights: no checkpoint was given, so rates and accumulates say nothing of a trained model.'
RANDOM_INPUT = 'Random input: no data set was read, so rates and accumulates say nothing of real data.'


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file; without, random weights')
    parser.add_argument('--samples', type=int, default=32, help='samples, evenly spread (default: %(default)s)')
    parser.add_argument('--split', choices=('test', 'val', 'train'), default='test',
                        help='whose dataloader of the config names the data (default: %(default)s)')
    parser.add_argument('--random-input', metavar='SHAPE', help='noise of one sample as the data loader gives it, such '
                        'as 3x256x128 for an image, in place of a data set')
    parser.add_argument('--models', nargs='+', metavar='NAME', help='energy models (default: all)')
    parser.add_argument('--compare', nargs='+', default=[], metavar='CONFIG[=CHECKPOINT]',
                        help='other models, on the same samples')
    parser.add_argument('--out-dir', type=Path, default=Path('energy'), help='folder to write (default: %(default)s)')
    parser.add_argument('--measure-gpu', action='store_true', help='also measure the energy of the GPU, by NVML')
    parser.add_argument('--device', default='cpu')
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    if args.samples < 1:
        parser.error(f'argument --samples: expected at least 1, got {args.samples}')
    return args


def samples_of(cfg, args: argparse.Namespace) -> tuple[list[dict], dict]:
    """Samples as the data loader would give them, and the metadata of the data set."""
    if args.random_input:
        shape = [int(side) for side in args.random_input.split('x')]
        generator = torch.Generator().manual_seed(0)
        return [dict(inputs=torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))
                for _ in range(args.samples)], {}
    loader = cfg.get(f'{args.split}_dataloader')
    if loader is None:
        raise ValueError(f'--split {args.split}: the config has no {args.split}_dataloader. Choose another split, or '
                         'give noise: --random-input SHAPE.')
    with DefaultScope.overwrite_default_scope('mmspike'):
        dataset = DATASETS.build(loader.dataset)
    count = min(args.samples, len(dataset))
    return [dataset[i * len(dataset) // count] for i in range(count)], dict(dataset.metainfo)


def build(config: str, checkpoint: str | None, args: argparse.Namespace, options: dict | None = None) -> nn.Module:
    return init_model(config, checkpoint or None, args.device, options)


def tell_groups(model: nn.Module, meta: dict, checkpoint: str | None) -> None:
    """A head that looks for groups of attributes takes them from the data, as in a training."""
    table = getattr(getattr(model, 'head', None), 'table', None)
    if table is not None and not checkpoint and meta:
        table.read_meta(meta)


def count(model: nn.Module, samples: list[dict]) -> list[Account]:
    """The account of each sample by itself."""
    accounts, bar = [], ProgressBar(len(samples))
    with OperationCounter(model) as counter:
        for sample in samples:
            run(model, sample)
            accounts.append(counter.take(1))
            bar.update()
    bar.file.write('\n')
    return accounts


@torch.no_grad()
def run(model: nn.Module, sample: dict) -> None:
    data = model.data_preprocessor(pseudo_collate([sample]), False)
    has_samples = data.get('data_samples') is not None
    model(**data, mode='predict' if has_samples else 'tensor')


def compare(samples: list[dict], meta: dict, args: argparse.Namespace) -> dict[str, Account]:
    compared = {}
    for item in args.compare:
        config, _, checkpoint = item.partition('=')
        model = build(config, checkpoint, args)
        tell_groups(model, meta, checkpoint)
        accounts = count(model, samples)
        name = Path(config).stem + ('' if checkpoint else ' (random weights)')
        compared[name] = sum(accounts[1:], accounts[0])
    return compared


def write(figures: dict, title: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'report.json').write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
    (folder / 'report.md').write_text(markdown(figures), encoding='utf-8')
    (folder / 'report.html').write_text(energy_page(figures, title), encoding='utf-8')


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    models = default_models(args.models)
    model = build(args.config, args.checkpoint, args, args.cfg_options)
    samples, meta = samples_of(model.cfg, args)
    tell_groups(model, meta, args.checkpoint)
    accounts = count(model, samples)
    warnings = [RANDOM_WEIGHTS] * (not args.checkpoint) + [RANDOM_INPUT] * bool(args.random_input)
    report = EnergyReport(accounts, ModelFacts.of(model, accounts[0]),
                          provenance(args.config, args.checkpoint, args.split, args.random_input, model.cfg), warnings,
                          compare(samples, meta, args), models)
    figures = report.to_dict()
    if args.measure_gpu:
        figures['measured_gpu_energy'] = measure_gpu(lambda sample: run(model, sample), samples, args.device)
    write(figures, Path(args.config).stem, args.out_dir)
    first = figures['energy'][0]
    print(f'{len(samples)} samples: {figures["operations"]["macs"]["mean"] / 1e6:.4g} M multiply-accumulates, '
          f'{figures["operations"]["acs"]["mean"] / 1e6:.4g} M accumulates, '
          f'{first["synaptic_mj"]["mean"]:.4g} mJ ({first["title"]}; with everything estimated '
          f'{first["total_mj"]["mean"]:.4g} mJ); {100 * figures["coverage"]["share"]:.3f} % counted.')
    print(f'written to {args.out_dir}: report.html, report.md, report.json')


if __name__ == '__main__':
    run_tool(main)
