"""Convert a published checkpoint to ours: ``convert.py SYSTEM SRC DST``.

A published SNN-PAR file holds student and teacher: ``snn_par`` takes the one, ``vtb`` the other. ``vit`` makes of an
ImageNet ViT (timm) what the training of a VTB starts from; ``clip`` makes of a CLIP (OpenAI's archive, or a file of
open_clip, .safetensors too) what that of a SequencePAR does. ``dhp19_cnn`` reads the HDF5 file that Keras has written.
"""
import argparse
import sys
from pathlib import Path

import torch

from mmspike import convert
from mmspike.utils.checkpoint import CheckpointError
from mmspike.utils.foreign_weights import read_weights
from mmspike.version import __version__


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('system', choices=sorted(convert.__all__), help='which system the checkpoint is of')
    parser.add_argument('src', type=Path, help="published checkpoint: a state dict, alone or under 'state_dict(s)'; or "
                        'a .h5 of Keras')
    parser.add_argument('dst', type=Path, help='file to write; for init_model, tools/test.py or load_from')
    args = parser.parse_args(argv)
    try:
        weights = read_weights(args.src)
        state_dict = getattr(convert, args.system)(weights)
    except (CheckpointError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    args.dst.parent.mkdir(parents=True, exist_ok=True)
    meta = dict(source=args.src.name, system=args.system, mmspike_version=__version__)
    torch.save(dict(meta=meta, state_dict=state_dict), args.dst)
    print(f'{args.dst}: {len(state_dict)} tensors, {sum(v.numel() for v in state_dict.values()):,} values')
    if args.system == 'clip' and 'input_resolution' not in weights:  # which all archives of OpenAI have
        print("Weights do not show their activation: set model.backbone.activation='gelu' (and that of a text tower), "
              "unless these are of OpenAI or the name of their model ends in -quickgelu.")
    return 0


if __name__ == '__main__':
    sys.exit(main())
