"""Ankle rays: normalised image coordinates of the ankles, from the image if it can be trusted, else from the pose."""

import math

from realtime_pose.datatypes import SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.utils.vec3 import Vec3

_SIDE_SWAP = 0.5  # keypoints whose sides were swapped on the way to the pose fit it that much better crosswise
_MISMATCH = 0.3  # a keypoint this far from the pose's ankle, at distance 1, is another body's or a lifter's failure

Ray = tuple[float, float]


def ankle_rays(pose: SkeletonPose, observation: Observation | None, ankles_m: list[Vec3]) -> list[tuple[Ray, bool]]:
    """The left and the right ankle's ray, each with whether it comes from the image.

    Args:
        pose: The pose; while it is blending it does not match the image, which is then ignored.
        observation: What the image shows.
        ankles_m: The pose's ankles, left first, from the camera in its own axes.
    """
    posed: list[Ray] = [(x / max(-z, 0.1), y / max(-z, 0.1)) for x, y, z in ankles_m]
    if observation is None or pose.blending:
        return [(ray, False) for ray in posed]
    left, right = ((x, y) for x, y in observation.ankle_rays.tolist())
    crossed = math.dist(right, posed[0]) + math.dist(left, posed[1])
    if crossed < _SIDE_SWAP * (math.dist(left, posed[0]) + math.dist(right, posed[1])):  # false for NaN
        left, right = right, left
    pairs = zip((left, right), posed, strict=True)
    return [(seen, True) if math.dist(seen, ray) < _MISMATCH else (ray, False) for seen, ray in pairs]
