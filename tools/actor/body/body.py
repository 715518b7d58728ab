"""Body of the first actor in the T-pose: smooth distance fields for skin, clothes, hair and face, meshed part by part.

Clothes are separate layers over the skin, so that hems and collars have sharp edges. The second actor is this body with
another look, stretched by `figure`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from realtime_pose.utils.arrays import Float64
from tools.actor.body.field import (
    Field,
    Point,
    ball,
    block,
    both_sides,
    chain,
    cone,
    difference,
    ellipsoid,
    half_space,
    intersection,
    offset,
    union,
)
from tools.actor.body.looks import Look, Rgb
from tools.actor.body.measures import FIRST
from tools.actor.body.mesh import Mesh, merged, surface

_EYEBALL: Rgb = (0.88, 0.86, 0.84)
_PUPIL: Rgb = (0.05, 0.05, 0.05)

_ARM_Y = float(FIRST.rest_joint("leftHand")[1])
_ELBOW_X, _WRIST_X = float(FIRST.rest_joint("leftLowerArm")[0]), float(FIRST.rest_joint("leftHand")[0])
_KNEE_Y = float(FIRST.rest_joint("leftLowerLeg")[1])
_EYE: Point = (0.031, 1.652, 0.070)


@dataclass(frozen=True)
class Part:
    """One layer of the body: its field, its bounding box, the resolution of its mesh, and its colour."""

    field: Field
    low: Point
    high: Point
    voxel_m: float
    triangles: int
    paint: Callable[[Float64], Float64]


def plain(rgb: Rgb) -> Callable[[Float64], Float64]:
    """One colour everywhere."""
    return lambda points: np.tile(rgb, (len(points), 1))


def build(look: Look) -> Mesh:
    """The whole body, just under 20,000 triangles."""
    meshes = []
    for part in parts(look).values():
        points, normals, faces = surface(part.field, part.low, part.high, part.voxel_m, part.triangles)
        meshes.append(Mesh(points, normals, faces, part.paint(points)))
    return merged(meshes)


def parts(look: Look) -> dict[str, Part]:
    """All layers by name."""
    sleeve = _WRIST_X - 0.012 if look.long_sleeves else 0.385
    reach, behind = round(sleeve + 0.035, 3), -0.22 if look.bun else -0.14
    face: tuple[Point, Point] = (-0.07, 1.62, 0.04), (0.07, 1.70, 0.11)
    return {
        "head": Part(_head(), (-0.12, 1.36, -0.14), (0.12, 1.78, 0.14), 0.003, 4400, _head_paint(look.skin)),
        "hair": Part(_hair(look.bun), (-0.11, 1.55, behind), (0.11, 1.79, 0.12), 0.004, 1500, plain(look.hair)),
        "brows": Part(_brows(), *face, 0.0015, 240, plain(look.hair)),
        "lips": Part(_lips(), (-0.03, 1.56, 0.06), (0.03, 1.60, 0.10), 0.0015, 400, plain(look.lips)),
        "eyes": Part(both_sides(ball(_EYE, 0.0118), 0.0), *face, 0.002, 500, plain(_EYEBALL)),
        "irises": Part(_iris(0.0101, 0.0056), *face, 0.001, 240, plain(look.iris)),
        "pupils": Part(_iris(0.0110, 0.0028), *face, 0.0007, 160, plain(_PUPIL)),
        "arms": Part(_arms(sleeve - 0.033), (-0.94, 1.36, -0.08), (0.94, 1.50, 0.11), 0.0035, 3400, plain(look.skin)),
        "shirt": Part(
            _shirt(sleeve, look.hem_m), (-reach, 0.89, -0.19), (reach, 1.53, 0.19), 0.005, 4600, plain(look.shirt)
        ),
        "collar": Part(_collar(), (-0.1, 1.42, -0.11), (0.1, 1.54, 0.11), 0.004, 500, plain(look.collar)),
        "trousers": Part(_trousers(), (-0.22, 0.04, -0.18), (0.22, 1.05, 0.18), 0.006, 2800, plain(look.trousers)),
        "shoes": Part(_shoes(), (-0.2, 0.005, -0.12), (0.2, 0.13, 0.24), 0.004, 1400, plain(look.shoes)),
        "soles": Part(_soles(), (-0.2, -0.01, -0.12), (0.2, 0.04, 0.24), 0.004, 700, plain(look.soles)),
    }


def _skull() -> Field:
    return ellipsoid((0.0, 1.668, -0.012), (0.0765, 0.090, 0.094))


def _head() -> Field:
    face = union(
        0.035,
        _skull(),
        ellipsoid((0.0, 1.612, 0.020), (0.057, 0.072, 0.063)),
        both_sides(cone((0.0, 1.556, 0.056), (0.044, 1.590, 0.004), 0.022, 0.020), 0.01),
        both_sides(ball((0.034, 1.622, 0.054), 0.026), 0.01),
        cone((0.0, 1.435, -0.014), (0.0, 1.575, 0.0), 0.058, 0.054),
    )
    face = difference(face, both_sides(ball((_EYE[0], 1.654, 0.098), 0.019), 0.0), 0.014)
    features = union(
        0.010,
        face,
        both_sides(cone((0.013, 1.673, 0.078), (0.042, 1.674, 0.066), 0.008, 0.007), 0.004),
        chain(((0.0, 1.662, 0.080), (0.0, 1.635, 0.092), (0.0, 1.617, 0.102)), (0.007, 0.009, 0.012)),
        both_sides(ball((0.012, 1.613, 0.090), 0.0085), 0.004),
        ellipsoid((0.0, 1.5835, 0.0765), (0.023, 0.005, 0.007)),
        ellipsoid((0.0, 1.5745, 0.0745), (0.020, 0.006, 0.007)),
        both_sides(ellipsoid((0.079, 1.648, -0.010), (0.009, 0.031, 0.018)), 0.0),
    )
    lids = union(
        0.0,
        intersection(0.001, ball(_EYE, 0.0138), half_space((0.0, _EYE[1] + 0.0028, 0.07), (0.0, -1.0, 0.12))),
        intersection(0.001, ball(_EYE, 0.0134), half_space((0.0, _EYE[1] - 0.0046, 0.07), (0.0, 1.0, 0.12))),
    )
    return union(0.002, features, both_sides(lids, 0.0))


def _head_paint(skin: Rgb) -> Callable[[Float64], Float64]:
    """Skin colour, slightly redder at the cheeks."""
    cheeks = both_sides(ball((0.045, 1.618, 0.07), 0.022), 0.0)

    def paint(points: Float64) -> Float64:
        blush = np.clip(-cheeks(points) / 0.022, 0.0, 1.0)
        return np.array(skin) + blush[:, None] * np.array([0.01, -0.045, -0.04])

    return paint


def _lips() -> Field:
    return union(
        0.002,
        ellipsoid((0.0, 1.5838, 0.0818), (0.0230, 0.0042, 0.0080)),
        ellipsoid((0.0, 1.5752, 0.0800), (0.0200, 0.0052, 0.0080)),
    )


def _iris(forward_m: float, radius_m: float) -> Field:
    """A lens on the front of both eyes."""
    return both_sides(ellipsoid((_EYE[0], _EYE[1], _EYE[2] + forward_m), (radius_m, radius_m, 0.0025)), 0.0)


def _brows() -> Field:
    return both_sides(
        chain(((0.014, 1.677, 0.0855), (0.030, 1.681, 0.0815), (0.046, 1.676, 0.067)), (0.0036, 0.0038, 0.0028)), 0.0
    )


def _hair(bun: bool) -> Field:
    cap = union(0.03, offset(_skull(), 0.008), ellipsoid((0.0, 1.715, 0.012), (0.064, 0.054, 0.068)))
    below = half_space((0.0, 1.712, 0.085), (0.0, -1.0, 0.80))
    sides = both_sides(ellipsoid((0.085, 1.635, 0.055), (0.05, 0.06, 0.055)), 0.0)
    hair = difference(intersection(0.016, cap, below), sides, 0.01)
    return union(0.012, hair, ellipsoid((0.0, 1.722, -0.142), (0.050, 0.046, 0.044))) if bun else hair


def _arms(from_x: float) -> Field:
    y = _ARM_Y
    arm = chain(
        ((0.34, y, -0.003), (0.36, y, -0.002), (_ELBOW_X, y, 0.0), (_ELBOW_X + 0.075, y, 0.002), (_WRIST_X, y, 0.0)),
        (0.044, 0.044, 0.038, 0.041, 0.0265),
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
    limb = intersection(0.004, union(0.03, arm, hand), half_space((from_x, y, 0.0), (-1.0, 0.0, 0.0)))
    return both_sides(limb, 0.0)


def _legs(softness: float) -> Field:
    leg = union(
        0.03,
        chain(
            ((0.098, 0.925, 0.0), (0.104, 0.74, 0.006), (0.101, _KNEE_Y, 0.006), (0.100, 0.10, -0.010)),
            (0.090, 0.080, 0.062, 0.054),
        ),
        ellipsoid((0.101, 0.385, -0.022), (0.056, 0.12, 0.056)),
    )
    return both_sides(leg, softness)


def _seat() -> Field:
    return union(
        0.05,
        ellipsoid((0.0, 0.985, 0.004), (0.154, 0.10, 0.108)),
        ellipsoid((0.0, 1.07, 0.006), (0.132, 0.12, 0.098)),
        both_sides(ball((0.072, 0.922, -0.045), 0.081), 0.03),
    )


def _trousers() -> Field:
    whole = union(0.05, _seat(), _legs(0.025))
    top = half_space((0.0, 1.02, 0.0), (0.0, 1.0, 0.0))
    return intersection(0.004, whole, top, half_space((0.0, 0.062, 0.0), (0.0, -1.0, -0.25)))


def _shirt(sleeve_x: float, hem_y: float) -> Field:
    torso = union(
        0.06,
        ellipsoid((0.0, 1.31, -0.006), (0.160, 0.19, 0.106)),
        both_sides(ellipsoid((0.068, 1.345, 0.044), (0.085, 0.080, 0.060)), 0.03),
        both_sides(cone((0.02, 1.432, -0.014), (0.145, 1.428, -0.010), 0.060, 0.056), 0.05),
        both_sides(cone((0.0, 1.478, -0.018), (0.15, 1.448, -0.010), 0.050, 0.040), 0.03),
        ellipsoid((0.0, 1.12, 0.002), (0.147, 0.20, 0.105)),
    )
    sleeve = chain(((0.15, 1.434, -0.006), (0.22, 1.442, -0.004), (0.42, _ARM_Y, -0.002)), (0.058, 0.0565, 0.0535))
    if sleeve_x > _ELBOW_X:
        narrowing = ((0.42, _ARM_Y, -0.002), (_ELBOW_X, _ARM_Y, 0.0), (_WRIST_X, _ARM_Y, 0.0))
        sleeve = union(0.0, sleeve, chain(narrowing, (0.0535, 0.049, 0.036)))
    skirt = offset(union(0.05, _seat(), _legs(0.10)), 0.008)
    whole = union(0.045, union(0.03, torso, skirt), both_sides(sleeve, 0.0))
    return intersection(
        0.006,
        whole,
        half_space((0.0, hem_y, 0.0), (0.0, -1.0, 0.0)),
        _within_x(sleeve_x),
        half_space((0.0, 1.492, 0.0), (0.0, 1.0, 0.45)),
    )


def _within_x(x: float) -> Field:
    """Everything between -x and x."""
    return lambda points: np.abs(points[:, 0]) - x


def _collar() -> Field:
    return intersection(
        0.004,
        cone((0.0, 1.40, -0.016), (0.0, 1.56, -0.008), 0.0675, 0.0625),
        half_space((0.0, 1.501, 0.0), (0.0, 1.0, 0.45)),
        half_space((0.0, 1.470, 0.0), (0.0, -1.0, -0.45)),
    )


def _shoes() -> Field:
    shoe = union(
        0.03,
        cone((0.100, 0.046, -0.028), (0.103, 0.040, 0.055), 0.039, 0.038),
        ellipsoid((0.107, 0.032, 0.118), (0.046, 0.040, 0.082)),
        cone((0.100, 0.050, -0.016), (0.100, 0.108, -0.010), 0.041, 0.040),
    )
    return both_sides(_between(shoe, 0.018, 0.112), 0.0)


def _soles() -> Field:
    shape = union(
        0.03,
        cone((0.100, 0.012, -0.028), (0.103, 0.012, 0.055), 0.043, 0.041),
        ellipsoid((0.107, 0.012, 0.118), (0.050, 0.06, 0.087)),
    )
    return both_sides(_between(shape, 0.0, 0.024), 0.0)


def _between(field: Field, low_y: float, high_y: float) -> Field:
    return intersection(
        0.004, field, half_space((0.0, high_y, 0.0), (0.0, 1.0, 0.0)), half_space((0.0, low_y, 0.0), (0.0, -1.0, 0.0))
    )
