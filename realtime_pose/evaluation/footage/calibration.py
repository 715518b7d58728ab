"""Calibrated cameras from a Qualisys file (.qca.txt): where each stands, how it looks, and its lens."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.errors import RecordingError
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_UNITS_PER_PX = 64.0  # of the file's intrinsics


@dataclass(frozen=True, eq=False)
class CalibratedCamera:
    """One camera of a calibrated set. The set's world is the file's: metres, +Z up.

    Attributes:
        name: Its serial in the file.
        intrinsics: Focal lengths and centre, px.
        distortion: (5,) OpenCV's k1, k2, p1, p2, k3.
        camera_from_world: (3, 3) rotation of directions to the camera's canonical axes (x right, y up, -z forward).
        position_m: (3,) in the world.
    """

    name: str
    intrinsics: CameraIntrinsics
    distortion: Float64
    camera_from_world: Float64
    position_m: Float64

    @property
    def up(self) -> Float64:
        """(3,) the direction against gravity in the camera's canonical axes."""
        return self.camera_from_world[:, 2]

    def rays(self, points_px: Float64) -> Float64:
        """Unit directions (..., 3) in the world in which the points (..., 2) are seen."""
        import cv2

        camera = self.intrinsics
        matrix = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
        flat = np.ascontiguousarray(points_px, np.float64).reshape(-1, 1, 2)
        seen = cv2.undistortPoints(flat, matrix, self.distortion).reshape(*points_px.shape[:-1], 2)
        forward = canonical_from_opencv(np.concatenate((seen, np.ones_like(seen[..., :1])), axis=-1))
        return rot.unit(forward @ self.camera_from_world)

    def project(self, world_m: Float64) -> Float64:
        """Pixels (..., 2) of world points (..., 3), without distortion."""
        x, y, z = np.moveaxis((world_m - self.position_m) @ self.camera_from_world.T, -1, 0)
        camera = self.intrinsics
        return np.stack((camera.cx - camera.fx * x / z, camera.cy + camera.fy * y / z), axis=-1)


def read_qualisys(path: Path) -> list[CalibratedCamera]:
    """The cameras of a Qualisys calibration file.

    Its intrinsics are in 1/64 px, its positions in millimetres; its rotation leads from the world to a camera that
    looks along -Z.

    Raises:
        RecordingError: The file cannot be read, or is not one.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except OSError as exc:
        raise RecordingError(f"cannot read the calibration {path} ({exc.strerror}); give a .qca.txt file") from exc
    except ElementTree.ParseError as exc:
        raise _no_calibration(path, str(exc)) from exc
    try:
        cameras = [_camera(entry) for entry in root.iter("camera")]
    except (AttributeError, KeyError, ValueError) as exc:
        raise _no_calibration(path, f"{type(exc).__name__}: {exc}") from exc
    if not cameras:
        raise _no_calibration(path, "it has no camera")
    return cameras


def _no_calibration(path: Path, reason: str) -> RecordingError:
    return RecordingError(f"{path} is not a Qualisys calibration ({reason}); export one as .qca.txt")


def _camera(entry: ElementTree.Element) -> CalibratedCamera:
    transform, lens, picture = (_attributes(entry, tag) for tag in ("transform", "intrinsic", "fov_video"))
    fx, fy, cx, cy = (
        float(lens[key]) / _UNITS_PER_PX for key in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
    )
    width, height = (
        round(float(picture[far]) - float(picture[near])) + 1 for near, far in (("left", "right"), ("top", "bottom"))
    )
    # The file spells it "tangental".
    distortion = [
        float(lens[key])
        for key in ("radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2",
                    "radialDistortion3")
    ]  # fmt: skip
    rotation = np.array([[float(transform[f"r{row}{column}"]) for column in (1, 2, 3)] for row in (1, 2, 3)])
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
        raise ValueError("its rotation is none")
    position_mm = np.array([float(transform[axis]) for axis in "xyz"])
    if not (math.isfinite(position_mm.sum()) and min(fx, fy, width, height) > 0):
        raise ValueError("its numbers are out of range")
    return CalibratedCamera(
        entry.attrib["serial"],
        CameraIntrinsics(fx, fy, cx, cy, width, height),
        np.array(distortion),
        rotation,
        position_mm / 1000,
    )


def _attributes(entry: ElementTree.Element, tag: str) -> Mapping[str, str]:
    found = entry.find(tag)
    if found is None:
        raise ValueError(f"a camera has no {tag}")
    return found.attrib


def cameras_of(videos: Sequence[Path], cameras: Sequence[CalibratedCamera]) -> list[CalibratedCamera]:
    """The camera of each video: the one with its file name's stem, else, of as many, the one at its place.

    Raises:
        RecordingError: A video has no camera.
    """
    named = {camera.name: camera for camera in cameras}
    if all(video.stem in named for video in videos):
        return [named[video.stem] for video in videos]
    if len(videos) != len(cameras):
        raise RecordingError(
            f"the calibration has the cameras {', '.join(named)}; name the videos so, or give as many in that order, "
            f"not {len(videos)}"
        )
    return list(cameras)
