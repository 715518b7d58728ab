"""Quaternion maths on arrays: xyzw, unit, Hamilton, active; every function takes any leading batch shape.

q and -q are the same rotation: compare rotations by `angle_between_rad`, not by their components. `utils.vec3` is the
scalar twin.
"""

import numpy as np
import numpy.typing as npt

from realtime_pose.utils.arrays import Float64

IDENTITY_XYZW: Float64 = np.array([0.0, 0.0, 0.0, 1.0])
IDENTITY_XYZW.flags.writeable = False

_TINY = 1e-12
_GIMBAL_SINE = 1 - 1e-9
_STRAIGHT_SINE = 1e-9  # of the angle between a camera's axis and the vertical: less is straight up or down


def unit(vectors: npt.ArrayLike) -> Float64:
    """Vectors (..., D) scaled to length one; a zero vector stays zero."""
    v = np.asarray(vectors, dtype=np.float64)
    return v / np.maximum(np.sqrt((v * v).sum(axis=-1, keepdims=True)), _TINY)


def multiply(a_xyzw: npt.ArrayLike, b_xyzw: npt.ArrayLike) -> Float64:
    """The rotation by b first, then by a: (..., 4) x (..., 4) -> (..., 4)."""
    a, b = np.asarray(a_xyzw, dtype=np.float64), np.asarray(b_xyzw, dtype=np.float64)
    ax, ay, az, aw = a[..., 0], a[..., 1], a[..., 2], a[..., 3]
    bx, by, bz, bw = b[..., 0], b[..., 1], b[..., 2], b[..., 3]
    out = np.empty(_common_shape(a, b))  # filled by column: takes half the time of np.stack
    out[..., 0] = aw * bx + ax * bw + ay * bz - az * by
    out[..., 1] = aw * by - ax * bz + ay * bw + az * bx
    out[..., 2] = aw * bz + ax * by - ay * bx + az * bw
    out[..., 3] = aw * bw - ax * bx - ay * by - az * bz
    return out


def inverse(q_xyzw: npt.ArrayLike) -> Float64:
    """The inverse rotation (the conjugate, as q is unit): (..., 4) -> (..., 4)."""
    return np.asarray(q_xyzw, dtype=np.float64) * np.array([-1.0, -1.0, -1.0, 1.0])


def rotate(q_xyzw: npt.ArrayLike, vectors: npt.ArrayLike) -> Float64:
    """Vectors rotated by q: (..., 4) x (..., 3) -> (..., 3)."""
    q, v = np.asarray(q_xyzw, dtype=np.float64), np.asarray(vectors, dtype=np.float64)
    t = 2.0 * cross(q[..., :3], v)
    return v + q[..., 3:] * t + cross(q[..., :3], t)


def cross(a: Float64, b: Float64) -> Float64:
    """The cross product (..., 3), without the per-call overhead of np.cross."""
    out = np.empty(_common_shape(a, b))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def _common_shape(a: Float64, b: Float64) -> tuple[int, ...]:
    return a.shape if a.shape == b.shape else np.broadcast_shapes(a.shape, b.shape)


def from_rotvec(rotvec_rad: npt.ArrayLike) -> Float64:
    """Axis times angle (..., 3) -> quaternion (..., 4)."""
    v = np.asarray(rotvec_rad, dtype=np.float64)
    angle = np.linalg.norm(v, axis=-1, keepdims=True)
    # sin(a/2)/a tends to 1/2 as a tends to 0
    scale = np.where(angle > 1e-9, np.sin(angle / 2) / np.maximum(angle, 1e-9), 0.5)
    return np.concatenate((v * scale, np.cos(angle / 2)), axis=-1)


def to_rotvec(q_xyzw: npt.ArrayLike) -> Float64:
    """Quaternion (..., 4) -> axis times angle (..., 3), angle in [0, pi]."""
    q = np.asarray(q_xyzw, dtype=np.float64)
    q = np.where(q[..., 3:] < 0, -q, q)
    sine = np.linalg.norm(q[..., :3], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, q[..., 3:])
    return q[..., :3] * np.where(sine > 1e-9, angle / np.maximum(sine, 1e-9), 2.0)


def from_axis_angle(axis: npt.ArrayLike, angle_rad: npt.ArrayLike) -> Float64:
    """The rotation by `angle_rad` (...) about the unit `axis` (..., 3) -> (..., 4)."""
    half = np.asarray(angle_rad, dtype=np.float64)[..., None] / 2
    return np.concatenate((np.asarray(axis, dtype=np.float64) * np.sin(half), np.cos(half)), axis=-1)


def from_matrix(matrix: npt.ArrayLike) -> Float64:
    """Rotation matrices (..., 3, 3) -> quaternions (..., 4).

    Source: Shepperd's method; the branch with the largest pivot avoids a division by a small number.
    """
    m = np.asarray(matrix, dtype=np.float64)
    m00, m11, m22 = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    s, d = m + np.swapaxes(m, -1, -2), m - np.swapaxes(m, -1, -2)
    # Row i of `candidates` is 4*q_i*q for i = x, y, z, w. Filled by element: nested np.stack takes twice as long.
    candidates = np.empty((*m.shape[:-2], 4, 4))
    for i, pivot in enumerate((m00 - m11 - m22, m11 - m00 - m22, m22 - m00 - m11, m00 + m11 + m22)):
        candidates[..., i, i] = 1 + pivot
    for i, j, product in (
        (0, 1, s[..., 0, 1]), (0, 2, s[..., 0, 2]), (1, 2, s[..., 1, 2]),
        (0, 3, d[..., 2, 1]), (1, 3, d[..., 0, 2]), (2, 3, d[..., 1, 0]),
    ):  # fmt: skip
        candidates[..., i, j] = candidates[..., j, i] = product
    # The largest of x, y, z, w is on the largest element of the diagonal.
    pivot = np.argmax(np.diagonal(candidates, axis1=-2, axis2=-1), axis=-1)
    best = np.take_along_axis(candidates, pivot[..., None, None], axis=-2)[..., 0, :]
    return unit(best)


