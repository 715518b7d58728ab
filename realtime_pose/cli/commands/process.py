"""`realtime-pose process`: takes from video and image files, one folder each."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from realtime_pose.cli.options import THIS_RUN, GivenOptions, MaxFrames, Report, with_setting_options
from realtime_pose.cli.run_and_show import (
    FAILED,
    INTERRUPTED,
    play,
    print_run,
    save_report,
    say,
    say_what_has_no_effect,
)
from realtime_pose.cli.terminal import err, out
from realtime_pose.errors import CaptureError, ConfigError, RealtimePoseError, RecordingError

if TYPE_CHECKING:
    from realtime_pose.app.batch import Job


@with_setting_options("inference", "body", "output", "capture.rotate_deg", without=("output.record",))
def process(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT...", help="Videos, images, folders of either, actor or actor-2.")
    ],
    to: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Folder for the take; with several inputs, for one folder for each."
        ),
    ],
    given: GivenOptions,
    force: Annotated[bool, typer.Option("--force", help="Process finished inputs again and replace files.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            rich_help_panel=THIS_RUN,
            help="Inputs processed at the same time, each in a process of its own; by default one for four cores.",
        ),
    ] = None,
    max_frames: MaxFrames = None,
    report: Report = None,
) -> None:
    """Process every frame of files, as fast as possible, into takes: a session and the chosen files for each.

    Finished inputs are skipped, so a batch can be resumed; failures are listed at the end. Nothing is overwritten
    without --force. The report of several inputs is {"files": [...]}.
    """
    from realtime_pose.app.batch import plan
    from realtime_pose.app.workers import default_workers
    from realtime_pose.config import AppConfig

    settings = given.settings(AppConfig().with_values({"body": {"look_ahead": True}}, "process"))
    say_what_has_no_effect(given, settings, records=True)
    jobs = plan(inputs, to, settings, max_frames, force=force)
    live = any(settings.output.destinations.values())
    if live and workers is not None and workers > 1:
        raise ConfigError(
            f"--workers {workers} would send several inputs to one receiver at once; leave out --workers or the outputs"
        )
    open_jobs = [job for job in jobs if job.done is None]
    count = 1 if live else workers or default_workers(len(open_jobs))
    outcome = _Outcome(jobs)
    if count > 1 and len(open_jobs) > 1:
        _side_by_side(open_jobs, count, outcome)
    else:
        _one_by_one(open_jobs, outcome)
    outcome.finish(report)


class _Outcome:
    """Results of all jobs, and the report and errors at the end."""

    def __init__(self, jobs: "Sequence[Job]") -> None:
        self._jobs = jobs
        self.interrupted = False
        self._figures: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, RealtimePoseError] = {}
        for job in jobs:
            if job.done is not None:
                notice = f"{job.folder} is finished already; --force processes it again"
                self._figures[str(job.folder)] = {"source": job.source, "frames": job.done, "warnings": [notice]}
                say(f"{job.source}: {notice}")

    def add(self, job: "Job", figures: dict[str, Any] | None, failure: RealtimePoseError | None) -> None:
        """Record the end of a job, and mark one that was completed as finished."""
        from realtime_pose.app.take import SESSION
        from realtime_pose.session.writer import mark_finished

        if figures is not None and failure is None and not self.interrupted:
            try:
                mark_finished(job.folder / SESSION, figures["frames"])
            except RecordingError as exc:
                failure = exc
        if failure is not None:
            self._failed[str(job.folder)] = failure
            source = f"{job.source}: " if len(self._jobs) > 1 else ""
            err.print(f"[red]error[/] {escape(source + str(failure))}")
            figures = figures or {"source": job.source, "frames": 0, "warnings": [str(failure)]}
        if figures is not None:
            self._figures[str(job.folder)] = figures

    def finish(self, report: Path | None) -> None:
        """Write the report, and raise if something failed.

        Raises:
            CaptureError: Some of several inputs failed.
            typer.Exit: It was interrupted, or the only input failed.
        """
        reports = [self._figures[key] for job in self._jobs if (key := str(job.folder)) in self._figures]
        if report is not None and reports:
            save_report(report, reports[0] if len(self._jobs) == 1 else {"files": reports})
        empty = [figures["source"] for figures in reports if figures.get("persons_max") == 0]
        if empty and len(self._jobs) > 1:
            say(f"{len(empty)} of {len(self._jobs)} inputs have no person in them: {', '.join(empty)}")
        if self.interrupted:
            raise typer.Exit(INTERRUPTED)
        if self._failed and len(self._jobs) == 1:
            raise typer.Exit(FAILED)  # the error is printed already
        if self._failed:
            names = ", ".join(job.source for job in self._jobs if str(job.folder) in self._failed)
            count = f"{len(self._failed)} of {len(self._jobs)}"
            raise CaptureError(f"{count} inputs failed: {names}; see the error of each above")


def _one_by_one(jobs: "Sequence[Job]", outcome: _Outcome) -> None:
    for job in jobs:
        figures, failure = None, None
        try:
            figures, failure = play(job.config, paced=False, max_frames=job.max_frames, job=job.mark, force=True)
        except ConfigError:
            raise  # it would fail for the others too
        except RealtimePoseError as exc:  # a bad file does not stop the others
            failure = exc
        outcome.interrupted = isinstance(failure, typer.Exit)
        if figures is not None and figures["frames"]:
            print_run(figures, str(job.folder), None)
        outcome.add(job, figures, failure if isinstance(failure, RealtimePoseError) else None)
        if outcome.interrupted:
            return


def _side_by_side(jobs: "Sequence[Job]", workers: int, outcome: _Outcome) -> None:
    from realtime_pose.app.workers import run_jobs
    from realtime_pose.cli.jobs_console import jobs_progress

    with jobs_progress(len(jobs), out) as (show, stopped):
        for progress in run_jobs(jobs, workers, stopped):
            for note in progress.notes:
                say(f"{progress.job.source}: {note}")
            show(progress)
            if isinstance(progress.failure, ConfigError):
                raise progress.failure  # it would fail for the others too
            if progress.over:
                outcome.interrupted = outcome.interrupted or progress.interrupted
                outcome.add(progress.job, progress.figures, progress.failure)
        outcome.interrupted = outcome.interrupted or stopped()
