"""Ground truth of the actors' clips: joints, rotations, keypoints and camera of every frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.errors import ArrayShapeError, RecordingError
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils.arrays import Bool, Float32, Float64, check_array, read_npz
from realtime_pose.utils.choices import check_choice
from realtime_pose.utils.paths import data_path

_ARRAYS = (
    "joints_m", "local_xyzw", "root_m", "bone_m", "keypoints_m", "keypoints_px", "camera_from_world", "foot_contact",
)  # fmt: skip
TRUTHS: Mapping[str, str] = {
    "actor": "resources/videos/default_truth.npz",
    "actor-2": "resources/videos/second_actor_truth.npz",
}
"""Source name of each packaged clip -> the path of its ground truth."""

_J, _K = len(HUMANOID.joints), len(COCO17_FEET_HANDS.names)


@dataclass(frozen=True, eq=False)
class ActorTruth:
    """Ground truth of a clip, row i for frame i; T frames, HUMANOID's J joints, K keypoints.

    World space is canonical (glTF's axes, metres) with the floor at y = 0; float32 unless stated.

    Attributes:
        joints_m: (T, J, 3) joint positions in the world.
        local_xyzw: (T, J, 4) local rotations, identity = T-pose.
        root_m: (T, 3) position of the hips in the world.
        bone_m: (J,) the actor's bone lengths, parent to joint; 0 for the root.
        height_m: Body height, soles to crown.
        keypoints_m: (T, K, 3) COCO17_FEET_HANDS in the world.
        keypoints_px: (T, K, 2) the same, projected without distortion.
        camera_from_world: (4, 4) float64, OpenCV camera axes from the world.
        intrinsics: The camera and the image size.
        fps: Constant frame rate.
        foot_contact: (T, 2) bool, whether the left and the right foot are on the floor.
        activity: (T,) the actor's activity, e.g. "walk".
    """

    joints_m: Float32
    local_xyzw: Float32
    root_m: Float32
    bone_m: Float32
    height_m: float
    keypoints_m: Float32
    keypoints_px: Float32
    camera_from_world: Float64
    intrinsics: CameraIntrinsics
    fps: float
    foot_contact: Bool
    activity: tuple[str, ...]

    def __post_init__(self) -> None:
        t = len(self.joints_m)
        check_array("joints_m", self.joints_m, (t, _J, 3))
        check_array("local_xyzw", self.local_xyzw, (t, _J, 4))
        check_array("root_m", self.root_m, (t, 3))
        check_array("bone_m", self.bone_m, (_J,))
        check_array("keypoints_m", self.keypoints_m, (t, _K, 3))
        check_array("keypoints_px", self.keypoints_px, (t, _K, 2))
        check_array("camera_from_world", self.camera_from_world, (4, 4), np.float64)
        check_array("foot_contact", self.foot_contact, (t, 2), np.bool_)
        if len(self.activity) != t:
            raise ArrayShapeError("activity", (len(self.activity),), (t,))


def project(points_m: npt.ArrayLike, camera_from_world: npt.ArrayLike, intrinsics: CameraIntrinsics) -> Float64:
    """Pixels (..., 2) of world points (..., 3), through a pinhole camera without distortion."""
    camera = np.asarray(camera_from_world, dtype=np.float64)
    in_camera = np.asarray(points_m, dtype=np.float64) @ camera[:3, :3].T + camera[:3, 3]
    focal = np.array([intrinsics.fx, intrinsics.fy])
    return in_camera[..., :2] / in_camera[..., 2:] * focal + np.array([intrinsics.cx, intrinsics.cy])


def save_truth(path: Path, truth: ActorTruth) -> None:
    """Write the ground truth as a compressed npz; equal arrays give equal bytes."""
    i = truth.intrinsics
    labels = tuple(dict.fromkeys(truth.activity))
    arrays: dict[str, npt.NDArray[Any]] = {
        "joint_names": np.array(HUMANOID.joints),
        "keypoint_names": np.array(COCO17_FEET_HANDS.names),
        "joints_m": truth.joints_m,
        "local_xyzw": truth.local_xyzw,
        "root_m": truth.root_m,
        "bone_m": truth.bone_m,
        "height_m": np.array(truth.height_m),
        "keypoints_m": truth.keypoints_m,
        "keypoints_px": truth.keypoints_px,
        "camera_from_world": truth.camera_from_world,
        "intrinsics": np.array([i.fx, i.fy, i.cx, i.cy]),
        "image_size": np.array([i.width, i.height]),
        "fps": np.array(truth.fps),
        "foot_contact": truth.foot_contact,
        "activity_names": np.array(labels),
        "activity": np.array([labels.index(a) for a in truth.activity], dtype=np.uint8),
    }
    # np.savez dates zip entries 1980, so equal arrays give equal bytes
    np.savez_compressed(path, allow_pickle=False, **arrays)


def load_truth(clip: str | Path) -> ActorTruth:
    """The ground truth that `save_truth` wrote; nothing in the file is executed.

    Args:
        clip: A packaged clip's name (a key of `TRUTHS`), or a file's path.

    Raises:
        UnknownChoiceError: No packaged clip has this name.
        RecordingError: The file is missing, damaged, or something else.
    """
    if isinstance(clip, str):
        check_choice("clip", clip, TRUTHS)
    path = data_path(TRUTHS[clip]) if isinstance(clip, str) else clip
    try:
        got = read_npz(path)
        if tuple(got["joint_names"]) != HUMANOID.joints or tuple(got["keypoint_names"]) != COCO17_FEET_HANDS.names:
            raise ValueError("its joints or keypoints have other names")
        fx, fy, cx, cy = (float(value) for value in got["intrinsics"])
        width, height = (int(value) for value in got["image_size"])
        values: dict[str, Any] = {name: got[name] for name in _ARRAYS}
        values["intrinsics"] = CameraIntrinsics(fx, fy, cx, cy, width, height)
        values["height_m"], values["fps"] = float(got["height_m"]), float(got["fps"])
        values["activity"] = tuple(str(got["activity_names"][i]) for i in got["activity"])
        return ActorTruth(**values)
    except Exception as exc:  # whatever numpy says to arrays of other kinds
        raise RecordingError(
            f"{path} is not the ground truth of an actor's clip ({exc}); make one with: python -m tools.actor"
        ) from exc
