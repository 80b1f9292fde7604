"""Five motions at 1.2 to 2 Hz: fast enough that a pose a tenth of a second old is wrong."""
import numpy as np

from .body import LIMBS, SIDES

RATE = (1.2, 2.0)  # repetitions per second
JITTER = 0.12  # radians: how far a resting bone is from hanging down


def draw_motion(name: str, times: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The angles of one recording, for :func:`~mmspike.datasets.moving_figure.body.pose_body`.

    Every recording has its own rate, extent, direction of view and resting pose, and sways, turns and rolls on top of
    the motion.

    Args:
        name: One of ``MOTIONS``.
        times: Seconds. **Shape** [N].
        rng: Source of randomness.
    """
    rest = {limb + side: rng.normal(0, JITTER, 2) + [0, JITTER] for limb in LIMBS for side in SIDES}
    angles = {bone: np.tile(value, (len(times), 1)) for bone, value in rest.items()}
    angles['trunk'] = np.tile(rng.normal(0, 0.04, 2), (len(times), 1))
    angles['shift'] = np.zeros((len(times), 3))
    phase = 2 * np.pi * (rng.uniform(*RATE) * times + rng.random())
    MOTIONS[name](angles, phase, rng.uniform(0.85, 1.15), rng)

    angles['trunk'][:, 1] += _wave(times, rng, 0.08)
    angles['yaw'] = rng.uniform(-0.7, 0.7) + _wave(times, rng, 0.2)
    angles['shift'][:, 0] += rng.uniform(-80, 80) + _wave(times, rng, 60)
    angles['shift'][:, 1] += rng.uniform(-80, 80) + _wave(times, rng, 40)
    return angles


def _wave(times: np.ndarray, rng: np.random.Generator, extent: float) -> np.ndarray:
    """A slow sine of up to ``extent``."""
    return rng.uniform(0.4, 1) * extent * np.sin(2 * np.pi * (rng.uniform(0.3, 0.7) * times + rng.random()))


def _open(phase: np.ndarray) -> np.ndarray:
    """From 0 to 1 and back, once in a turn."""
    return (1 - np.cos(phase)) / 2


def _jumping_jack(angles: dict, phase: np.ndarray, extent: float, rng: np.random.Generator) -> None:
    for side in SIDES:
        angles['upper_arm' + side][:, 1] += 2.3 * extent * _open(phase)
        angles['forearm' + side][:, 1] += 2.5 * extent * _open(phase - 0.2)
        for bone in ('thigh', 'shank'):
            angles[bone + side][:, 1] += 0.38 * extent * _open(phase)
    angles['shift'][:, 2] += 70 * _open(2 * phase)


def _wave_arms(angles: dict, phase: np.ndarray, extent: float, rng: np.random.Generator) -> None:
    later = rng.choice([0, np.pi])  # both arms together, or in turn
    for side, lag in zip(SIDES, (0, later), strict=True):
        angles['upper_arm' + side][:, 1] += 1.25 + 0.45 * extent * np.sin(phase - lag)
        angles['forearm' + side][:, 1] += 1.9 + 1.1 * extent * np.sin(phase - lag - 0.4)
    angles['shift'][:, 0] += 90 * extent * np.sin(phase)  # from one foot to the other
    angles['trunk'][:, 1] += 0.12 * np.sin(phase)


def _march(angles: dict, phase: np.ndarray, extent: float, rng: np.random.Generator) -> None:
    for side, lag in zip(SIDES, (0, np.pi), strict=True):
        lift = _open(phase - lag)
        angles['thigh' + side][:, 0] += 1.3 * extent * lift
        angles['shank' + side][:, 0] -= 0.5 * extent * lift
        angles['upper_arm' + side][:, 0] += 0.9 * extent * np.cos(phase - lag)
        angles['forearm' + side][:, 0] += 0.6 + 1.1 * extent * np.cos(phase - lag - 0.3)


def _punch(angles: dict, phase: np.ndarray, extent: float, rng: np.random.Generator) -> None:
    for side, lag in zip(SIDES, (0, np.pi), strict=True):
        thrust = _open(phase - lag)
        angles['upper_arm' + side][:, 0] += 0.1 + 1.4 * extent * thrust
        angles['forearm' + side][:, 0] += 2.3 - 0.8 * extent * thrust
        angles['upper_arm' + side][:, 1] += 0.3 * extent * (1 - thrust)
        angles['thigh' + side][:, 0] += 0.45 * extent * _open(2 * phase)
        angles['shank' + side][:, 0] -= 0.35 * extent * _open(2 * phase)
    angles['trunk'][:, 1] += 0.15 * np.sin(phase)


def _squat(angles: dict, phase: np.ndarray, extent: float, rng: np.random.Generator) -> None:
    down = _open(phase)
    for side in SIDES:
        angles['thigh' + side][:, 0] += 1.0 * extent * down
        angles['thigh' + side][:, 1] += 0.35 * down
        angles['shank' + side][:, 0] -= 0.7 * extent * down
        angles['upper_arm' + side][:, 0] += 1.7 * extent * down
        angles['forearm' + side][:, 0] += 1.9 * extent * down
    angles['trunk'][:, 0] += 0.3 * extent * down


MOTIONS = dict(jumping_jack=_jumping_jack, wave=_wave_arms, march=_march, punch=_punch, squat=_squat)
