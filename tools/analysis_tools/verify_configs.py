"""Check configs without building anything: every one under configs/, or those that are named.

Lists each name that nobody reads with its dotted path; exits with 1 if there is any. ``_base_`` holds parts of configs;
they are checked as part of every config that uses them.
"""
import argparse
import sys
from pathlib import Path

from mmengine.config import Config

from mmspike.utils import compat
from mmspike.utils.config_check import ConfigError, check_config

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def find_configs(paths: list[Path]) -> list[Path]:
    """The config files among ``paths`` and under those of them that are folders, parts in ``_base_`` left out."""
    files = [file for path in paths for file in (sorted(path.rglob('*.py')) if path.is_dir() else [path])]
    return [file for file in files if '_base_' not in file.parts]


def problem_of(file: Path) -> str | None:
    """What is wrong with a config, or None."""
    try:
        check_config(Config.fromfile(file))
    except ConfigError as error:
        return str(error)
    except Exception as error:  # one file that cannot be read must not keep the others from being checked
        return f'{file} cannot be read: {type(error).__name__}: {error}'
    return None


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('paths', nargs='*', type=Path, default=[CONFIGS], help='configs or folders (default: configs/)')
    args = parser.parse_args(argv)
    compat.apply()
    files = find_configs(args.paths)
    if not files:
        parser.error(f'no config in {", ".join(map(str, args.paths))}')
    problems = [problem for file in files if (problem := problem_of(file))]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f'{len(files) - len(problems)} of {len(files)} configs are in order')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
