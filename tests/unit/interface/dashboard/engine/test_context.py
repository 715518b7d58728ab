"""The studio's phase and its transitions."""

import pytest

from realtime_pose.interface.dashboard.engine.context import Status
from realtime_pose.interface.dashboard.engine.state import Phase

IDLE, OPENING, RUNNING, PAUSED, FAILED = Phase
LEGAL = {
    (IDLE, IDLE), (IDLE, OPENING), (OPENING, RUNNING), (OPENING, FAILED), (OPENING, IDLE), (RUNNING, RUNNING),
    (RUNNING, PAUSED), (RUNNING, IDLE), (RUNNING, FAILED), (PAUSED, PAUSED), (PAUSED, RUNNING), (PAUSED, IDLE),
    (PAUSED, FAILED), (FAILED, OPENING), (FAILED, IDLE), (FAILED, RUNNING), (FAILED, FAILED),
}  # fmt: skip
PATHS = {
    IDLE: (),
    OPENING: (OPENING,),
    RUNNING: (OPENING, RUNNING),
    PAUSED: (OPENING, RUNNING, PAUSED),
    FAILED: (OPENING, FAILED),
}


def enter(status, phase):
    status.enter(phase, "the camera is gone" if phase is FAILED else "")


@pytest.mark.parametrize("first", Phase)
@pytest.mark.parametrize("then", Phase)
def test_only_legal_transitions_are_made(first, then):
    status = Status()
    for phase in PATHS[first]:
        enter(status, phase)
    if (first, then) in LEGAL:
        enter(status, then)
        assert status.phase is then
    else:
        with pytest.raises(RuntimeError, match=f"from {first} to {then}"):
            enter(status, then)
        assert status.phase is first


def test_a_failure_has_a_reason_until_the_next_phase():
    status = Status()
    status.enter(OPENING)
    with pytest.raises(RuntimeError):
        status.enter(FAILED)
    with pytest.raises(RuntimeError):
        status.enter(RUNNING, "a reason without a failure")
    status.enter(FAILED, "the camera is gone")
    assert status.failure == "the camera is gone"
    status.enter(OPENING)
    assert status.failure == ""


def test_the_phase_can_be_changed_in_no_other_way():
    with pytest.raises(AttributeError):
        Status().phase = RUNNING


def test_a_notice_is_kept_once():
    status = Status()
    for sentence in ("one", "two", "one"):
        status.note(sentence)
    assert list(status.notices) == ["one", "two"]
