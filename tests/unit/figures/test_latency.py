"""Latency figure: a bar with whisker for each measured stage."""

import pytest

from realtime_pose.figures.latency import latency_figure


def test_a_bar_for_each_stage_that_was_measured():
    figure = latency_figure(
        {"capture": {"p50": 1.0, "p95": 3.5}, "detect": {"p50": None, "p95": None}, "solve": {"p50": 0.5, "p95": 0.6}},
        {"p50": 4.0, "p95": 9.0},
    )
    (bars,) = figure.data
    assert bars.y == ("capture", "solve", "<b>capture to sent</b>")
    assert bars.x == (1.0, 0.5, 4.0)
    assert bars.error_x.array == pytest.approx((2.5, 0.1, 5.0))
    assert "ms" in figure.layout.xaxis.title.text
