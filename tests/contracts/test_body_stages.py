"""One contract a Protocol, over every entry of the 3D part's tables."""

import numpy as np
import pytest
from support.bodies import human_local, joints_of, keypoints_of, points_of
from support.people import CAMERA, make_pose

from realtime_pose.body.settings import BodyConfig
from realtime_pose.filters.floor import GroundFilter
from realtime_pose.filters.table import build_filters
from realtime_pose.ik.table import SOLVERS, build_solver
from realtime_pose.lifting.table import LIFTERS, build_lifter
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333


def clip(track_id=1, seeds=(4, 5, 6, 7)):
    for i, seed in enumerate(seeds):
        points = points_of(human_local(seed, reach=0.4), root_m=(0.0, 0.0, -3.0))
        yield keypoints_of(points, time_ns=i * FRAME_NS, track_id=track_id)


@pytest.mark.parametrize("name", LIFTERS)
class TestLifter:
    def make(self, name):
        return build_lifter(BodyConfig(lifter=name))

    def test_answers_with_the_same_points_person_and_time(self, name):
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

    def test_people_do_not_touch_each_other_and_forget_means_fresh(self, name):
        alone, shared = self.make(name), self.make(name)
        for a, b in zip(clip(1), clip(2, seeds=(8, 9, 10, 11)), strict=True):
            expected = alone.lift(a, CAMERA)
            shared.lift(b, CAMERA)
            assert np.array_equal(shared.lift(a, CAMERA).xyz_m, expected.xyz_m)
        shared.forget(1)
        shared.forget(99)  # nobody
        first = next(iter(clip(1)))
        assert np.array_equal(shared.lift(first, CAMERA).xyz_m, self.make(name).lift(first, CAMERA).xyz_m)


@pytest.mark.parametrize("name", SOLVERS)
class TestIkSolver:
    def make(self, name):
        return build_solver(BodyConfig(solver=name))

    def test_answers_are_unit_rotations_of_the_same_person_and_time(self, name):
        solver = self.make(name)
        for i in range(4):
            joints = joints_of(human_local(i), time_ns=i * FRAME_NS, track_id=7)
            pose = solver.solve(joints)
            assert np.allclose(np.linalg.norm(pose.rotations.local_xyzw, axis=-1), 1.0, atol=1e-5)
            assert (pose.track_id, pose.time_ns) == (7, joints.time_ns)
            assert pose.bone_m[0] == 0
            assert (pose.bone_m[1:] > 0).all()

    def test_people_do_not_touch_each_other_and_forget_means_fresh(self, name):
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


@pytest.mark.parametrize("index", range(len(build_filters(BodyConfig()))))
class TestPoseFilter:
    def make(self, index):
        return build_filters(BodyConfig())[index]

    def poses(self, track_id):
        return [make_pose(i, turn_rad=0.2, track_id=track_id, time_ns=i * FRAME_NS) for i in range(5)]

    def test_is_driven_by_time_in_the_data(self, index):
        """Twice the same clip gives the same answers, however long the calls take."""
        runs = [[stage.apply(p) for p in self.poses(1)] for stage in (self.make(index), self.make(index))]
        for a, b in zip(*runs, strict=True):
            assert np.array_equal(a.rotations.local_xyzw, b.rotations.local_xyzw)
            assert np.array_equal(a.root_m, b.root_m)

    def test_people_do_not_touch_each_other_and_forget_means_fresh(self, index):
        alone, shared = self.make(index), self.make(index)
        if isinstance(alone, GroundFilter):
            pytest.skip("people share a floor, and it stays when they leave: tests/unit/filters/test_floor.py")
        for a, b in zip(self.poses(1), self.poses(2), strict=True):
            expected = alone.apply(a)
            shared.apply(b)
            assert np.array_equal(shared.apply(a).root_m, expected.root_m)
        shared.forget(1)
        start = make_pose(9, track_id=1)
        assert np.array_equal(shared.apply(start).root_m, self.make(index).apply(start).root_m)
        assert as_float32(start.root_m).shape == (3,)
