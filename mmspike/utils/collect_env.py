"""What this machine has, what would not work on it, and what to do about it: ``python -m mmspike.utils.collect_env``.

Each check is a function of an :class:`~mmspike.utils.environment.Environment` that returns a sentence or None. The exit
status is 1 if something would not work.
"""
import sys
from collections.abc import Callable

from packaging.requirements import Requirement
from packaging.version import Version

from mmspike.utils.environment import LISTED, REQUIRED, Environment, collect


def python_too_old(env: Environment) -> str | None:
    if Version(env.python) < Version('3.11'):
        return f'Python {env.python}: 3.11 or later is needed (spikingjelly 2 asks for it). Make an environment with it'
    return None


def missing_packages(env: Environment) -> str | None:
    missing = [name for name in REQUIRED if name not in env.versions]
    return f'not installed: {", ".join(missing)}. `pip install {" ".join(missing)}`' if missing else None


def torch_too_old(env: Environment) -> str | None:
    if env.older('torch', '2.6'):
        return (f'torch {env.versions["torch"]}: 2.6 or later is needed, to read checkpoints safely and by '
                "spikingjelly 2. `pip install -U 'torch>=2.6' torchvision`")
    return None


def torchvision_mismatch(env: Environment) -> str | None:
    if not {'torch', 'torchvision'} <= set(env.versions):
        return None
    torch, vision = (Version(env.versions[name]) for name in ('torch', 'torchvision'))
    asked = [r for r in map(Requirement, env.requirements.get('torchvision', ())) if r.name == 'torch']
    unmet = [str(r) for r in asked if not r.specifier.contains(torch.base_version, prereleases=True)]
    if unmet or torch.local != vision.local:
        why = f'torchvision asks for {unmet[0]}' if unmet else 'they are builds for different devices'
        return (f'torch {torch} beside torchvision {vision}: {why}, so that `import torchvision` may fail. '
                'Install both in one command and from one index: `pip install --force-reinstall torch torchvision`')
    return None


def two_mmcv(env: Environment) -> str | None:
    if {'mmcv', 'mmcv-lite'} <= set(env.versions):
        return (f'mmcv {env.versions["mmcv"]} and mmcv-lite {env.versions["mmcv-lite"]} are installed into the same '
                'folder, where the later one has overwritten the other. `pip uninstall -y mmcv mmcv-lite`, then '
                '`pip install mmcv-lite==2.0.1`; if you need the operators of the full mmcv, `pip install mmcv==2.0.1` '
                'and `pip install --no-deps mmspike` instead')
    return None


def no_mmcv(env: Environment) -> str | None:
    if not {'mmcv', 'mmcv-lite'} & set(env.versions):
        return 'mmcv is not installed. `pip install mmcv-lite==2.0.1` (no operator of the full mmcv is used)'
    return None


def mmcv_too_new(env: Environment) -> str | None:
    for name in ('mmcv', 'mmcv-lite'):
        if env.at_least(name, '2.1') and env.older('mmaction2', '1.2'):
            return (f'{name} {env.versions[name]}: mmaction2 {env.versions["mmaction2"]} refuses mmcv >= 2.1. '
                    f'`pip install {name}==2.0.1`')
    return None


def mmaction_without_drn(env: Environment) -> str | None:
    if env.at_least('mmaction2', '1.2') and not env.mmaction_drn:
        return (f'mmaction2 {env.versions["mmaction2"]}: its wheel lacks mmaction.models.localizers.drn, so that its '
                'models cannot be registered. `pip install mmaction2==1.1.0`')
    return None


def spikingjelly_other_major(env: Environment) -> str | None:
    if 'spikingjelly' in env.versions and not (env.at_least('spikingjelly', '2.0') and env.older('spikingjelly', '3')):
        return (f'spikingjelly {env.versions["spikingjelly"]}: the adapter to its neurons is written for 2.x. '
                "`pip install 'spikingjelly>=2,<3'`")
    return None


def opencv_versions_differ(env: Environment) -> str | None:
    found = {name: version for name, version in env.versions.items() if name.startswith('opencv-')}
    if len(set(found.values())) > 1:
        listed = ', '.join(f'{name} {version}' for name, version in found.items())
        pins = ' '.join(f'{name}=={max(found.values(), key=Version)}' for name in found)
        return (f'{listed} share the folder cv2 and differ, so that it is a mixture of them. '
                f'`pip uninstall -y {" ".join(found)}`, then `pip install {pins}`, or the newest version that all have')
    return None


