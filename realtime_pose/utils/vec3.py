"""Scalar 3-vector and quaternion maths on tuples of floats.

The scalar twin of `utils.rotations`, with the same names. A numpy operation on a single vector costs about a
microsecond whatever its size; one person's frame needs thousands, and here each takes a fifth of that. Quaternions are
xyzw, unit, Hamilton, active.
"""

import math
from typing import TypeAlias

Vec3: TypeAlias = tuple[float, float, float]
Quat: TypeAlias = tuple[float, float, float, float]

IDENTITY_XYZW: Quat = (0.0, 0.0, 0.0, 1.0)
X: Vec3 = (1.0, 0.0, 0.0)
Y: Vec3 = (0.0, 1.0, 0.0)
Z: Vec3 = (0.0, 0.0, 1.0)
ZERO: Vec3 = (0.0, 0.0, 0.0)
_TINY = 1e-12


def add(a: Vec3, b: Vec3) -> Vec3:
    """a + b."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def sub(a: Vec3, b: Vec3) -> Vec3:
    """a - b."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def scale(a: Vec3, by: float) -> Vec3:
    """a * by."""
    return (a[0] * by, a[1] * by, a[2] * by)


def add_scaled(a: Vec3, b: Vec3, by: float) -> Vec3:
    """a + b * by."""
    return (a[0] + b[0] * by, a[1] + b[1] * by, a[2] + b[2] * by)


def midpoint(a: Vec3, b: Vec3) -> Vec3:
    """(a + b) / 2."""
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)


def dot(a: Vec3, b: Vec3) -> float:
    """The inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vec3, b: Vec3) -> Vec3:
    """The cross product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def norm(a: Vec3) -> float:
    """The Euclidean length."""
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


def unit(a: Vec3) -> Vec3:
    """The vector scaled to length one; a zero vector stays zero."""
    by = 1.0 / max(norm(a), _TINY)
    return (a[0] * by, a[1] * by, a[2] * by)


def reject(a: Vec3, direction: Vec3) -> Vec3:
    """The component of a perpendicular to a unit direction."""
    return add_scaled(a, direction, -dot(a, direction))


def angle_rad(a: Vec3, b: Vec3) -> float:
    """The angle, 0 to pi, between vectors of any length; accurate near 0 and pi too."""
    return math.atan2(norm(cross(a, b)), dot(a, b))


def multiply(a: Quat, b: Quat) -> Quat:
    """The rotation by b first, then by a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(q: Quat) -> Quat:
    """The inverse rotation (the conjugate, as q is unit)."""
    return (-q[0], -q[1], -q[2], q[3])


def rotate(q: Quat, v: Vec3) -> Vec3:
    """The vector v rotated by q."""
    x, y, z, w = q
    tx, ty, tz = 2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def unit_quat(q: Quat) -> Quat:
    """The quaternion scaled to length one; a zero quaternion gives the identity."""
    length = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length) if length > _TINY else IDENTITY_XYZW


def from_axis_angle(axis: Vec3, angle_rad: float) -> Quat:
    """The rotation by an angle about a unit axis."""
    s = math.sin(angle_rad / 2)
    return (axis[0] * s, axis[1] * s, axis[2] * s, math.cos(angle_rad / 2))


def shortest_arc(a: Vec3, b: Vec3, half_turn_axis: Vec3) -> Quat:
    """The smallest rotation that takes unit direction a into unit direction b.

    `half_turn_axis` is a unit vector perpendicular to a, the axis used where a and b are opposite.
    """
    w = 1.0 + dot(a, b)
    if w < 1e-9:
        return (half_turn_axis[0], half_turn_axis[1], half_turn_axis[2], 0.0)
    x, y, z = cross(a, b)
    return unit_quat((x, y, z, w))


def twist_angle_rad(q: Quat, axis: Vec3) -> float:
    """The angle, -pi to pi, of q's twist about a unit axis: q = swing * twist (`rotations.twist_about`)."""
    half = math.atan2(q[0] * axis[0] + q[1] * axis[1] + q[2] * axis[2], q[3])
    return wrap_rad(2 * half)


def wrap_rad(angle: float) -> float:
    """The same angle, within -pi to pi."""
    return math.remainder(angle, math.tau)


def angle_between_rad(a: Quat, b: Quat) -> float:
    """The angle, 0 to pi, of the rotation from a to b."""
    x, y, z, w = multiply(inverse(a), b)
    return 2 * math.atan2(math.sqrt(x * x + y * y + z * z), abs(w))


def slerp(a: Quat, b: Quat, fraction: float) -> Quat:
    """The rotation `fraction` of the short way from a to b."""
    x, y, z, w = multiply(inverse(a), b)
    if w < 0:
        x, y, z, w = -x, -y, -z, -w
    sine = math.sqrt(x * x + y * y + z * z)
    if sine < 1e-9:
        return a
    half = math.atan2(sine, w) * fraction
    by = math.sin(half) / sine
    return unit_quat(multiply(a, (x * by, y * by, z * by, math.cos(half))))


def from_axes(x: Vec3, y: Vec3, z: Vec3) -> Quat:
    """The rotation that takes the coordinate axes into x, y, z, a right-handed orthonormal basis.

    Source: Shepperd's method, as in `rotations.from_matrix`.
    """
    (m00, m10, m20), (m01, m11, m21), (m02, m12, m22) = x, y, z
    trace = m00 + m11 + m22
    if trace >= max(m00, m11, m22):
        return unit_quat((m21 - m12, m02 - m20, m10 - m01, 1 + trace))
    if m00 >= m11 and m00 >= m22:
        return unit_quat((1 + m00 - m11 - m22, m01 + m10, m02 + m20, m21 - m12))
    if m11 >= m22:
        return unit_quat((m01 + m10, 1 - m00 + m11 - m22, m12 + m21, m02 - m20))
    return unit_quat((m02 + m20, m12 + m21, 1 - m00 - m11 + m22, m10 - m01))


def smoothstep(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, 3t^2 - 2t^3 between."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
