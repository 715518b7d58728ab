"""The closed loop on the actor: its clip through the whole chain to a UDP receiver, against exact truth.

Everything is measured on the packets that arrive, as an engine would see them.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.capture.actor import open_actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.packet import PosePacket
from realtime_pose.communication.udp import UdpReceiver, UdpSink
from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError
from realtime_pose.evaluation import errors3d
from realtime_pose.model3d.actor.truth import ActorTruth, load_truth
from realtime_pose.pipeline import build_pipeline
from realtime_pose.runtime import Runtime
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.paths import data_path

TRUTH = "resources/videos/default_truth.npz"
_SILENCE_S = 0.3  # loopback is done when nothing came for so long


@dataclass(frozen=True)
class Figures:
    """What the self-test found; lower is better but for `packets` and `frames`.

    Attributes:
        estimator, runtime, device, smoothing: What was tested.
        frames: Frames of the clip that were played.
        packets: Pose packets that arrived.
        packets_lost: Pose packets that were sent and did not.
        keypoint_error_px: Median distance of keypoints from the truth, those with a score of 0.3 and more.
        mpjpe_mm: Mean joint error, hips' middle on hips' middle, no scaling.
        pa_mpjpe_mm: The same after the best turn, scale and shift of each frame.
        joint_angle_error_deg: Mean angle between sent and true local rotations, all joints.
        root_path_error_cm: Mean distance of the hips from their true path, both from their first position.
        bone_drift_percent: How much bone lengths vary in what is sent.
        foot_slide_cm_s: Mean speed of ankles while their foot stands in truth.
        jitter_ratio: Mean acceleration of sent joints over the true one; 1 is as calm as the truth.
        latency_ms_p50, latency_ms_p95: From the frame's capture to the packet's arrival.
    """

    estimator: str
    runtime: str
    device: str
    smoothing: str
    frames: int
    packets: int
    packets_lost: int
    keypoint_error_px: float
    mpjpe_mm: float
    pa_mpjpe_mm: float
    joint_angle_error_deg: float
    root_path_error_cm: float
    bone_drift_percent: float
    foot_slide_cm_s: float
    jitter_ratio: float
    latency_ms_p50: float
    latency_ms_p95: float

    def as_dict(self) -> dict[str, Any]:
        """The figures by name, rounded to what they can say; None where there was nothing to judge."""
        return {
            name: (round(value, 2) if np.isfinite(value) else None) if isinstance(value, float) else value
            for name, value in asdict(self).items()
        }


def run_selftest(
    config: AppConfig, max_frames: int | None, progress: Callable[[int, int], None] = lambda done, total: None
) -> Figures:
    """Play the actor live and judge what arrives.

    Args:
        config: Settings; source, outputs, body height and field of view are replaced by the actor's own.
        max_frames: End after so many.
        progress: Told how many frames arrived, of how many.

    Raises:
        RealtimePoseError: Nothing arrived, or a part cannot be had.
    """
    truth = load_truth(data_path(TRUTH))
    camera = truth.intrinsics
    fov_deg = float(np.degrees(2 * np.arctan(max(camera.width, camera.height) / 2 / camera.fx)))
    config = config.with_values({"body": {"height_m": truth.height_m, "fov_deg": fov_deg}}, "selftest")
    receiver = UdpReceiver("127.0.0.1:0")
    udp = UdpSink(receiver.address)
    pipeline = build_pipeline(config)
    runtime = Runtime(open_actor(CaptureConfig()), pipeline, [udp], paced=True, max_frames=max_frames)
    arrived: list[tuple[PosePacket, float]] = []
    try:
        runtime.start()
        while True:
            packet = receiver.receive(_SILENCE_S)
            if isinstance(packet, PosePacket):
                arrived.append((packet, time.time()))
                progress(packet.seq + 1, min(max_frames or len(truth.joints_m), len(truth.joints_m)))
            elif packet is None and runtime.wait(0.0):
                break
    finally:
        runtime.stop()
        receiver.close()
    runtime.raise_if_failed()
    if len(arrived) < 3:
        raise RealtimePoseError(
            f"the self-test got {len(arrived)} packets of {runtime.statistics.frames} frames, too few to judge; "
            "is the estimator working? try: realtime-pose doctor"
        )
    tested = {name: str(getattr(pipeline.estimator, attribute)) for name, attribute in _TESTED.items()}
    tested["smoothing"] = config.body.smoothing
    return _judge(arrived, truth, runtime.statistics.frames, udp.packets_sent, tested)


_TESTED = {"estimator": "name", "runtime": "runtime", "device": "device"}


def _judge(
    arrived: list[tuple[PosePacket, float]], truth: ActorTruth, frames: int, sent: int, tested: dict[str, str]
) -> Figures:
    packets = [packet for packet, _ in arrived]
    row = [packet.seq for packet in packets]  # the clip drops nothing, so packets count its frames
    joints = np.array([packet.joints_3d for packet in packets], dtype=np.float64)
    local = np.array([packet.rotations for packet in packets], dtype=np.float64)
    true_joints = _seen_from_camera(truth, truth.joints_m[row])
    true_local = truth.local_xyzw[row].astype(np.float64)
    camera_turn = canonical_from_opencv(truth.camera_from_world[:3, :3].T).T  # canonical camera axes from the world
    true_local[:, 0] = rot.multiply(rot.from_matrix(camera_turn), true_local[:, 0])

    limb_rows = [HUMANOID.index[joint] for joint in errors3d.LIMB_JOINTS]
    limbs = joints[:, limb_rows] - joints[:, :1]
    true_limbs = true_joints[:, limb_rows] - true_joints[:, :1]
    feet = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]
    path = joints[:, 0] - joints[0, 0] - (true_joints[:, 0] - true_joints[0, 0])
    latency_ms = [(arrived_s - packet.timestamp) * 1e3 for packet, arrived_s in arrived]
    return Figures(
        **tested,
        frames=frames,
        packets=len(packets),
        packets_lost=sent - len(packets),
        keypoint_error_px=_keypoint_error_px(packets, truth, row),
        mpjpe_mm=errors3d.mpjpe_mm(limbs, true_limbs),
        pa_mpjpe_mm=errors3d.mpjpe_mm(errors3d.aligned_by_similarity(limbs, true_limbs), true_limbs),
        joint_angle_error_deg=errors3d.joint_angle_error_deg(local, true_local),
        root_path_error_cm=float(np.linalg.norm(path, axis=-1).mean() * 100),
        bone_drift_percent=errors3d.bone_drift_percent(HUMANOID, joints),
        foot_slide_cm_s=errors3d.foot_slide_cm_s(joints[:, feet], truth.foot_contact[row], truth.fps),
        jitter_ratio=errors3d.jitter_ratio(limbs, true_limbs),
        latency_ms_p50=float(np.percentile(latency_ms, 50)),
        latency_ms_p95=float(np.percentile(latency_ms, 95)),
    )


def _seen_from_camera(truth: ActorTruth, world_m: Any) -> Float64:  # noqa: ANN401 - any array of points
    """World points (..., 3) from the camera, in canonical axes."""
    turn, shift = truth.camera_from_world[:3, :3], truth.camera_from_world[:3, 3]
    return canonical_from_opencv(np.asarray(world_m, dtype=np.float64) @ turn.T + shift)


def _keypoint_error_px(packets: list[PosePacket], truth: ActorTruth, row: list[int]) -> float:
    body = COCO17_FEET_HANDS.rows(COCO17.names)
    seen = np.array([packet.scores for packet in packets]) >= 0.3
    away = np.array([packet.keypoints for packet in packets]) - truth.keypoints_px[row][:, body]
    return float(np.median(np.linalg.norm(away, axis=-1)[seen])) if seen.any() else float("nan")
