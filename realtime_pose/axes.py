"""The one place where canonical space meets other programs' axes.

Canonical: right-handed, +Y up, +Z front, +X the character's left, metres, quaternions xyzw (glTF's).
"""

import numpy as np
import numpy.typing as npt

from realtime_pose.skeletons import Skeleton
from realtime_pose.utils.arrays import Float64

_OPENCV = np.array([1.0, -1.0, -1.0])


def canonical_from_opencv(xyz: npt.ArrayLike) -> Float64:
    """Points (..., 3) of OpenCV's camera (x right, y down, z forward) in canonical axes, origin unchanged."""
    return np.asarray(xyz, dtype=np.float64) * _OPENCV


def opencv_from_canonical(xyz: npt.ArrayLike) -> Float64:
    """The inverse of `canonical_from_opencv` (the same change of signs)."""
    return np.asarray(xyz, dtype=np.float64) * _OPENCV


def mirrored_positions(skeleton: Skeleton, xyz_m: npt.ArrayLike) -> Float64:
    """Joint positions (..., J, 3) as a mirror across x = 0 shows them: left and right change names."""
    return np.asarray(xyz_m, dtype=np.float64)[..., list(skeleton.mirror), :] * np.array([-1.0, 1.0, 1.0])


def mirrored_rotations(skeleton: Skeleton, local_xyzw: npt.ArrayLike) -> Float64:
    """Local rotations (..., J, 4) as a mirror across x = 0 shows them: left and right change names."""
    mirrored = np.asarray(local_xyzw, dtype=np.float64)[..., list(skeleton.mirror), :]
    return mirrored * np.array([1.0, -1.0, -1.0, 1.0])
