"""The house rules that a machine can check: imports point down, importing does nothing, files stay small."""
import ast
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine import registry as root

from mmspike import registry as ours

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    {'neurons', 'registry', 'utils', 'version'},
    {'structures', 'codecs'},
    {'models', 'datasets', 'evaluation', 'analysis', 'convert'},
    {'engine', 'visualization'},
    {'apis'},
)
LEVEL = {part: level for level, parts in enumerate(LAYERS) for part in parts}
OUTSIDE = {'tools', 'demo', 'tests', 'configs', 'benchmarks'}
FILES = [file for file in sorted((ROOT / 'mmspike').rglob('*.py')) if '.mim' not in file.parts]
MAX_LINES = 300
# Their output is what they are run for, or comes from a process whose logger is silent
MAY_PRINT = {'mmspike.utils.collect_env', 'mmspike.datasets.synthetic_actions',
             'mmspike.datasets.synthetic_pedestrians', 'mmspike.datasets.synthetic_poses'}


def part_of(module: str) -> str:
    """``mmspike.models.heads`` -> ``models``; the package itself -> ''."""
    return (module.split('.') + [''])[1]


def imports(tree: ast.Module, module: str, is_package: bool) -> set[tuple[int, str]]:
    """Every module that a file imports, with its line: inside functions and under TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(node.lineno, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = node.module or ''
            if node.level:
                here = module.split('.') if is_package else module.split('.')[:-1]
                source = '.'.join([*here[:len(here) - node.level + 1], *filter(None, [source])])
            # ``from mmspike import utils`` imports mmspike.utils
            found |= {(node.lineno, f'{source}.{a.name}' if source == 'mmspike' else source) for a in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split('.')[-1] in ('import_module', '__import__'):
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            found |= {(node.lineno, name) for name in names if isinstance(name, str)}
    return found


def forbidden(source: str, module: str, is_package: bool = False) -> list[str]:
    """The imports of a file that do not point down."""
    part, problems = part_of(module), []
    for line, target in sorted(imports(ast.parse(source), module, is_package)):
        top, other = target.split('.')[0], part_of(target)
        if top in OUTSIDE:
            problems.append(f'{module}:{line} imports {target}: nothing imports {top}')
        elif top == 'mmspike' and part and other not in ('', part, 'version') and LEVEL[other] >= LEVEL[part]:
            problems.append(f'{module}:{line} imports {target}: {part} is in layer {LEVEL[part]} and may only import '
                            f'layers below, {other} is in layer {LEVEL[other]}')
    return problems


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def test_every_part_has_a_layer():
    parts = {part_of(module_name(file)) for file in FILES} - {''}
    assert parts <= set(LEVEL), f'say in LAYERS where {parts - set(LEVEL)} belongs'


@pytest.mark.parametrize('file', FILES, ids=module_name)
def test_imports_point_down(file):
    assert forbidden(file.read_text(), module_name(file), file.name == '__init__.py') == []


@pytest.mark.parametrize('source, module, problem', [
    ('from mmspike.models import heads', 'mmspike.datasets.video', 'datasets is in layer 2'),
    ('import mmspike.engine.hooks', 'mmspike.models.heads.action', 'engine is in layer 3'),
    ('from mmspike import apis', 'mmspike.engine.hooks', 'apis is in layer 4'),
    ('from ...datasets import video', 'mmspike.models.heads.action', 'datasets is in layer 2'),
    ('from ..registry import MODELS', 'mmspike.neurons.modules', 'registry is in layer 0'),
    ('from mmspike.neurons import lif', 'mmspike.utils.compat', 'neurons is in layer 0'),
    ('def f():\n    from mmspike.datasets import video', 'mmspike.evaluation.metric', 'mmspike.evaluation.metric:2'),
    ('if TYPE_CHECKING:\n    from mmspike.models import X', 'mmspike.analysis.rates', 'models is in layer 2'),
    ("import_module('mmspike.models.heads')", 'mmspike.convert.respike', 'models is in layer 2'),
    ('from tools.train import main', 'mmspike.apis.model', 'nothing imports tools'),
    ('import tests.conftest', 'mmspike.apis.model', 'nothing imports tests'),
])
def test_an_import_that_points_up_is_found(source, module, problem):
    assert any(problem in line for line in forbidden(source, module))


@pytest.mark.parametrize('source, module', [
    ('from mmspike.neurons import lif', 'mmspike.models.layers.neuron'),
    ('from ..layers import block', 'mmspike.models.heads.action'),
    ('from . import action', 'mmspike.models.heads.pose'),
    ('from mmspike.version import __version__', 'mmspike.utils.compat'),
    ('from mmspike.datasets import video', 'mmspike.apis.model'),
])
def test_an_import_that_points_down_is_not(source, module):
    assert forbidden(source, module) == []


def prints(source: str) -> list[int]:
    """Lines that print: by ``print``, on a standard stream, or by ``print_log``, which prints unless given a logger."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if (name := ast.unparse(call.func)) in (
        'print', 'sys.stdout.write', 'sys.stderr.write') or name.split('.')[-1] == 'print_log'
        and len(call.args) < 2 and not any(keyword.arg == 'logger' for keyword in call.keywords)]


@pytest.mark.parametrize('file', FILES, ids=module_name)
def test_file_is_small_and_neither_prints_nor_asserts(file):
    source = file.read_text()
    assert len(source.splitlines()) <= MAX_LINES, 'which second idea moved in?'
    asserts = [node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]
    assert not asserts, 'raise an error that says what to do'
    assert not prints(source) or module_name(file) in MAY_PRINT, "use mmengine.logging.print_log(..., 'current')"


def test_what_prints_is_found():
    source = "print('a')\nsys.stdout.write('a')\nprint_log('a')\nprint_log('a', 'current')\nprint_log('a', logger=log)"
    assert prints(source) == [1, 2, 3]


def test_every_root_registry_has_a_child():
    """mmengine's list, not ours: a registry that it gains must be added here."""
    roots = {name: registry for name, registry in vars(root).items() if isinstance(registry, root.Registry)}
    children = {name: value for name, value in vars(ours).items() if isinstance(value, root.Registry)}
    assert len(roots) > 20 and set(children) == set(roots)
    for name, child in children.items():
        assert child.parent is roots[name] and child.scope == 'mmspike', name


def test_importing_mmspike_registers_nothing_and_takes_no_time():
    code = ('import time, sys, torch\n'
            'start = time.perf_counter()\n'
            'import mmspike\n'
            'seconds = time.perf_counter() - start\n'
            'print(seconds, *(m for m in sys.modules if m.startswith(("mmspike.", "mmengine", "mmcv", "cv2"))))')
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=ROOT)
    seconds, *modules = run.stdout.split()
    assert float(seconds) < 1
    assert set(modules) <= {'mmspike.version'}


def test_importing_the_registries_registers_nothing():
    code = ('import sys, time, torch\n'
            'start = time.perf_counter()\n'
            'from mmspike import registry\n'
            'seconds = time.perf_counter() - start\n'
            'from mmengine.registry import Registry\n'
            'print(seconds, *(n for n, r in vars(registry).items() if isinstance(r, Registry) and r.module_dict),\n'
            '      *(name for name in sys.modules if name.startswith("mmspike.")))')
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True, cwd=ROOT)
    seconds, *names = run.stdout.split()
    assert set(names) <= {'mmspike.registry', 'mmspike.version'}
    assert float(seconds) < 5  # mmengine's own import
