"""Install mmspike, with the configs, tools and demos that ``mim`` looks for in ``mmspike/.mim``.

A wheel, and so an install from an sdist, carries copies of them. An editable install links to them instead: an edited
config is the config that runs. Everything between is built in a scratch folder, so that a build leaves nothing in the
source tree: a stale ``build/`` would carry deleted modules into the next wheel.
"""
import atexit
import os
import re
import shutil
import tempfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_py import build_py
from setuptools.command.egg_info import egg_info
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
MIM_FILES = ('configs', 'tools', 'demo', 'model-index.yml')

SCRATCH = tempfile.mkdtemp(prefix='mmspike-build-')
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def version() -> str:
    """The version, read without importing the package: its dependencies may not be there yet."""
    return re.search(r"__version__ = '(.+)'", (ROOT / 'mmspike/version.py').read_text())[1]


def requirements(name: str) -> list[str]:
    """The lines of ``requirements/<name>.txt``, those of the files that it names with ``-r`` in their place."""
    lines = []
    for line in (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines():
        line = line.partition('#')[0].strip()
        if line.startswith('-r '):
            lines += requirements(Path(line[3:]).stem)
        elif line:
            lines.append(line)
    return lines


class Build(build):
    """Build in the scratch folder unless told where."""

    def initialize_options(self):
        super().initialize_options()
        self.build_base = SCRATCH


class EggInfo(egg_info):
    """Write the metadata to the scratch folder unless told where; an sdist carries them, so it has them in the tree."""

    def finalize_options(self):
        if self.egg_base is None and 'sdist' not in self.distribution.commands:
            self.egg_base = SCRATCH
        super().finalize_options()


class Sdist(sdist):
    """Take the metadata out of the source tree again."""

    def run(self):
        super().run()
        shutil.rmtree(self.get_finalized_command('egg_info').egg_info)


class BuildPy(build_py):
    """Add ``.mim`` to the package: copies in a wheel, links in an editable install."""

    def run(self):
        super().run()
        mim = (ROOT if self.editable_mode else Path(self.build_lib)) / 'mmspike' / '.mim'
        shutil.rmtree(mim, ignore_errors=True)
        mim.mkdir(parents=True)
        for name in MIM_FILES:
            source = ROOT / name
            if self.editable_mode:
                (mim / name).symlink_to(os.path.relpath(source, mim))
            elif source.is_dir():
                shutil.copytree(source, mim / name, ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy2(source, mim / name)


setup(
    name='mmspike',
    version=version(),
    description='Spiking and hybrid ANN-SNN vision models in the OpenMMLab style',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author='The mmspike developers',
    license='Apache-2.0',
    license_files=['LICENSE'],
    keywords='computer vision, spiking neural networks, action recognition',
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.11',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    python_requires='>=3.11',
    packages=find_packages(include=['mmspike', 'mmspike.*']),
    package_data={'mmspike': ['**/*.json']},
    include_package_data=False,
    install_requires=requirements('runtime'),
    extras_require={
        'optional': requirements('optional'),
        'tests': requirements('tests'),
        'all': requirements('optional') + requirements('tests'),
    },
    cmdclass={'build': Build, 'build_py': BuildPy, 'egg_info': EggInfo, 'sdist': Sdist},
    zip_safe=False,
)