def to_matrix(q_xyzw: npt.ArrayLike) -> Float64:
    """Quaternions (..., 4) -> rotation matrices (..., 3, 3); columns are the rotated x, y and z axes."""
    q = np.asarray(q_xyzw, dtype=np.float64)
    axes = np.broadcast_to(np.eye(3), (*q.shape[:-1], 3, 3))
    return np.swapaxes(rotate(q[..., None, :], axes), -1, -2)


def shortest_arc(from_vec: npt.ArrayLike, to_vec: npt.ArrayLike) -> Float64:
    """The smallest rotation that takes one direction into the other: (..., 3) x (..., 3) -> (..., 4).

    For opposite directions, where the axis is ambiguous, a perpendicular one is chosen.
    """
    a, b = np.broadcast_arrays(unit(from_vec), unit(to_vec))
    w = 1.0 + np.sum(a * b, axis=-1, keepdims=True)
    xyz = cross(a, b)
    flipped = w < 1e-8
    if np.any(flipped):
        other = np.where(np.abs(a[..., :1]) < 0.9, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
        xyz, w = np.where(flipped, unit(cross(a, other)), xyz), np.where(flipped, 0.0, w)
    return unit(np.concatenate((xyz, w), axis=-1))


def twist_about(q_xyzw: npt.ArrayLike, axis: npt.ArrayLike) -> Float64:
    """The twist (..., 4) of q about the unit `axis` (..., 3): q = swing * twist.

    Source: Dobrowolski, "Swing-twist decomposition in Clifford algebra" (2015), section 4.
    """
    q, a = np.asarray(q_xyzw, dtype=np.float64), np.asarray(axis, dtype=np.float64)
    projection = np.sum(q[..., :3] * a, axis=-1, keepdims=True)
    twist = np.concatenate((a * projection, q[..., 3:]), axis=-1)
    norm = np.linalg.norm(twist, axis=-1, keepdims=True)
    return np.where(norm > 1e-9, twist / np.maximum(norm, 1e-9), IDENTITY_XYZW)  # half-turn swing: no twist


def slerp(a_xyzw: npt.ArrayLike, b_xyzw: npt.ArrayLike, fraction: npt.ArrayLike) -> Float64:
    """The rotation `fraction` (...) of the short way from a to b: (..., 4) x (..., 4) -> (..., 4)."""
    a = np.asarray(a_xyzw, dtype=np.float64)
    step = to_rotvec(multiply(inverse(a), b_xyzw))
    return multiply(a, from_rotvec(step * np.asarray(fraction, dtype=np.float64)[..., None]))


def nearest_sign(q_xyzw: npt.ArrayLike, reference_xyzw: npt.ArrayLike) -> Float64:
    """q or -q (..., 4), whichever is nearer to the reference: keeps a stream free of sign flips."""
    q = np.asarray(q_xyzw, dtype=np.float64)
    dot = np.sum(q * np.asarray(reference_xyzw), axis=-1, keepdims=True)
    return np.where(dot < 0, -q, q)


def angle_between_rad(a_xyzw: npt.ArrayLike, b_xyzw: npt.ArrayLike) -> Float64:
    """The angle (...) of the rotation from a to b, in [0, pi]."""
    return np.linalg.norm(to_rotvec(multiply(inverse(a_xyzw), b_xyzw)), axis=-1)


def from_pitch_roll(pitch_rad: npt.ArrayLike, roll_rad: npt.ArrayLike) -> Float64:
    """The rotation (..., 4), world from camera, of a camera that looks towards -z, pitched (...) and rolled (...).

    Canonical axes on both sides, so an unturned camera has x to the image's right, y up and looks along -z; it is not
    turned about the vertical. Positive pitch looks down. With positive roll the world leans to the image's right.
    """
    pitched = from_axis_angle((1.0, 0.0, 0.0), -np.asarray(pitch_rad, dtype=np.float64))
    return multiply(pitched, from_axis_angle((0.0, 0.0, 1.0), roll_rad))


def pitch_roll_of(world_from_camera_xyzw: npt.ArrayLike) -> Float64:
    """Pitch and roll (..., 2) in rad of `from_pitch_roll`, of any camera, whatever its turn about the vertical.

    Both follow from the world's up direction as the camera sees it. Roll is 0 for a camera that looks straight up or
    down, where it has no meaning.
    """
    up = rotate(inverse(world_from_camera_xyzw), (0.0, 1.0, 0.0))
    x, y, z = up[..., 0], up[..., 1], up[..., 2]
    seen = np.hypot(x, y)
    return np.stack((np.arctan2(z, seen), np.where(seen > _STRAIGHT_SINE, np.arctan2(x, y), 0.0)), axis=-1)


def euler_zxy_deg(local_xyzw: Float64, before_deg: Float64 | None = None) -> Float64:
    """Intrinsic ZXY Euler angles (..., 3) in degrees (z, x, y): R = Rz Rx Ry, from quaternions (..., 4).

    Of the triples that give the same rotation, returns the one nearest to `before_deg` (..., 3), zeros by default: the
    other solution is (z + 180, 180 - x, y + 180), and each angle may differ by multiples of 360. In gimbal lock
    (x = +-90, where z and y rotate about the same axis) y keeps its previous value.
    """
    m = to_matrix(local_xyzw)
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
