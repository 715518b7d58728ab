"""Data types of the pipeline: frozen dataclasses with checked, read-only arrays.

Canonical space is glTF's: right-handed, +Y up, +Z the character's front, +X the character's left, metres,
quaternions xyzw; see docs/conventions.md. Pixels are the full frame's, x right, y down. Times are nanoseconds.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from realtime_pose.skeletons import MIDDLES, KeypointLayout, Skeleton
from realtime_pose.utils.arrays import Bool, Float32, UInt8, as_float32, check_array

_MAX_PX = 1e5  # a keypoint with a larger coordinate is invalid


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
    """

    layout: KeypointLayout
    xyz_m: Float32
    root_m: Float32
    score: Float32
    track_id: int
    time_ns: int

    def __post_init__(self) -> None:
        j = len(self.layout.names)
        check_array("xyz_m", self.xyz_m, (j, 3))
        check_array("root_m", self.root_m, (3,))
        check_array("score", self.score, (j,))


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
    """The pipeline's result for one frame, and the input of every sink; `people` is empty if no one is visible."""

    frame: Frame
    people: tuple[Person, ...]
