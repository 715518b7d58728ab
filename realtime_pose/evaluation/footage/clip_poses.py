"""Poses of a clip, in live order or in two passes: keypoints through all 3D stages, and what is judged of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, FrameResult, Person, PersonBox, PersonKeypoints, SceneCamera, SkeletonPose
from realtime_pose.errors import ConfigError
from realtime_pose.evaluation.footage.cameras import heading_of
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID, LIMB_NAMES, LIMB_ROWS
from realtime_pose.two_passes import poses_of_clip
from realtime_pose.utils.arrays import Bool, Float64, as_float32, black_image

_ROW = HUMANOID.index
HIPS, NECK = _ROW["hips"], _ROW["neck"]
UPPER_LEGS, LOWER_LEGS, FEET = (
    [_ROW[f"left{joint}"], _ROW[f"right{joint}"]] for joint in ("UpperLeg", "LowerLeg", "Foot")
)
_SHOULDERS = [_ROW["leftUpperArm"], _ROW["rightUpperArm"]]
_NOWHERE_PX = 1e5
_UP: Float64 = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, eq=False)
class PersonTrack:
    """One person's poses over a clip, in the M frames that have one.

    Attributes:
        track_id: The person.
        frame: (M,) int64 numbers of these frames, rising.
        time_s: (M,) media time.
        joints_m: (M, 17, 3) HUMANOID's joints in world axes, by forward kinematics.
        contact: (M, 2) whether the left and the right foot stand.
        cameras: The camera of each frame.
        limbs_px: (M, 12, 2) the keypoints of LIMB_NAMES.
        limbs_score: (M, 12) their scores.
        height_m: The body height that scales the pose.
    """

    track_id: int
    frame: npt.NDArray[np.int64]
    time_s: Float64
    joints_m: Float64
    contact: Bool
    cameras: tuple[SceneCamera, ...]
    limbs_px: Float64
    limbs_score: Float64
    height_m: float

    def __len__(self) -> int:
        return len(self.frame)

    def rows(self, first: int, last: int) -> slice:
        """The rows of the frames from `first` to `last`, both included."""
        return slice(*np.searchsorted(self.frame, (first, last + 1)).tolist())

    @property
    def projected_px(self) -> Float64:
        """(M, 17, 2) the joints through the camera of their frame; far outside where one is not in front of it."""
        seen = zip(self.cameras, self.joints_m, strict=True)
        projected_px = np.array([camera.project(joints) for camera, joints in seen]).reshape(
            -1, len(HUMANOID.joints), 2
        )
        return np.nan_to_num(projected_px, nan=_NOWHERE_PX)

    @property
    def trunk_deg(self) -> Float64:
        """(M,) angle between the line from hips to neck and the vertical."""
        return angle_deg(self.joints_m[:, NECK] - self.joints_m[:, HIPS], _UP)

    @property
    def knees_deg(self) -> Float64:
        """(M, 2) inner angle of the left and the right knee; 180 is straight."""
        knee = self.joints_m[:, LOWER_LEGS]
        return angle_deg(self.joints_m[:, UPPER_LEGS] - knee, self.joints_m[:, FEET] - knee)

    @property
    def legs_deg(self) -> Float64:
        """(M,) angle between the line from the middle of the ankles to the hips and the vertical."""
        return angle_deg(self.joints_m[:, HIPS] - self.joints_m[:, FEET].mean(axis=1), _UP)

    @property
    def lower_ankle_m(self) -> Float64:
        """(M,) height of the lower ankle over the floor."""
        return self.joints_m[:, FEET, 1].min(axis=1)

    @property
    def yaw_deg(self) -> Float64:
        """(M,) the body's turn about the vertical against the camera: 0 faces it, 90 faces the image's right."""
        left_right = sum(self.joints_m[:, a] - self.joints_m[:, b] for a, b in (_SHOULDERS, UPPER_LEGS))
        front = np.cross(left_right, _UP)
        right, towards = (np.array([heading_of(camera)[i] for camera in self.cameras]).reshape(-1, 3) for i in (0, 1))
        return np.degrees(np.arctan2((front * right).sum(axis=1), (front * towards).sum(axis=1)))


def angle_deg(a: Float64, b: Float64) -> Float64:
    """Angles (...) between vectors (..., 3)."""
    sine = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.degrees(np.arctan2(sine, (a * b).sum(axis=-1)))


@dataclass
class _Collected:
    frames: list[int]
    poses: list[SkeletonPose]
    cameras: list[SceneCamera]
    keypoints: list[PersonKeypoints]


def tracks_of(
    clip: ClipKeypoints, config: AppConfig, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[PersonTrack]:
    """Everyone's poses, most frames first.

    Without `body.look_ahead`, frame t is answered before frame t + 1 is seen; with it there are two passes.

    Args:
        clip: The keypoints.
        config: The settings of the 3D stages.
        progress: Called with the number of frames done, and the total, of all passes.

    Raises:
        ConfigError: The keypoints have no human body.
    """
    if not clip.layout.has_body:
        raise ConfigError(f"{clip.path}: {clip.layout.name} is no human body; choose another estimator or data set")
    total = (1 + config.body.look_ahead) * len(clip)
    done = count(1)
    people: dict[int, _Collected] = {}
    for result in poses_of_clip(
        lambda: _results(clip), config, lambda: progress(next(done), total), lambda frame: clip.lost(frame.index)
    ):
        for person in result.people:
            if person.pose is None or result.camera is None:
                continue
            kept = people.setdefault(person.keypoints.track_id, _Collected([], [], [], []))
            kept.frames.append(result.frame.index)
            kept.poses.append(person.pose)
            kept.cameras.append(result.camera)
            kept.keypoints.append(person.keypoints)
    rows = clip.layout.rows(LIMB_NAMES)
    tracks = [_track(track_id, kept, rows, config.body.height_m) for track_id, kept in people.items()]
    return sorted(tracks, key=len, reverse=True)


def _results(clip: ClipKeypoints) -> Iterator[FrameResult]:
    image = black_image(clip.width, clip.height)
    for index, time_ns in enumerate(clip.time_ns.tolist()):
        people = (
            Person(
                PersonBox(as_float32((0, 0, clip.width, clip.height)), 1.0, keypoints.track_id), keypoints, None, None
            )
            for keypoints in clip.people(index)
        )
        yield FrameResult(Frame(image, index, time_ns, time_ns), tuple(people))


def _track(track_id: int, kept: _Collected, rows: list[int], height_m: float) -> PersonTrack:
    contact = [(False, False) if pose.foot_contact is None else pose.foot_contact for pose in kept.poses]
    return PersonTrack(
        track_id,
        np.array(kept.frames, np.int64),
        np.array([pose.time_ns for pose in kept.poses]) / 1e9,
        np.array([forward_kinematics(pose) for pose in kept.poses]),
        np.array(contact, bool),
        tuple(kept.cameras),
        np.array([person.xy_px[rows] for person in kept.keypoints], np.float64),
        np.array([person.score[rows] for person in kept.keypoints], np.float64),
        height_m,
    )


def limb_joints(joints: Float64) -> Float64:
    """The joints of LIMB_NAMES (..., 12, D) of HUMANOID's (..., 17, D)."""
    return joints[..., LIMB_ROWS, :]
