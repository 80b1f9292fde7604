"""What the benchmarks share: clocks, memory, the copy bandwidth, fresh processes for allocator settings."""
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

# By default the C library returns large blocks to the system and gets them back as pages to be cleared.
ALLOCATORS = {'default': {}, 'tuned': {'MALLOC_MMAP_THRESHOLD_': str(2**30), 'MALLOC_TRIM_THRESHOLD_': str(2**34)}}


def wall_and_cpu(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of wall and of processor time; the second hardly sees other programs."""
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def min_and_median(values: Sequence[float]) -> tuple[float, float]:
    """Of repeated measurements."""
    return min(values), statistics.median(values)


def status_mb(field: str) -> float:
    """A field of ``/proc/self/status``, such as ``VmRSS``, in MB (Linux)."""
    return int(proc('/proc/self/status', field).split()[0]) / 1024


def proc(file: str, field: str) -> str:
    """The value of a line ``field: value``."""
    lines = Path(file).read_text().splitlines()
    return next(line.partition(':')[2].strip() for line in lines if line.startswith(field))


def reset_peak() -> float:
    """Give back freed memory, start a new peak (``VmHWM``), and return the present resident size, MB (Linux)."""
    ctypes.CDLL(None).malloc_trim(0)  # what lies freed would otherwise serve what is measured, unseen
    Path('/proc/self/clear_refs').write_text('5')
    return status_mb('VmRSS')


def hardware(device: str = 'cpu') -> dict:
    """Names and versions that belong beside every figure."""
    name = torch.cuda.get_device_name() if device == 'cuda' else proc('/proc/cpuinfo', 'model name')
    return dict(device=name, torch=torch.__version__, load_average=os.getloadavg())


def in_fresh_process(script: str, arguments: Sequence[str], environment: dict | None = None) -> dict:
    """Run a script on one thread and read the JSON in its last line: its allocator and its peak memory are its own.

    Raises:
        RuntimeError: It failed; with what it printed.
    """
    environment = dict(os.environ, OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore', **(environment or {}))
    done = subprocess.run([sys.executable, script, *arguments], env=environment, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f'{Path(script).name} {" ".join(arguments)} failed:\n{done.stderr}')
    return json.loads(done.stdout.splitlines()[-1])
