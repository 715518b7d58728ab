"""Look-ahead smoothing: no lag, every result once, nothing across a gap."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import make_camera, make_clip, make_person, make_pose, make_result

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations
from realtime_pose.filters.look_ahead import build_look_ahead
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333


def look_ahead(**values):
    return build_look_ahead(BodyConfig(look_ahead=True, **values), lambda pose, person, frame: pose)


def played(clip, ahead=None):
    ahead = ahead or look_ahead()
    out = [ready for result in clip for ready in ahead.feed(result)]
    return out + list(ahead.flush())


def clip_of(locals_xyzw, times_ns=None, root_m=None):
    out = []
    for i, local in enumerate(locals_xyzw):
        time_ns = i * FRAME_NS if times_ns is None else times_ns[i]
        pose = replace(make_pose(0, time_ns=time_ns), rotations=JointRotations(HUMANOID, as_float32(local)))
        if root_m is not None:
            pose = replace(pose, root_m=as_float32(root_m[i]))
        out.append(make_result([make_person(0, time_ns=time_ns, pose=pose)], index=i, time_ns=time_ns))
    return out


def angles(results, axis=(0.0, 0.0, 1.0), joint=5):
    """The rotation of one joint about an axis, over a clip, in rad."""
    local = np.array([r.people[0].pose.rotations.local_xyzw[joint] for r in results], dtype=float)
    return rot.to_rotvec(local) @ np.array(axis)


def turning(rad):
    """Local rotations (T, J, 4): one joint rotated about z, the others still."""
    local = np.tile(rot.IDENTITY_XYZW, (len(rad), 17, 1))
    local[:, 5] = rot.from_axis_angle([0.0, 0.0, 1.0], np.asarray(rad))
    return local


def test_every_result_comes_once_in_order_with_its_own_people_and_frame():
    clip = make_clip(40)
    clip[7] = make_result([], index=7, time_ns=clip[7].frame.time_ns)
    out = played(clip)
    assert [r.frame.index for r in out] == list(range(40))
    assert all(a.frame is b.frame for a, b in zip(out, clip, strict=True))
    assert [len(r.people) for r in out] == [len(r.people) for r in clip]


def test_it_waits_a_quarter_of_a_second_and_no_longer():
    ahead, ready = look_ahead(), []
    for i, result in enumerate(make_clip(40)):
        ready += ahead.feed(result)
        assert len(ready) == max(0, i - 7)


@pytest.mark.parametrize("smoothing", ["crisp", "balanced", "smooth"])
def test_a_steady_rotation_passes_without_lag_also_at_both_ends(smoothing):
    ramp = np.linspace(0.0, 2.0, 60)
    got = angles(played(clip_of(turning(ramp)), look_ahead(smoothing=smoothing)))
    assert np.abs(got - ramp).max() < 0.01


def test_noise_is_reduced_to_a_tenth():
    noise = 0.05 * np.random.default_rng(0).normal(size=90)
    root = 0.01 * np.random.default_rng(1).normal(size=(90, 3))
    out = played(clip_of(turning(noise), root_m=root))
    assert np.std(np.diff(angles(out), 2)) < 0.1 * np.std(np.diff(noise, 2))
    assert np.diff([r.people[0].pose.root_m for r in out], 2, axis=0).std() < 0.1 * np.diff(root, 2, axis=0).std()


def test_a_fast_swing_keeps_most_of_its_width():
    swing = np.sin(2 * np.pi * 2.0 * np.arange(90) / 30)
    got = angles(played(clip_of(turning(swing))))[15:-15]
    assert np.abs(got).max() > 0.9


def test_nothing_is_smoothed_across_a_gap():
    times = [i * FRAME_NS + (i >= 20) * 400_000_000 for i in range(40)]
    step = np.where(np.arange(40) < 20, 0.0, 1.0)
    got = angles(played(clip_of(turning(step), times)))
    assert np.abs(got - step).max() < 1e-3


def test_time_that_runs_backwards_starts_from_scratch():
    times = [*range(0, 20 * FRAME_NS, FRAME_NS), *range(0, 20 * FRAME_NS, FRAME_NS)]
    step = np.where(np.arange(40) < 20, 0.0, 1.0)
    out = played(clip_of(turning(step), times))
    assert [r.frame.time_ns for r in out] == times
    assert np.abs(angles(out) - step).max() < 1e-3


def test_people_are_smoothed_independently():
    one, two = make_clip(30), make_clip(30, seed=5, track_id=4)
    together = [replace(a, people=a.people + b.people) for a, b in zip(one, two, strict=True)]
    for both, a, b in zip(played(together), played(one), played(two), strict=True):
        for person, alone in zip(both.people, (*a.people, *b.people), strict=True):
            assert np.array_equal(person.pose.rotations.local_xyzw, alone.pose.rotations.local_xyzw)


def test_a_person_without_a_pose_stays_so():
    clip = [
        make_result([make_person(0, time_ns=i * FRAME_NS, with_pose=False)], time_ns=i * FRAME_NS) for i in range(20)
    ]
    assert all(r.people[0].pose is None for r in played(clip))


@pytest.mark.parametrize("config", [BodyConfig(), BodyConfig(look_ahead=True, smoothing="none")])
def test_without_look_ahead_smoothing_there_is_no_stage(config):
    assert build_look_ahead(config, lambda pose, person, frame: pose) is None


def test_each_pose_is_finished_once_in_order_with_its_own_person_and_frame():
    clip, finished = make_clip(20), []

    def finish(pose, person, frame):
        finished.append((pose.time_ns, person, frame))
        return replace(pose, root_m=as_float32((1, 2, 3)))

    out = played(clip, build_look_ahead(BodyConfig(look_ahead=True), finish))
    assert finished == [(r.frame.time_ns, r.people[0], r.frame) for r in clip]
    assert all(r.people[0].pose.root_m.tolist() == [1, 2, 3] for r in out)


def test_the_camera_of_a_result_is_that_after_its_own_poses():
    steps = []

    def finish(pose, person, frame):
        steps.append(frame.index)
        return pose

    def camera_of(frame):
        assert steps[-1] == frame.index
        return make_camera(pitch_deg=frame.index)

    out = played(make_clip(20), build_look_ahead(BodyConfig(look_ahead=True), finish, camera_of))
    assert [round(result.camera.pitch_deg) for result in out] == list(range(20))
