"""Progress of several jobs at the same time, on the terminal."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from realtime_pose.app.workers import JobProgress


@contextmanager
def jobs_progress(count: int, console: Console) -> Iterator[tuple[Callable[[JobProgress], None], Callable[[], bool]]]:
    """A bar for each running job, as two callbacks: one updates a job's bar, the other returns whether to stop.

    The first Ctrl-C asks the jobs to close their files; the second one ends the program.
    """
    stop, before = threading.Event(), signal.getsignal(signal.SIGINT)

    def interrupt(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)
        console.print("stopping: files are being closed; Ctrl-C again ends at once")

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[facts]}"))
    tasks: dict[Path, TaskID] = {}
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        whole = progress.add_task("all", total=count, facts=f"0/{count}")

        def show(job: JobProgress) -> None:
            folder = job.job.folder
            if folder not in tasks:
                tasks[folder] = progress.add_task(Path(job.job.source).name, total=None, facts="")
            in_all = "" if job.total_frames is None else f"/{job.total_frames}"
            facts = f"{job.frames}{in_all} frames {'written' if job.writing else 'read'}"
            progress.update(tasks[folder], completed=job.frames, total=job.total_frames, facts=facts)
            if job.over:
                progress.remove_task(tasks[folder])
                progress.advance(whole)
                progress.update(whole, facts=f"{progress.tasks[0].completed:.0f}/{count}")
                if job.figures is not None and job.failure is None:
                    rate = f"{job.figures['frames']} frames, {job.figures['fps']:.1f} fps"
                    console.print(f"{job.job.source}: {rate}, in {folder}/", markup=False)

        signal.signal(signal.SIGINT, interrupt)
        try:
            yield show, stop.is_set
        finally:
            signal.signal(signal.SIGINT, before)
