"""Bodies with known truth for lifters and solvers: poses inside human limits, and their keypoints in a camera."""

import numpy as np
from support.people import CAMERA

from realtime_pose.axes import opencv_from_canonical
from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M
from realtime_pose.datatypes import Joints3D, PersonKeypoints
from realtime_pose.ik.limits import LIMB_LIMITS
from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.skeletons import COCO17, HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

POINT_OF = {
    **{f"{s}_{p}": f"{s}{j}" for s in ("left", "right") for p, j in (
        ("shoulder", "UpperArm"), ("elbow", "LowerArm"), ("wrist", "Hand"),
        ("hip", "UpperLeg"), ("knee", "LowerLeg"), ("ankle", "Foot"))},
}  # fmt: skip
"""COCO point -> the HUMANOID joint it marks."""


def human_local(seed, *, reach=0.8):
    """Local rotations (J, 4) of a random pose inside the joint limits."""
    rng = np.random.default_rng(seed)
    local = RELAXED_XYZW.copy()
    row = HUMANOID.index
    local[row["hips"]] = rot.from_rotvec([0.1 * rng.normal(), rng.uniform(-0.6, 0.6), 0.1 * rng.normal()])
    for joint, limits in LIMB_LIMITS.items():
        direction = limits.cone_axis + 0.7 * reach * rng.normal(size=3)
        spin = rot.from_axis_angle(limits.bone_axis, np.array(rng.uniform(-0.6, 0.6) * limits.twist_rad * reach))
        ball, bend = limits.clamp(rot.multiply(limits.swing(rot.unit(direction)), spin), rng.uniform(0.1, 2.0))
        local[row[joint]] = ball
        local[row[joint] + 1] = rot.from_axis_angle(limits.hinge_axis, np.array(bend))
    return local


def turned_about_vertical(local, yaw_deg):
    """The pose with its root rotated about the vertical axis."""
    out = local.copy()
    out[0] = rot.multiply(rot.from_axis_angle([0.0, 1.0, 0.0], np.array(np.radians(yaw_deg))), local[0])
    return out


def points_of(local, bone_m=HUMANOID.rest_bone_m, root_m=(0.0, 0.0, 0.0)):
    """COCO-17 points (17, 3) of a pose: joints, and the face template on the head."""
    joints = joint_positions(HUMANOID, local, root_m, bone_m)
    turned = global_rotations(HUMANOID, local)
    face_at = joints[HUMANOID.index["head"]] + rot.rotate(turned[HUMANOID.index["head"]], [0.0, 0.09, 0.0])
    face = face_at + rot.rotate(turned[HUMANOID.index["head"]], FACE_TEMPLATE_M)
    places = dict(zip(FACE_NAMES, face, strict=True))
    places |= {point: joints[HUMANOID.index[joint]] for point, joint in POINT_OF.items()}
    return np.array([places[name] for name in COCO17.names])


def joints_of(local, *, time_ns=0, score=None, track_id=1):
    """Perfect lifted joints of a pose."""
    xyz = points_of(local)
    return Joints3D(
        COCO17, as_float32(xyz), as_float32([0.0, 0.0, -3.0]),
        as_float32(np.ones(17) if score is None else score), track_id, time_ns,
    )  # fmt: skip


def keypoints_of(points_m, *, time_ns=0, score=None, noise_px=0.0, seed=0, track_id=1, camera=CAMERA):
    """Exact keypoints of points (17, 3), given from the camera in canonical axes."""
    seen = opencv_from_canonical(points_m)
    xy = seen[:, :2] / seen[:, 2:] * [camera.fx, camera.fy] + [camera.cx, camera.cy]
    xy = xy + np.random.default_rng(seed).normal(size=xy.shape) * noise_px
    return PersonKeypoints(
        COCO17, as_float32(xy), as_float32(np.ones(17) if score is None else score), track_id, time_ns
    )
