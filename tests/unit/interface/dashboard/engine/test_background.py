"""Jobs in a background thread."""

import subprocess
import sys
import threading

import pytest

from realtime_pose.interface.dashboard.engine.background import Background

PATIENCE_S = 20.0


@pytest.fixture
def background():
    made = Background("jobs", lambda exc: pytest.fail(str(exc)))
    yield made
    made.close(PATIENCE_S)


def test_jobs_run_in_order_and_an_exception_is_reported():
    done, faults = [], []
    background = Background("jobs", faults.append)
    for job in (lambda: done.append(1), lambda: 1 // 0, lambda: done.append(2)):
        background.submit(job)
    assert background.wait(PATIENCE_S)
    assert done == [1, 2]
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    background.close(PATIENCE_S)


def test_wait_gives_up_after_its_time(background):
    go_on = threading.Event()
    background.submit(lambda: go_on.wait(PATIENCE_S))
    assert not background.wait(0.01)
    go_on.set()
    assert background.wait(PATIENCE_S)


def test_closing_cancels_what_has_not_started_and_refuses_more(background):
    go_on, started, done = threading.Event(), threading.Event(), []
    background.submit(lambda: (started.set(), go_on.wait(PATIENCE_S)))
    background.submit(lambda: done.append("late"))
    assert started.wait(PATIENCE_S)
    background.close(0.01)
    background.close(0.01)  # safe to repeat
    background.submit(lambda: done.append("too late"))
    go_on.set()
    assert background.wait(PATIENCE_S)
    assert done == []


def test_a_job_that_never_ends_does_not_keep_the_program_alive():
    code = (
        "import threading\n"
        "from realtime_pose.interface.dashboard.engine.background import Background\n"
        "background, started = Background('jobs', print), threading.Event()\n"
        "background.submit(lambda: (started.set(), threading.Event().wait()))\n"
        "started.wait()\n"
        "background.close(0.01)\n"
    )
    subprocess.run([sys.executable, "-c", code], timeout=PATIENCE_S, check=True)
