"""Figures of the self-test: received packets compared with the actor's ground truth.

The comparison is in an upright world with the floor at y = 0, facing the camera: what a receiver shows. So an
undetected camera tilt counts as an error, as it would in the receiver.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realtime_pose.communication.packets.pose_packet import PosePacket
from realtime_pose.evaluation import errors3d
from realtime_pose.kinematics import global_rotations
from realtime_pose.model3d.actor_truth import ActorTruth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, LIMB_ROWS, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64, FloatArray

_FEET, _HANDS = ([HUMANOID.index[f"{side}{end}"] for side in ("left", "right")] for end in ("Foot", "Hand"))
_SOLE_M: Float64 = np.array([(0.0, -0.07, -0.05), (0.0, -0.07, 0.12)])  # heel and ball from the ankle, 1.70 m adult
_IN_THE_AIR_M = 0.05  # both ankles at least this far above their standing height: a jump


@dataclass(frozen=True)
class Figures:
    """The figures of one self-test; lower is better except for counts and percentages of a true value.

    Attributes:
        clip: The packaged clip that was played.
        estimator, runtime, device, lifter, smoothing: The parts that were tested.
        frames: Frames of the clip that were played.
        packets: Pose packets that arrived.
        packets_lost: Pose packets that were sent and did not arrive.
        keypoint_error_px: Median error of the keypoints with a score of at least 0.3.
        mpjpe_mm: Mean joint error relative to the middle of the hips, without scaling.
        pa_mpjpe_mm: The same after a similarity alignment of each frame.
        joint_angle_error_deg: Mean angle between sent and true local rotations, all joints.
        hand_angle_error_deg, foot_angle_error_deg, head_angle_error_deg: The same for these joints.
        largest_jump_deg: Largest rotation of a joint from one packet to the next.
        root_path_error_cm: Mean distance of the hips from their true path, both from their first position.
        bone_drift_percent: Variation of the bone lengths that are sent.
        foot_slide_cm_s: Mean speed of the ankles during true ground contact.
        walk_slide_cm_s: The same while the actor walks; None without walking.
        foot_height_error_cm: Mean error of the ankles' height above the floor.
        foot_sink_cm: Greatest depth of a sole below the floor; `foot_sink_cm_p95` without the worst 5 %.
        jump_height_percent: Height of jumps relative to the truth (100); None without jumps.
        contact_precision_percent, contact_recall_percent: Share of reported contacts that are real, and share of real
            contacts that are reported; None if feet are left alone.
        jitter_ratio: Mean acceleration of the sent joints over the true one.
        lag_ms: Delay of the sent joints behind the truth in the clip's own time.
        latency_ms_p50, latency_ms_p95: From the frame's capture to the packet's arrival.
    """

    clip: str
    estimator: str
    runtime: str
    device: str
    lifter: str
    smoothing: str
    frames: int
    packets: int
    packets_lost: int
    keypoint_error_px: float
    mpjpe_mm: float
    pa_mpjpe_mm: float
    joint_angle_error_deg: float
    hand_angle_error_deg: float
    foot_angle_error_deg: float
    head_angle_error_deg: float
    largest_jump_deg: float
    root_path_error_cm: float
    bone_drift_percent: float
    foot_slide_cm_s: float
    walk_slide_cm_s: float
    foot_height_error_cm: float
    foot_sink_cm: float
    foot_sink_cm_p95: float
    jump_height_percent: float
    contact_precision_percent: float
    contact_recall_percent: float
    jitter_ratio: float
    lag_ms: float
    latency_ms_p50: float
    latency_ms_p95: float

    def as_dict(self) -> dict[str, Any]:
        """The figures by name, rounded; None where there was nothing to measure."""
        return {
            name: (round(value, 2) if np.isfinite(value) else None) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def evaluate_packets(
    packets: Sequence[PosePacket], truth: ActorTruth, contacts: dict[int, tuple[bool, bool]]
) -> dict[str, float]:
    """The figures that follow from the received packets, by name.

    Args:
        packets: The packets; `seq` is the clip's frame.
        truth: The clip's ground truth.
        contacts: By frame, the reported ground contact of the left and right foot; empty if none was reported.
    """
    row = [packet.seq for packet in packets]
    joints = np.array([packet.joints_3d for packet in packets], dtype=np.float64)
    local = np.array([packet.rotations for packet in packets], dtype=np.float64)
    heading = _camera_heading(truth)
    true_joints = rot.rotate(heading, truth.joints_m[row].astype(np.float64))
    true_local = truth.local_xyzw[row].astype(np.float64)
    true_local[:, 0] = rot.multiply(heading, true_local[:, 0])

    limbs, true_limbs = (x[:, LIMB_ROWS] - x[:, :1] for x in (joints, true_joints))
    path = joints[:, 0] - joints[0, 0] - (true_joints[:, 0] - true_joints[0, 0])
    stands = truth.foot_contact[row]
    walks = np.array([truth.activity[i].startswith("walk") for i in row])
    lowest = _soles_m(joints, local, truth.height_m)
    return {
        "keypoint_error_px": _keypoint_error_px(packets, truth, row),
        "mpjpe_mm": errors3d.mpjpe_mm(limbs, true_limbs),
        "pa_mpjpe_mm": errors3d.mpjpe_mm(errors3d.aligned_by_similarity(limbs, true_limbs), true_limbs),
        "joint_angle_error_deg": errors3d.joint_angle_error_deg(local, true_local),
        "hand_angle_error_deg": errors3d.joint_angle_error_deg(local[:, _HANDS], true_local[:, _HANDS]),
        "foot_angle_error_deg": errors3d.joint_angle_error_deg(local[:, _FEET], true_local[:, _FEET]),
        "head_angle_error_deg": _angle_error_deg(local, true_local, "head"),
        "largest_jump_deg": errors3d.largest_jump_deg(local),
        "root_path_error_cm": float(np.linalg.norm(path, axis=-1).mean() * 100),
        "bone_drift_percent": errors3d.bone_drift_percent(HUMANOID, joints),
        "foot_slide_cm_s": errors3d.foot_slide_cm_s(joints[:, _FEET], stands, truth.fps),
        "walk_slide_cm_s": _slide_during(joints, stands, walks, truth.fps),
        "foot_height_error_cm": float(np.abs(joints[:, _FEET, 1] - true_joints[:, _FEET, 1]).mean() * 100),
        "foot_sink_cm": float(max(-lowest.min() * 100, 0.0)),
        "foot_sink_cm_p95": float(max(-np.percentile(lowest, 5) * 100, 0.0)),
        "jump_height_percent": _jump_height_percent(joints, true_joints),
        "jitter_ratio": errors3d.jitter_ratio(limbs, true_limbs),
        "lag_ms": errors3d.lag_ms(limbs, true_limbs, truth.fps),
        **_contact_figures(contacts, truth.foot_contact),
    }


def _camera_heading(truth: ActorTruth) -> Float64:
    """The rotation (4,) about the vertical from the truth's world to one in which the camera looks along -Z."""
    ahead = truth.camera_from_world[2, :3]  # OpenCV's z axis, in the world
    return rot.from_axis_angle((0.0, 1.0, 0.0), np.array(np.arctan2(ahead[0], -ahead[2])))


