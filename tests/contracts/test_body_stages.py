"""The contracts of Lifter, IkSolver and PoseFilter, for every entry of their tables."""

import copy
from dataclasses import replace

import numpy as np
import pytest
from support.bodies import human_local, joints_of, keypoints_of, points_of
from support.people import CAMERA, make_pose

from realtime_pose.body.settings import BodyConfig
from realtime_pose.filters.chain import FilterChain
from realtime_pose.ik.table import SOLVERS, build_solver
from realtime_pose.lifting.table import LIFTERS, build_lifter

FRAME_NS = 33_333_333


def clip(track_id=1, seeds=(4, 5, 6, 7)):
    for i, seed in enumerate(seeds):
        points = points_of(human_local(seed, reach=0.4), root_m=(0.0, 0.0, -3.0))
        yield keypoints_of(points, time_ns=i * FRAME_NS, track_id=track_id)


@pytest.mark.parametrize("name", LIFTERS)
class TestLifter:
    def make(self, name, **settings):
        return build_lifter(BodyConfig(lifter=name, **settings))

    def test_results_have_the_same_points_person_and_time(self, name):
        lifter = self.make(name)
        for keypoints in clip():
            before = keypoints.xy_px.copy()
            joints = lifter.lift(keypoints, CAMERA)
            assert joints.layout is keypoints.layout
            assert (joints.track_id, joints.time_ns) == (keypoints.track_id, keypoints.time_ns)
            assert np.array_equal(keypoints.xy_px, before)
            assert joints.root_m[2] < 0  # in front of the camera

    def test_is_causal_and_repeatable(self, name):
        whole_lifter, part_lifter = self.make(name), self.make(name)
        whole = [whole_lifter.lift(k, CAMERA).xyz_m for k in clip()]
        part = [part_lifter.lift(k, CAMERA).xyz_m for k in list(clip())[:2]]
        assert np.array_equal(whole[:2], part)

    def test_people_are_independent_and_forget_starts_from_scratch(self, name):
        fixed = {"camera_pitch_deg": 5.0}  # else all people together tell the camera's attitude
        alone, shared = self.make(name, **fixed), self.make(name, **fixed)
        for a, b in zip(clip(1), clip(2, seeds=(8, 9, 10, 11)), strict=True):
            expected = alone.lift(a, CAMERA)
            shared.lift(b, CAMERA)
            assert np.array_equal(shared.lift(a, CAMERA).xyz_m, expected.xyz_m)
        shared.forget(1)
        shared.forget(99)  # unknown id
        first = next(iter(clip(1)))
        assert np.array_equal(shared.lift(first, CAMERA).xyz_m, self.make(name, **fixed).lift(first, CAMERA).xyz_m)


@pytest.mark.parametrize("name", SOLVERS)
class TestIkSolver:
    def make(self, name):
        return build_solver(BodyConfig(solver=name))

    def test_results_are_unit_rotations_of_the_same_person_and_time(self, name):
        solver = self.make(name)
        for i in range(4):
            joints = joints_of(human_local(i), time_ns=i * FRAME_NS, track_id=7)
            pose = solver.solve(joints)
            assert np.allclose(np.linalg.norm(pose.rotations.local_xyzw, axis=-1), 1.0, atol=1e-5)
            assert (pose.track_id, pose.time_ns) == (7, joints.time_ns)
            assert pose.bone_m[0] == 0
            assert (pose.bone_m[1:] > 0).all()

    def test_people_are_independent_and_forget_starts_from_scratch(self, name):
        alone, shared = self.make(name), self.make(name)
        for i in range(4):
            expected = alone.solve(joints_of(human_local(i), time_ns=i * FRAME_NS, track_id=1))
            shared.solve(joints_of(human_local(i + 20), time_ns=i * FRAME_NS, track_id=2))
            got = shared.solve(joints_of(human_local(i), time_ns=i * FRAME_NS, track_id=1))
            assert np.array_equal(got.rotations.local_xyzw, expected.rotations.local_xyzw)
        shared.forget(1)
        fresh = self.make(name).solve(joints_of(human_local(9), track_id=1))
        again = shared.solve(joints_of(human_local(9), track_id=1))
        assert np.array_equal(again.rotations.local_xyzw, fresh.rotations.local_xyzw)


# With an unknown camera everyone's feet change the floor: here the camera is given.
CAMERA_KNOWN = BodyConfig(camera_height_m=1.3, camera_pitch_deg=8.0)


@pytest.mark.parametrize("name", ["occlusion", "smoothing", "floor", "feet"])
class TestPoseFilter:
    def make(self, name):
        return getattr(FilterChain(CAMERA_KNOWN), name)

    def poses(self, track_id, seed=0):
        return [make_pose(seed + i, turn_rad=0.2, track_id=track_id, time_ns=i * FRAME_NS) for i in range(5)]

    def test_is_driven_by_time_in_the_data(self, name):
        """The same clip twice gives the same results, however long the calls take."""
        runs = [[stage.apply(p) for p in self.poses(1)] for stage in (self.make(name), self.make(name))]
        for a, b in zip(*runs, strict=True):
            assert_same_pose(a, b)

    def test_people_are_independent(self, name):
        alone, shared = self.make(name), self.make(name)
        for a, b in zip(self.poses(1), self.poses(2, seed=40), strict=True):
            expected = alone.apply(a)
            assert_same_pose(shared.apply(a), expected)
            shared.apply(b)

    def test_a_forgotten_person_is_a_new_one(self, name):
        """The next pose under a forgotten id is treated as a new person's; the state of the scene stays."""
        stage = self.make(name)
        for a, b in zip(self.poses(1), self.poses(2, seed=40), strict=True):
            stage.apply(a)
            stage.apply(b)
        stage.forget(1)
        stage.forget(99)  # unknown id
        forgotten, new = copy.deepcopy(stage), copy.deepcopy(stage)
        for a, b in zip(self.poses(1, seed=7), self.poses(3, seed=7), strict=True):
            later = [replace(pose, time_ns=pose.time_ns + 10 * FRAME_NS) for pose in (a, b)]
            assert_same_pose(forgotten.apply(later[0]), new.apply(later[1]))

    def test_the_given_pose_is_not_changed(self, name):
        stage, pose = self.make(name), make_pose(3)
        before = pose.rotations.local_xyzw.copy(), pose.root_m.copy()
        stage.apply(pose)
        assert np.array_equal(pose.rotations.local_xyzw, before[0])
        assert np.array_equal(pose.root_m, before[1])


def assert_same_pose(a, b):
    assert np.array_equal(a.rotations.local_xyzw, b.rotations.local_xyzw)
    assert np.array_equal(a.root_m, b.root_m)
