"""Results of clips: what is pooled, what a report has, and a real clip from its images to its facts."""

from pathlib import Path

import numpy as np
import pytest
from support.tracks import standing

from realtime_pose.config import AppConfig
from realtime_pose.evaluation.footage.clip_results import ClipResult, evaluate_footage, pooled_figures, report_of
from realtime_pose.evaluation.footage.facts import Fact, judge
from realtime_pose.evaluation.footage.figures import measure

REAL = Path(__file__).parents[4] / "../shared/data/real"


def result(name, facts, shows_a_body=True):
    track = standing()
    return ClipResult(name, "fake", measure(track, 40, facts), judge(facts, [track], 1280), shows_a_body)


def test_clips_of_hands_and_faces_are_not_pooled_but_reported():
    upright = Fact(0, 39, "standing", "upright", {"trunk_deg_max": 5})
    bowed = Fact(0, 39, "sitting", "bowed", {"trunk_deg": [50, 60]})
    results = [result("body", [upright, bowed]), result("hand", [Fact(0, 9, "hand", "a fist", {})], False)]
    assert pooled_figures(results).frames == 40
    report = report_of(results)
    assert (report["estimator"], report["frames"], report["checks_hold"], report["checks_total"]) == ("fake", 40, 2, 3)
    assert report["facts_not_judged"] == {"other_kinds": 1, "without_a_number": 0, "of_other_people": 0}
    assert report["clips"]["hand"]["frames"] == 40
    failed = [check for check in report["clips"]["body"]["checks"] if not check["holds"]]
    assert [(check["text"], check["check"], check["frames"]) for check in failed] == [("bowed", "trunk_deg", [0, 39])]


@pytest.mark.slow
def test_a_man_who_waves_in_a_real_clip_stands_upright(tmp_path):
    clip = REAL / "room_wave.mp4"
    if not clip.is_file():
        pytest.skip("the clips of real people of ../shared are not here")
    config = AppConfig().with_values({"inference": {"estimator": "blazepose"}}, "test")
    (found,) = evaluate_footage([clip], config, facts=REAL / "facts.json", cache=tmp_path)
    assert found.figures.poses_percent == 100
    assert found.figures.reprojection_percent < 5
    assert np.mean([check.holds for check in found.judgement.checks]) == 1
