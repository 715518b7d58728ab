"""3D pose errors against ground truth: MPJPE and its aligned variants, angles, jitter, lag, foot slide, bone drift."""

import numpy as np

from realtime_pose.skeletons import Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64


def mpjpe_mm(predicted_m: Float64, truth_m: Float64) -> float:
    """Mean distance in mm of (T, J, 3) joints; the caller has centred both on the root."""
    return float(np.linalg.norm(predicted_m - truth_m, axis=-1).mean() * 1e3)


def aligned_by_similarity(predicted_m: Float64, truth_m: Float64) -> Float64:
    """Each frame of the prediction (T, J, 3) rotated, scaled and shifted onto the truth by least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991).
    """
    a = predicted_m - predicted_m.mean(axis=1, keepdims=True)
    b = truth_m - truth_m.mean(axis=1, keepdims=True)
    u, size, vt = np.linalg.svd(np.swapaxes(b, 1, 2) @ a)
    sign = np.ones_like(size)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))  # a rotation, never a reflection
    rotation = (u * sign[:, None, :]) @ vt
    scale = (size * sign).sum(axis=1) / np.maximum((a**2).sum(axis=(1, 2)), 1e-12)
    return scale[:, None, None] * (a @ np.swapaxes(rotation, 1, 2)) + truth_m.mean(axis=1, keepdims=True)


def scaled_as_one(predicted_m: Float64, truth_m: Float64) -> Float64:
    """The prediction (T, J, 3) times one least-squares scale for the whole clip."""
    return _scale(predicted_m, truth_m, (0, 1, 2)) * predicted_m


def scaled_by_frame(predicted_m: Float64, truth_m: Float64) -> Float64:
    """The prediction (T, J, 3) times one least-squares scale per frame."""
    return _scale(predicted_m, truth_m, (1, 2)) * predicted_m


def _scale(predicted_m: Float64, truth_m: Float64, axes: tuple[int, ...]) -> Float64:
    shared = (predicted_m * truth_m).sum(axis=axes, keepdims=True)
    scale: Float64 = shared / np.maximum((predicted_m**2).sum(axis=axes, keepdims=True), 1e-12)
    return scale


def joint_angle_error_deg(answer_xyzw: Float64, truth_xyzw: Float64) -> float:
    """Mean angle between local rotations (T, J, 4)."""
    return float(np.degrees(rot.angle_between_rad(answer_xyzw, truth_xyzw)).mean())


def bone_drift_percent(skeleton: Skeleton, joints_m: Float64) -> float:
    """Standard deviation of each bone's length over its mean, in percent, averaged over bones; joints are (T, J, 3)."""
    children = [j for j, parent in enumerate(skeleton.parents) if parent >= 0]
    parents = [skeleton.parents[j] for j in children]
    length = np.linalg.norm(joints_m[:, children] - joints_m[:, parents], axis=-1)
    return float(lengths_drift_percent(length).mean())


def lengths_drift_percent(length_m: Float64) -> Float64:
    """Standard deviation over the mean, in percent, of each column of (T, B) bone lengths: (B,)."""
    drift: Float64 = length_m.std(axis=0) / np.maximum(length_m.mean(axis=0), 1e-12) * 100
    return drift


def foot_slide_cm_s(ankles_m: Float64, contact: Bool, fps: float) -> float:
    """Mean horizontal speed of ankles (T, 2, 3) while the foot has true ground contact (T, 2)."""
    speed = np.linalg.norm(np.diff(ankles_m[..., [0, 2]], axis=0), axis=-1) * fps * 100
    standing = contact[1:] & contact[:-1]
    return float(speed[standing].mean()) if standing.any() else 0.0


def acceleration_m_s2(joints_m: Float64, fps: float) -> Float64:
    """Magnitude of the acceleration of joints (T, J, 3) at a constant rate, by second differences: (T - 2, J)."""
    size: Float64 = np.linalg.norm(np.diff(joints_m, n=2, axis=0), axis=-1) * fps**2
    return size


def largest_jump_deg(local_xyzw: Float64) -> float:
    """The largest rotation of any joint between consecutive frames of local rotations (T, J, 4)."""
    return float(np.degrees(rot.angle_between_rad(local_xyzw[:-1], local_xyzw[1:])).max(initial=0.0))


def lag_ms(predicted_m: Float64, truth_m: Float64, fps: float, most_s: float = 0.4) -> float:
    """Delay of joints (T, J, 3) behind the truth: the shift at which their velocities correlate best.

    Velocities, because a constant error of position says nothing about time. Negative if the prediction is ahead; NaN
    if nothing moves.
    """
    velocity, true_velocity = (np.diff(x, axis=0).reshape(len(x) - 1, -1) for x in (predicted_m, truth_m))
    most = min(round(most_s * fps), len(velocity) // 3)
    shifts = np.arange(-most, most + 1)
    agreement = np.array([_agreement(velocity, true_velocity, int(shift)) for shift in shifts])
    best = int(np.argmax(agreement))
    if agreement[best] <= 0:
        return float("nan")
    if not 0 < best < len(shifts) - 1:
        return float(shifts[best] * 1e3 / fps)
    before, here, after = agreement[best - 1 : best + 2]
    return float(
        (shifts[best] + 0.5 * (before - after) / (before - 2 * here + after)) * 1e3 / fps
    )  # peak of a parabola


def _agreement(prediction: Float64, truth: Float64, shift: int) -> float:
    """Cosine similarity of (T, D) signals, with the prediction read `shift` frames later."""
    a = prediction[max(shift, 0) : len(prediction) + min(shift, 0)]
    b = truth[max(-shift, 0) : len(truth) - max(shift, 0)]
    return float((a * b).sum() / max(np.sqrt((a**2).sum() * (b**2).sum()), 1e-12))


def jitter_ratio(predicted_m: Float64, truth_m: Float64) -> float:
    """Mean acceleration of the prediction over that of the truth; joints are (T, J, 3) at the same rate."""
    size = [float(np.linalg.norm(np.diff(x, n=2, axis=0), axis=-1).mean()) for x in (predicted_m, truth_m)]
    return size[0] / max(size[1], 1e-12)
