"""Synthetic people: a skeleton with seeded random rotations, projected by a pinhole camera."""

from collections.abc import Sequence

import numpy as np

from realtime_pose.axes import opencv_from_canonical
from realtime_pose.datatypes import (
    CameraIntrinsics,
    Frame,
    FrameResult,
    JointRotations,
    Joints3D,
    Person,
    PersonBox,
    PersonKeypoints,
    SceneCamera,
    SkeletonPose,
)
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID, KeypointLayout
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

WIDTH, HEIGHT = 640, 480
CAMERA = CameraIntrinsics.from_field_of_view(60.0, WIDTH, HEIGHT)
_CAMERA_FROM_FLOOR = np.array([0.0, -1.0, -3.0])  # the camera stands 3 m in front of the person, 1 m high

# Where each keypoint sits: a HUMANOID joint and an offset in its space (metres).
_ANCHORS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "nose": ("head", (0.0, 0.05, 0.10)),
    **{f"{s}_eye": ("head", (x * 0.03, 0.09, 0.08)) for s, x in (("left", 1), ("right", -1))},
    **{f"{s}_ear": ("head", (x * 0.08, 0.06, 0.0)) for s, x in (("left", 1), ("right", -1))},
    **{
        f"{s}_{point}": (f"{s}{joint}", (x * out, up, front))
        for s, x in (("left", 1), ("right", -1))
        for point, joint, (out, up, front) in (
            ("shoulder", "UpperArm", (0.0, 0.0, 0.0)),
            ("elbow", "LowerArm", (0.0, 0.0, 0.0)),
            ("wrist", "Hand", (0.0, 0.0, 0.0)),
            ("hip", "UpperLeg", (0.0, 0.0, 0.0)),
            ("knee", "LowerLeg", (0.0, 0.0, 0.0)),
            ("ankle", "Foot", (0.0, 0.0, 0.0)),
            ("heel", "Foot", (0.0, -0.06, -0.05)),
            ("toe", "Foot", (0.0, -0.06, 0.15)),
            ("pinky", "Hand", (0.08, 0.0, -0.03)),
            ("index", "Hand", (0.09, 0.0, 0.02)),
            ("thumb", "Hand", (0.04, 0.0, 0.05)),
        )
    },
}


def make_pose(seed: int = 0, *, turn_rad: float = 0.5, track_id: int = 0, time_ns: int = 0) -> SkeletonPose:
    """A standing person, each joint rotated by up to about `turn_rad` about a random axis."""
    rng = np.random.default_rng(seed)
    j = len(HUMANOID.joints)
    turns = rng.normal(size=(j, 3)) * turn_rad / 2
    turns[0] *= 0.3  # stay upright
    return SkeletonPose(
        JointRotations(HUMANOID, as_float32(rot.from_rotvec(turns))),
        as_float32([0.0, 0.9, 0.0] + rng.normal(size=3) * 0.05),
        as_float32(HUMANOID.rest_bone_m * rng.uniform(0.95, 1.05)),
        np.ones(j, np.float32),
        track_id,
        time_ns,
    )


def make_person(
    seed: int = 0,
    *,
    track_id: int = 0,
    time_ns: int = 0,
    layout: KeypointLayout = COCO17_FEET_HANDS,
    pose: SkeletonPose | None = None,
    with_pose: bool = True,
) -> Person:
    """A person whose keypoints and 3D points follow from the pose and CAMERA; scores are random."""
    pose = pose or make_pose(seed, track_id=track_id, time_ns=time_ns)
    joints, turned = forward_kinematics(pose), global_rotations(HUMANOID, pose.rotations.local_xyzw)
    xyz = np.stack(
        [
            joints[HUMANOID.index[joint]] + rot.rotate(turned[HUMANOID.index[joint]], offset)
            for joint, offset in (_ANCHORS[name] for name in layout.names)
        ]
    )
    seen = opencv_from_canonical(xyz + _CAMERA_FROM_FLOOR)
    xy = seen[:, :2] / seen[:, 2:] * [CAMERA.fx, CAMERA.fy] + [CAMERA.cx, CAMERA.cy]
    score = as_float32(np.random.default_rng(seed + 1000).uniform(0.5, 1.0, len(layout.names)))
    box = PersonBox(as_float32([*(xy.min(0) - 10), *(xy.max(0) + 10)]), 0.9, track_id)
    return Person(
        box,
        PersonKeypoints(layout, as_float32(xy), score, track_id, time_ns),
        Joints3D(
            layout,
            as_float32(xyz - joints[0]),
            as_float32(joints[0] + _CAMERA_FROM_FLOOR),
            score.copy(),
            track_id,
            time_ns,
        )
        if with_pose
        else None,
        pose if with_pose else None,
    )


def make_camera(
    *, pitch_deg: float = 12.3456, roll_deg: float = -4.5678, width: int = WIDTH, height: int = HEIGHT
) -> SceneCamera:
    """A camera 1.6543 m high and 3.2109 m before the origin, turned a little to its left."""
    turned = rot.from_axis_angle((0.0, 1.0, 0.0), 0.05)
    rotation = rot.multiply(turned, rot.from_pitch_roll(np.radians(pitch_deg), np.radians(roll_deg)))
    return SceneCamera(
        61.234, width, height, np.array((-0.1234, 1.6543, 3.2109)), rotation, "estimated", 2.3456
    ).rounded()


def make_result(
    people: Sequence[Person] = (),
    *,
    index: int = 0,
    time_ns: int = 0,
    width: int = WIDTH,
    height: int = HEIGHT,
    camera: SceneCamera | None = None,
) -> FrameResult:
    """One frame (a grey gradient) with these people; captured at its media time plus one second."""
    row = np.linspace(60, 160, width).astype(np.uint8)[None, :, None]
    image = np.ascontiguousarray(np.broadcast_to(row, (height, width, 3)))
    return FrameResult(Frame(image, index, time_ns, time_ns + 1_000_000_000), tuple(people), camera)


def make_clip(frames: int, *, fps: float = 30.0, seed: int = 0, track_id: int = 0) -> list[FrameResult]:
    """A person who drifts smoothly from one random pose into another, at a constant rate."""
    start, end = make_pose(seed), make_pose(seed + 1)
    clip = []
    for i in range(frames):
        f, time_ns = i / max(frames - 1, 1), round(i * 1e9 / fps)
        local = rot.slerp(start.rotations.local_xyzw, end.rotations.local_xyzw, np.float64(f))
        pose = SkeletonPose(
            JointRotations(HUMANOID, as_float32(local)),
            as_float32(start.root_m * (1 - f) + end.root_m * f),
            start.bone_m.copy(),
            start.score.copy(),
            track_id,
            time_ns,
        )
        person = make_person(seed, track_id=track_id, time_ns=time_ns, pose=pose)
        clip.append(make_result([person], index=i, time_ns=time_ns))
    return clip
