"""Running with progress on the terminal, the summary table and the report: shared by `run` and `process`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape

from realtime_pose.cli.options import GivenOptions
from realtime_pose.cli.terminal import download_progress, out, print_table
from realtime_pose.errors import RealtimePoseError

if TYPE_CHECKING:
    from realtime_pose.config import AppConfig

FAILED, WRONG_USAGE, INTERRUPTED = 1, 2, 130
"""Exit codes; 0 means done."""


def play(
    settings: "AppConfig",
    *,
    paced: bool,
    max_frames: int | None,
    show: bool = False,
    job: str = "",
    force: bool = False,
) -> tuple[dict[str, Any], RealtimePoseError | typer.Exit | None]:
    """Run to the end (or Ctrl-C) with progress on the terminal.

    Returns:
        The report, and the error to raise once it is written: None if all went well.
    """
    from realtime_pose.app.run import open_run
    from realtime_pose.cli.console import follow
    from realtime_pose.cli.preview import PreviewWindow

    preview = PreviewWindow() if show else None  # first, so that nothing is opened where there is no display
    with open_run(settings, say, download_progress(), paced=paced, max_frames=max_frames, job=job, force=force) as run:
        interrupted = follow(run, preview, console=out, say=say)
    figures = run.report(interrupted=interrupted)
    try:
        run.runtime.raise_if_failed()
    except RealtimePoseError as exc:
        figures["warnings"].append(str(exc))
        return figures, exc
    return figures, typer.Exit(INTERRUPTED) if interrupted else None


def say_what_has_no_effect(given: GivenOptions, settings: "AppConfig", *, records: bool) -> None:
    """Print a note for options of files where none are written, and of sending where nothing is sent."""
    typed = given.typed
    files = [typed[name] for name in ("output.formats", "output.character", "output.bones") if name in typed]
    if files and not records:
        say(f"{', '.join(files)}: without effect, as no take is written; --record FOLDER writes one.")
    sending = [typed[name] for name in ("output.mirror", "output.udp_format") if name in typed]
    if sending and not any(settings.output.destinations.values()):
        say(f"{', '.join(sending)}: without effect, as nothing is sent; an output such as --udp 127.0.0.1:5005 sends.")


def with_free_folder(settings: "AppConfig", *, force: bool) -> "AppConfig":
    """The settings with a folder for the take that replaces nothing, unless `force` is given."""
    from dataclasses import replace

    from realtime_pose.app.take import free_folder

    wanted = settings.output.record
    if not wanted or force:
        return settings
    free = free_folder(Path(wanted))
    if free != Path(wanted):
        say(f"{wanted} has a take already; this one is written to {free} (--force replaces the earlier one).")
    return replace(settings, output=replace(settings.output, record=str(free)))


def say(sentence: str) -> None:
    """Print a note."""
    out.print(f"[yellow]note[/] {escape(sentence)}")  # the progress bar's console, which keeps the bar below


def save_report(path: Path, figures: Mapping[str, Any]) -> None:
    """Write the report as JSON."""
    from realtime_pose.report import write_report

    write_report(path, figures)


def print_run(figures: Mapping[str, Any], folder: str, report: Path | None) -> None:
    """Print the summary of a run."""
    from realtime_pose.cli.console import run_table

    print_table(run_table(figures, folder, report))
