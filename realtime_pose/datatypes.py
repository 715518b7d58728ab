"""Data types of the pipeline: frozen dataclasses with checked, read-only arrays.

Canonical space is glTF's: right-handed, +Y up, +Z the character's front, +X the character's left, metres,
quaternions xyzw; see docs/conventions.md. Pixels are the full frame's, x right, y down. Times are nanoseconds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import ConfigError
from realtime_pose.skeletons import MIDDLES, KeypointLayout, Skeleton
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float32, Float64, UInt8, as_float32, check_array
from realtime_pose.utils.choices import check_choice

_MAX_PX = 1e5  # a keypoint with a larger coordinate is invalid
_MIN_DEPTH_M = 1e-6  # points that are nearer to the camera's plane, or behind it, have no pixel
_MAX_NUMBER = 1e9  # in a camera that is read; also keeps NaN and infinity out
_UNIT_TOLERANCE = 1e-3  # of a quaternion's length; four decimals pass


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image from a source.

    Attributes:
        image_bgr: (H, W, 3) uint8.
        index: Counts the source's frames from 0; a gap means frames were dropped.
        time_ns: Media time: the grab for a camera, the presentation time for a file. Drives filters and exports.
        captured_ns: Monotonic clock at the read; only for latency.
    """

    image_bgr: UInt8
    index: int
    time_ns: int
    captured_ns: int

    def __post_init__(self) -> None:
        check_array("image_bgr", self.image_bgr, (None, None, 3), np.uint8)

    @property
    def width(self) -> int:
        """Width of the image, px."""
        return int(self.image_bgr.shape[1])

    @property
    def height(self) -> int:
        """Height of the image, px."""
        return int(self.image_bgr.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class PersonBox:
    """The bounding box of one person in a frame.

    Attributes:
        bbox_xyxy_px: (4,) float32 left, top, right, bottom; right and bottom exclusive.
        score: In 0..1.
        track_id: The person's id over time; -1 while they have none.
    """

    bbox_xyxy_px: Float32
    score: float
    track_id: int = -1

    def __post_init__(self) -> None:
        check_array("bbox_xyxy_px", self.bbox_xyxy_px, (4,))


@dataclass(frozen=True, slots=True, eq=False)
class PersonKeypoints:
    """One person's keypoints in one frame, as the 2D estimator found them.

    Attributes:
        layout: Names and order of the K keypoints, e.g. COCO17.
        xy_px: (K, 2) float32, pixels of the full frame.
        score: (K,) float32 in 0..1; where it is 0, xy_px means nothing.
        track_id: The person's id over time.
        time_ns: The frame's media time.
    """

    layout: KeypointLayout
    xy_px: Float32
    score: Float32
    track_id: int
    time_ns: int

    def __post_init__(self) -> None:
        k = len(self.layout.names)
        check_array("xy_px", self.xy_px, (k, 2))
        check_array("score", self.score, (k,))

    def sane(self) -> "PersonKeypoints":
        """The same points with scores in 0..1; invalid ones (NaN, or far outside any image) get score 0 at 0, 0."""
        valid = np.all(np.abs(self.xy_px) < _MAX_PX, axis=1)  # false for NaN
        if valid.all() and ((self.score >= 0) & (self.score <= 1)).all():
            return self
        xy_px = np.where(valid[:, None], self.xy_px, 0)
        score = np.where(valid & (self.score > 0), np.minimum(self.score, 1), 0)
        return PersonKeypoints(self.layout, as_float32(xy_px), as_float32(score), self.track_id, self.time_ns)

    def for_lifting(self, threshold: float) -> "PersonKeypoints":
        """The points in the layout that is lifted; scores below the threshold become 0 (occluded)."""
        score = as_float32(self.score * (self.score >= threshold))
        return replace(self, score=score).in_layout(self.layout.lifts_as)

    def in_layout(self, layout: KeypointLayout) -> "PersonKeypoints":
        """The same person in another layout, points matched by name; a missing point has score 0.

        A toe that is missing is the middle of the big and the small toe, if those are present.
        """
        if layout is self.layout:
            return self
        first, second = (list(rows) for rows in _rows_in(self.layout, layout))
        score = np.minimum(self.score[first], self.score[second]) * (np.array(first) >= 0)
        xy_px = (self.xy_px[first] + self.xy_px[second]) / 2
        return PersonKeypoints(layout, as_float32(xy_px), as_float32(score), self.track_id, self.time_ns)


@lru_cache(maxsize=64)
def _rows_in(given: KeypointLayout, wanted: KeypointLayout) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """For each point of `wanted`, the two rows of `given` whose middle it is: its own row twice; -1 if missing."""
    pairs = []
    for name in wanted.names:
        ends = MIDDLES.get(name, (name, name))
        is_middle = name not in given.index and all(end in given.index for end in ends)
        pairs.append(ends if is_middle else (name, name))
    return tuple(given.index.get(a, -1) for a, _ in pairs), tuple(given.index.get(b, -1) for _, b in pairs)


@dataclass(frozen=True, slots=True)
class CameraIntrinsics:
    """A pinhole camera without distortion, in pixels of an image of `width` x `height`."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    @classmethod
    def from_field_of_view(cls, fov_deg: float, width: int, height: int) -> "CameraIntrinsics":
        """A camera with this field of view along the image's longer side, its centre in the middle."""
        f = max(width, height) / 2 / float(np.tan(np.radians(fov_deg) / 2))
        return cls(f, f, width / 2, height / 2, width, height)

    @property
    def fov_deg(self) -> float:
        """Field of view along the image's longer side."""
        f = self.fx if self.width >= self.height else self.fy
        return math.degrees(2 * math.atan(max(self.width, self.height) / 2 / f))


CAMERA_SOURCES = ("given", "estimated", "assumed")
"""Where a camera's direction comes from: the settings, the images, or nothing yet (then it is taken as level)."""


@dataclass(frozen=True, slots=True, eq=False)
class SceneCamera:
    """The camera of a take: where it stands in the world, and what it sees. A pose projected by it lies on the person.

    World and camera axes are canonical; the world's +Y points against gravity, its floor is at y = 0. An unrotated
    camera has x to the image's right and y up, and looks along -z: glTF's and three.js's camera.

    Attributes:
        fov_deg: Field of view along the image's longer side; a pinhole camera, its centre in the middle of the image.
        width, height: Size of the image, px.
        position_m: (3,) float64 in the world; y is its height over the floor.
        rotation_xyzw: (4,) float64, world from camera.
        source: One of CAMERA_SOURCES.
        sigma_deg: Standard deviation of the direction of gravity, degrees; 0 for a given one.
    """

    fov_deg: float
    width: int
    height: int
    position_m: Float64
    rotation_xyzw: Float64
    source: str = "assumed"
    sigma_deg: float = 0.0

    def __post_init__(self) -> None:
        check_array("position_m", self.position_m, (3,), np.float64)
        check_array("rotation_xyzw", self.rotation_xyzw, (4,), np.float64)
        check_choice("camera.source", self.source, CAMERA_SOURCES)

    @property
    def pitch_deg(self) -> float:
        """Degrees that the camera looks down."""
        return math.degrees(rot.pitch_roll_of(self.rotation_xyzw)[0])

    @property
    def roll_deg(self) -> float:
        """Degrees that the world leans to the image's right, since the camera leans to its own left."""
        return math.degrees(rot.pitch_roll_of(self.rotation_xyzw)[1])

    @property
    def yfov_deg(self) -> float:
        """Field of view along the image's height, as renderers want it."""
        return math.degrees(2 * math.atan(self.height / 2 / self.intrinsics.fy))

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The same lens in pixels."""
        return CameraIntrinsics.from_field_of_view(self.fov_deg, self.width, self.height)

    def project(self, xyz_m: npt.ArrayLike) -> Float64:
        """Pixels (..., 2) of world points (..., 3) in metres; NaN for a point that is not in front of the camera."""
        x, y, z = np.moveaxis(rot.rotate(rot.inverse(self.rotation_xyzw), np.asarray(xyz_m) - self.position_m), -1, 0)
        depth = np.where(-z > _MIN_DEPTH_M, -z, np.nan)
        lens = self.intrinsics
        return np.stack((lens.cx + lens.fx * x / depth, lens.cy - lens.fy * y / depth), axis=-1)

    def ray(self, xy_px: npt.ArrayLike) -> Float64:
        """Unit directions (..., 3) in world axes from the camera through pixels (..., 2); the inverse of `project`."""
        lens = self.intrinsics
        x, y = np.moveaxis((np.asarray(xy_px, dtype=np.float64) - (lens.cx, lens.cy)) / (lens.fx, -lens.fy), -1, 0)
        return rot.rotate(self.rotation_xyzw, rot.unit(np.stack((x, y, np.full_like(x, -1.0)), axis=-1)))

    def mirrored(self) -> "SceneCamera":
        """The camera that sees the world mirrored across x = 0 as this one's image mirrored left to right."""
        x, y, z, w = self.rotation_xyzw
        return replace(self, position_m=self.position_m * (-1.0, 1.0, 1.0), rotation_xyzw=np.array((x, -y, -z, w)))

    def rounded(self, *, fewer_decimals: int = 0) -> "SceneCamera":
        """Metres with 4 decimals, the quaternion with 5, degrees with 2: what sessions hold, under 0.1 px."""
        metres, quaternion, degrees = 4 - fewer_decimals, 5 - fewer_decimals, 2 - fewer_decimals
        return replace(
            self,
            fov_deg=round(self.fov_deg, degrees),
            position_m=np.round(self.position_m, metres),
            rotation_xyzw=np.round(self.rotation_xyzw, quaternion),
            sigma_deg=round(self.sigma_deg, degrees),
        )

    def to_dict(self) -> dict[str, Any]:
        """The camera as JSON, for sessions, reports and `hello` packets; exact, but pitch and roll have 2 decimals.

        Whole numbers are integers: packets have no room for ".0".
        """
        pitch_deg, roll_deg = np.round(np.degrees(rot.pitch_roll_of(self.rotation_xyzw)), 2)
        return {
            "fov_deg": _short(self.fov_deg),
            "width": self.width,
            "height": self.height,
            "pitch_deg": _short(pitch_deg),
            "roll_deg": _short(roll_deg),
            "position_m": [_short(value) for value in self.position_m],
            "rotation_xyzw": [_short(value) for value in self.rotation_xyzw],
            "source": self.source,
            "sigma_deg": _short(self.sigma_deg),
        }

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> "SceneCamera":
        """The camera of `to_dict`; unknown keys are ignored, and pitch and roll too, as the rotation has them.

        Raises:
            ConfigError: A key is missing, or its value is not what it should be.
        """
        width, height = (_numbers(fields, key, 1)[0] for key in ("width", "height"))
        fov_deg, sigma_deg = (_numbers(fields, key, 1)[0] for key in ("fov_deg", "sigma_deg"))
        rotation = np.array(_numbers(fields, "rotation_xyzw", 4))
        if not (0 < fov_deg < 180 and min(width, height) >= 1 and abs(np.linalg.norm(rotation) - 1) < _UNIT_TOLERANCE):
            raise ConfigError("a camera needs an angle in fov_deg, an image size in px and a unit rotation_xyzw")
        position_m = np.array(_numbers(fields, "position_m", 3))
        source = str(fields.get("source"))
        return cls(fov_deg, int(width), int(height), position_m, rotation, source, sigma_deg)


def _short(value: float) -> float:
    """The number, as an integer where it is whole."""
    return int(value) if float(value).is_integer() else float(value)


def _numbers(fields: Mapping[str, Any], key: str, count: int) -> list[float]:
    value: Any = fields.get(key) if isinstance(fields, Mapping) else None
    values: Sequence[Any] = value if isinstance(value, Sequence) else [value]
    if len(values) != count or not all(type(v) in (int, float) and abs(v) < _MAX_NUMBER for v in values):
        raise ConfigError(f"a camera needs {key} as {count} finite number{'s' * (count > 1)}, got {value!r}")
    return [float(v) for v in values]


@dataclass(frozen=True, slots=True, eq=False)
class Joints3D:
    """One person's points in space, as lifted.

    Attributes:
        layout: Names and order of the J points (those of the keypoints they were lifted from).
        xyz_m: (J, 3) float32 relative to the root (middle of the hips), canonical axes.
        root_m: (3,) float32 the root from the camera, canonical axes (so z is negative in front of it).
        score: (J,) float32 in 0..1; where it is 0, the point is a guess.
        track_id: The person's id over time.
        time_ns: The frame's media time.
        contact: (2, 2) float32 probability that heel and toe of the left and of the right foot stand; None where it is
            not known.
    """

    layout: KeypointLayout
    xyz_m: Float32
    root_m: Float32
    score: Float32
    track_id: int
    time_ns: int
    contact: Float32 | None = None

    def __post_init__(self) -> None:
        j = len(self.layout.names)
        check_array("xyz_m", self.xyz_m, (j, 3))
        check_array("root_m", self.root_m, (3,))
        check_array("score", self.score, (j,))
        if self.contact is not None:
            check_array("contact", self.contact, (2, 2))


@dataclass(frozen=True, slots=True, eq=False)
class JointRotations:
    """A rotation for each joint of a skeleton.

    Attributes:
        skeleton: The tree.
        local_xyzw: (J, 4) float32 unit quaternions in the parent's space; identity = rest pose.
    """

    skeleton: Skeleton
    local_xyzw: Float32

    def __post_init__(self) -> None:
        check_array("local_xyzw", self.local_xyzw, (len(self.skeleton.joints), 4))


@dataclass(frozen=True, slots=True, eq=False)
class SkeletonPose:
    """One person's skeleton at one moment: everything that drives a character.

    Attributes:
        rotations: Local rotations.
        root_m: (3,) float32 the root joint, canonical axes; origin as in Joints3D until a floor is known.
        bone_m: (J,) float32 the person's own bone lengths, parent to joint; 0 for the root.
        score: (J,) float32 in 0..1; where it is 0, the joint is held or eased to rest.
        track_id: The person's id over time.
        time_ns: The frame's media time.
        foot_contact: (2,) bool, whether the left and the right foot stand on the floor; None without foot locking.
        blending: Whether the pose is still blending back from a gap or a jump, and so does not match the image.
    """

    rotations: JointRotations
    root_m: Float32
    bone_m: Float32
    score: Float32
    track_id: int
    time_ns: int
    foot_contact: Bool | None = None
    blending: bool = False

    def __post_init__(self) -> None:
        j = len(self.rotations.skeleton.joints)
        check_array("root_m", self.root_m, (3,))
        check_array("bone_m", self.bone_m, (j,))
        check_array("score", self.score, (j,))
        if self.foot_contact is not None:
            check_array("foot_contact", self.foot_contact, (2,), np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One person in one frame; joints and pose are None if the keypoints have no human body."""

    box: PersonBox
    keypoints: PersonKeypoints
    joints: Joints3D | None
    pose: SkeletonPose | None


@dataclass(frozen=True, slots=True, eq=False)
class FrameResult:
    """The pipeline's result for one frame, and the input of every sink.

    Attributes:
        frame: The frame.
        people: Everyone in it; empty if no one is visible.
        camera: The camera in the world of these poses, as it is known now; None before anyone had a pose, and where
            poses are not placed in a world.
    """

    frame: Frame
    people: tuple[Person, ...]
    camera: SceneCamera | None = None
