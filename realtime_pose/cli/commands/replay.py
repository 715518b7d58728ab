"""`realtime-pose replay`: a session sent again to live outputs, or computed again."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from realtime_pose.cli.options import Force, GivenOptions, MaxFrames, Report, with_setting_options
from realtime_pose.cli.run_and_show import INTERRUPTED, save_report, say, say_what_has_no_effect, with_free_folder
from realtime_pose.cli.terminal import out
from realtime_pose.errors import ConfigError

if TYPE_CHECKING:
    from realtime_pose.datatypes import FrameResult
    from realtime_pose.session.reader import Session


@with_setting_options(
    "output", "body", help={"output.record": "New folder for what is played, as a take of its own."}, defaults=False
)
def replay(
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    given: GivenOptions,
    speed: Annotated[float, typer.Option(metavar="FACTOR", help="Playback speed; 2 is twice as fast.")] = 1.0,
    step: Annotated[bool, typer.Option("--step", help="Send one frame for each key press; q stops.")] = False,
    recompute: Annotated[
        bool,
        typer.Option("--recompute", help="Compute 3D and rotations again from the keypoints, with the options given."),
    ] = False,
    max_frames: MaxFrames = None,
    report: Report = None,
    force: Force = False,
) -> None:
    """Send a session again to any output: at its own speed, faster, or step by step.

    With --record and no output it runs as fast as possible. --recompute starts from the settings of the session; the
    same settings give the same bytes.
    """
    from realtime_pose.app.replay import open_replay, recorded_settings
    from realtime_pose.app.take import open_session

    recorded = open_session(session)
    if step and speed != 1.0:
        raise ConfigError(f"--step waits for keys and --speed {speed:g} follows the clock; give one of the two")
    changes = [option for name, option in given.typed.items() if name.startswith("body.")]
    if changes and not recompute:
        raise ConfigError(f"{changes[0]} changes a pose that is recorded already; add --recompute")
    settings = given.settings(recorded_settings(recorded)) if recompute else given.settings()
    settings = with_free_folder(settings, force=force)
    say_what_has_no_effect(given, settings, records=bool(settings.output.record))
    interrupted = False
    with ExitStack() as stack:
        again = stack.enter_context(
            open_replay(
                recorded,
                settings,
                recompute=recompute,
                max_frames=max_frames,
                speed=None if step else speed,
                force=force,
            )
        )
        try:
            _watch(again.results(_keys if step else None), recorded, step=step)
        except KeyboardInterrupt:
            interrupted = True
    figures = again.report()
    if report is not None:
        save_report(report, figures)
    _print(figures, settings.output.record)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _watch(results: "Iterator[FrameResult]", session: "Session", *, step: bool) -> None:
    """Play all results, and show the progress."""
    from realtime_pose.cli.console import progress_bar

    if step:
        for result in results:
            seen = ", ".join(str(person.keypoints.track_id) for person in result.people) or "none"
            out.print(f"frame {result.frame.index}   {result.frame.time_ns / 1e9:.3f} s   people: {seen}")
        return
    with progress_bar(session.path.name, out, "{task.percentage:.0f} %") as advance:
        for _ in results:
            advance(session.bytes_read, session.size_bytes)


def _keys(result: "FrameResult") -> bool:
    """Wait for a key (from a pipe: for a line); False to stop."""
    if not sys.stdin.isatty():
        return sys.stdin.readline() != ""
    return typer.getchar().lower() not in ("q", "\x1b", "\x03")


def _print(figures: dict[str, Any], folder: str) -> None:
    for warning in figures["warnings"]:
        say(warning)
    sent = f", {figures['packets_sent']} packets sent" if figures["sinks"] else ""
    files = f", files in {folder}/" if folder else ""
    out.print(f"{figures['frames']} frames in {figures['seconds']:.1f} s{sent}{files}", markup=False)
