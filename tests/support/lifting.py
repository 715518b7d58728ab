"""Synthetic lifting cases."""

import numpy as np

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.evaluation.lifting_cases import LiftingCase
from realtime_pose.skeletons import COCO17, LIMB_NAMES

CAMERA = CameraIntrinsics(500.0, 500.0, 320.0, 240.0, 640, 480)
FPS = 30.0
# A standing body seen from the front, metres, OpenCV's axes (x right in the picture: the person's right is at -x).
_PLACES = {
    "nose": (0, -0.62, -0.1), "left_eye": (0.03, -0.65, -0.08), "right_eye": (-0.03, -0.65, -0.08),
    "left_ear": (0.07, -0.63, 0), "right_ear": (-0.07, -0.63, 0), "left_shoulder": (0.18, -0.48, 0),
    "left_elbow": (0.24, -0.2, 0), "left_wrist": (0.26, 0.04, -0.05), "left_hip": (0.1, 0, 0),
    "left_knee": (0.11, 0.41, -0.03), "left_ankle": (0.12, 0.82, 0),
}  # fmt: skip


def body_places(frames, seed=0):
    """(T, 17, 3) a swaying, waving body 3 m in front of the camera, OpenCV's axes."""
    t = np.arange(frames) / FPS
    mirrored = {n.replace("left", "right"): (-x, y, z) for n, (x, y, z) in _PLACES.items() if n.startswith("left")}
    rest = np.array([({**_PLACES, **mirrored})[name] for name in COCO17.names], dtype=np.float64)
    out = np.repeat(rest[None], frames, axis=0)
    phase = np.random.default_rng(seed).uniform(0, 6)
    out[:, COCO17.index["left_wrist"], 0] += 0.1 * np.sin(3 * t + phase)
    out[:, COCO17.index["right_knee"], 2] -= 0.1 * np.sin(2 * t + phase) ** 2
    out[..., 0] += 0.1 * np.sin(1.5 * t + phase)[:, None]
    return out + np.array([0.0, 0.1, 3.0])


def make_case(frames=40, seed=0, name="made up", intrinsics=CAMERA):
    """A case with exact keypoints."""
    places = body_places(frames, seed)
    xy = places[..., :2] / places[..., 2:] * (intrinsics.fx, intrinsics.fy) + (intrinsics.cx, intrinsics.cy)
    limbs = canonical_from_opencv(places[:, COCO17.rows(LIMB_NAMES)])
    seen = np.ones(limbs.shape[:2], bool)
    score = np.full(xy.shape[:2], 0.9, np.float32)
    return LiftingCase(name, COCO17, xy.astype(np.float32), score, limbs, seen, intrinsics, FPS)


def case_arrays(frames=20, seed=0):
    """The arrays of a case's npz file, in the names and order of other programs."""
    places = body_places(frames, seed)
    case = make_case(frames, seed)
    rows = COCO17.rows(LIMB_NAMES)
    joints = np.concatenate((places[:, rows[6:8]].mean(axis=1, keepdims=True), places[:, rows]), axis=1)
    return {
        "keypoints_px": case.xy_px,
        "scores": case.score,
        "joints_camera_m": joints.astype(np.float32),
        "joint_names": np.array(("pelvis", *LIMB_NAMES)),
        "keypoint_names": np.array(COCO17.names),
        "intrinsics": np.array([CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy], np.float32),
        "image_size": np.array([640, 480]),
        "fps": np.array(FPS, np.float32),
        "ground_camera": np.zeros((2, 3), np.float32),
    }
