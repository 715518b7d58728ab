"""Film camera of an actor's clip, and the ground truth of a performance."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.model3d.actor_truth import ActorTruth, project
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from tools.actor.body.measures import KEYPOINT_JOINT, Measures
from tools.actor.motion.motion import Performance
from tools.actor.motion.script import FPS


@dataclass(frozen=True)
class FilmCamera:
    """A fixed camera with a level horizon.

    Attributes:
        position_m: Position in the world.
        intrinsics: Lens and image size.
        down_deg: Pitch downwards.
        left_deg: Yaw to its own left from the world's -Z.
    """

    position_m: tuple[float, float, float]
    intrinsics: CameraIntrinsics
    down_deg: float = 0.0
    left_deg: float = 0.0

    @property
    def camera_from_world(self) -> Float64:
        """(4, 4) transform of world points to OpenCV's camera axes: x right, y down, z forward."""
        down, left = np.radians([self.down_deg, self.left_deg])
        right = np.array([np.cos(left), 0.0, -np.sin(left)])
        forward = np.array([-np.sin(left) * np.cos(down), -np.sin(down), -np.cos(left) * np.cos(down)])
        out = np.eye(4)
        out[:3, :3] = np.array([right, np.cross(forward, right), forward]) + 0.0  # no -0 in the file
        out[:3, 3] = -out[:3, :3] @ np.array(self.position_m)
        return out


def truth_of(performance: Performance, body: Measures, camera: FilmCamera) -> ActorTruth:
    """Ground truth of the filmed performance.

    Rotations are rounded to float32 first and everything else is computed from them, so that the file is consistent.
    """
    local = as_float32(performance.local_xyzw)
    root = as_float32(performance.root_m)
    joints = joint_positions(HUMANOID, local, root, body.bone_m)
    turned = global_rotations(HUMANOID, local)
    keypoint_joints = list(KEYPOINT_JOINT)
    keypoints = joints[:, keypoint_joints] + rot.rotate(turned[:, keypoint_joints], body.keypoint_offset_m)
    return ActorTruth(
        joints_m=as_float32(joints),
        local_xyzw=local,
        root_m=root,
        bone_m=as_float32(body.bone_m),
        height_m=body.height_m,
        keypoints_m=as_float32(keypoints),
        keypoints_px=as_float32(project(keypoints, camera.camera_from_world, camera.intrinsics)),
        camera_from_world=camera.camera_from_world,
        intrinsics=camera.intrinsics,
        fps=float(FPS),
        foot_contact=performance.foot_contact,
        activity=performance.activity,
    )
