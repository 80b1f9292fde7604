"""The body: lengths of its bones, and where its joints are for given angles.

The person faces +y, its right side is +x, z points up, the floor is at z = 0; all in mm. A bone hangs down at the
angles (0, 0); the first angle swings it forwards, the second outwards.
"""
import numpy as np

# Bones of one side, from the trunk outwards
LIMBS = ('upper_arm', 'forearm', 'thigh', 'shank')
LENGTHS = dict(hip=105, shoulder=195, trunk=520, neck=235, upper_arm=290, forearm=265, thigh=430, shank=430)
SIDES = dict(R=1, L=-1)


def draw_body(rng: np.random.Generator) -> dict[str, float]:
    """Lengths of the bones of one person, in mm; of hips and shoulders half the width."""
    size = rng.uniform(0.94, 1.04)
    return {bone: length * size * rng.uniform(0.95, 1.05) for bone, length in LENGTHS.items()}


def pose_body(body: dict[str, float], angles: dict[str, np.ndarray]) -> np.ndarray:
    """Joints at N moments.

    Args:
        body: From :func:`draw_body`.
        angles: Per bone and side, such as ``'thighR'``: forwards and outwards in radians, **Shape** [N, 2]; for
            ``'trunk'``: leaning forwards and to the right, **Shape** [N, 2]; for ``'yaw'``: turn of the whole body,
            **Shape** [N]; for ``'shift'``: of the whole body in mm, **Shape** [N, 3].

    Returns:
        np.ndarray: float64, mm, in the order of the skeleton ``dhp19``. **Shape** [N, 13, 3].
    """
    count = len(angles['yaw'])
    zero = np.zeros((count, 3))
    lean, roll = angles['trunk'].T
    up = np.stack([np.sin(roll) * np.cos(lean), np.sin(lean), np.cos(roll) * np.cos(lean)], -1)  # [N, 3]
    right = np.stack([np.cos(roll), 0 * roll, -np.sin(roll)], -1)
    joints = {'head': zero + up * (body['trunk'] + body['neck'])}
    for side, sign in SIDES.items():
        bones = {limb: _bone(angles[limb + side], sign) * body[limb] for limb in LIMBS}
        joints['hip' + side] = zero + [sign * body['hip'], 0, 0]
        joints['knee' + side] = joints['hip' + side] + bones['thigh']
        joints['foot' + side] = joints['knee' + side] + bones['shank']
        joints['shoulder' + side] = up * body['trunk'] + right * (sign * body['shoulder'])
        joints['elbow' + side] = joints['shoulder' + side] + bones['upper_arm']
        joints['hand' + side] = joints['elbow' + side] + bones['forearm']
    order = ['head', *(part + side for part in ('shoulder', 'elbow', 'hip', 'hand', 'knee', 'foot') for side in SIDES)]
    pose = np.stack([joints[name] for name in order], 1)  # [N, 13, 3]
    pose[..., 2] -= pose[..., 2].min(1, keepdims=True)  # the lower foot stands on the floor
    cos, sin = np.cos(angles['yaw']), np.sin(angles['yaw'])
    turn = np.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)
    pose[..., :2] = pose[..., :2] @ np.swapaxes(turn, 1, 2)
    return pose + angles['shift'][:, None]


def _bone(angles: np.ndarray, sign: int) -> np.ndarray:
    """Unit vectors of a bone of the right (1) or left (-1) side. **Shape** [N, 2] to [N, 3]."""
    forwards, outwards = angles.T
    return np.stack([sign * np.sin(outwards), np.cos(outwards) * np.sin(forwards),
                     -np.cos(outwards) * np.cos(forwards)], -1)
