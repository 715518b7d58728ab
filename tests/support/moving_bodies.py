"""True joints of moving bodies, 30 times a second, as a perfect lifter would return them."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support.actor_frames import actor_truth

from realtime_pose.axes import canonical_from_opencv
from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.datatypes import Joints3D
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.training.bodies import body_points
from realtime_pose.training.mocap import read_amc, read_asf
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

MOCAP = Path(__file__).parents[3] / "shared" / "data" / "mocap" / "cmu"
FRAME_NS = 33_333_333
HEIGHT_M = 1.70
"""Height of the bodies of `mocap_points`."""


def as_joints(points_m, layout=COCO17_FEET_HANDS):
    """Points (T, K, 3) from the midpoint of the hips as joints with score 1."""
    score = np.ones(len(layout.names))
    return [
        Joints3D(layout, as_float32(xyz), as_float32([0, 0, -3]), as_float32(score), 1, i * FRAME_NS)
        for i, xyz in enumerate(points_m)
    ]


@cache
def actor_motion():
    """The actor's points (T, 27, 3) from its hips as its camera saw them, and its true local rotations (T, J, 4)."""
    truth = actor_truth()
    turn = truth.camera_from_world[:3, :3]
    hips = truth.joints_m[:, HUMANOID.index["hips"], None]
    points = canonical_from_opencv((truth.keypoints_m - hips).astype(np.float64) @ turn.T)
    local = truth.local_xyzw.astype(np.float64)
    local[:, 0] = rot.multiply(rot.from_matrix(canonical_from_opencv(turn.T).T), local[:, 0])
    return points, local


def mocap_points(clip):
    """Points (T, 27, 3) of an average body that moves as a clip of CMU's; the test is skipped where there is none."""
    path = MOCAP / f"{clip}.amc"
    if not path.exists():
        pytest.skip("the motion capture clips of ../shared are not here")
    motion = read_amc(path, read_asf(MOCAP / f"{clip.partition('_')[0]}.asf"))[::2]
    body = BodyDimensions.of_height(1.0)
    parts = ("torso", "shoulder_width", "hip_width", "upper_arm", "forearm", "thigh", "shank", "head_height")
    lengths = {part: np.array([getattr(body, part)]) for part in parts} | {"head": np.ones(1), "shrug": np.zeros(1)}
    return HEIGHT_M * (body_points(motion[None], lengths)[0] - motion.root[:, None])
