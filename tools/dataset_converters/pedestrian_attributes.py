"""Pedestrian attribute data sets: raw release -> one annotation file for AttributeDataset.

  python tools/dataset_converters/pedestrian_attributes.py pa100k data/pa100k

DATASET     ROOT holds                                                                     writes
pa100k      annotation.mat, data/000001.jpg ...                                            pa100k.json
peta        PETA.mat, images/00001.png ...                                                 peta.json
rapv1       RAP_annotation/RAP_annotation.mat, RAP_dataset/                                rapv1.json
rapv2       the same, of version 2                                                         rapv2.json
peta_zs     as peta, and dataset_zs_run0.pkl ... (or --splits)                             peta_zs.json
rap_zs      as rapv2, and dataset_zs_run0.pkl ... (or --splits)                            rap_zs.json
upar        dataset_all.pkl and the folders of the joined data sets                        upar.json
market1501  market_attribute.mat, bounding_box_train/, bounding_box_test/, query/          market1501.json
pickle      dataset_all.pkl or dataset.pkl (or ROOT is such a file); read without running code
own         ROOT is a CSV or JSON table of your own, see docs/datasets.md

Writes <name>.json and <name>_report.json into the folder, unless --out says where. A data set with an error (images
missing, splits that overlap, wrong labels) is not written.
"""
import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from mmspike.datasets import attributes
from mmspike.datasets.attributes.verify import MISSING, UNREADABLE, without_unreadable
from mmspike.utils.tool_errors import run_tool

READERS = dict(pa100k=attributes.read_pa100k, peta=attributes.read_peta, rapv1=attributes.read_rapv1,
               rapv2=attributes.read_rapv2, peta_zs=attributes.read_peta_zs, rap_zs=attributes.read_rap_zs,
               upar=attributes.read_upar, market1501=attributes.read_market1501, pickle=attributes.read_pickle,
               own=attributes.read_own_set)
ZERO_SHOT = ('peta_zs', 'rap_zs')


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('dataset', choices=READERS, metavar='DATASET', help=', '.join(READERS))
    parser.add_argument('root', type=Path, metavar='ROOT', help='folder of the release, or a file: see above')
    parser.add_argument('--images', type=Path, help='folder of the images, where it is not the usual one')
    parser.add_argument('--splits', type=Path, nargs='+', default=[], help='pickled divisions of peta_zs and rap_zs')
    parser.add_argument('--out', type=Path, help='the annotation file to write')
    parser.add_argument('--check', action='store_true', help='decode every image (some minutes for 100,000)')
    parser.add_argument('--skip-unreadable', action='store_true',
                        help='leave images that are missing or do not decode out of the splits, and go on')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes that decode')
    args = parser.parse_args(argv)
    if args.splits and args.dataset not in ZERO_SHOT:
        parser.error(f'--splits is for {" and ".join(ZERO_SHOT)}; {args.dataset} brings its own splits')
    return args


def convert(args: argparse.Namespace) -> int:
    start, options = time.perf_counter(), dict(splits=args.splits) if args.dataset in ZERO_SHOT else {}
    release = READERS[args.dataset](args.root, **options)
    release.images = args.images or release.images
    name = args.root.stem if args.root.is_file() else args.dataset
    out = args.out or (args.root.parent if args.root.is_file() else args.root) / f'{name}.json'
    if out == args.root:
        out = out.with_name(f'{name}_annotation.json')
    report = attributes.verify(release, args.check, args.workers)
    unreadable = {title: report.errors[title] for title in (MISSING, UNREADABLE) if title in report.errors}
    skipped = without_unreadable(release, report) if args.skip_unreadable else 0

    annotation = release.annotation
    groups = len({attribute.group for attribute in annotation.attributes})
    print(f'{annotation.dataset}: {len(annotation.files)} images in {release.images}, {len(annotation.attributes)} '
          f'attributes in {groups} groups')
    print('\n'.join(report.lines()))
    if skipped:
        print(f'{skipped} images are left out of all splits: missing or not to be decoded')
    out.parent.mkdir(parents=True, exist_ok=True)
    told = out.with_name(f'{out.stem}_report.json')
    told.write_text(json.dumps(dict(asdict(report), unreadable=unreadable), indent=1), encoding='utf-8')
    if report.errors:
        advice = '; --skip-unreadable leaves out the images' if set(report.errors) <= {MISSING, UNREADABLE} else ''
        sys.exit(f'Not written: {len(report.errors)} kinds of errors, see above; all of them are in {told}{advice}')
    attributes.save_annotation(annotation, out)
    print(f'{out} written in {time.perf_counter() - start:.1f} s; use it with data_root={str(out.parent)!r}, '
          f'ann_file={out.name!r}, data_prefix=dict(img={os.path.relpath(release.images, out.parent)!r})')
    return 0


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    run_tool(lambda: convert(args))
    return 0


if __name__ == '__main__':
    sys.exit(main())
