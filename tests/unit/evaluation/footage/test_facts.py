"""Facts: each kind of check holds and fails where it should, and what cannot be judged is counted."""

import json

import numpy as np
import pytest
from support.tracks import FLOOR_M, camera, standing

from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage.facts import Fact, judge, read_facts


def judged(track, kind="sitting", first=0, last=39, **fields):
    """Checks by name of one fact; "sitting", so that the ankles are not judged too."""
    tracks = [] if track is None else [track]
    return {check.name: check for check in judge([Fact(first, last, kind, "seen", fields)], tracks, 1280).checks}


HOLD_AND_FAIL = {
    "trunk_deg_max": ({"trunk_deg_max": 6}, {"lean_deg": 12}, {"lean_deg": 25}),
    "trunk_deg": ({"trunk_deg": [40, 50]}, {"lean_deg": 50}, {"lean_deg": 10}),
    "knee_deg_min": ({"knee_deg_min": 155}, {"knees_deg": (146, 180)}, {"knees_deg": (138, 180)}),
    "knee_deg_max": ({"knee_deg_max": 85}, {"knees_deg": (95, 95)}, {"knees_deg": (110, 110)}),
    "knee_deg": ({"knee_deg": [75, 112]}, {"knees_deg": (90, 90)}, {"knees_deg": (170, 170)}),
    "hip_height_m": ({"hip_height_m": 0.45}, {"root_m": (0, 0.55, 0)}, {"root_m": (0, 0.9, 0)}),
    "camera_pitch_deg": ({"camera_pitch_deg": -20}, {"seen_by": camera(-22)}, {"seen_by": camera(-10)}),
    "camera_roll_deg": ({"camera_roll_deg": 10}, {"seen_by": camera(0, 12)}, {"seen_by": camera(0, -10)}),
}


@pytest.mark.parametrize("name", HOLD_AND_FAIL)
def test_a_number_holds_within_its_tolerance_only(name):
    said, good, bad = HOLD_AND_FAIL[name]
    for body, holds in ((good, True), (bad, False)):
        check = judged(standing(**body), **said)[name]
        assert check.holds == holds, check
    assert "wanted" not in check.wanted
    assert check.got != check.wanted


def test_upright_and_straight_together_say_that_legs_are_vertical():
    said = {"trunk_deg_max": 8, "knee_deg_min": 155}
    assert judged(standing(), **said)["legs"].holds
    slanted = standing()
    slanted.joints_m[:, :, 2] += 0.5 * (slanted.joints_m[:, :, 1] - FLOOR_M)  # upright would be 0: 27 degrees here
    assert not judged(slanted, **said)["legs"].holds
    assert "legs" not in judged(slanted, trunk_deg_max=20, knee_deg_min=155)
    assert "legs" not in judged(slanted, trunk_deg_max=8)


def test_the_bent_knee_is_the_one_on_its_side_of_the_image():
    left_bent = standing(knees_deg=(80, 175))  # the person's left is at the image's right
    assert judged(left_bent, knee_deg_max=85, bent="image_right")["knee_deg_max"].holds
    assert not judged(left_bent, knee_deg_max=85, bent="image_left")["knee_deg_max"].holds


def test_feet_that_travel_are_not_fixed_but_a_few_frames_may_be_off():
    still = np.tile((0.0, FLOOR_M, 0.0), (40, 1))
    still[20] += (3.0, 0.0, 0.0)
    assert judged(standing(root_m=still), feet_fixed=True)["feet_fixed"].holds
    walks = still + np.linspace(0, 0.3, 40)[:, None] * (1.0, 0.0, 0.0)
    assert not judged(standing(root_m=walks), feet_fixed=True)["feet_fixed"].holds
    assert "feet_fixed" not in judged(standing(root_m=walks), feet_fixed=False)


@pytest.mark.parametrize(
    ("direction", "step"),
    [("image_right", (1, 0, 0)), ("image_left", (-1, 0, 0)), ("to_camera", (0, 0, 1)), ("away", (0, 0, -1))],
)
def test_directions_are_those_of_the_image(direction, step):
    way = np.linspace(0, 1, 40)[:, None] * np.array(step, float)
    for length_m, holds in ((0.4, True), (0.2, False), (-0.4, False)):
        track = standing(root_m=(0, FLOOR_M, 0) + length_m * way)
        assert judged(track, "walking", direction=direction)["direction"].holds == holds


def test_an_unknown_direction_is_refused():
    with pytest.raises(RecordingError, match="'up' is not image_left"):
        judged(standing(), "walking", direction="up")