def no_opencv(env: Environment) -> str | None:
    if not any(name.startswith('opencv-') for name in env.versions):
        return 'OpenCV is not installed, and videos are read with it. `pip install opencv-python`'
    return None


def broken_imports(env: Environment) -> str | None:
    if env.import_errors:
        listed = '; '.join(f'{name} ({error})' for name, error in env.import_errors.items())
        library = any('libGL' in error for error in env.import_errors.values())
        return f'installed but not importable: {listed}. ' + (
            '`apt install libgl1`, or opencv-python-headless in place of opencv-python' if library else
            'Follow what is said above first, then reinstall what still fails')
    return None


def gpu_out_of_reach(env: Environment) -> str | None:
    hidden = env.variables.get('CUDA_VISIBLE_DEVICES') in ('', '-1')
    if not env.driver or env.gpus or hidden or 'torch' not in env.versions:
        return None
    if env.cuda is None:
        return ('there is an NVIDIA driver, but torch is a build for the CPU. '
                '`pip install --force-reinstall torch torchvision`, from the default index')
    return (f'there is an NVIDIA driver, but torch for CUDA {env.cuda} sees no GPU. `nvidia-smi` names the CUDA of the '
            'driver: update the driver, or take a torch for that CUDA (https://pytorch.org/get-started)')


def no_pkg_resources(env: Environment) -> str | None:
    if env.at_least('setuptools', '82') or 'setuptools' not in env.versions:
        return ('setuptools has no pkg_resources: the tools and apis of mmspike stand in for it; a program of your own '
                "that uses mmengine's `_base_ = 'mmpretrain::...'` calls mmspike.utils.compat.apply() first, or needs "
                "`pip install 'setuptools<82'`")
    return None


def no_gpu(env: Environment) -> str | None:
    if not env.gpus and not env.driver:
        return 'no GPU: all runs on the CPU; the synthetic configs train there in minutes, the published ones do not'
    return None


def no_triton(env: Environment) -> str | None:
    if env.gpus and 'triton' not in env.versions:
        return 'no triton: fused neurons on the GPU need it. `pip install triton`'
    return None


def no_compiler(env: Environment) -> str | None:
    if env.compiler is None:
        return 'no C++ compiler: torch.compile cannot fuse on the CPU. `apt install g++`'
    return None


def missing_decoders(env: Environment) -> str | None:
    backends = {'decord': "VideoInit(backend='decord')", 'av': "VideoInit(backend='pyav')"}
    missing = [name for name in backends if name not in env.versions]
    if missing:
        lost = ' and no '.join(backends[name] for name in missing)
        return (f'without {" and ".join(missing)} there is no {lost}; the default, OpenCV, reads videos all the same. '
                f'`pip install {" ".join(missing)}`')
    return None


PROBLEMS: tuple[Callable[[Environment], str | None], ...] = (
    python_too_old, missing_packages, torch_too_old, torchvision_mismatch, two_mmcv, no_mmcv, mmcv_too_new,
    mmaction_without_drn, spikingjelly_other_major, opencv_versions_differ, no_opencv, gpu_out_of_reach, broken_imports)
NOTES: tuple[Callable[[Environment], str | None], ...] = (
    no_pkg_resources, no_gpu, no_triton, no_compiler, missing_decoders)


def findings(env: Environment) -> tuple[list[str], list[str]]:
    """What would not work, and what is good to know, each with what to do about it."""
    return [s for check in PROBLEMS if (s := check(env))], [s for check in NOTES if (s := check(env))]


def report(env: Environment) -> str:
    """Everything about an environment as text: what there is, what would not work, what is good to know."""
    facts = {'python': f'{env.python} on {env.platform}', **{n: env.versions[n] for n in LISTED if n in env.versions}}
    facts['CUDA of torch'] = env.cuda or 'none, a build for the CPU'
    facts['GPU'] = ', '.join(env.gpus) or 'none'
    facts['CPU cores'] = str(env.cores)
    facts['C++ compiler'] = env.compiler or 'none'
    facts.update(env.variables)
    problems, notes = findings(env)
    lines = [f'{name:<28} {fact}' for name, fact in facts.items()]
    for title, sentences in (('Would not work', problems), ('Good to know', notes)):
        if sentences:
            lines += ['', f'{title}:', *(f'- {sentence}' for sentence in sentences)]
    return '\n'.join(lines if problems else [*lines, '', 'Nothing stands in the way.'])


def main() -> int:
    env = collect()
    sys.stdout.write(report(env) + '\n')
    return 1 if findings(env)[0] else 0


if __name__ == '__main__':
    sys.exit(main())
