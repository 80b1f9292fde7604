"""The facts of a machine and its Python environment, as far as they decide what works."""
import os
import platform
import shutil
import subprocess
import warnings
from dataclasses import dataclass, field
from importlib import import_module, metadata, util
from pathlib import Path

from packaging.version import Version

REQUIRED = (
    'torch', 'torchvision', 'numpy', 'mmengine', 'mmpretrain', 'mmaction2', 'spikingjelly', 'scipy', 'tensorboard')
LISTED = (*REQUIRED, 'mmcv', 'mmcv-lite', 'opencv-python', 'opencv-python-headless', 'opencv-contrib-python',
          'opencv-contrib-python-headless', 'decord', 'av', 'triton', 'setuptools', 'mmspike')
IMPORTED = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmpretrain', 'mmaction', 'cv2')
VARIABLES = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'LD_PRELOAD', 'MALLOC_MMAP_THRESHOLD_', 'MALLOC_TRIM_THRESHOLD_',
             'GLIBC_TUNABLES', 'CUDA_VISIBLE_DEVICES')


@dataclass
class Environment:
    """The facts that the checks look at.

    Args:
        versions: Installed distributions; one that is absent is not in it.
        requirements: What a distribution asks of others, as its metadata say.
        import_errors: Modules that are installed and cannot be imported, with the error.
        cuda: The CUDA version that torch was built for, None for a CPU build.
        gpus: The GPUs that torch sees.
        driver: Whether the machine has an NVIDIA driver.
        compiler: The C++ compiler, its first line of ``--version``.
        mmaction_drn: Whether mmaction2 holds ``mmaction.models.localizers.drn``.
        variables: Those of ``VARIABLES`` that are set.
    """
    versions: dict[str, str]
    requirements: dict[str, list[str]] = field(default_factory=dict)
    import_errors: dict[str, str] = field(default_factory=dict)
    cuda: str | None = None
    gpus: list[str] = field(default_factory=list)
    driver: bool = False
    compiler: str | None = None
    mmaction_drn: bool = True
    variables: dict[str, str] = field(default_factory=dict)
    python: str = platform.python_version()
    platform: str = platform.platform()
    cores: int | None = os.cpu_count()

    def older(self, name: str, version: str) -> bool:
        """Whether a distribution is installed in a version before ``version``."""
        return name in self.versions and Version(self.versions[name]) < Version(version)

    def at_least(self, name: str, version: str) -> bool:
        """Whether a distribution is installed in ``version`` or a later one."""
        return name in self.versions and not self.older(name, version)


def collect() -> Environment:
    """Look at this machine. Installed libraries are imported, to see whether they can be."""
    versions, requirements = {}, {}
    for name in LISTED:
        try:
            versions[name], requirements[name] = metadata.version(name), metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
    env = Environment(versions, requirements, _import_errors(), driver=shutil.which('nvidia-smi') is not None,
                      compiler=_compiler(), variables={n: os.environ[n] for n in VARIABLES if n in os.environ})
    if 'torch' in versions and 'torch' not in env.import_errors:
        cuda = import_module('torch.cuda')
        env.cuda = import_module('torch.version').cuda
        env.gpus = [cuda.get_device_name(i) for i in range(cuda.device_count())]
    spec = util.find_spec('mmaction')
    env.mmaction_drn = spec is None or (Path(spec.origin).parent / 'models/localizers/drn').is_dir()
    return env


def _import_errors() -> dict[str, str]:
    """The libraries that are installed and cannot be imported."""
    errors = {}
    for name in IMPORTED:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:  # else it is not installed, which another check says
                errors[name] = str(error)
        except Exception as error:  # whatever a broken library raises is what is to be told
            errors[name] = f'{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ""}'
    return errors


def _compiler() -> str | None:
    for name in (os.environ.get('CXX'), 'c++', 'g++', 'clang++'):
        if name and shutil.which(name):
            run = subprocess.run([name, '--version'], capture_output=True, text=True, check=False)
            return run.stdout.partition('\n')[0] or name
    return None
