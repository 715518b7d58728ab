"""Euler angles that stay continuous from frame to frame."""

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_GIMBAL_SINE = 1 - 1e-9


def euler_zxy_deg(local_xyzw: Float64, before_deg: Float64 | None = None) -> Float64:
    """Intrinsic ZXY Euler angles (..., 3) in degrees (z, x, y): R = Rz Rx Ry, from quaternions (..., 4).

    Of the triples that give the same rotation, returns the one nearest to `before_deg` (..., 3), zeros by default: the
    other solution is (z + 180, 180 - x, y + 180), and each angle may differ by whole turns. In gimbal lock (x = +-90,
    where z and y turn about the same axis) y keeps its previous value.
    """
    m = rot.to_matrix(local_xyzw)
    before = np.zeros((*m.shape[:-2], 3)) if before_deg is None else before_deg
    sine = np.clip(m[..., 2, 1], -1.0, 1.0)
    x = np.arcsin(sine)
    z, y = np.arctan2(-m[..., 0, 1], m[..., 1, 1]), np.arctan2(-m[..., 2, 0], m[..., 2, 2])
    locked = np.abs(sine) > _GIMBAL_SINE
    y = np.where(locked, np.radians(before[..., 2]), y)
    z = np.where(locked, np.arctan2(m[..., 1, 0], m[..., 0, 0]) - np.sign(sine) * y, z)
    one = np.degrees(np.stack((z, x, y), axis=-1))
    other = np.stack((one[..., 0] + 180, 180 - one[..., 1], one[..., 2] + 180), axis=-1)
    one, other = (angles + 360 * np.round((before - angles) / 360) for angles in (one, other))
    distances = [np.abs(angles - before).sum(axis=-1, keepdims=True) for angles in (one, other)]
    return np.where(distances[1] < distances[0], other, one)
