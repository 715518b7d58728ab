"""Hints for the user."""

from dataclasses import replace

import pytest

from realtime_pose.config import AppConfig
from realtime_pose.interface.dashboard.engine.state import Phase, StudioState
from realtime_pose.interface.dashboard.page.hints import hint

SLOW = StudioState(
    phase=Phase.RUNNING, kind="live", seconds=20, fps=12, source_fps=30, persons=1, estimator="vitpose-s",
    stages_ms={"estimate": {"p50": 70.0}, "detect": {"p50": 1.0}, "lift": {"p50": None}},
)  # fmt: skip


def slow_in(stage):
    return replace(SLOW, stages_ms={"estimate": {"p50": 10.0}, stage: {"p50": 60.0}})


def test_there_is_no_hint_while_it_keeps_up():
    assert hint(replace(SLOW, fps=29), AppConfig()) == ""


@pytest.mark.parametrize("change", [{"phase": Phase.PAUSED}, {"kind": "take"}, {"seconds": 1.0}])
def test_there_is_no_hint_where_a_rate_means_nothing(change):
    assert hint(replace(SLOW, **change), AppConfig()) == ""


def test_the_hint_has_the_share_of_frames_used():
    assert "12 of 30" in hint(SLOW, AppConfig())


@pytest.mark.parametrize(
    ("stage", "word"),
    [
        ("capture", "camera"),
        ("detect", "less often"),
        ("send", "outputs"),
        ("lift", "fewer people"),
        ("filter", "fewer people"),
    ],
)
def test_it_names_what_helps_against_the_slowest_stage(stage, word):
    assert word in hint(slow_in(stage), AppConfig())


def test_a_smaller_model_is_suggested_for_a_big_one():
    assert "ViTPose small" in hint(replace(SLOW, estimator="vitpose-h"), AppConfig())


def test_several_people_cost_more_than_one():
    many = AppConfig().with_values({"inference": {"persons": 4}}, "test")
    assert "fewer people" in hint(replace(SLOW, persons=3), many)


def test_blazepose_is_not_suggested_for_blazepose():
    assert "choose BlazePose" in hint(SLOW, AppConfig())
    assert "BlazePose" not in hint(replace(SLOW, estimator="blazepose"), AppConfig())


def test_more_light_is_suggested_for_a_dim_camera():
    assert "light" in hint(replace(SLOW, fps=15, source_fps=15), AppConfig())


def test_a_frame_without_people_is_reported():
    assert "No person" in hint(replace(SLOW, fps=30, persons=0), AppConfig())
