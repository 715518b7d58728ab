"""The camera that films the actor, and the truth of what it sees."""

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.model3d.actor.measures import BONE_M, HEIGHT_M, KEYPOINT_JOINT, KEYPOINT_OFFSET_M
from realtime_pose.model3d.actor.motion import Performance
from realtime_pose.model3d.actor.script import FPS
from realtime_pose.model3d.actor.truth import ActorTruth, project
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

CAMERA_POSITION_M = np.array([0.0, 1.05, 3.25])
"""Level, looking along -Z at the actor, who starts facing it."""

INTRINSICS = CameraIntrinsics.from_field_of_view(60.0, 640, 480)
"""The camera's lens."""


def camera_from_world() -> Float64:
    """(4, 4) world points to OpenCV's camera: x right (the world's +X), y down, z forward (the world's -Z)."""
    out = np.diag([1.0, -1.0, -1.0, 1.0])
    out[:3, 3] = -out[:3, :3] @ CAMERA_POSITION_M
    return out


def truth_of(performance: Performance) -> ActorTruth:
    """Everything that is known of the filmed performance.

    Rotations are rounded to float32 first and the rest follows from them, so that the file agrees with itself.
    """
    local = as_float32(performance.local_xyzw)
    root = as_float32(performance.root_m)
    joints = joint_positions(HUMANOID, local, root, BONE_M)
    turned = global_rotations(HUMANOID, local)
    carriers = list(KEYPOINT_JOINT)
    keypoints = joints[:, carriers] + rot.rotate(turned[:, carriers], KEYPOINT_OFFSET_M)
    camera = camera_from_world()
    return ActorTruth(
        joints_m=as_float32(joints),
        local_xyzw=local,
        root_m=root,
        bone_m=as_float32(BONE_M),
        height_m=HEIGHT_M,
        keypoints_m=as_float32(keypoints),
        keypoints_px=as_float32(project(keypoints, camera, INTRINSICS)),
        camera_from_world=camera,
        intrinsics=INTRINSICS,
        fps=float(FPS),
        foot_contact=performance.foot_contact,
        activity=performance.activity,
    )
