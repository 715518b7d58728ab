"""Jobs side by side, each in a process of its own: a crash costs one job, and each has its own memory."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from realtime_pose.app.batch import Job
from realtime_pose.app.run import open_run
from realtime_pose.errors import ConfigError, RealtimePoseError, StageFailedError

_TICK_S = 0.2
_CORES_A_WORKER = 4  # with fewer, two estimators only take them from each other
_PATIENCE_S = 20.0  # for files to be closed after Ctrl-C


def sensible_workers(jobs: int) -> int:
    """How many jobs go side by side where nobody says."""
    return max(1, min(jobs, (os.cpu_count() or 1) // _CORES_A_WORKER))


@dataclass
class Progress:
    """How far a job is.

    Attributes:
        job: Which.
        frames: Frames done.
        total_frames: None if not known.
        figures: The report, once it is over; None if it failed before there was one.
        failure: What went wrong.
        interrupted: It was stopped before its end.
        notes: What is to be told, since the last time.
    """

    job: Job
    frames: int = 0
    total_frames: int | None = None
    figures: dict[str, Any] | None = None
    failure: RealtimePoseError | None = None
    interrupted: bool = False
    over: bool = False
    notes: list[str] = field(default_factory=list)


def run_jobs(jobs: Sequence[Job], workers: int, stopped: Callable[[], bool] = lambda: False) -> Iterator[Progress]:
    """Run the jobs, so many at a time; yields each one's news, and several times a second somebody's.

    The first job goes ahead alone until it has a frame: what is fetched or measured once is then there for the others.

    Args:
        jobs: What to do.
        workers: How many side by side.
        stopped: Asked now and then whether to end; those under way then close their files.
    """
    context = multiprocessing.get_context("spawn")  # threads and CUDA do not survive a fork
    stop = context.Event()
    threads = max(1, (os.cpu_count() or 1) // workers)
    waiting, running = list(jobs), dict[Connection, tuple[Progress, Any]]()
    leading = True
    try:
        while waiting or running:
            if stopped() and not stop.is_set():
                stop.set()
                waiting.clear()
            while waiting and len(running) < (1 if leading else workers):
                ours, theirs = context.Pipe(duplex=False)
                job = waiting.pop(0)
                process = context.Process(target=_work, args=(job, theirs, stop, threads), daemon=True)
                process.start()
                theirs.close()
                running[ours] = Progress(job), process
            for connection in wait(list(running), _TICK_S):
                assert isinstance(connection, Connection)
                progress, process = running[connection]
                _hear(connection, progress, process)
                leading = leading and not (progress.frames or progress.over)
                yield progress
                progress.notes.clear()
                if progress.over:
                    del running[connection]
                    connection.close()
                    process.join()
    finally:
        stop.set()
        for connection, (_, process) in running.items():
            connection.close()
            process.join(_PATIENCE_S)
            process.terminate()


def _hear(connection: Connection, progress: Progress, process: Any) -> None:  # noqa: ANN401 - a process of a context
    """Take one piece of news in."""
    try:
        news = connection.recv()
    except (EOFError, OSError):
        process.join()
        progress.over = True
        if progress.figures is None and progress.failure is None:
            progress.failure = StageFailedError(
                f"its worker ended with {process.exitcode} before it was done; was there enough memory?"
            )
        return
    for name, value in news.items():
        if name == "note":
            progress.notes.append(value)
        else:
            setattr(progress, name, value)


def _work(job: Job, connection: Connection, stop: Any, threads: int) -> None:  # noqa: ANN401 - an event of a context
    """One job, in its own process: tells what happens, and never raises."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it says through `stop` what it means
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    try:
        _play(job, connection, stop)
    except RealtimePoseError as exc:
        failure = ConfigError(str(exc)) if isinstance(exc, ConfigError) else RealtimePoseError(str(exc))
        _tell(connection, failure=failure)
    except Exception as exc:  # noqa: BLE001 - a fault of ours costs this job and is told
        fault = f"{type(exc).__name__}: {exc}; this is a fault of the program"
        _tell(connection, failure=RealtimePoseError(fault))
    finally:
        connection.close()


def _tell(connection: Connection, **news: object) -> bool:
    """Send news to the parent; whether it still listens."""
    try:
        connection.send(news)
    except OSError:
        return False
    return True


def _play(job: Job, connection: Connection, stop: Any) -> None:  # noqa: ANN401 - an event of a context
    def note(sentence: str) -> None:
        _tell(connection, note=sentence)

    with open_run(job.config, note, paced=False, max_frames=job.max_frames, job=job.mark) as run:
        counts = [n for n in (run.source.frame_count, job.max_frames) if n is not None]
        while not run.runtime.wait(_TICK_S):
            frames = run.runtime.snapshot().frames
            heard = _tell(connection, frames=frames, total_frames=min(counts) if counts else None)
            if stop.is_set() or not heard:
                _tell(connection, interrupted=True)
                break
    figures = run.report()
    try:
        run.runtime.raise_if_failed()
    except RealtimePoseError as exc:
        figures["warnings"].append(str(exc))
        _tell(connection, failure=StageFailedError(str(exc)))
    _tell(connection, figures=figures)
