"""Ankle rays: normalised image coordinates of the ankles, from the image if it matches the pose, else from it."""

import math

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.utils.vec3 import Vec3

_SIDE_SWAP_RATIO = 0.5  # ankles are swapped if that reduces their distance from the pose's to less than this
_MAX_MISMATCH = 0.3  # farther from the pose's ankle (at distance 1) a keypoint is of another body, or the lifter failed

Ray = tuple[float, float]


def ankle_rays(pose: SkeletonPose, observation: Observation | None, ankles_m: list[Vec3]) -> list[tuple[Ray, bool]]:
    """The rays of the left and the right ankle, each with whether it comes from the image.

    Args:
        pose: The pose; while it is blending, the image is ignored, as the two do not match.
        observation: The person in the image.
        ankles_m: The pose's ankles, left first, in camera axes from the camera.
    """
    pose_rays: list[Ray] = [(x / max(-z, 0.1), y / max(-z, 0.1)) for x, y, z in ankles_m]
    if observation is None or pose.blending:
        return [(ray, False) for ray in pose_rays]
    left, right = ((x, y) for x, y in observation.ankle_rays.tolist())
    crossed = math.dist(right, pose_rays[0]) + math.dist(left, pose_rays[1])
    if crossed < _SIDE_SWAP_RATIO * (math.dist(left, pose_rays[0]) + math.dist(right, pose_rays[1])):  # false for NaN
        left, right = right, left
    pairs = zip((left, right), pose_rays, strict=True)
    return [(seen, True) if math.dist(seen, ray) < _MAX_MISMATCH else (ray, False) for seen, ray in pairs]
