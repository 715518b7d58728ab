"""Lifting cases: clips of 2D keypoints with their 3D ground truth, read from npz files."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.datatypes import CameraIntrinsics, PersonKeypoints
from realtime_pose.errors import RecordingError
from realtime_pose.skeletons import COCO17, LIMB_NAMES, KeypointLayout
from realtime_pose.utils.arrays import Bool, Float32, Float64, as_float32, read_npz

_KEYS = (
    "keypoints_px", "scores", "joints_camera_m", "joint_names", "keypoint_names", "intrinsics", "image_size", "fps",
)  # fmt: skip
_GROUND = "ground_camera"  # optional: a point of the floor and its normal
_SHORTEST_NORMAL = 1e-6  # a shorter one says nothing


@dataclass(frozen=True, eq=False)
class LiftingCase:
    """One clip of one person.

    Attributes:
        name: Its name in messages.
        layout: Names of the K keypoints.
        xy_px: (T, K, 2) float32 keypoints.
        score: (T, K) float32 scores.
        limbs_m: (T, 12, 3) float64 true positions of LIMB_NAMES relative to the camera, canonical axes.
        seen: (T, 12) bool, whether each is inside the image and not behind furniture.
        intrinsics: The camera.
        fps: Frames per second.
        up: (3,) float64 unit vector against gravity relative to the camera, canonical axes; None where it is not known.
    """

    name: str
    layout: KeypointLayout
    xy_px: Float32
    score: Float32
    limbs_m: Float64
    seen: Bool
    intrinsics: CameraIntrinsics
    fps: float
    up: Float64 | None = None

    def __len__(self) -> int:
        return len(self.limbs_m)

    def keypoints(self, frame: int, track_id: int) -> PersonKeypoints:
        """The estimator's keypoints in one frame."""
        time_ns = round(frame / self.fps * 1e9)
        return PersonKeypoints(
            self.layout, as_float32(self.xy_px[frame]), as_float32(self.score[frame]), track_id, time_ns
        )


def load_cases(paths: Iterable[Path]) -> list[LiftingCase]:
    """The cases in these files and in the npz files of these folders, in order.

    Raises:
        RecordingError: A file is missing, a folder has none, or a file is not a lifting case.
    """
    return [load_case(file) for path in paths for file in _files_of(path)]


def _files_of(path: Path) -> Sequence[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(path.glob("*.npz"))
    if not files:
        raise RecordingError(f"the folder {path} has no .npz file; give lifting cases or a folder of them")
    return files


def load_case(path: Path) -> LiftingCase:
    """The case in one npz file, loaded without pickle.

    Raises:
        RecordingError: The file is missing, damaged, or not a lifting case.
    """
    try:
        arrays = read_npz(path)
        missing = [key for key in _KEYS if key not in arrays]
        if missing:
            raise _NoCaseError(f"it lacks {', '.join(missing)}")
        return _case(path.stem, arrays)
    except OSError as exc:
        raise RecordingError(f"cannot read the lifting case {path}: {exc.strerror}; give an npz file") from exc
    except _NoCaseError as exc:
        raise _no_case(path, str(exc)) from exc
    except Exception as exc:  # whatever numpy says to arrays of other kinds
        raise _no_case(path, f"it cannot be read: {' '.join(str(exc).split())}") from exc


class _NoCaseError(ValueError):
    """The reason why a file is not a lifting case."""


def _no_case(path: Path, reason: str) -> RecordingError:
    return RecordingError(f"{path} is not a lifting case ({reason}); docs/accuracy.md describes the format")


def _case(name: str, arrays: Mapping[str, npt.NDArray[Any]]) -> LiftingCase:
    keypoints, joints = (_names(arrays[key], key) for key in ("keypoint_names", "joint_names"))
    frames = len(np.atleast_1d(arrays["joints_camera_m"]))
    joints_m = _numbers(arrays, "joints_camera_m", (frames, len(joints), 3))
    xy_px = _numbers(arrays, "keypoints_px", (frames, len(keypoints), 2), finite=False)
    score = _numbers(arrays, "scores", (frames, len(keypoints)), finite=False)
    fx, fy, cx, cy = _numbers(arrays, "intrinsics", (4,))
    width, height = _numbers(arrays, "image_size", (2,))
    fps = float(_numbers(arrays, "fps", ()))
    if frames < 1:
        raise _NoCaseError("it has no frames")
    if min(fx, fy, width, height, fps) <= 0:
        raise _NoCaseError("its focal lengths, image size and fps must be positive")
    body = _rows(keypoints, COCO17.names, "keypoint_names")
    limbs = _rows(joints, LIMB_NAMES, "joint_names")
    return LiftingCase(
        name,
        COCO17,
        as_float32(xy_px[:, body]),
        as_float32(score[:, body]),
        canonical_from_opencv(joints_m[:, limbs]),
        np.ones((frames, len(limbs)), bool),
        CameraIntrinsics(float(fx), float(fy), float(cx), float(cy), int(width), int(height)),
        fps,
        _up(arrays),
    )


def _up(arrays: Mapping[str, npt.NDArray[Any]]) -> Float64 | None:
    """The direction (3,) against gravity, from the floor's normal; None without a floor."""
    if _GROUND not in arrays:
        return None
    normal = canonical_from_opencv(_numbers(arrays, _GROUND, (2, 3))[1])
    length = float(np.linalg.norm(normal))
    return None if length < _SHORTEST_NORMAL else np.asarray(normal / length)


def _names(array: npt.NDArray[Any], key: str) -> list[str]:
    if array.ndim != 1 or array.dtype.kind not in "US":
        raise _NoCaseError(f"{key} must be a list of names")
    return [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in array.tolist()]


def _rows(names: list[str], wanted: Sequence[str], key: str) -> list[int]:
    missing = [name for name in wanted if name not in names]
    if missing:
        raise _NoCaseError(f"{key} lacks {', '.join(missing)}")
    return [names.index(name) for name in wanted]


def _numbers(
    arrays: Mapping[str, npt.NDArray[Any]], key: str, shape: tuple[int, ...], *, finite: bool = True
) -> Float64:
    array = arrays[key]
    if array.dtype.kind not in "fiu":
        raise _NoCaseError(f"{key} has type {array.dtype}, wanted numbers")
    if array.shape != shape:
        raise _NoCaseError(f"{key} has shape {array.shape}, wanted {shape}")
    if finite and not np.isfinite(array).all():
        raise _NoCaseError(f"{key} has NaN or infinite values")
    return array.astype(np.float64)