def _angle_error_deg(local: Float64, true_local: Float64, joint: str) -> float:
    row = HUMANOID.index[joint]
    return errors3d.joint_angle_error_deg(local[:, row], true_local[:, row])


def _soles_m(joints_m: Float64, local_xyzw: Float64, height_m: float) -> Float64:
    """(T, 2) height above the floor of the lowest point of each sole."""
    feet_xyzw = global_rotations(HUMANOID, local_xyzw)[:, _FEET, None]
    soles = joints_m[:, _FEET, None] + rot.rotate(feet_xyzw, _SOLE_M * (height_m / REST_HEIGHT_M))
    lowest: Float64 = soles[..., 1].min(axis=-1)
    return lowest


def _slide_during(joints_m: Float64, stands: Bool, when: Bool, fps: float) -> float:
    """Foot slide in the frames of `when`; NaN without contact in them."""
    standing = stands & when[:, None]
    if not (standing[1:] & standing[:-1]).any():
        return float("nan")
    return errors3d.foot_slide_cm_s(joints_m[:, _FEET], standing, fps)


def _jump_height_percent(joints_m: Float64, true_joints_m: Float64) -> float:
    """Mean height of the lower ankle above its standing height during true jumps, relative to the true one."""
    heights = [x[:, _FEET, 1].min(axis=1) - np.percentile(x[:, _FEET, 1], 20) for x in (joints_m, true_joints_m)]
    flying = heights[1] > _IN_THE_AIR_M
    return float(heights[0][flying].mean() / heights[1][flying].mean() * 100) if flying.any() else float("nan")


def _contact_figures(contacts: dict[int, tuple[bool, bool]], truth: Bool) -> dict[str, float]:
    """Precision and recall in percent; NaN if no contact was reported."""
    reported = np.array(list(contacts.values()), dtype=bool).reshape(-1, 2)
    true = truth[[min(max(i, 0), len(truth) - 1) for i in contacts]].reshape(-1, 2)
    hits = float((reported & true).sum())
    return {
        "contact_precision_percent": hits / reported.sum() * 100 if reported.any() else float("nan"),
        "contact_recall_percent": hits / true.sum() * 100 if reported.any() and true.any() else float("nan"),
    }


def _keypoint_error_px(packets: Sequence[PosePacket], truth: ActorTruth, row: list[int]) -> float:
    body = COCO17_FEET_HANDS.rows(COCO17.names)
    seen = np.array([packet.scores for packet in packets]) >= 0.3
    offset: FloatArray = np.array([packet.keypoints for packet in packets]) - truth.keypoints_px[row][:, body]
    return float(np.median(np.linalg.norm(offset, axis=-1)[seen])) if seen.any() else float("nan")
