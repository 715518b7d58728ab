"""Three numbers and four, as tuples of floats: vectors and quaternions of one body in one frame.

`utils.rotations` does the same for arrays of any size. A single vector costs numpy a microsecond an operation however
small it is, and a body in a frame asks for thousands: here each takes a fifth of that. Quaternions are xyzw, unit.
"""

import math
from typing import TypeAlias

Vec: TypeAlias = tuple[float, float, float]
Quat: TypeAlias = tuple[float, float, float, float]

IDENTITY: Quat = (0.0, 0.0, 0.0, 1.0)
X: Vec = (1.0, 0.0, 0.0)
Y: Vec = (0.0, 1.0, 0.0)
Z: Vec = (0.0, 0.0, 1.0)
ZERO: Vec = (0.0, 0.0, 0.0)
_TINY = 1e-12


def add(a: Vec, b: Vec) -> Vec:
    """a + b."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def sub(a: Vec, b: Vec) -> Vec:
    """a - b."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def scale(a: Vec, by: float) -> Vec:
    """a times a number."""
    return (a[0] * by, a[1] * by, a[2] * by)


def along(a: Vec, direction: Vec, by: float) -> Vec:
    """a + direction times a number."""
    return (a[0] + direction[0] * by, a[1] + direction[1] * by, a[2] + direction[2] * by)


def middle(a: Vec, b: Vec) -> Vec:
    """The point half-way."""
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)


def dot(a: Vec, b: Vec) -> float:
    """The inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vec, b: Vec) -> Vec:
    """The cross product."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def size(a: Vec) -> float:
    """The length."""
    return math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])


def unit(a: Vec) -> Vec:
    """The direction; a zero vector stays zero."""
    by = 1.0 / max(size(a), _TINY)
    return (a[0] * by, a[1] * by, a[2] * by)


def across(a: Vec, direction: Vec) -> Vec:
    """What of a is at right angles to a unit direction."""
    return along(a, direction, -dot(a, direction))


def angle_rad(a: Vec, b: Vec) -> float:
    """The angle between two vectors of any length, exact near 0 and near a half turn too."""
    return math.atan2(size(cross(a, b)), dot(a, b))


def multiply(a: Quat, b: Quat) -> Quat:
    """The rotation that turns by b first, then by a."""
    ax, ay, az, aw = a
    bx, by, bz, bw = b
    return (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )


def inverse(q: Quat) -> Quat:
    """The rotation back."""
    return (-q[0], -q[1], -q[2], q[3])


def rotate(q: Quat, v: Vec) -> Vec:
    """The vector, turned."""
    x, y, z, w = q
    tx, ty, tz = 2 * (y * v[2] - z * v[1]), 2 * (z * v[0] - x * v[2]), 2 * (x * v[1] - y * v[0])
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


def normalized(q: Quat) -> Quat:
    """The quaternion at length one; what has no length is the identity."""
    length = math.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
    return (q[0] / length, q[1] / length, q[2] / length, q[3] / length) if length > _TINY else IDENTITY


def about(axis: Vec, turn_rad: float) -> Quat:
    """A turn about a unit axis."""
    s = math.sin(turn_rad / 2)
    return (axis[0] * s, axis[1] * s, axis[2] * s, math.cos(turn_rad / 2))


def arc(a: Vec, b: Vec, half_turn_axis: Vec) -> Quat:
    """The smallest turn that takes a unit direction into another.

    `half_turn_axis` is a unit vector at right angles to a, taken where the two are opposite and any axis would do.
    """
    w = 1.0 + dot(a, b)
    if w < 1e-9:
        return (half_turn_axis[0], half_turn_axis[1], half_turn_axis[2], 0.0)
    x, y, z = cross(a, b)
    return normalized((x, y, z, w))


def spin_rad(q: Quat, axis: Vec) -> float:
    """The angle, -pi to pi, by which q spins about a unit axis: q = swing * spin (`rotations.twist_about`)."""
    half = math.atan2(q[0] * axis[0] + q[1] * axis[1] + q[2] * axis[2], q[3])
    return wrapped_rad(2 * half)


def wrapped_rad(angle: float) -> float:
    """The same angle within -pi to pi."""
    return math.remainder(angle, math.tau)


def between_rad(a: Quat, b: Quat) -> float:
    """The angle of the turn from a to b, 0 to pi."""
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
    return normalized(multiply(a, (x * by, y * by, z * by, math.cos(half))))


def from_axes(x: Vec, y: Vec, z: Vec) -> Quat:
    """The rotation that turns the three axes into these, which are right-handed and at right angles.

    Source: Shepperd's method, as in `rotations.from_matrix`.
    """
    (m00, m10, m20), (m01, m11, m21), (m02, m12, m22) = x, y, z
    trace = m00 + m11 + m22
    if trace >= max(m00, m11, m22):
        return normalized((m21 - m12, m02 - m20, m10 - m01, 1 + trace))
    if m00 >= m11 and m00 >= m22:
        return normalized((1 + m00 - m11 - m22, m01 + m10, m02 + m20, m21 - m12))
    if m11 >= m22:
        return normalized((m01 + m10, 1 - m00 + m11 - m22, m12 + m21, m02 - m20))
    return normalized((m02 + m20, m12 + m21, 1 - m00 - m11 + m22, m10 - m01))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, a smooth step between."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3 - 2 * t)
