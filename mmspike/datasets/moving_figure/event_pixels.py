"""The pixels of an event camera: an event for each step of log-intensity, and noise.

Source: the model of event cameras of Rebecq et al., "ESIM: an Open Event Camera Simulator" (CoRL 2018).
"""
import numpy as np

THRESHOLD, MISMATCH = 0.25, 0.03  # step of log-intensity, and its standard deviation over the pixels
NOISE = 0.3  # events per second and pixel that nothing has caused


def simulate_events(frames: np.ndarray, interval: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The events that a row of frames causes.

    A pixel remembers a level. Each time its log-intensity, taken to be linear between two frames, has moved a threshold
    away from it, the pixel gives an event and the level moves by that threshold.

    Args:
        frames: uint8, values from 1. **Shape** [N, H, W].
        interval: Between two frames, in microseconds.
        rng: Source of mismatch, phase and noise.

    Returns:
        dict: ``t`` (microseconds, sorted), ``x``, ``y`` (from 0) and ``p`` (0 or 1), each int64. **Shape** [E].
    """
    count, height, width = frames.shape
    log = np.log(np.arange(256, dtype=np.float32).clip(1))[frames.reshape(count, -1)]  # [N, H * W]
    step = np.maximum(rng.normal(THRESHOLD, MISMATCH, height * width), THRESHOLD / 4).astype(np.float32)
    level = log[0] + step * rng.uniform(-0.5, 0.5, height * width).astype(np.float32)
    found = [_cross(log[n], log[n - 1], level, step, (n - 1) * interval, interval) for n in range(1, count)]
    found.append(_noise(count * interval, height * width, rng))
    times, pixels, polarities = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(times, kind='stable')
    y, x = np.divmod(pixels[order], width)
    return dict(t=times[order], x=x, y=y, p=polarities[order])


def _cross(now: np.ndarray, before: np.ndarray, level: np.ndarray, step: np.ndarray, start: int,
           interval: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events between two frames: times, pixels, polarities. Moves the levels."""
    away = now - level
    pixels = np.flatnonzero(np.abs(away) >= step)
    away, size = away[pixels], step[pixels]
    crossings = (np.abs(away) / size).astype(np.int64)
    signed = np.copysign(size, away)
    first = level[pixels]
    level[pixels] = first + signed * crossings
    # One row per event from here: the k-th crossing of its pixel
    event = np.repeat(np.arange(len(pixels)), crossings)
    k = np.arange(len(event)) - np.repeat(np.cumsum(crossings) - crossings, crossings) + 1
    reached, begin = first[event] + signed[event] * k, before[pixels][event]
    change = now[pixels][event] - begin
    fraction = np.clip((reached - begin) / np.where(change == 0, 1, change), 0, 1)
    return (start + fraction * (interval - 1)).astype(np.int64), pixels[event], (signed[event] > 0).astype(np.int64)


def _noise(duration: int, pixels: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = rng.poisson(NOISE * pixels * duration * 1e-6)
    return rng.integers(0, duration, count), rng.integers(0, pixels, count), rng.integers(0, 2, count)
