"""Speed of greedy decoding with kept keys and values against running the prefix again (``plain_sequencepar.py``).

    python benchmarks/sequencepar.py [--out benchmarks/sequencepar.json]

The decoder of SequencePAR (six layers, width 768) on 257 tokens of an image, batch 8, fp32, one thread. Three ways to
the same sequences take turns in one process: ``plain``, the published way, runs prefix and image anew for every token;
``prefix`` keeps the keys and values of the image, but runs the prefix anew; ``ours`` keeps both. Nothing ends: the end
is the least likely token, so that each sequence is as long as one can be, a token more than there are attributes. That
all three give the same tokens is shown first, in float64, on four images of 17 tokens.
"""
import argparse
import json
from functools import partial
from pathlib import Path

import torch
from measuring import hardware, in_fresh_process, min_and_median, wall_and_cpu
from plain_sequencepar import BOS, PlainDecoder
from torch import Tensor

SETTINGS = ('depth', 'batch', 'places', 'rounds')
WAYS = ('plain', 'prefix', 'ours')


def build(attributes: int, args: argparse.Namespace, dtype: torch.dtype = torch.float32) -> dict:
    """Both decoders with the same weights, words and images, and a codec that allows what the published one does."""
    from mmspike.codecs import AttributeSequenceCodec
    from mmspike.convert import sequencepar
    from mmspike.models.layers.sequence_decoder import SequenceDecoder
    torch.manual_seed(0)
    plain = PlainDecoder(attributes, args.depth)
    for parameter in plain.layers.parameters():  # sharper than initial weights, so that tokens vary
        if parameter.ndim > 1:
            parameter.data *= 4
    ours = SequenceDecoder(attributes + 3, attributes + 1, depth=args.depth, dropout=0.0)
    plain.pos_emb.weight.data.copy_(ours.positions)
    converted = sequencepar({f'decoder.{name}': value for name, value in plain.state_dict().items()})
    ours.load_state_dict({name.removeprefix('head.decoder.'): value for name, value in converted.items()
                          if name.startswith('head.decoder.')})
    words = torch.randn(attributes + 3, 768)
    memory = torch.randn(args.batch, args.places, 768)
    return dict(plain=plain.to(dtype).eval(), ours=ours.to(dtype).eval(), words=words.to(dtype),
                memory=memory.to(dtype), codec=AttributeSequenceCodec(attributes, constraint='none'))


def never_end(parts: dict) -> None:
    """Make the end the least likely token: its row of the output layer is against the mean of what it is given."""
    hidden = []
    handle = parts['ours'].fc.register_forward_pre_hook(lambda _, args: hidden.append(args[0].flatten(0, 1)))
    decode('ours', parts)
    handle.remove()
    mean = torch.cat(hidden).mean(0)
    for decoder in (parts['plain'], parts['ours']):
        decoder.fc.weight[1] = -10 * mean / mean.norm()


@torch.no_grad()
def decode(way: str, parts: dict) -> Tensor:
    """Greedy sequences, ``[B, 2 + A]``."""
    from mmspike.models.layers.sequence_search import greedy
    words, memory, codec = parts['words'], parts['memory'], parts['codec']
    if way == 'plain':
        return parts['plain'].greedy(words, memory, codec.length)
    if way == 'ours':
        return greedy(parts['ours'], words, memory, codec).tokens
    start = parts['ours'].start(memory)
    tokens = torch.full((len(memory), 1), BOS)
    for _ in range(codec.length):
        token = parts['ours'](tokens, words, start)[0][:, -1].argmax(-1)
        tokens = torch.cat([tokens, token[:, None]], 1)
    return tokens


@torch.no_grad()
def parity(args: argparse.Namespace) -> dict:
    """Whether all ways give the same tokens in float64, and how varied these are."""
    out = {}
    for attributes in args.attributes:
        parts = build(attributes, args, torch.float64)
        never_end(parts)
        tokens = {way: decode(way, parts) for way in WAYS}
        same = all(torch.equal(tokens['plain'], other) for other in tokens.values())
        out[str(attributes)] = dict(same=same, length=tokens['ours'].shape[1] - 1,
                                    distinct_tokens=len(tokens['ours'].unique()))
    return out


@torch.no_grad()
def timings(args: argparse.Namespace) -> dict:
    """Seconds of wall and processor time of each way, by turns, and the copy bandwidth in between."""
    out, copies, source = {}, [], torch.rand(2**25)
    target = torch.empty_like(source)
    for attributes in args.attributes:
        parts = build(attributes, args)
        never_end(parts)
        times = {way: dict(wall=[], cpu=[]) for way in WAYS}
        for _ in range(args.rounds):
            for way in WAYS:
                wall, cpu = wall_and_cpu(partial(decode, way, parts))
                times[way]['wall'].append(wall)
                times[way]['cpu'].append(cpu)
            copies.append(wall_and_cpu(lambda: target.copy_(source))[0])
        out[str(attributes)] = times
    return dict(seconds=out, copy_gb_per_s=2 * 4 * source.numel() / min(copies) / 1e9)


def table(report: dict) -> str:
    """The report as the tables of the README."""
    lines = ['| attributes | plain | image kept, prefix anew | ours | plain / ours, wall: min, median; cpu: min |'
             ' prefix / ours |', '|---|---|---|---|---|---|']
    for attributes, times in report['seconds'].items():
        stats = {way: (*min_and_median(times[way]['wall']), min(times[way]['cpu'])) for way in WAYS}
        cells = ['{:.3f} / {:.3f}, {:.3f} s'.format(*stats[way]) for way in WAYS]
        ratios = [' / '.join(f'{slow / fast:.1f}' for slow, fast in zip(stats[way], stats['ours'], strict=True))
                  for way in ('plain', 'prefix')]
        lines.append(f'| {attributes} | {" | ".join(cells)} | {" | ".join(ratios)} |')
    same = [f'{attributes} attributes: {"the same" if entry["same"] else "OTHER"} tokens, {entry["distinct_tokens"]} '
            f'different ones' for attributes, entry in report['parity_float64'].items()]
    return '\n'.join([*lines, '', f'float64, all three ways: {"; ".join(same)}. copy_ (read and write): '
                                  f'{report["copy_gb_per_s"]:.1f} GB/s.'])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--attributes', type=int, nargs='+', default=[26, 54])
    parser.add_argument('--depth', type=int, default=6)
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument('--places', type=int, default=257, help='tokens of the image')
    parser.add_argument('--rounds', type=int, default=5, help='timed turns of each way')
    parser.add_argument('--out', type=Path, help='JSON file for everything that was measured')
    parser.add_argument('--job', choices=('parity', 'timings'), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.set_num_threads(1)
    if args.job:
        print(json.dumps(dict(parity=parity, timings=timings)[args.job](args)))
        return
    numbers = ['--attributes', *map(str, args.attributes)]
    for name in SETTINGS:
        numbers += [f'--{name}', str(getattr(args, name))]
    small = ['--places', '17', '--batch', '4']  # whether tokens are the same is as well seen there
    report = dict(settings={name: getattr(args, name) for name in SETTINGS}, **hardware(),
                  parity_float64=in_fresh_process(__file__, ['--job', 'parity', *numbers, *small]),
                  **in_fresh_process(__file__, ['--job', 'timings', *numbers]))
    print(table(report))
    if args.out:
        args.out.write_text(json.dumps(report, indent=1) + '\n')
        print(f'written to {args.out}')


if __name__ == '__main__':
    main()
