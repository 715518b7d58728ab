"""Where the camera sees a person's ankles: what a lifter and IK make of them is less sharp than the keypoints are."""

import math

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics, PersonKeypoints, SkeletonPose
from realtime_pose.utils.arrays import Float32, as_float32
from realtime_pose.utils.vec3 import Vec3

_ANKLES = ("left_ankle", "right_ankle")
_EXCHANGED = 0.5  # keypoints whose sides were exchanged on the way to the pose fit it that much better crosswise
_OFF = 0.3  # a keypoint so far from the pose's ankle, at distance 1, is another body's or a lifter's failure

Ray = tuple[float, float]


def ankle_rays(keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Float32:
    """(2, 2) x and y of the left and the right ankle at distance 1 along the camera's axis; NaN where not seen.

    Canonical axes: x to the picture's right, y up.
    """
    rows = keypoints.layout.rows(_ANKLES)
    away_px = keypoints.xy_px[rows].astype(np.float64) - (intrinsics.cx, intrinsics.cy)
    rays = away_px / (intrinsics.fx, -intrinsics.fy)
    rays[keypoints.score[rows] <= 0] = np.nan
    return as_float32(rays)


def rays_of(pose: SkeletonPose, ankles_m: list[Vec3]) -> list[tuple[Ray, bool]]:
    """Each ankle's ray, as the camera saw it or else as the pose has it; and whether it is the former.

    Args:
        pose: The pose; its `ankle_rays` are used where they can be.
        ankles_m: The pose's ankles, left first, from the camera in its own axes.
    """
    posed: list[Ray] = [(x / max(-z, 0.1), y / max(-z, 0.1)) for x, y, z in ankles_m]
    if pose.ankle_rays is None:
        return [(ray, False) for ray in posed]
    left, right = ((x, y) for x, y in pose.ankle_rays.tolist())
    crossed = math.dist(right, posed[0]) + math.dist(left, posed[1])
    if crossed < _EXCHANGED * (math.dist(left, posed[0]) + math.dist(right, posed[1])):  # false for NaN
        left, right = right, left
    pairs = zip((left, right), posed, strict=True)
    return [(seen, True) if math.dist(seen, ray) < _OFF else (ray, False) for seen, ray in pairs]
