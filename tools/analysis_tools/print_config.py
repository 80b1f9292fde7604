"""Print a config with its ``_base_`` files and the overrides resolved: what a run with it will see."""
import argparse
import sys
from pathlib import Path

from mmengine.config import Config, DictAction

from mmspike.utils import compat
from mmspike.utils.config_check import ConfigError, check_config


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=Path)
    parser.add_argument('--save', type=Path, help='also write it to this file (.py, .json or .yml)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
                        help='overrides, such as model.backbone.stride=2 train_dataloader.batch_size=4')
    args = parser.parse_args(argv)
    compat.apply()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    print(cfg.pretty_text)
    if args.save:
        args.save.parent.mkdir(parents=True, exist_ok=True)
        cfg.dump(args.save)
    try:
        check_config(cfg)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
