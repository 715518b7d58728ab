from dataclasses import replace

import numpy as np
from support.bodies import human_local, joints_of, keypoints_of, points_of
from support.people import CAMERA

from realtime_pose.body.settings import BodyConfig
from realtime_pose.lifting.stabilized import StabilizedLifter
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
WRIST = COCO17.index["left_wrist"]


class Echo:
    """A lifter that returns a given answer and records its inputs."""

    def __init__(self):
        self.asked, self.answers, self.forgotten = [], None, []

    def lift(self, keypoints, intrinsics):
        self.asked.append(keypoints)
        return self.answers

    def forget(self, track_id):
        self.forgotten.append(track_id)


def seen(i):
    points = points_of(human_local(0, reach=0.2), root_m=(0.0, 0.0, -3.0))
    return keypoints_of(points, time_ns=i * FRAME_NS)


def joints(i, xyz_m=None, hidden=()):
    score = np.ones(17)
    score[list(hidden)] = 0
    answer = joints_of(human_local(0), time_ns=i * FRAME_NS, score=score)
    return answer if xyz_m is None else replace(answer, xyz_m=as_float32(xyz_m))


def run(stabilized, echo, i, answer):
    echo.answers = answer
    return stabilized.lift(seen(i), CAMERA)


def test_sides_are_put_right_before_the_lifter_sees_them():
    echo = Echo()
    stabilized = StabilizedLifter(echo, BodyConfig())
    mirror = np.array(COCO17.mirror)
    for i in range(4):
        echo.answers, given = joints(i), seen(i)
        exchanged = replace(given, xy_px=given.xy_px[mirror], score=given.score[mirror])
        stabilized.lift(exchanged if i == 2 else given, CAMERA)
    assert np.abs(echo.asked[2].xy_px - echo.asked[1].xy_px).max() < 1.0


def test_jitter_is_smoothed():
    echo, rng = Echo(), np.random.default_rng(0)
    stabilized, noise = StabilizedLifter(echo, BodyConfig()), 0.02 * rng.normal(size=(60, 17, 3))
    got = [run(stabilized, echo, i, joints(i, joints(0).xyz_m + noise[i])).xyz_m for i in range(60)]
    assert np.diff(got[10:], 2, axis=0).std() < 0.5 * 0.02 * np.sqrt(6)


def test_a_point_that_reappears_starts_at_its_measurement():
    echo = Echo()
    stabilized, there = StabilizedLifter(echo, BodyConfig()), joints(0).xyz_m.copy()
    there[WRIST] += 0.4
    for i in range(20):
        run(stabilized, echo, i, joints(i, hidden=[WRIST] if i >= 10 else ()))
    back = run(stabilized, echo, 20, joints(20, there))
    assert np.allclose(back.xyz_m[WRIST], there[WRIST], atol=1e-5)
    assert back.score[WRIST] == 1
    moved = run(stabilized, echo, 21, joints(21))
    assert (
        np.linalg.norm(moved.xyz_m[WRIST] - joints(0).xyz_m[WRIST]) > 0.05
    )  # visible in the last frame too: smoothed again


def test_nothing_is_smoothed_without_a_preset_or_with_look_ahead():
    for config in (BodyConfig(smoothing="none"), BodyConfig(look_ahead=True)):
        echo = Echo()
        stabilized = StabilizedLifter(echo, config)
        assert run(stabilized, echo, 0, joints(0)) is echo.answers
        assert run(stabilized, echo, 1, joints(1)) is echo.answers


def test_forgetting_reaches_the_lifter_and_the_smoothing():
    echo = Echo()
    stabilized, there = StabilizedLifter(echo, BodyConfig()), joints(0).xyz_m + np.float32(0.3)
    run(stabilized, echo, 0, joints(0))
    stabilized.forget(1)
    stabilized.forget(99)
    assert echo.forgotten == [1, 99]
    assert np.allclose(run(stabilized, echo, 1, joints(1, there)).xyz_m, there)
