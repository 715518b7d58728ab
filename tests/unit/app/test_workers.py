"""Worker processes: all jobs are done, a crash costs one job only, and stopping is clean."""

import multiprocessing
import os
import time

import pytest

from realtime_pose.app import workers
from realtime_pose.app.batch import Job
from realtime_pose.app.take import SESSION
from realtime_pose.app.workers import (
    Finished,
    FramesDone,
    Interrupted,
    JobProgress,
    Note,
    default_workers,
    run_jobs,
)
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError, StageFailedError
from realtime_pose.session.reader import read_session


def job(source, folder="out", **sections):
    config = AppConfig().with_values({"capture": {"source": source}, "output": {"record": str(folder)}}, "test")
    return Job(config.with_values(sections, "test"), "mark", 3, None)


# Runs in the workers instead of the real work; the new processes find it by name.


def pretend(job, connection, stop, threads):
    if job.source == "crash":
        os._exit(3)
    begin_ns = time.monotonic_ns()
    connection.send(Note(f"hello from {job.source}"))
    connection.send(FramesDone(1, 3, False))
    if job.source == "meet":  # waits until the other one has started too
        others = job.folder
        (others / str(os.getpid())).touch()
        while len(list(others.iterdir())) < 2 and not stop.wait(0.01):
            pass
    elif job.source == "wait" and stop.wait(30):
        connection.send(Interrupted())
    connection.send(Finished({"frames": 3, "begin_ns": begin_ns, "end_ns": time.monotonic_ns(), "threads": threads}))
    connection.close()


@pytest.fixture
def pretended(monkeypatch):
    monkeypatch.setattr(workers, "_work", pretend)


@pytest.mark.usefixtures("pretended")
def test_all_jobs_are_done_and_a_crash_costs_itself_only():
    notes, done = [], []
    for progress in run_jobs([job("a"), job("crash"), job("b")], 2):
        notes += progress.notes
        if progress.over:
            done.append((progress.job.source, progress.figures and progress.figures["frames"], progress.failure))
    assert sorted((source, frames) for source, frames, _ in done if frames) == [("a", 3), ("b", 3)]
    (failure,) = [failure for source, _, failure in done if source == "crash"]
    assert isinstance(failure, StageFailedError)
    assert "ended with exit code 3" in str(failure)
    assert sorted(notes) == ["hello from a", "hello from b"]


@pytest.mark.usefixtures("pretended")
def test_jobs_run_side_by_side(tmp_path):
    """Each of the two waits for the other, so they would never end one after the other."""
    figures = [p.figures for p in run_jobs([job("meet", tmp_path), job("meet", tmp_path)], 2) if p.over]
    assert len(figures) == 2
    assert max(f["begin_ns"] for f in figures) < min(f["end_ns"] for f in figures)


@pytest.mark.usefixtures("pretended")
def test_stopping_lets_those_under_way_finish_and_starts_no_other():
    seen = []
    news = run_jobs([job("wait"), job("a"), job("b")], 1, stopped=lambda: bool(seen))
    for progress in news:
        seen.append(progress.frames)
        last = progress
    assert last.over
    assert last.interrupted
    assert last.job.source == "wait"


@pytest.mark.usefixtures("pretended")
def test_closing_the_iterator_leaves_no_process_behind():
    news = run_jobs([job("wait"), job("a")], 2)
    next(news)
    news.close()
    assert not multiprocessing.active_children()


def test_real_work_is_done_in_a_worker_and_failures_name_the_cause(tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"\0" * 5000)
    blazepose = {"estimator": "blazepose", "download": False}
    jobs = [
        job(str(tmp_path / "bad.mp4"), tmp_path / "a", inference=blazepose),
        job("actor", tmp_path / "b", inference=blazepose),
        job("actor", tmp_path / "c", inference=blazepose | {"estimator": "vitpos"}),
    ]
    bad, good, wrong = (p for p in run_jobs(jobs, 1) if p.over)
    assert "is not a video" in str(bad.failure)
    assert (good.failure, good.figures["frames"], good.interrupted) == (None, 3, False)
    assert read_session(tmp_path / "b" / SESSION).settings["job"] == "mark"
    assert isinstance(wrong.failure, ConfigError)


def test_a_worker_has_four_cores(monkeypatch):
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 16)
    assert [default_workers(n) for n in (0, 1, 3, 9)] == [1, 1, 3, 4]
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 2)
    assert default_workers(9) == 1


def test_a_message_of_another_kind_changes_nothing():
    ours, theirs = multiprocessing.Pipe(duplex=False)
    progress = JobProgress(job("a"))
    before = vars(progress).copy()
    theirs.send({"job": None, "over": True, "made_up": 1})
    workers._receive(ours, progress, process=None)
    assert vars(progress) == before
