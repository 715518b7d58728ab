"""Motions: mirroring, concatenation, and motion from joint positions."""

from dataclasses import replace

import numpy as np

from realtime_pose.lifting.network_input import WINDOW_S
from realtime_pose.training.bodies import LAYOUT, body_points, draw_proportions
from realtime_pose.training.motions import FRAME_RATE_HZ, Motion, foot_contacts, motion_from_positions
from realtime_pose.training.poses import draw_poses


def test_a_mirrored_motion_gives_mirrored_points() -> None:
    rng = np.random.default_rng(3)
    motion, proportions = draw_poses(rng, -WINDOW_S, 40), draw_proportions(rng, 40)
    points, mirrored = body_points(motion, proportions), body_points(motion.mirrored(), proportions)
    np.testing.assert_allclose(mirrored, points[:, :, LAYOUT.mirror] * (-1, 1, 1), atol=1e-12)


def test_concatenation_and_rows_are_inverse() -> None:
    motion = draw_poses(np.random.default_rng(1), -WINDOW_S, 6)
    joined = Motion.concatenate([motion[:2], motion[2:]])
    assert len(joined) == 6
    np.testing.assert_array_equal(joined.arms, motion.arms)
    np.testing.assert_array_equal(joined.root, motion.root)


def test_motion_of_a_body_in_t_pose_is_at_rest() -> None:
    sides = {"left": 1.0, "right": -1.0}
    places = {}
    for side, x in sides.items():
        for name, at in {
            "shoulder": (0.2, 1.4, 0), "elbow": (0.5, 1.4, 0), "wrist": (0.75, 1.4, 0),
            "hip": (0.1, 0.9, 0), "knee": (0.1, 0.5, 0), "ankle": (0.1, 0.1, 0),
        }.items():  # fmt: skip
            places[f"{side}_{name}"] = np.array([at]) * (x, 1, 1)
    identity = np.array([[0.0, 0.0, 0.0, 1.0]])
    motion = motion_from_positions(places, identity, np.stack([identity] * 2, 1), np.stack([identity] * 2, 1), 1.7)
    np.testing.assert_allclose(motion.pelvis_xyzw, identity, atol=1e-12)
    np.testing.assert_allclose(motion.arms[0, 0], [(1, 0, 0), (1, 0, 0)], atol=1e-12)
    np.testing.assert_allclose(motion.legs[0, 1], [(0, -1, 0), (0, -1, 0)], atol=1e-12)
    np.testing.assert_allclose(motion.root[0], (0, 0.9 / 1.7, 0), atol=1e-12)


def _ankles(frames: int) -> dict[str, np.ndarray]:
    """Ankles (T, 3) of a person of 1.7 m who stands."""
    return {f"{side}_ankle": np.tile((x, 0.065, 0.0), (frames, 1)) for side, x in (("left", 0.1), ("right", -0.1))}


_FLAT = np.tile((0.0, 0.0, 0.0, 1.0), (60, 2, 1))


def test_still_feet_stand_and_moving_ones_do_not() -> None:
    places = _ankles(60)
    np.testing.assert_array_equal(foot_contacts(places, _FLAT, 1.7), 1)
    places["left_ankle"][30:, 2] += np.arange(30) / FRAME_RATE_HZ  # 1 m/s
    contacts = foot_contacts(places, _FLAT, 1.7)
    np.testing.assert_array_equal(contacts[:, 1], 1)
    np.testing.assert_array_equal(contacts[:26, 0], 1)
    np.testing.assert_array_equal(contacts[34:, 0], 0)


def test_a_raised_foot_and_a_raised_heel_do_not_stand() -> None:
    places = _ankles(60)
    places["left_ankle"][:, 1] += 0.15
    np.testing.assert_array_equal(foot_contacts(places, _FLAT, 1.7), np.broadcast_to([[[0, 0], [1, 1]]], (60, 2, 2)))
    places, feet = _ankles(60), _FLAT.copy()
    feet[:, 0] = np.array((np.sin(0.35), 0.0, 0.0, np.cos(0.35)))  # 40 degrees toes down
    places["left_ankle"][:, 1] += 0.09
    assert foot_contacts(places, feet, 1.7)[30].tolist() == [[0, 1], [1, 1]]


def test_what_both_feet_stand_on_is_a_floor_whatever_its_height() -> None:
    places = {name: at + np.array((0.0, 0.5, 0.0)) for name, at in _ankles(60).items()}
    np.testing.assert_array_equal(foot_contacts(places, _FLAT, 1.7), 1)


def test_mirroring_swaps_the_contacts() -> None:
    motion = draw_poses(np.random.default_rng(1), -WINDOW_S, 3)
    contacts = np.zeros_like(motion.contacts)
    contacts[..., 0, :] = (1.0, 0.0)
    marked = replace(motion, contacts=contacts).mirrored().contacts
    np.testing.assert_array_equal(marked[..., 1, :], np.broadcast_to((1.0, 0.0), marked[..., 1, :].shape))
    np.testing.assert_array_equal(marked[..., 0, :], 0)
