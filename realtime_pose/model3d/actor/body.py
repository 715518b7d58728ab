"""The actor's body in the T-pose: soft distance fields for skin, clothes, hair and face, meshed part by part.

Clothes are layers of their own over the skin, so that hems and collars are crisp edges and not blurred colours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_pose.model3d.actor.field import (
    Field,
    Point,
    ball,
    block,
    both_sides,
    carved,
    chain,
    common,
    cone,
    ellipsoid,
    grown,
    half_space,
    union,
)
from realtime_pose.model3d.actor.measures import rest_joint
from realtime_pose.model3d.actor.mesh import Mesh, joined, surface
from realtime_pose.utils.arrays import Float64

Rgb = tuple[float, float, float]

SKIN: Rgb = (0.86, 0.66, 0.54)
LIPS: Rgb = (0.72, 0.42, 0.38)
HAIR: Rgb = (0.20, 0.13, 0.09)
SHIRT: Rgb = (0.16, 0.46, 0.50)
COLLAR: Rgb = (0.11, 0.34, 0.38)
TROUSERS: Rgb = (0.25, 0.28, 0.36)
SHOES: Rgb = (0.32, 0.20, 0.14)
SOLES: Rgb = (0.88, 0.86, 0.80)
EYEBALL: Rgb = (0.95, 0.94, 0.92)
IRIS: Rgb = (0.24, 0.33, 0.28)

_ARM_Y = float(rest_joint("leftHand")[1])
_ELBOW_X, _WRIST_X = float(rest_joint("leftLowerArm")[0]), float(rest_joint("leftHand")[0])
_KNEE_Y = float(rest_joint("leftLowerLeg")[1])
_EYE: Point = (0.031, 1.653, 0.070)


@dataclass(frozen=True)
class Part:
    """One layer of the body: its field, the box it lies in, how fine it is meshed, and its colour."""

    field: Field
    low: Point
    high: Point
    voxel_m: float
    triangles: int
    paint: Callable[[Float64], Float64]


def plain(rgb: Rgb) -> Callable[[Float64], Float64]:
    """One colour everywhere."""
    return lambda points: np.tile(rgb, (len(points), 1))


def build() -> Mesh:
    """The whole body, about 18,000 triangles."""
    meshes = []
    for part in parts().values():
        points, normals, faces = surface(part.field, part.low, part.high, part.voxel_m, part.triangles)
        meshes.append(Mesh(points, normals, faces, part.paint(points)))
    return joined(meshes)


def parts() -> dict[str, Part]:
    """Every layer by name."""
    return {
        "head": Part(_head(), (-0.12, 1.42, -0.14), (0.12, 1.78, 0.14), 0.003, 4200, _paint_head),
        "hair": Part(_hair(), (-0.11, 1.55, -0.14), (0.11, 1.79, 0.12), 0.004, 1500, plain(HAIR)),
        "brows": Part(_brows(), (-0.07, 1.66, 0.05), (0.07, 1.70, 0.11), 0.0015, 240, plain(HAIR)),
        "eyes": Part(
            both_sides(ball(_EYE, 0.0128), 0), (-0.05, 1.63, 0.05), (0.05, 1.68, 0.09), 0.0015, 700, _paint_eyes
        ),
        "arms": Part(_arms(), (-0.94, 1.36, -0.08), (0.94, 1.50, 0.11), 0.0035, 4200, plain(SKIN)),
        "shirt": Part(_shirt(), (-0.42, 0.89, -0.19), (0.42, 1.53, 0.19), 0.006, 3400, plain(SHIRT)),
        "collar": Part(_collar(), (-0.1, 1.42, -0.11), (0.1, 1.54, 0.11), 0.004, 500, plain(COLLAR)),
        "trousers": Part(_trousers(), (-0.22, 0.04, -0.18), (0.22, 1.05, 0.18), 0.006, 2800, plain(TROUSERS)),
        "shoes": Part(_shoes(), (-0.2, 0.005, -0.12), (0.2, 0.13, 0.24), 0.004, 1400, plain(SHOES)),
        "soles": Part(_soles(), (-0.2, -0.01, -0.12), (0.2, 0.04, 0.24), 0.004, 700, plain(SOLES)),
    }


def _skull() -> Field:
    return ellipsoid((0.0, 1.668, -0.012), (0.0765, 0.090, 0.094))


def _head() -> Field:
    face = union(
        0.025,
        _skull(),
        ellipsoid((0.0, 1.612, 0.022), (0.058, 0.072, 0.064)),
        both_sides(cone((0.0, 1.556, 0.056), (0.044, 1.590, 0.004), 0.022, 0.020), 0.01),
        both_sides(ball((0.034, 1.622, 0.054), 0.026), 0.01),
        cone((0.0, 1.435, -0.014), (0.0, 1.575, 0.0), 0.058, 0.054),
    )
    face = carved(face, both_sides(ball((_EYE[0], 1.654, 0.098), 0.019), 0.0), 0.014)
    features = union(
        0.010,
        face,
        both_sides(cone((0.013, 1.673, 0.078), (0.042, 1.674, 0.066), 0.008, 0.007), 0.004),
        chain(((0.0, 1.662, 0.080), (0.0, 1.635, 0.092), (0.0, 1.617, 0.102)), (0.007, 0.009, 0.012)),
        both_sides(ball((0.012, 1.613, 0.090), 0.0085), 0.004),
        ellipsoid((0.0, 1.584, 0.084), (0.024, 0.006, 0.009)),
        ellipsoid((0.0, 1.574, 0.083), (0.021, 0.007, 0.009)),
        both_sides(ellipsoid((0.079, 1.648, -0.010), (0.009, 0.031, 0.018)), 0.0),
    )
    return carved(features, cone((-0.02, 1.579, 0.093), (0.02, 1.579, 0.093), 0.0018, 0.0018), 0.003)


def _paint_head(points: Float64) -> Float64:
    """Skin, redder at lips and cheeks, a shadow of a beard is not drawn."""
    rgb = np.tile(SKIN, (len(points), 1))
    lips = union(
        0.0, ellipsoid((0.0, 1.585, 0.088), (0.025, 0.007, 0.02)), ellipsoid((0, 1.574, 0.088), (0.022, 0.008, 0.02))
    )
    blush = both_sides(ball((0.045, 1.618, 0.07), 0.022), 0.0)(points)
    rgb += np.clip(-blush / 0.022, 0.0, 1.0)[:, None] * np.array([0.02, -0.07, -0.06])
    inside = np.clip(0.5 - lips(points) / 0.003, 0.0, 1.0)[:, None]
    return rgb * (1.0 - inside) + inside * np.array(LIPS)


def _paint_eyes(points: Float64) -> Float64:
    off_axis = np.hypot(np.abs(points[:, 0]) - _EYE[0], points[:, 1] - _EYE[1])
    rgb = np.tile(EYEBALL, (len(points), 1))
    front = points[:, 2] > _EYE[2]
    rgb[front & (off_axis < 0.0062)] = IRIS
    rgb[front & (off_axis < 0.0030)] = (0.05, 0.05, 0.05)
    return rgb


def _brows() -> Field:
    return both_sides(
        chain(((0.014, 1.678, 0.0875), (0.032, 1.683, 0.082), (0.047, 1.677, 0.068)), (0.004, 0.0042, 0.003)), 0.0
    )


def _hair() -> Field:
    cap = union(0.03, grown(_skull(), 0.011), ellipsoid((0.0, 1.705, 0.03), (0.066, 0.062, 0.066)))
    below = half_space((0.0, 1.706, 0.085), (0.0, -1.0, 0.72))
    sides = both_sides(ellipsoid((0.085, 1.635, 0.055), (0.05, 0.06, 0.055)), 0.0)
    return carved(common(0.012, cap, below), sides, 0.01)


def _arms() -> Field:
    y = _ARM_Y
    arm = chain(
        ((0.30, y, -0.003), (0.36, y, -0.002), (_ELBOW_X, y, 0.0), (_ELBOW_X + 0.075, y, 0.002), (_WRIST_X, y, 0.0)),
        (0.046, 0.045, 0.038, 0.041, 0.0265),
    )
    palm = block((_WRIST_X + 0.048, y - 0.003, -0.002), (0.050, 0.0145, 0.041), 0.0135)
    fingers = [
        chain(
            (
                (0.808, y - 0.003, z),
                (0.808 + 0.55 * length, y - 0.006, z * 1.04),
                (0.808 + length, y - 0.014, z * 1.06),
            ),
            (0.0098, 0.0088, 0.0072),
        )
        for z, length in ((0.029, 0.078), (0.0095, 0.088), (-0.010, 0.082), (-0.0285, 0.064))
    ]
    thumb = chain(
        ((0.742, y - 0.006, 0.026), (0.782, y - 0.010, 0.052), (0.812, y - 0.014, 0.066)), (0.0150, 0.0120, 0.0090)
    )
    hand = union(0.014, union(0.004, *fingers), palm, thumb)
    limb = common(0.004, union(0.03, arm, hand), half_space((0.31, y, 0.0), (-1.0, 0.0, 0.0)))
    return both_sides(limb, 0.0)


def _legs() -> Field:
    leg = union(
        0.03,
        chain(
            ((0.098, 0.895, 0.0), (0.104, 0.72, 0.006), (0.101, _KNEE_Y, 0.006), (0.100, 0.10, -0.010)),
            (0.092, 0.080, 0.062, 0.054),
        ),
        ellipsoid((0.101, 0.385, -0.022), (0.056, 0.12, 0.056)),
    )
    return both_sides(leg, 0.025)


def _seat() -> Field:
    return union(
        0.05,
        ellipsoid((0.0, 0.965, 0.004), (0.154, 0.12, 0.108)),
        ellipsoid((0.0, 1.07, 0.006), (0.132, 0.12, 0.098)),
        both_sides(ball((0.072, 0.905, -0.045), 0.083), 0.03),
    )


def _trousers() -> Field:
    whole = union(0.05, _seat(), _legs())
    top = half_space((0.0, 1.02, 0.0), (0.0, 1.0, 0.0))
    return common(0.004, whole, top, half_space((0.0, 0.062, 0.0), (0.0, -1.0, -0.25)))


def _shirt() -> Field:
    torso = union(
        0.06,
        ellipsoid((0.0, 1.31, -0.006), (0.160, 0.19, 0.106)),
        both_sides(ellipsoid((0.065, 1.335, 0.050), (0.085, 0.075, 0.060)), 0.03),
        both_sides(cone((0.02, 1.432, -0.014), (0.145, 1.428, -0.010), 0.060, 0.056), 0.05),
        both_sides(cone((0.0, 1.478, -0.018), (0.15, 1.448, -0.010), 0.050, 0.040), 0.03),
        ellipsoid((0.0, 1.12, 0.002), (0.143, 0.20, 0.103)),
    )
    sleeve = chain(((0.16, 1.442, -0.006), (0.22, 1.446, -0.004), (0.42, _ARM_Y, -0.002)), (0.060, 0.059, 0.0535))
    skirt = grown(union(0.05, _seat(), _legs()), 0.008)
    whole = union(0.045, union(0.03, torso, skirt), both_sides(sleeve, 0.0))
    return common(
        0.006,
        whole,
        half_space((0.0, 0.905, 0.0), (0.0, -1.0, 0.0)),
        both_ends_cut(0.385),
        half_space((0.0, 1.492, 0.0), (0.0, 1.0, 0.45)),
    )


def both_ends_cut(x: float) -> Field:
    """Everything between -x and x."""
    return lambda points: np.abs(points[:, 0]) - x


def _collar() -> Field:
    ring = common(
        0.004,
        cone((0.0, 1.40, -0.016), (0.0, 1.56, -0.008), 0.0675, 0.0625),
        half_space((0.0, 1.501, 0.0), (0.0, 1.0, 0.45)),
        half_space((0.0, 1.470, 0.0), (0.0, -1.0, -0.45)),
    )
    return ring


def _shoes() -> Field:
    shoe = union(
        0.03,
        cone((0.100, 0.046, -0.028), (0.103, 0.040, 0.055), 0.039, 0.038),
        ellipsoid((0.107, 0.032, 0.118), (0.046, 0.040, 0.082)),
        cone((0.100, 0.050, -0.016), (0.100, 0.108, -0.010), 0.041, 0.040),
    )
    return both_sides(
        common(0.004, shoe, half_space((0, 0.018, 0), (0, -1, 0)), half_space((0, 0.112, 0), (0, 1, 0))), 0.0
    )


def _soles() -> Field:
    shape = union(
        0.03,
        cone((0.100, 0.012, -0.028), (0.103, 0.012, 0.055), 0.043, 0.041),
        ellipsoid((0.107, 0.012, 0.118), (0.050, 0.06, 0.087)),
    )
    return both_sides(
        common(0.004, shape, half_space((0, 0.024, 0), (0, 1, 0)), half_space((0, 0, 0), (0, -1, 0))), 0.0
    )
