"""Self-test: the run over the actor's clip, and its errors; test_selftest_figures.py tests the figures."""

import pytest

from realtime_pose.config import AppConfig
from realtime_pose.errors import RealtimePoseError, UnknownChoiceError
from realtime_pose.evaluation.selftest import run_selftest


def settings() -> AppConfig:
    return AppConfig().with_values(
        {"capture": {"source": "0", "rotate_deg": 90}, "inference": {"estimator": "blazepose"}}, "test"
    )


def test_a_short_run_measures_every_packet_of_the_clip() -> None:
    steps: list[tuple[int, int]] = []
    found = run_selftest(settings(), 30, lambda done, total: steps.append((done, total)))
    assert (found.clip, found.estimator, found.frames) == ("actor", "blazepose", 30)
    assert (found.packets_lost, found.packets) == (0, len(steps))
    assert steps[-1] == (30, 30)
    assert found.mpjpe_mm < 150  # the right clip, upright, whatever the source in the settings
    assert found.contact_recall_percent > 50


def test_too_few_packets_are_an_error() -> None:
    with pytest.raises(RealtimePoseError, match=r"received \d packets for 2 frames, too few to measure"):
        run_selftest(settings(), 2)


def test_an_unknown_clip_is_refused() -> None:
    with pytest.raises(UnknownChoiceError, match="actor-2"):
        run_selftest(settings(), 2, clip="actor-9")
