"""Worker processes: jobs side by side, each in its own process, so that a crash costs one job."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from realtime_pose.app.batch import Job
from realtime_pose.app.run import open_run
from realtime_pose.errors import ConfigError, RealtimePoseError, StageFailedError

_TICK_S = 0.2
_CORES_PER_WORKER = 4  # with fewer, two estimators only compete for them
_CLOSING_TIMEOUT_S = 20.0  # for files to be closed after Ctrl-C


def default_workers(jobs: int) -> int:
    """The default number of parallel jobs."""
    return max(1, min(jobs, (os.cpu_count() or 1) // _CORES_PER_WORKER))


@dataclass
class JobProgress:
    """State of a job.

    Attributes:
        job: The job.
        frames: Frames done, in the pass under way.
        writing: Whether that is the second pass, which writes the files.
        total_frames: Number of frames; None if unknown.
        figures: The report, once the job is over; None if it failed before there was one.
        failure: The error that ended it.
        interrupted: It was stopped before its end.
        over: Nothing more will happen.
        notes: Messages for the user since the last time.
    """

    job: Job
    frames: int = 0
    writing: bool = False
    total_frames: int | None = None
    figures: dict[str, Any] | None = None
    failure: RealtimePoseError | None = None
    interrupted: bool = False
    over: bool = False
    notes: list[str] = field(default_factory=list)


class FramesDone(NamedTuple):
    """Message of a worker: how many frames are done, and whether of the second pass."""

    frames: int
    total_frames: int | None
    writing: bool


class Note(NamedTuple):
    """Message of a worker: a sentence for the user."""

    text: str


class Interrupted(NamedTuple):
    """Message of a worker: it was stopped before the job's end."""


class Failed(NamedTuple):
    """Message of a worker: the error that ended the job."""

    failure: RealtimePoseError


class Finished(NamedTuple):
    """Message of a worker: the job's report, also after a failure in the middle."""

    figures: dict[str, Any]


Message = FramesDone | Note | Interrupted | Failed | Finished
"""Message from a worker through its pipe."""


def run_jobs(jobs: Sequence[Job], workers: int, stopped: Callable[[], bool] = lambda: False) -> Iterator[JobProgress]:
    """Run the jobs, at most `workers` at a time; yields a job's progress after each of its messages.

    The first job runs alone until it has a frame, so that downloads and measurements are made once for all.

    Args:
        jobs: The jobs.
        workers: The number of parallel jobs.
        stopped: Polled; once true, running jobs close their files and no other starts.
    """
    context = multiprocessing.get_context("spawn")  # threads and CUDA do not survive a fork
    stop = context.Event()
    threads = max(1, (os.cpu_count() or 1) // workers)
    waiting, running = list(jobs), dict[Connection, tuple[JobProgress, Any]]()
    first_alone = True
    try:
        while waiting or running:
            if stopped() and not stop.is_set():
                stop.set()
                waiting.clear()
            while waiting and len(running) < (1 if first_alone else workers):
                ours, theirs = context.Pipe(duplex=False)
                job = waiting.pop(0)
                process = context.Process(target=_work, args=(job, theirs, stop, threads), daemon=True)
                process.start()
                theirs.close()
                running[ours] = JobProgress(job), process
            for connection in wait(list(running), _TICK_S):
                assert isinstance(connection, Connection)
                progress, process = running[connection]
                _receive(connection, progress, process)
                first_alone = first_alone and not (progress.frames or progress.over)
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
            process.join(_CLOSING_TIMEOUT_S)
            process.kill()


def _receive(connection: Connection, progress: JobProgress, process: Any) -> None:  # noqa: ANN401 - a process of a context
    """Receive one message, or the end of the worker."""
    try:
        message: Message = connection.recv()
    except (EOFError, OSError):
        process.join()
        progress.over = True
        if progress.figures is None and progress.failure is None:
            progress.failure = StageFailedError(
                f"its worker ended with exit code {process.exitcode} before the job was done; was there enough memory?"
            )
        return
    match message:
        case FramesDone(frames, total_frames, writing):
            progress.frames, progress.total_frames, progress.writing = frames, total_frames, writing
        case Note(text):
            progress.notes.append(text)
        case Interrupted():
            progress.interrupted = True
        case Failed(failure):
            progress.failure = failure
        case Finished(figures):
            progress.figures = figures


def _work(job: Job, connection: Connection, stop: Any, threads: int) -> None:  # noqa: ANN401 - an event of a context
    """Run one job in its own process; sends every error to the parent and never raises."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # they reach the parent, which sets `stop`
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    try:
        _run(job, connection, stop)
    except RealtimePoseError as exc:
        _send(
            connection, Failed(ConfigError(str(exc)) if isinstance(exc, ConfigError) else RealtimePoseError(str(exc)))
        )
    except Exception as exc:  # noqa: BLE001 - a bug costs this job, and is reported
        _send(connection, Failed(RealtimePoseError(f"{type(exc).__name__}: {exc}; this is a fault of the program")))
    finally:
        connection.close()


def _send(connection: Connection, message: Message) -> bool:
    """Send a message to the parent; False if it no longer listens."""
    try:
        connection.send(message)
    except OSError:
        return False
    return True


def _run(job: Job, connection: Connection, stop: Any) -> None:  # noqa: ANN401 - an event of a context
    def note(sentence: str) -> None:
        _send(connection, Note(sentence))

    with open_run(job.config, note, paced=False, max_frames=job.max_frames, job=job.mark, force=True) as run:
        interrupted = False
        while not run.runtime.wait(_TICK_S):
            now = run.runtime.snapshot()
            frames = now.frames_sent if now.flushing else now.frames
            listening = _send(connection, FramesDone(frames, run.total_frames, now.flushing))
            if stop.is_set() or not listening:
                interrupted = True
                _send(connection, Interrupted())
                break
    figures = run.report(interrupted=interrupted)
    try:
        run.runtime.raise_if_failed()
    except RealtimePoseError as exc:
        figures["warnings"].append(str(exc))
        _send(connection, Failed(StageFailedError(str(exc))))
    _send(connection, Finished(figures))
