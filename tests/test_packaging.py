"""What an installed mmspike holds: every module, every data file, and in ``.mim`` every config, tool and demo.

Everything is built in a copy of the source tree, and installed into fresh virtual environments that reach the packages
of the running one through a ``.pth`` file: nothing is downloaded.
"""
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from mmengine.fileio import load

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ('configs', 'tools', 'demo', 'model-index.yml')
SOURCES = (*PACKAGED, 'mmspike', 'benchmarks', 'docs', 'requirements', 'tests', 'setup.py', 'pyproject.toml',
           'MANIFEST.in', 'README.md', 'CHANGELOG.md', 'LICENSE')
PIP_INSTALL = ('install', '--quiet', '--no-deps', '--no-index', '--disable-pip-version-check')
PIP_WHEEL = ('wheel', '--quiet', '--no-deps', '--no-index', '--no-build-isolation', '--wheel-dir')

IMPORT_ALL = """
import importlib, pathlib, pkgutil, mmspike
names = [info.name for info in pkgutil.walk_packages(mmspike.__path__, 'mmspike.')]
for name in names:
    importlib.import_module(name)
print(pathlib.Path(mmspike.__file__).parent, len(names))
"""
LOAD_CONFIGS = """
import pathlib, mmspike
from mmengine.config import Config
root = pathlib.Path(mmspike.__file__).parent / '.mim' / 'configs'
leaves = [path for path in sorted(root.rglob('*.py')) if '_base_' not in path.parts]
for path in leaves:
    assert Config.fromfile(path).default_scope == 'mmspike', path
print(len(leaves))
"""


def run(*command, cwd=None) -> str:
    done = subprocess.run(command, cwd=cwd, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, f'{command} ended with {done.returncode}:\n{done.stdout}'
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    """What pip calls of the build backend: 'wheel', 'sdist' or 'editable'."""
    target.mkdir(parents=True, exist_ok=True)
    code = f'import sys; from setuptools import build_meta; build_meta.build_{kind}(sys.argv[1])'
    run(sys.executable, '-c', code, str(target), cwd=source)
    (built,) = target.iterdir()
    return built


def environment(path: Path, package: Path) -> Path:
    """A fresh virtual environment with ``package`` installed; returns its interpreter.

    The link to the running environment comes last: pip must not take an mmspike there for the one to replace.
    """
    run(sys.executable, '-m', 'venv', '--without-pip', str(path))
    python = path / 'bin' / 'python'
    run(sys.executable, '-m', 'pip', '--python', str(python), *PIP_INSTALL, str(package))
    site = Path(run(str(python), '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))').strip())
    parents = dict.fromkeys(sysconfig.get_path(name) for name in ('purelib', 'platlib'))
    (site / 'running_environment.pth').write_text('\n'.join(parents))
    return python


def files(folder: Path) -> set[str]:
    """Every file and link below ``folder``, caches aside."""
    return {str(path.relative_to(folder)) for path in folder.rglob('*')
            if not path.is_dir() and '__pycache__' not in path.parts}


def shipped() -> set[str]:
    """What a wheel must hold, by the names that it has there."""
    names = set(files(ROOT / 'mmspike'))
    names = {f'mmspike/{name}' for name in names if not name.startswith('.mim')}
    for name in PACKAGED:
        path = ROOT / name
        names |= {f'mmspike/.mim/{name}/{file}' for file in files(path)} if path.is_dir() else {f'mmspike/.mim/{name}'}
    return names


def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if '.dist-info/' not in name}


@pytest.fixture(scope='module')
def source(tmp_path_factory) -> Path:
    """A copy of what the sdist is made from, without what an editable install left in the tree."""
    copy = tmp_path_factory.mktemp('source')
    ignore = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        path = ROOT / name
        shutil.copytree(path, copy / name, ignore=ignore) if path.is_dir() else shutil.copy2(path, copy / name)
    return copy


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory) -> Path:
    before = files(source)
    target = tmp_path_factory.mktemp('wheel')
    run(sys.executable, '-m', 'pip', *PIP_WHEEL, str(target), str(source))
    assert files(source) == before, 'the build left files in the source tree'
    (built,) = target.iterdir()
    return built


def test_the_wheel_holds_every_source_file_and_nothing_else(wheel):
    assert wheel_files(wheel) == shipped()


def test_the_sdist_is_complete(source, wheel, tmp_path):
    before = files(source)
    sdist = build('sdist', source, tmp_path / 'sdist')
    assert files(source) == before, 'the build left files in the source tree'
    shutil.unpack_archive(sdist, tmp_path)
    unpacked = tmp_path / sdist.name.removesuffix('.tar.gz')
    assert before <= files(unpacked)
    assert wheel_files(build('wheel', unpacked, tmp_path / 'wheel')) == wheel_files(wheel)


def test_an_installed_wheel_imports_every_module_and_loads_every_config(wheel, tmp_path):
    python = environment(tmp_path / 'venv', wheel)
    where, count = run(str(python), '-I', '-c', IMPORT_ALL, cwd=tmp_path).split()[-2:]
    assert Path(where).is_relative_to(tmp_path)
    assert int(count) == len([name for name in shipped() if re.match(r'mmspike/[^.].*\.py$', name)]) - 1
    loaded = run(str(python), '-I', '-c', LOAD_CONFIGS, cwd=tmp_path).split()[-1]
    assert int(loaded) == len([path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts]) > 0


def test_an_editable_install_links_to_the_source_tree(source, wheel, tmp_path):
    for attempt in ('first', 'again'):  # the second finds the links of the first
        editable = build('editable', source, tmp_path / attempt)
    mim = source / 'mmspike' / '.mim'
    try:
        python = environment(tmp_path / 'venv', editable)
        where = run(str(python), '-I', '-c', 'import mmspike; print(mmspike.__file__)', cwd=tmp_path).strip()
        assert Path(where) == source / 'mmspike' / '__init__.py'
        assert sorted(os.listdir(mim)) == sorted(PACKAGED)
        for name in PACKAGED:
            assert (mim / name).is_symlink() and (mim / name).resolve() == source / name
        assert wheel_files(build('wheel', source, tmp_path / 'wheel')) == wheel_files(wheel)
    finally:
        shutil.rmtree(mim)


def test_requirements_name_every_extra(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
        metadata = archive.read(name).decode()
    requires = re.findall(r'^Requires-Dist: (.+)$', metadata, re.M)
    assert 'mmcv-lite==2.0.1' in requires and 'setuptools<82' in requires  # also those behind -r
    assert set(re.findall(r'extra == "(\w+)"', '\n'.join(requires))) == {'optional', 'tests', 'all'}
    assert 'License: Apache-2.0' in metadata and 'Requires-Python: >=3.11' in metadata


def test_ci_runs_the_command_of_the_readme():
    readme = (ROOT / 'README.md').read_text(encoding='utf-8')
    (block,) = re.findall(r'<!-- ci: begin -->\n```bash\n(.*?)\n```\n<!-- ci: end -->', readme, re.S)
    assert block == "pip install -e '.[tests]' && pytest"


def test_the_model_index_names_every_metafile_and_only_existing_configs():
    index = load(ROOT / 'model-index.yml')
    assert {ROOT / path for path in index['Import']} == set(ROOT.glob('configs/*/metafile.yml'))
    models = [model for path in index['Import'] for model in load(ROOT / path)['Models']]
    assert models and not [model['Config'] for model in models if not (ROOT / model['Config']).is_file()]
