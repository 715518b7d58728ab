"""Figures of poses on footage without 3D truth: how they fit the image, the floor, and themselves over time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realtime_pose.evaluation.footage.cameras import depth_m
from realtime_pose.evaluation.footage.clip_poses import FEET, HIPS, PersonTrack, limb_joints
from realtime_pose.evaluation.footage.facts import Fact
from realtime_pose.skeletons import LIMB_NAMES
from realtime_pose.utils.arrays import Bool, Float64

_MIN_SCORE = 0.3  # of a keypoint that a projected joint is compared with
_MIN_POINTS = 3  # keypoints that a frame needs for a scale
_SWAPPED_PERCENT = 1.0  # mirrored joints that fit better by less than this are a side view, not a swap
_MIRROR = [LIMB_NAMES.index(f"{'right' if name.startswith('left') else 'left'}_{name.partition('_')[2]}")
           for name in LIMB_NAMES]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Measured:
    """Everything measured of one person; figures are taken over these arrays, so that clips can be pooled.

    Attributes:
        frames: Frames of the clip.
        poses: Frames with a pose.
        error_percent: Distances from projected limb joints to their keypoints, in percent of the person's height.
        swapped: (M,) whether the mirrored joints fit the keypoints of a frame better.
        trunk_deg, knee_deg, ankle_cm: In the ranges of standing facts: the trunk's lean where a bound is said, the more
            bent knee where straight ones are said, the lower ankle over the floor.
        slide_cm_s: Horizontal speeds of ankles in contact.
        jitter_m_s2: Accelerations of limb joints.
    """

    frames: int
    poses: int
    error_percent: Float64
    swapped: Bool
    trunk_deg: Float64
    knee_deg: Float64
    ankle_cm: Float64
    slide_cm_s: Float64
    jitter_m_s2: Float64


@dataclass(frozen=True)
class FootageFigures:
    """Figures of one clip, or of several pooled; None where there is nothing to measure.

    Attributes:
        frames: Frames of the clips.
        poses_percent: Share of them with a pose.
        reprojection_percent, reprojection_p95_percent: Distance from limb joints of the final pose, put back through
            the camera, to the keypoints: median and 95th percentile, in percent of the person's height in the image.
        trunk_deg, knee_deg, ankle_cm: Medians in the ranges of standing facts.
        slide_cm_s: Mean horizontal speed of ankles in contact.
        jitter_m_s2: Mean acceleration of limb joints.
        swaps_percent: Share of poses whose mirrored joints fit the keypoints better.
    """

    frames: int
    poses_percent: float | None
    reprojection_percent: float | None
    reprojection_p95_percent: float | None
    trunk_deg: float | None
    knee_deg: float | None
    ankle_cm: float | None
    slide_cm_s: float | None
    jitter_m_s2: float | None
    swaps_percent: float | None

    def as_dict(self) -> dict[str, Any]:
        """The figures with two decimals, for a report."""
        return {name: None if value is None else round(value, 2) for name, value in asdict(self).items()}


def measure(track: PersonTrack | None, frames: int, facts: Sequence[Fact] = ()) -> Measured:
    """Everything measured of one person.

    Args:
        track: The person; None if nobody was found.
        frames: Frames of the clip.
        facts: The clip's facts, of which those about a person who is not named count.
    """
    nothing = np.zeros(0)
    if track is None or not len(track):
        return Measured(frames, 0, nothing, nothing > 0, *(nothing for _ in range(5)))
    error_percent, mirrored_percent = _errors_percent(track)
    swapped = _mean_of(mirrored_percent) < _mean_of(error_percent) - _SWAPPED_PERCENT
    standing = [fact for fact in facts if fact.kind == "standing" and not fact.who]

    def during(values: Float64, wanted: Sequence[Fact]) -> Float64:
        return np.concatenate([nothing, *(values[track.rows(fact.first, fact.last)] for fact in wanted)])

    return Measured(
        frames,
        len(track),
        error_percent[np.isfinite(error_percent)],
        swapped,
        during(track.trunk_deg, [fact for fact in standing if "trunk_deg_max" in fact.fields]),
        during(track.knees_deg.min(axis=1), [fact for fact in standing if "knee_deg_min" in fact.fields]),
        during(100 * track.lower_ankle_m, [fact for fact in standing if fact.says_feet]),
        _slide_cm_s(track),
        _jitter_m_s2(track),
    )


def pooled(measured: Sequence[Measured]) -> FootageFigures:
    """The figures over all frames of all clips."""
    frames, poses = sum(each.frames for each in measured), sum(each.poses for each in measured)

    def all_of(name: str) -> Float64:
        return np.concatenate([np.zeros(0), *(getattr(each, name) for each in measured)])

    error_percent = all_of("error_percent")
    return FootageFigures(
        frames,
        100 * poses / frames if frames else None,
        _percentile(error_percent, 50),
        _percentile(error_percent, 95),
        _percentile(all_of("trunk_deg"), 50),
        _percentile(all_of("knee_deg"), 50),
        _percentile(all_of("ankle_cm"), 50),
        _mean(all_of("slide_cm_s")),
        _mean(all_of("jitter_m_s2")),
        _mean(100 * all_of("swapped")),
    )


def _percentile(values: Float64, percent: float) -> float | None:
    return float(np.percentile(values, percent)) if len(values) else None


def _mean(values: Float64) -> float | None:
    return float(values.mean()) if len(values) else None


def _mean_of(percent: Float64) -> Float64:
    """Means (M,) over the joints that are compared; 0 in a frame without any."""
    counts = np.isfinite(percent).sum(axis=1)
    return np.nansum(percent, axis=1) / np.maximum(counts, 1)


def _errors_percent(track: PersonTrack) -> tuple[Float64, Float64]:
    """Distances (M, 12) from joints to keypoints, and from mirrored joints, in percent; NaN where one is not compared.

    The person's height in the image is their body height at the scale at which the pose fits the keypoints, so that a
    pose at a wrong distance is measured against the person, not against itself.
    """
    joints_px, points_px = limb_joints(track.projected_px), track.limbs_px
    seen = track.limbs_score >= _MIN_SCORE
    seen &= (seen.sum(axis=1) >= _MIN_POINTS)[:, None]
    size_px, joints_size_px = _spread_px(points_px, seen), _spread_px(joints_px, seen)
    seen_by = zip(track.cameras, track.joints_m, strict=True)
    hips_m = np.array([depth_m(camera, joints[HIPS]) for camera, joints in seen_by])
    focal_px = np.array([camera.intrinsics.fx for camera in track.cameras])
    height_px = focal_px * track.height_m / np.maximum(hips_m, 0.1) * size_px / np.maximum(joints_size_px, 1e-6)
    percent = 100 / np.maximum(height_px, 1e-6)[:, None]

    def off(joints: Float64, both: Bool) -> Float64:
        return np.where(both, np.linalg.norm(joints - points_px, axis=-1) * percent, np.nan)

    return off(joints_px, seen), off(joints_px[:, _MIRROR], seen)


def _spread_px(points_px: Float64, seen: Bool) -> Float64:
    """Root mean square distance (M,) of the points seen (M, 12, 2) from their middle."""
    weight = seen[..., None] / np.maximum(seen.sum(axis=1), 1)[:, None, None]
    middle = (weight * points_px).sum(axis=1, keepdims=True)
    return np.sqrt((weight * (points_px - middle) ** 2).sum(axis=(1, 2)))


def _slide_cm_s(track: PersonTrack) -> Float64:
    """Horizontal speeds of ankles that are in contact in two consecutive frames."""
    ankles_m = track.joints_m[:, FEET]
    following, dt_s = _following(track)
    speed = np.linalg.norm(np.diff(ankles_m[..., [0, 2]], axis=0), axis=-1) / dt_s[:, None] * 100
    stands = track.contact[1:] & track.contact[:-1] & following[:, None]
    return speed[stands]


def _jitter_m_s2(track: PersonTrack) -> Float64:
    """Accelerations of limb joints over three consecutive frames."""
    following, dt_s = _following(track)
    velocity = np.diff(limb_joints(track.joints_m), axis=0) / dt_s[:, None, None]
    middle_s = (dt_s[1:] + dt_s[:-1]) / 2
    size: Float64 = np.linalg.norm(np.diff(velocity, axis=0), axis=-1) / middle_s[:, None]
    return size[following[1:] & following[:-1]].ravel()


def _following(track: PersonTrack) -> tuple[Bool, Float64]:
    """For each pair of poses in a row, whether their frames are consecutive, and the time between them in s."""
    dt_s = np.diff(track.time_s)
    return (np.diff(track.frame) == 1) & (dt_s > 0), np.maximum(dt_s, 1e-3)
