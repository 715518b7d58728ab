"""Guided calibration that is cancelled while it measures."""

from types import SimpleNamespace

from realtime_pose.config import AppConfig
from realtime_pose.interface.dashboard.engine.guided_calibration import GuidedCalibration


def test_a_body_that_is_found_after_it_was_given_up_is_neither_used_nor_kept():
    guided, saved = GuidedCalibration(AppConfig()), []

    class Measured:
        done, hint, seconds_left = True, "", 0.0

        def result(self):  # takes about a second, in which the user may press Cancel
            guided.cancel()
            return SimpleNamespace(
                profile=SimpleNamespace(save=saved.append, height_m=1.7),
                distance_m=3.0, measured=(), fit_px=1.0, average_fit_px=2.0,
            )  # fmt: skip

    guided._calibration = Measured()
    assert guided.ready
    assert guided.measure() is None
    assert guided.state.phase == "failed"
    assert saved == []
