"""Invalid keypoints through the whole pipeline: poses stay valid, and are as before soon afterwards."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from support.bodies import human_local, keypoints_of, points_of

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.body_pipeline import BodyPipeline
from realtime_pose.communication.packets.packet_stream import PacketStream
from realtime_pose.communication.packets.pose_packet import encode
from realtime_pose.datatypes import Frame, PersonKeypoints
from realtime_pose.filters.base import PoseFilter
from realtime_pose.filters.chain import FilterChain
from realtime_pose.ik.limits import JOINT_LIMITS
from realtime_pose.ik.table import build_solver
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.lifting.table import LIFTERS, build_lifter
from realtime_pose.pipeline import PosePipeline
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
IMAGE = np.zeros((480, 640, 3), np.uint8)
BEFORE, DURING, AFTER = 24, 12, 36


@dataclass
class Scripted:
    """An estimator that returns given keypoints."""

    people: list[PersonKeypoints]
    name, runtime, device, layout, finds_people = "scripted", "none", "cpu", COCO17, True

    def estimate(self, frame, boxes):
        return self.people

    def close(self):
        pass


def sees(time_s, *, track_id=1, at=(0.0, 0.0, -3.0), phase=0.0):
    """A person who stands and swings both arms, as an accurate estimator finds them."""
    local = human_local(0, reach=0.2)
    for joint, way in (("leftUpperArm", 1.0), ("rightUpperArm", -1.0)):
        swing = rot.from_axis_angle([1.0, 0.0, 0.0], np.array(0.5 * way * np.sin(4.0 * time_s + phase)))
        local[HUMANOID.index[joint]] = rot.multiply(swing, local[HUMANOID.index[joint]])
    seen = keypoints_of(points_of(local, root_m=at), noise_px=0.5, seed=round(time_s * 30), track_id=track_id)
    return replace(seen, score=as_float32(np.full(17, 0.9)), time_ns=round(time_s * 1e9))


def with_xy(person, value, rows=slice(None)):
    xy = person.xy_px.copy()
    xy[rows] = value
    return replace(person, xy_px=xy)


def with_score(person, value, rows=slice(None)):
    score = person.score.copy()
    score[rows] = value
    return replace(person, score=score)


def only(person, *parts):
    keep = COCO17.rows([name for name in COCO17.names if name.split("_")[-1] in parts])
    hidden = np.ones(17, bool)
    hidden[keep] = False
    return with_score(person, 0.0, hidden)


def tiny(person):
    """20 px tall, in the middle of the image."""
    low, high = person.xy_px.min(axis=0), person.xy_px.max(axis=0)
    shake = np.random.default_rng(person.time_ns % 2**32).normal(size=(17, 2)) * 0.5
    return replace(person, xy_px=as_float32((person.xy_px - low) * 20 / (high - low)[1] + (320, 230) + shake))


BAD = {
    "not a number": lambda p: with_xy(p, np.nan),
    "half of it not a number": lambda p: with_xy(p, np.nan, slice(5, 17, 2)),
    "infinite": lambda p: with_xy(p, np.inf, slice(3, 9)),
    "very far away": lambda p: with_xy(p, 3e38, slice(9, 11)),
    "scores that are no numbers": lambda p: with_score(p, np.nan),
    "scores above 1": lambda p: with_score(p, 7.0),
    "all scores zero": lambda p: with_score(p, 0.0),
    "one visible arm": lambda p: with_score(p, 0.0, [i for i in range(17) if i not in (0, 5, 7, 9)]),
    "one visible leg": lambda p: with_score(p, 0.0, [i for i in range(17) if i not in (11, 13, 14, 15)]),
    "face alone": lambda p: only(p, "nose", "eye", "ear"),
    "20 px tall": tiny,
    "all points in one place": lambda p: with_xy(p, (320.0, 240.0)),
    "somewhere else": lambda p: replace(p, xy_px=as_float32(p.xy_px + np.array([250, 0]))),
}  # fmt: skip


@dataclass
class Tap:
    """Records the poses that reach a filter."""

    filter: PoseFilter
    passed: list = field(default_factory=list)

    def apply(self, pose, observation=None):
        self.passed.append(pose)
        return self.filter.apply(pose, observation)

    def forget(self, track_id):
        self.filter.forget(track_id)

    def camera(self, intrinsics):
        return self.filter.camera(intrinsics)


class Stream:
    """A pipeline with all its results, and the poses that reached the floor filter."""

    def __init__(self, lifter):
        body = BodyConfig(lifter=lifter)
        attitude = CameraAttitude(body)
        filters = FilterChain(BodyConfig(), attitude)
        self.estimator, self.results, self.tap = Scripted([]), [], Tap(filters.floor)
        filters.floor = self.tap
        self._pipeline = PosePipeline(
            self.estimator, None, PeopleTracker(InferenceConfig()),
            BodyPipeline(build_lifter(body, attitude), build_solver(body), filters),
        )  # fmt: skip
        self._packets = PacketStream()

    def step(self, *people, time_s=None):
        time_ns = people[0].time_ns if time_s is None else round(time_s * 1e9)
        self.estimator.people = list(people)
        result = self._pipeline.step(Frame(IMAGE, len(self.results), time_ns, 0))
        for packet in self._packets.packets_of(result):
            encode(packet)  # refuses NaN and infinity
        self.results.append(result)

    def poses(self, track_id=1):
        return [p.pose for result in self.results for p in result.people if p.keypoints.track_id == track_id]


def check_sane(stream, track_id=1):
    """Finite, unit, inside the limits and without a jump; feet that lose contact may move the body a little more."""
    smoothed = [pose for pose in stream.tap.passed if pose.track_id == track_id]
    _check_sane(smoothed, turn_deg=60.0, move_m=0.25)
    _check_sane(stream.poses(track_id), turn_deg=60.0, move_m=0.6)


def _check_sane(poses, *, turn_deg, move_m):
    assert poses
    for before, pose in zip([None, *poses], poses, strict=False):
        local = pose.rotations.local_xyzw.astype(float)
        assert np.isfinite(local).all()
        assert np.isfinite(pose.root_m).all()
        assert np.abs(pose.root_m).max() < 40
        assert np.isfinite(pose.bone_m).all()
        assert ((pose.score >= 0) & (pose.score <= 1)).all()
        assert np.allclose(np.linalg.norm(local, axis=-1), 1.0, atol=1e-4)
        for joint, limits in JOINT_LIMITS.items():
            assert np.degrees(limits.violation_rad(tuple(local[HUMANOID.index[joint]].tolist()))) < 1.0, joint
        if before is not None:
            turned = np.degrees(rot.angle_between_rad(local, before.rotations.local_xyzw))
            assert turned.max() < turn_deg, HUMANOID.joints[int(turned.argmax())]
            assert np.linalg.norm(pose.root_m - before.root_m) < move_m


def check_fine_again(stream, clean, lifter, track_id=1):
    """The last pose is what it would be without the invalid input."""
    got, wanted = stream.poses(track_id)[-1], clean.poses(track_id)[-1]
    apart = np.degrees(rot.angle_between_rad(got.rotations.local_xyzw, wanted.rotations.local_xyzw))
    arms = [row for joint, row in HUMANOID.index.items() if "Arm" in joint]
    if lifter == "geometric":  # it has two solutions for a bone, and continuity chooses
        assert np.median(np.delete(apart, arms)) < 5.0
    else:
        assert np.median(apart) < 5.0
        assert apart[[*arms, HUMANOID.index["hips"], HUMANOID.index["chest"]]].max() < 15.0
    assert (got.score > 0).sum() == (wanted.score > 0).sum()


@pytest.fixture(scope="module", params=LIFTERS)
def lifter(request):
    return request.param


@pytest.fixture(scope="module")
def clean(lifter):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        stream.step(sees(i / 30))
    check_sane(stream)
    return stream


@pytest.mark.parametrize("what", BAD)
def test_invalid_input_for_a_while_leaves_the_stream_valid(lifter, clean, what):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        good = sees(i / 30)
        stream.step(BAD[what](good) if BEFORE <= i < BEFORE + DURING else good)
    check_sane(stream)
    check_fine_again(stream, clean, lifter)


@pytest.mark.parametrize("what", ["not a number", "all scores zero", "one visible arm", "20 px tall"])
def test_a_stream_that_starts_with_invalid_input_recovers(lifter, clean, what):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        good = sees(i / 30)
        stream.step(BAD[what](good) if i < DURING else good)
    check_sane(stream)
    check_fine_again(stream, clean, lifter)


def test_two_people_whose_ids_are_swapped_do_not_jump(lifter):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        a = sees(i / 30, at=(-0.8, 0.0, -3.0))
        b = sees(i / 30, at=(0.8, 0.0, -3.4), track_id=2, phase=2.0)
        if BEFORE <= i < BEFORE + DURING:
            a, b = replace(a, track_id=2), replace(b, track_id=1)
        stream.step(a, b)
    for track_id in (1, 2):
        check_sane(stream, track_id)


@pytest.mark.parametrize("jump_s", [-0.02, -0.9, -1e6, 0.0])
def test_time_that_runs_backwards_leaves_the_stream_valid(lifter, clean, jump_s):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        time_s = i / 30 + 2e6 + (jump_s if i >= BEFORE else 0.0)
        stream.step(replace(sees(i / 30), time_ns=round(time_s * 1e9)))
    check_sane(stream)
    check_fine_again(stream, clean, lifter)


@pytest.mark.parametrize("jump_ns", [-FRAME_NS, FRAME_NS])
def test_one_frame_out_of_order_does_no_harm(lifter, clean, jump_ns):
    stream = Stream(lifter)
    for i in range(BEFORE + DURING + AFTER):
        good = sees(i / 30)
        stream.step(replace(good, time_ns=good.time_ns + (jump_ns * 3 if i == BEFORE else 0)))
    check_sane(stream)
    check_fine_again(stream, clean, lifter)


@pytest.mark.parametrize("gap_s", [0.3, 1.5, 10.0])
@pytest.mark.parametrize("frames_come", [True, False], ids=["no people", "no frames"])
def test_after_a_gap_the_same_character_continues_smoothly(lifter, gap_s, frames_come):
    """A person leaves the image and returns elsewhere: one id, one floor, and a continuous path."""
    stream, clean = Stream(lifter), Stream(lifter)
    for i in range(BEFORE):
        stream.step(sees(i / 30))
    if frames_come:
        for i in range(1, round(gap_s * 30)):
            stream.step(time_s=(BEFORE + i - 1) / 30)
    for i in range(BEFORE, BEFORE + 2 * AFTER):
        moved = sees(i / 30, at=(-0.9, 0.0, -3.6))
        stream.step(replace(moved, time_ns=moved.time_ns + round(gap_s * 1e9)))
        clean.step(moved)
    assert {p.keypoints.track_id for result in stream.results for p in result.people} == {1}
    assert len(stream.poses()) == BEFORE + 2 * AFTER
    check_sane(stream)
    went = stream.poses()[-1].root_m - stream.poses()[BEFORE - 1].root_m
    assert went[0] == pytest.approx(-0.9, abs=0.25)  # where they came back, not where they left
    check_fine_again(stream, clean, lifter)
