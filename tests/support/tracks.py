"""Tracks of a person before a camera, with keypoints that lie on the pose, for tests of the evaluation on footage."""

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics, SceneCamera
from realtime_pose.evaluation.footage.clip_poses import PersonTrack, limb_joints
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

INTRINSICS = CameraIntrinsics(900.0, 900.0, 640.0, 360.0, 1280, 720)
FPS = 30.0
FLOOR_M = 0.9  # height of the hips of a standing HUMANOID


def camera(pitch_deg=0.0, roll_deg=0.0, position_m=(0.0, 1.0, 4.0)):
    """A camera that looks along -Z, turned up by `pitch_deg` (negative: down); the world leans right by `roll_deg`."""
    world_from_camera = rot.multiply(
        rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(pitch_deg)),
        rot.from_axis_angle((0.0, 0.0, 1.0), np.radians(roll_deg)),
    )
    return SceneCamera(INTRINSICS.fov_deg, 1280, 720, np.array(position_m, float), world_from_camera)


def standing(
    frames=40, *, lean_deg=0.0, knees_deg=(180.0, 180.0), yaw_deg=0.0, root_m=(0.0, FLOOR_M, 0.0), seen_by=None
):
    """A track of someone who stands: angles are one number, or one a frame; `root_m` is (3,) or (T, 3).

    Thighs stay vertical and knees bend backwards; feet rise with them.
    """
    local = np.tile(rot.IDENTITY_XYZW, (frames, len(HUMANOID.joints), 1))
    local[:, 0] = rot.from_axis_angle((0.0, 1.0, 0.0), np.radians(np.broadcast_to(yaw_deg, frames)))
    lean = rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(np.broadcast_to(lean_deg, frames)))
    local[:, HUMANOID.index["spine"]] = lean
    for side, knee_deg in zip(("left", "right"), knees_deg, strict=True):
        bend = np.radians(180.0 - np.broadcast_to(knee_deg, frames))
        local[:, HUMANOID.index[f"{side}LowerLeg"]] = rot.from_axis_angle((1.0, 0.0, 0.0), bend)
    root = np.broadcast_to(np.asarray(root_m, dtype=float), (frames, 3))
    joints = joint_positions(HUMANOID, local, root, np.broadcast_to(HUMANOID.rest_bone_m, (frames, 17)))
    return track_of(joints, seen_by or camera())


def track_of(joints_m, seen_by, *, first=0, contact=None):
    """A track of these joints (T, 17, 3) before one camera; keypoints lie on the joints."""
    frames = len(joints_m)
    number = np.arange(first, first + frames)
    return PersonTrack(
        1,
        number,
        number / FPS,
        joints_m,
        np.zeros((frames, 2), bool) if contact is None else contact,
        (seen_by,) * frames,
        limb_joints(np.stack([seen_by.project(joints) for joints in joints_m])),
        np.full((frames, 12), 0.9),
        1.70,
    )
