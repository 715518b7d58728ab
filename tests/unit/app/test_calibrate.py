"""Body calibration: three seconds of standing still; unsuitable frames are skipped with a hint."""

from dataclasses import replace

import numpy as np
import pytest
from support.people import CAMERA, make_person, make_result

from realtime_pose.app import calibrate as calibrating
from realtime_pose.app.calibrate import GOOD, MOVING, NOBODY, TOO_CLOSE, TURNED, Calibration, calibrate
from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.body.profile import body_of, profile_path
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.config import AppConfig, load_config
from realtime_pose.datatypes import JointRotations, PersonBox, SkeletonPose
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.session.reader import read_session
from realtime_pose.skeletons import COCO17, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

S = 1_000_000_000
CONFIG = AppConfig().with_values({"body": {"height_m": 1.72, "lifter": "geometric"}}, "test")
AVERAGE = BodyDimensions.of_height(1.72)
OWN = AVERAGE.with_lengths(
    {"torso": 0.475, "shoulder_width": 0.40, "hip_width": 0.23, "upper_arm": 0.32, "forearm": 0.235, "thigh": 0.465,
     "shank": 0.426}
)  # fmt: skip
LEGS = [COCO17.index[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]
ARMS = [COCO17.index[f"{side}_{part}"] for side in ("left", "right") for part in ("elbow", "wrist")]


def standing(body=OWN, *, at_s=0.0, track_id=0, yaw_deg=0.0, forward_deg=0.0, squat_deg=0.0, x_m=0.0):
    """A person who stands with slightly raised arms, or deviates from that."""
    local = np.tile(rot.IDENTITY_XYZW, (17, 1))
    turn = {"hips": ((0, 1, 0), yaw_deg)}
    for side, sign in (("left", 1), ("right", -1)):
        turn |= {f"{side}UpperLeg": ((1, 0, 0), -squat_deg), f"{side}LowerLeg": ((1, 0, 0), 2 * squat_deg)}
        down = rot.from_axis_angle((0, 0, 1), np.radians(-60.0 * sign))
        ahead = rot.from_axis_angle((1, 0, 0), np.radians(-forward_deg))
        local[HUMANOID.index[f"{side}UpperArm"]] = rot.multiply(ahead, down)
    for joint, (axis, deg) in turn.items():
        local[HUMANOID.index[joint]] = rot.from_axis_angle(axis, np.radians(float(deg)))
    root = as_float32([x_m, body.hip_height * np.cos(np.radians(squat_deg)), 0])
    ones = np.ones(17, np.float32)
    rotations = JointRotations(HUMANOID, as_float32(local))
    pose = SkeletonPose(rotations, root, as_float32(body.bone_m), ones, track_id, round(at_s * S))
    person = make_person(0, track_id=track_id, time_ns=round(at_s * S), pose=pose, layout=COCO17)
    sure = as_float32(np.ones(17))
    return replace(person, keypoints=replace(person.keypoints, score=sure), joints=replace(person.joints, score=sure))


def without(person, rows):
    score = person.keypoints.score.copy()
    score[rows] = 0.1  # below the threshold
    return replace(person, keypoints=replace(person.keypoints, score=score))


def show(calibration, of, seconds=3.2, fps=20.0, start_s=0.0):
    """The hints while a person is shown; `of` makes the person from the time."""
    hints = []
    for i in range(round(seconds * fps)):
        at_s = start_s + i / fps
        people = of(at_s)
        people = people if isinstance(people, list) else [people]
        calibration.add(make_result(people, index=i, time_ns=round(at_s * S)))
        hints.append(calibration.hint)
    return hints


def test_a_person_who_stands_still_is_measured():
    calibration = Calibration(CONFIG)
    assert (calibration.hint, calibration.seconds_left, calibration.done) == (NOBODY, 3.0, False)
    hints = show(calibration, lambda t: standing(at_s=t), 1.0)
    assert hints == [MOVING] + [GOOD] * 19
    assert calibration.seconds_left == pytest.approx(3 - 0.95)
    show(calibration, lambda t: standing(at_s=t), 2.5, start_s=1.0)
    assert calibration.done
    assert calibration.seconds_left == 0
    found = calibration.result()
    assert found.profile.height_m == 1.72
    assert found.measured == LENGTHS
    away = np.array([found.profile.lengths_m[name] / getattr(OWN, name) - 1 for name in LENGTHS])
    assert np.abs(away).max() < 0.03
    assert away.std() < 0.006  # the synthetic person's ears are low, which leaves a difference in scale
    assert np.abs(AVERAGE.lengths / OWN.lengths - 1).max() > 0.06  # the person differs from the average
    assert found.distance_m == pytest.approx(3.0, rel=0.03)
    assert found.fit_px < 0.6 * found.average_fit_px
    assert found.fit_px < 4


def test_unusable_frames_are_reported_and_not_counted():
    calibration = Calibration(CONFIG)
    assert set(show(calibration, lambda t: [], 0.5)) == {NOBODY}
    assert set(show(calibration, lambda t: without(standing(at_s=t), LEGS), 0.5, start_s=0.5)) == {TOO_CLOSE}
    assert set(show(calibration, lambda t: standing(at_s=t, x_m=0.6 * t), 1.0, start_s=1.0)[5:]) == {MOVING}
    assert set(show(calibration, lambda t: standing(at_s=t, yaw_deg=50), 2.5, start_s=2.0)[20:]) == {TURNED}
    assert set(show(calibration, lambda t: standing(at_s=t, yaw_deg=180), 2.5, start_s=4.5)[20:]) == {TURNED}
    assert set(show(calibration, lambda t: standing(at_s=t, squat_deg=35), 2.5, start_s=7.0)[20:]) == {TURNED}
    assert calibration.seconds_left > 2.5
    with pytest.raises(
        CaptureError, match=r"still in full view for 0\.\d s of 3; face the camera and stand upright, and"
    ):
        calibration.result()


def test_a_pause_does_not_lose_what_there_is_and_a_gap_does_not_count():
    calibration = Calibration(CONFIG)
    show(calibration, lambda t: standing(at_s=t), 2.0)
    before = calibration.seconds_left
    show(calibration, lambda t: [], 1.0, start_s=2.0)
    assert calibration.seconds_left == before
    calibration.add(make_result([standing(at_s=60)], time_ns=60 * S))
    calibration.add(make_result([standing(at_s=90)], time_ns=90 * S))
    assert before - calibration.seconds_left == pytest.approx(0.1)


def test_another_person_restarts_it_and_the_nearest_is_measured():
    def two(t):
        far = standing(AVERAGE, at_s=t, track_id=9)
        return [replace(far, box=PersonBox(as_float32([0, 0, 9, 9]), 1.0, 9)), standing(at_s=t, track_id=4)]

    calibration = Calibration(CONFIG)
    show(calibration, lambda t: standing(AVERAGE, at_s=t, track_id=9), 2.9)
    show(calibration, two, 1.0, start_s=2.9)
    assert calibration.seconds_left == pytest.approx(3 - 0.95)
    show(calibration, two, 2.2, start_s=3.9)
    thigh = calibration.result().profile.lengths_m["thigh"]
    assert abs(thigh / OWN.thigh - 1) < 0.03 < abs(thigh / AVERAGE.thigh - 1)


def test_a_camera_that_looks_down_is_allowed_for():
    def pitched(person):
        """The same keypoints in a camera that looks down by 20 degrees."""
        tilt = rot.from_axis_angle((1, 0, 0), np.radians(20.0))
        xyz = rot.rotate(tilt, (person.joints.xyz_m + person.joints.root_m).astype(float))
        root = rot.rotate(tilt, person.joints.root_m.astype(float))
        xy = xyz[:, :2] / -xyz[:, 2:] * (CAMERA.fx, -CAMERA.fy) + (CAMERA.cx, CAMERA.cy)
        joints = replace(person.joints, xyz_m=as_float32(xyz - root), root_m=as_float32(root))
        return replace(person, joints=joints, keypoints=replace(person.keypoints, xy_px=as_float32(xy)))

    spread = {}
    for pitch_deg in (0.0, 20.0):
        calibration = Calibration(CONFIG.with_values({"body": {"camera_pitch_deg": pitch_deg}}, "test"))
        show(calibration, lambda t: pitched(standing(at_s=t)))
        found = calibration.result().profile.lengths_m
        spread[pitch_deg] = np.std([found[name] / getattr(OWN, name) for name in LENGTHS])
    assert spread[20.0] < 0.006 < 0.03 < spread[0.0]


def test_occluded_arms_are_estimated_from_the_height():
    calibration = Calibration(CONFIG)
    show(calibration, lambda t: without(standing(at_s=t), ARMS))
    found = calibration.result()
    assert found.measured == tuple(name for name in LENGTHS if name not in ("upper_arm", "forearm"))
    assert found.profile.lengths_m["forearm"] == pytest.approx(AVERAGE.forearm)


def test_arms_that_are_held_ahead_do_not_come_out_short():
    calibration = Calibration(CONFIG)
    show(calibration, lambda t: standing(at_s=t, forward_deg=35))
    found = calibration.result().profile.lengths_m
    assert found["upper_arm"] / OWN.upper_arm > 0.98
    assert found["forearm"] / OWN.forearm > 0.98


def test_points_that_are_not_finite_are_occluded():
    def broken(t):
        person = standing(at_s=t)
        xy = person.keypoints.xy_px.copy()
        xy[COCO17.index["left_knee"]] = np.nan
        return replace(person, keypoints=replace(person.keypoints, xy_px=xy)) if t < 1 else person

    calibration = Calibration(CONFIG)
    hints = show(calibration, broken, 4.2)
    assert hints[:20] == [TOO_CLOSE] * 20
    assert hints[25:] == [GOOD] * len(hints[25:])
    assert np.isfinite(calibration.result().fit_px)


# --- from a source ----------------------------------------------------------------------------------------------------


class Source:
    """A camera that shows a person for a while; every third read returns None."""

    def __init__(self, seconds):
        self.results = [make_result([standing(at_s=i / 20)], index=i, time_ns=i * S // 20) for i in range(seconds * 20)]
        self.reads, self.closed, self.asked = 0, 0, []

    def read(self):
        self.reads += 1
        if self.reads % 3 == 0:
            return None
        if not self.results:
            raise EndOfStream
        return self.results.pop(0)

    def step(self, frame):
        return frame

    def close(self):
        self.closed += 1


@pytest.fixture
def source(monkeypatch):
    """Replaces cameras and estimators by a synthetic source."""

    def put(seconds):
        made = Source(seconds)
        monkeypatch.setattr(calibrating, "open_source", lambda config: made)
        monkeypatch.setattr(
            calibrating, "build_pipeline", lambda config, notify, progress: made.asked.append(config) or made
        )
        return made

    return put


def test_it_ends_by_itself_and_closes_what_it_opened(source):
    made, shown = source(10), []
    found = calibrate(CONFIG, print, lambda calibration, result: shown.append(calibration.seconds_left) or True)
    assert found.seconds == pytest.approx(3.0, abs=0.06)
    assert made.closed == 2
    assert made.results
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] == 0


@pytest.mark.parametrize(("seconds", "go_on"), [(2, True), (10, False)])
def test_a_source_that_ends_early_reports_what_was_missing(source, seconds, go_on):
    made = source(seconds)
    with pytest.raises(
        CaptureError, match=r"still in full view for \d\.\d s of 3; stand still, .*and calibrate again$"
    ):
        calibrate(CONFIG, print, lambda calibration, result: go_on)
    assert made.closed == 2


def test_a_profile_in_the_settings_is_not_used_to_find_one(source):
    source(5)
    other = calibrate(CONFIG, print, lambda calibration, result: True).profile
    longer = replace(other, lengths_m={**other.lengths_m, "thigh": other.lengths_m["thigh"] * 1.2})
    made = source(5)
    config = replace(CONFIG, body=replace(CONFIG.body, profile=longer.text))
    assert calibrate(config, print, lambda calibration, result: True).profile == other
    assert made.asked[0].body == CONFIG.body


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_made_with_a_profile_is_recomputed_without_its_file(tmp_path, monkeypatch):
    from dataclasses import asdict

    from realtime_pose.app.replay import recorded_settings
    from realtime_pose.two_passes import poses_of_clip

    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    calibration = Calibration(CONFIG)
    show(calibration, lambda t: standing(at_s=t))
    calibration.result().profile.save(profile_path("me"))
    config = load_config([], {"body": {"profile": "me", "lifter": "geometric"}}, {})
    assert config.body.height_m == 1.72
    frames = [make_result([standing(at_s=i / 20)], index=i, time_ns=i * S // 20) for i in range(12)]
    take = TakeRecorder(tmp_path / "take", TakeInfo(20.0, {"config": asdict(config)}), [])
    made = list(poses_of_clip(lambda: frames, config))
    for result in made:
        take.send(result)
    take.close()
    profile_path("me").unlink()

    session = read_session(tmp_path / "take" / SESSION)
    again = load_config([], {}, {}, base=recorded_settings(session))
    for before, after in zip(made, poses_of_clip(session.frames, again), strict=True):
        one, two = before.people[0].pose, after.people[0].pose
        assert one.rotations.local_xyzw.tobytes() == two.rotations.local_xyzw.tobytes()
        np.testing.assert_allclose(two.bone_m, body_of(config.body).bone_m, rtol=1e-6)
    assert abs(two.bone_m[HUMANOID.index["leftLowerLeg"]] / AVERAGE.thigh - 1) > 0.03
