"""The filter chain: its filters, their order, and the state that a new smoothing preset keeps."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_pose

from realtime_pose.body.settings import BodyConfig
from realtime_pose.filters.base import Observation
from realtime_pose.filters.chain import FilterChain
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333


def standing(i, x_m=0.0):
    return replace(make_pose(0, time_ns=i * FRAME_NS), root_m=as_float32((x_m, 0.0, -3.0)))


def test_a_finished_pose_is_in_world_axes_with_foot_contacts():
    pose = FilterChain(BodyConfig()).apply(standing(0))
    assert 0.7 < pose.root_m[1] < 1.1  # from the floor, not from the camera
    assert pose.foot_contact.shape == (2,)


def test_without_foot_locking_contacts_are_found_but_legs_stay_as_they_are():
    alone = FilterChain(BodyConfig(feet="never", smoothing="none"))
    assert alone.feet is None
    for i in range(10):
        pose = alone.apply(standing(i, x_m=0.02 * i))
        assert pose.foot_contact.shape == (2,)
        assert np.array_equal(pose.rotations.local_xyzw[1:], standing(i).rotations.local_xyzw[1:])


def test_the_lifters_contacts_pass_the_chain():
    chain = FilterChain(BodyConfig())
    contact = as_float32([[0.9, 0.9], [0.1, 0.1]])
    observation = Observation(as_float32(np.full((2, 2), np.nan)), contact)
    for i in range(5):
        pose = chain.apply(standing(i), observation)
    assert pose.foot_contact.tolist() == [True, False]
    chain.forget(0)
    assert chain.apply(standing(5), replace(observation, contact=contact[::-1])).foot_contact.tolist() == [False, True]


def test_with_look_ahead_smoothing_floor_and_feet_wait():
    chain = FilterChain(BodyConfig(look_ahead=True))
    first = chain.apply(standing(0))
    assert np.array_equal(first.root_m, standing(0).root_m)
    finished = chain.finish(first)
    assert finished.root_m[1] > 0.7
    assert finished.foot_contact is not None
    live = FilterChain(BodyConfig(look_ahead=True, smoothing="none"))  # nothing to smooth, so no filter waits
    assert live.apply(standing(0)).foot_contact is not None


def test_another_smoothing_keeps_floor_feet_and_occlusion():
    chain = FilterChain(BodyConfig())
    kept = (chain.occlusion, chain.floor, chain.feet)
    before = chain.apply(standing(0))
    chain.use_smoothing(BodyConfig(smoothing="crisp"))
    assert (chain.occlusion, chain.floor, chain.feet) == kept
    after = chain.apply(standing(1, x_m=0.01))
    assert after.root_m == pytest.approx(before.root_m, abs=0.02)
