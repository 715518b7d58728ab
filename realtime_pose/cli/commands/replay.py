"""`realtime-pose replay`: a recording sent again, as if it happened now."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from realtime_pose.cli import options as opt
from realtime_pose.cli.run_and_show import INTERRUPTED, save_report
from realtime_pose.cli.terminal import out
from realtime_pose.errors import ConfigError

if TYPE_CHECKING:
    from realtime_pose.datatypes import FrameResult
    from realtime_pose.session.reader import Session


def replay(
    ctx: typer.Context,
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    speed: Annotated[float, typer.Option(help="How many times as fast as it was.")] = 1.0,
    step: Annotated[bool, typer.Option("--step", help="A frame for each key; q ends.")] = False,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Lift and solve the keypoints anew, with the options given here.")
    ] = False,
    udp: opt.Udp = None,
    udp_format: opt.UdpFormat = None,
    vmc: opt.Vmc = None,
    livelink: opt.Livelink = None,
    websocket: opt.Websocket = None,
    osc_trackers: opt.OscTrackers = None,
    mirror: opt.Mirror = False,
    record: Annotated[Path | None, typer.Option(help="New folder for what is played, as a take of its own.")] = None,
    formats: opt.Formats = None,
    character: opt.Character = None,
    bones: opt.Bones = None,
    config: opt.Config = None,
    height: opt.Height = None,
    profile: opt.Profile = None,
    fov: opt.Fov = None,
    smoothing: opt.Smoothing = None,
    look_ahead: opt.LookAhead = None,
    feet: opt.Feet = None,
    camera_height: opt.CameraHeight = None,
    camera_pitch: opt.CameraPitch = None,
    max_frames: opt.MaxFrames = None,
    report: opt.Report = None,
) -> None:
    """Send a recording again through any sinks, in its own time, faster or step by step.

    With nothing to send to and --record given, it goes as fast as it can. --recompute begins with the settings that
    the session was made with; the same settings give the same bytes.
    """
    from realtime_pose.app.replay import open_replay, recorded_settings
    from realtime_pose.app.take import open_session

    recorded = open_session(session)
    if step and speed != 1.0:
        raise ConfigError(f"--step goes by keys and --speed {speed:g} by the clock; give one of the two")
    if not recompute and (given := [name for name in opt.BODY if ctx.params.get(name) is not None]):
        raise ConfigError(f"--{given[0].replace('_', '-')} changes a pose that is recorded already; add --recompute")
    settings = opt.settings_of(ctx.params, base=recorded_settings(recorded) if recompute else None)
    interrupted = False
    with ExitStack() as stack:
        again = stack.enter_context(
            open_replay(recorded, settings, recompute=recompute, max_frames=max_frames, speed=None if step else speed)
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
    """Let it play, and show how far it is."""
    from realtime_pose.cli.console import progress_bar

    if step:
        for result in results:
            seen = ", ".join(str(person.keypoints.track_id) for person in result.people) or "nobody"
            out.print(f"frame {result.frame.index}   {result.frame.time_ns / 1e9:.3f} s   {seen}")
        return
    with progress_bar(session.path.name, out, "{task.percentage:.0f} %") as advance:
        for _ in results:
            advance(session.bytes_read, session.size_bytes)


def _keys(result: "FrameResult") -> bool:
    """Wait for a key (from a pipe: for a line); whether to go on."""
    if not sys.stdin.isatty():
        return sys.stdin.readline() != ""
    return typer.getchar().lower() not in ("q", "\x1b", "\x03")


def _print(figures: dict[str, Any], folder: str) -> None:
    for warning in figures["warnings"]:
        out.print(f"[yellow]note[/] {warning}")
    sent = f", {figures['packets_sent']} packets sent" if figures["sinks"] else ""
    files = f", files in {folder}/" if folder else ""
    out.print(f"{figures['frames']} frames in {figures['seconds']:.1f} s{sent}{files}", markup=False)
