"""`calibrate` on the command line: its output, and the profile it writes."""

import pytest

from realtime_pose.app import calibrate as calibrating
from realtime_pose.body.profile import BodyProfile, load_profile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.config import AppConfig
from realtime_pose.errors import CaptureError

AVERAGE = BodyDimensions.of_height(1.8)
PROFILE = BodyProfile(1.8, {name: round(getattr(AVERAGE, name) * 1.05, 4) for name in LENGTHS})
FOUND = calibrating.CalibrationResult(PROFILE, AVERAGE, LENGTHS[:6], 2.34, 5.67, 3.21, 3.0)


@pytest.fixture
def call(call, monkeypatch, tmp_path):
    """Run a command in this process, with user data in the temporary folder too: (exit code, stdout, stderr)."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return call


@pytest.fixture
def measured(monkeypatch):
    """Replaces the measurement by a given result; returns the settings it was called with."""
    asked = []

    def put(answer):
        def calibrate(config, notify, watch, progress):
            asked.append(config)
            for hint, left in (("Stand still.", 3.0), ("Good.", 2.9), ("Good.", 2.5), ("Good.", 1.9), ("Good.", 0.0)):
                calibration = calibrating.Calibration(AppConfig())
                calibration.hint = hint
                calibration._person.seconds = 3.0 - left
                assert watch(calibration, None)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(calibrating, "calibrate", calibrate)
        return asked

    return put


def test_it_counts_down_shows_the_measures_and_lists_what_a_camera_cannot_measure(call, measured, tmp_path):
    asked = measured(FOUND)
    code, out, err = call("calibrate", "--source", "actor", "--height", "1.8", "--fov", "70", "--profile", "ana")
    assert (code, err) == (0, "")
    body = asked[0].body
    assert (asked[0].capture.source, body.height_m, body.fov_deg, body.profile) == ("actor", 1.8, 70, "")
    lines = out.splitlines()
    assert lines[:4] == ["3 s  Stand still.", "3 s  Good.", "2 s  Good.", "0 s  Good."]
    assert "54.5 cm" in out
    assert "+5 %" in out
    assert "not visible" in next(line for line in lines if "lower leg" in line)
    assert "The height of 1.80 m is the one you gave (--height)" in out
    assert "With a field of view of 70 degrees (--fov) you stood 3.2 m away" in out
    assert "Keypoints are 2.3 px (median) from the joints of the measured body, 5.7 px from those of an average" in out
    assert lines[-1].endswith("use it with: realtime-pose run --profile ana")
    assert load_profile("ana") == PROFILE


def test_without_a_height_the_guess_is_reported_and_a_file_may_be_named(call, measured, tmp_path):
    measured(FOUND)
    code, out, _ = call("calibrate", "--profile", "mine.json")
    assert code == 0
    assert "is a guess, as none was given: measure again with --height" in out
    assert load_profile(str(tmp_path / "mine.json")) == PROFILE


def test_settings_may_name_the_profile_that_is_made(call, measured, tmp_path):
    asked = measured(FOUND)
    (tmp_path / "mine.yaml").write_text("body: {profile: me, height_m: 1.66}")
    assert call("calibrate", "--config", "mine.yaml")[0] == 0
    assert (asked[0].body.profile, asked[0].body.height_m) == ("", 1.66)
    assert load_profile("me") == PROFILE


@pytest.mark.parametrize(
    ("arguments", "answer", "code", "said"),
    [
        (("--profile", "a:b"), FOUND, 2, "'a:b' is not a profile name; use letters"),
        (("--height", "17"), FOUND, 2, "--height"),
        ((), CaptureError("nobody stood still"), 1, "nobody stood still"),
        ((), KeyboardInterrupt(), 130, ""),
    ],
)
def test_a_failed_calibration_writes_nothing(call, measured, tmp_path, arguments, answer, code, said):
    asked = measured(answer)
    got, _, err = call("calibrate", *arguments)
    assert got == code
    assert said in err
    assert not (tmp_path / "data").exists()
    assert bool(asked) is (code != 2)


@pytest.mark.parametrize("command", [("run", "--source", "x.mp4"), ("process", "x.mp4", "--out", "out")])
def test_a_profile_that_is_not_there_is_a_wrong_setting(call, command):
    code, _, err = call(*command, "--profile", "bob")
    assert code == 2
    assert "bob.json (No such file or directory); make one with: realtime-pose calibrate --profile NAME" in err