def test_yaw_is_judged_for_side_and_back_views_alone():
    for yaw_deg, said in ((80, 90), (-100, -90), (170, 180), (-170, 180)):
        assert judged(standing(yaw_deg=yaw_deg), "facing", yaw_deg=said)["yaw_deg"].holds
    assert not judged(standing(yaw_deg=20), "facing", yaw_deg=90)["yaw_deg"].holds
    assert not judged(standing(yaw_deg=-90), "facing", yaw_deg=90)["yaw_deg"].holds
    assert not judged(standing(yaw_deg=20), "facing", yaw_deg=14)  # a head's


def test_standing_asks_for_the_lower_ankle_on_the_floor():
    height = np.full(40, FLOOR_M)
    height[:6] += 0.3
    on_and_off = np.stack((np.zeros(40), height, np.zeros(40)), axis=1)
    assert judged(standing(root_m=on_and_off), "standing")["ankle"].holds  # in 85 % of the frames
    on_and_off[:12, 1] = FLOOR_M + 0.3
    assert not judged(standing(root_m=on_and_off), "standing")["ankle"].holds
    assert not judged(standing(root_m=on_and_off), "standing", foot_up="image_left")
    one_leg = standing(knees_deg=(180, 60))
    assert judged(one_leg, "standing")["ankle"].holds


def test_values_are_medians_over_the_range_alone():
    lean = np.zeros(40)
    lean[20:] = 60
    track = standing(lean_deg=lean)
    assert judged(track, first=0, last=19, trunk_deg_max=5)["trunk_deg_max"].holds
    assert not judged(track, first=21, last=39, trunk_deg_max=5)["trunk_deg_max"].holds
    assert judged(track, first=10, last=29, trunk_deg_max=5)["trunk_deg_max"].got != "0.0"


def test_a_range_with_poses_in_less_than_half_of_its_frames_fails_every_check():
    said = {"trunk_deg_max": 6, "knee_deg_min": 150, "direction": "away", "camera_pitch_deg": 0, "feet_fixed": True}
    for track, last in ((standing(40), 99), (None, 39)):
        checks = judged(track, "standing", last=last, **said)
        assert set(checks) == {
            "trunk_deg_max", "knee_deg_min", "legs", "direction", "camera_pitch_deg", "feet_fixed", "ankle",
        }  # fmt: skip
        assert not any(check.holds for check in checks.values())
        assert checks["ankle"].got == f"a pose in {0 if track is None else 40} of {last + 1} frames"
    assert judged(standing(40), last=78, trunk_deg_max=6)["trunk_deg_max"].holds


def test_people_are_told_by_their_half_of_the_image():
    upright, bowed = standing(root_m=(-1, FLOOR_M, 0)), standing(30, root_m=(1, FLOOR_M, 0), lean_deg=60)
    said = {who: Fact(0, 29, "sitting", "", {"who": who, "trunk_deg_max": 6}) for who in ("left", "right", "man")}
    found = judge([*said.values()], [upright, bowed], 1280)
    assert [check.holds for check in found.checks] == [True, False]
    assert found.other_people == 1
    assert judge([said["right"]], [upright], 1280).other_people == 1


def test_what_is_not_judged_is_counted():
    facts = [
        Fact(0, 9, "arm", "", {"both_down": True}),
        Fact(0, 9, "face", "", {"smile": True}),
        Fact(0, 9, "count", "", {"reps": 3}),
        Fact(0, 9, "walking", "", {"size_factor": 1.8}),
        Fact(0, 9, "sitting", "", {"transition": True}),
    ]
    found = judge(facts, [standing()], 1280)
    assert (found.checks, found.other_kinds, found.no_number, found.other_people) == ([], 3, 2, 0)


def test_facts_are_read_by_the_paths_of_their_clips(tmp_path):
    file = tmp_path / "real" / "facts.json"
    file.parent.mkdir()
    raw = {"frames": [3, 8], "kind": "standing", "text": "stands", "trunk_deg_max": 6, "who": "left"}
    file.write_text(json.dumps([{"file": "../video/a.mp4", "facts": [raw]}, {"file": "b.mp4", "facts": []}]))
    known = read_facts(file)
    assert list(known) == [(tmp_path / "video/a.mp4").resolve(), (tmp_path / "real/b.mp4").resolve()]
    (fact,) = known[(tmp_path / "video/a.mp4").resolve()]
    assert (fact.first, fact.last, fact.kind, fact.who) == (3, 8, "standing", "left")
    assert fact.fields["trunk_deg_max"] == 6


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"a": 1}', '[{"file": "a", "facts": [{"frames": [9, 3], "kind": "x", "text": ""}]}]']
)
def test_other_files_are_refused_in_one_sentence(tmp_path, text):
    file = tmp_path / "facts.json"
    file.write_text(text)
    with pytest.raises(RecordingError, match="is not a list of files with facts"):
        read_facts(file)
    with pytest.raises(RecordingError, match="cannot read the facts"):
        read_facts(tmp_path / "none.json")
