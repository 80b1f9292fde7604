"""Energy of a GPU, measured by NVML: of the whole board, for what really runs there. Never mixed with estimates."""
import time
from collections.abc import Callable, Sequence

import torch

SECONDS = 10.0
"""Least length of a measurement: the counter of most boards moves every 20 to 100 ms."""


def measure_gpu(run: Callable[[object], None], samples: Sequence[object], device: str,
                seconds: float = SECONDS) -> dict[str, object]:
    """Run samples over and over and read the board's energy before and after; the idle board for comparison.

    Args:
        run: runs one sample on the device.
        samples: taken in turns.
        device: a CUDA device.
        seconds: at least so long.

    Returns:
        dict: name -> figure, with units in the names.

    Raises:
        ValueError: no CUDA device, no NVML, or a board without an energy counter; it says what to do.
    """
    if torch.device(device).type != 'cuda':
        raise ValueError(f'--measure-gpu: the device is {device}; NVML measures NVIDIA GPUs. Add --device cuda.')
    try:
        import pynvml
    except ImportError as error:
        raise ValueError('--measure-gpu: NVML is read through pynvml: pip install nvidia-ml-py.') from error
    pynvml.nvmlInit()
    try:
        uuid = str(torch.cuda.get_device_properties(device).uuid)
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid if uuid.startswith('GPU-') else f'GPU-{uuid}')

        def joules() -> float:
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000

        try:
            joules()
        except pynvml.NVMLError as error:
            raise ValueError(f'--measure-gpu: this board has no energy counter ({error}); Volta and later have.') \
                from error
        for sample in samples[:3]:
            run(sample)
        torch.cuda.synchronize(device)
        idle_watts = _watts_idle(joules, seconds / 2)
        runs, before, start = 0, joules(), time.perf_counter()
        while time.perf_counter() - start < seconds:
            for sample in samples:
                run(sample)
            torch.cuda.synchronize(device)
            runs += len(samples)
        elapsed, used = time.perf_counter() - start, joules() - before
        return {'board': pynvml.nvmlDeviceGetName(handle), 'mJ per sample': 1000 * used / runs,
                'mJ per sample above idle': 1000 * (used - idle_watts * elapsed) / runs, 'idle W': idle_watts,
                'samples per second': runs / elapsed, 'seconds': elapsed, 'batch size': 1}
    finally:
        pynvml.nvmlShutdown()


def _watts_idle(joules: Callable[[], float], seconds: float) -> float:
    before, start = joules(), time.perf_counter()
    time.sleep(seconds)
    return (joules() - before) / (time.perf_counter() - start)
