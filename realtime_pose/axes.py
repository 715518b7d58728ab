"""Conversions between canonical space and the axes of OpenCV, Unity, Unreal, Blender and OpenSim.

Canonical: right-handed, +Y up, +Z front, +X the character's left, metres, quaternions xyzw (glTF's).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64

_OPENCV = np.array([1.0, -1.0, -1.0])


@dataclass(frozen=True)
class Axes:
    """Another program's axes and unit of length, relative to canonical space.

    Attributes:
        order: For each of its axes, the canonical axis (0 x, 1 y, 2 z) along which it lies.
        signs: +1 if it points the same way, -1 if the opposite way.
        per_metre: Its units of length per metre.
    """

    order: tuple[int, int, int]
    signs: tuple[int, int, int]
    per_metre: float = 1.0

    def positions(self, xyz_m: npt.ArrayLike) -> Float64:
        """Canonical points (..., 3), metres, in these axes and this unit."""
        return np.asarray(xyz_m, dtype=np.float64)[..., list(self.order)] * self.signs * self.per_metre

    def rotations(self, xyzw: npt.ArrayLike) -> Float64:
        """Canonical rotations (..., 4) in these axes; a change of handedness inverts the sense of rotation."""
        q = np.asarray(xyzw, dtype=np.float64)
        swapped = self.order not in ((0, 1, 2), (1, 2, 0), (2, 0, 1))
        hand = np.prod(self.signs) * (-1 if swapped else 1)
        return q[..., [*self.order, 3]] * [*(hand * np.array(self.signs)), 1]


UNITY = Axes((0, 1, 2), (-1, 1, 1))
"""Left-handed, +Y up, +Z forward, metres; VMC and VRChat's trackers too."""
UNREAL = Axes((0, 2, 1), (1, 1, 1), per_metre=100.0)
"""Left-handed, +Z up, centimetres; a mesh faces +Y."""
BLENDER = Axes((0, 2, 1), (1, -1, 1))
"""Right-handed, +Z up, metres; a character faces -Y."""
OPENSIM = Axes((2, 1, 0), (1, 1, -1))
"""Right-handed, +Y up, metres; a body faces +X, and +Z is its right."""


def canonical_from_opencv(xyz: npt.ArrayLike) -> Float64:
    """Points (..., 3) of OpenCV's camera (x right, y down, z forward) in canonical axes, origin unchanged."""
    return np.asarray(xyz, dtype=np.float64) * _OPENCV


def opencv_from_canonical(xyz: npt.ArrayLike) -> Float64:
    """The inverse of `canonical_from_opencv` (the same change of signs)."""
    return np.asarray(xyz, dtype=np.float64) * _OPENCV


def mirrored_positions(skeleton: Skeleton, xyz_m: npt.ArrayLike) -> Float64:
    """Joint positions (..., J, 3) mirrored across x = 0, with left and right names swapped."""
    return np.asarray(xyz_m, dtype=np.float64)[..., list(skeleton.mirror), :] * np.array([-1.0, 1.0, 1.0])


def mirrored_rotations(skeleton: Skeleton, local_xyzw: npt.ArrayLike) -> Float64:
    """Local rotations (..., J, 4) mirrored across x = 0, with left and right names swapped."""
    mirrored = np.asarray(local_xyzw, dtype=np.float64)[..., list(skeleton.mirror), :]
    return mirrored * np.array([1.0, -1.0, -1.0, 1.0])
