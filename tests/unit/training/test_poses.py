"""Random poses: knees bend the right way, and motion is smooth."""

import numpy as np

from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.poses import draw_poses


def test_knees_bend_backward() -> None:
    motion = draw_poses(np.random.default_rng(4), -WINDOW_S, 400)
    # In the pelvis's axes, the knee is in front of the line from hip to ankle.
    thigh, shank = motion.legs[..., 0, :], motion.legs[..., 1, :]
    bent = np.linalg.norm(np.cross(thigh, shank), axis=-1) > 0.3
    hinge = np.cross(thigh, shank)[bent]
    assert (hinge[:, 0] > 0).mean() > 0.97  # outward rotation tilts the hinge a little


def test_no_bone_turns_faster_than_1500_degrees_per_second() -> None:
    motion = draw_poses(np.random.default_rng(4), -WINDOW_S, 400)
    dt_s = np.diff(WINDOW_S)
    for bones in (motion.arms, motion.legs):
        turn = np.arccos(np.clip((bones[:, 1:] * bones[:, :-1]).sum(-1), -1, 1))
        assert np.degrees(turn / dt_s[None, :, None, None]).max() < 1500
