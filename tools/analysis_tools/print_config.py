"""Print a config with its ``_base_`` files and the overrides resolved: what a run with it will see."""
import argparse
import sys
from pathlib import Path

from mmspike.utils.config import add_cfg_options, load_config
from mmspike.utils.config_check import ConfigError, check_config


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', type=Path)
    parser.add_argument('--save', type=Path, help='also write it to this file (.py, .json or .yml)')
    add_cfg_options(parser)
    args = parser.parse_args(argv)
    try:
        cfg = load_config(args.config, args.cfg_options)
        print(cfg.pretty_text)
        if args.save:
            args.save.parent.mkdir(parents=True, exist_ok=True)
            cfg.dump(args.save)
        check_config(cfg)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
