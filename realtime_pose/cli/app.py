"""The command line: `realtime-pose COMMAND`, the same as `python -m realtime_pose COMMAND`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose import __version__
from realtime_pose.cli import options as opt
from realtime_pose.cli.commands.bench import bench
from realtime_pose.cli.commands.calibrate import calibrate
from realtime_pose.cli.commands.eval import eval_app
from realtime_pose.cli.commands.export import export
from realtime_pose.cli.commands.models import models_app
from realtime_pose.cli.commands.plot import plot
from realtime_pose.cli.commands.process import process
from realtime_pose.cli.commands.replay import replay
from realtime_pose.cli.commands.train import train_app
from realtime_pose.cli.commands.ui import ui
from realtime_pose.cli.run_and_show import FAILED, INTERRUPTED, WRONG_USAGE, play, print_run, save_report
from realtime_pose.cli.terminal import err, out
from realtime_pose.errors import ConfigError, PacketError, RealtimePoseError

app = typer.Typer(
    name="realtime-pose",
    help="One webcam in, joint rotations that drive a 3D character out, live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(models_app, name="models")
app.add_typer(eval_app, name="eval")
app.add_typer(train_app, name="train")
app.command()(process)
app.command()(calibrate)
app.command()(replay)
app.command()(export)
app.command()(plot)
app.command()(bench)
app.command()(ui)


@app.callback(invoke_without_command=True)  # so that --version needs no command
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    if version:
        out.print(__version__)
        raise typer.Exit


@app.command()
def run(
    ctx: typer.Context,
    source: Annotated[
        str | None, typer.Option(help="Camera index or name, file, folder, URL, actor or actor-2.")
    ] = None,
    udp: opt.Udp = None,
    udp_format: opt.UdpFormat = None,
    vmc: opt.Vmc = None,
    livelink: opt.Livelink = None,
    websocket: opt.Websocket = None,
    osc_trackers: opt.OscTrackers = None,
    record: Annotated[
        Path | None,
        typer.Option(help="Folder for overlay, motion, keypoints and session; an earlier take in it is replaced."),
    ] = None,
    formats: opt.Formats = None,
    character: opt.Character = None,
    bones: opt.Bones = None,
    report: opt.Report = None,
    show: Annotated[bool, typer.Option("--show", help="Open a preview window; q or Esc ends.")] = False,
    max_frames: opt.MaxFrames = None,
    config: opt.Config = None,
    estimator: opt.Estimator = None,
    checkpoint: opt.Checkpoint = None,
    model_config: opt.ModelConfig = None,
    dataset: opt.Dataset = None,
    runtime: opt.ModelRuntime = None,
    precision: opt.Precision = None,
    device: opt.Device = None,
    flip_test: opt.FlipTest = False,
    no_download: opt.NoDownload = False,
    detector: opt.Detector = None,
    detector_checkpoint: opt.DetectorCheckpoint = None,
    detect_every: opt.DetectEvery = None,
    persons: opt.Persons = None,
    single: opt.Single = False,
    height: opt.Height = None,
    profile: opt.Profile = None,
    fov: opt.Fov = None,
    smoothing: opt.Smoothing = None,
    feet: opt.Feet = None,
    camera_height: opt.CameraHeight = None,
    camera_pitch: opt.CameraPitch = None,
    mirror: opt.Mirror = False,
    size: Annotated[str | None, typer.Option(help="Wanted camera resolution, e.g. 1280x720.")] = None,
    fps: Annotated[float | None, typer.Option(min=1, help="Wanted camera rate in Hz.")] = None,
    backend: Annotated[str | None, typer.Option(help="auto, v4l2, dshow, msmf, avfoundation or gstreamer.")] = None,
    mjpg: Annotated[bool | None, typer.Option(help="Ask the camera for compressed pictures.")] = None,
    rotate: opt.Rotate = None,
) -> None:
    """Run live: a camera (or a file at its own speed) in, packets and files out, until Ctrl-C."""
    settings = opt.settings_of(ctx.params)
    figures, trouble = play(settings, paced=True, max_frames=max_frames, show=show)
    if report is not None:
        save_report(report, figures)
    print_run(figures, settings.output.record, report)
    if trouble is not None:
        raise trouble


@app.command()
def listen(
    bind: Annotated[str, typer.Argument(help="host:port to listen on.")] = "127.0.0.1:5005",
    count: Annotated[int | None, typer.Option(min=1, help="End after so many datagrams.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Hold each against the schema; exit 1 if one fails.")] = False,
) -> None:
    """Show what arrives on a UDP port: who sends, how often, what is lost, how late, and where people are."""
    from realtime_pose.cli.listening import listen_to
    from realtime_pose.communication.packets.schema_check import SchemaCheck

    heard = listen_to(bind, count, out, SchemaCheck() if check else None)
    if check and heard.malformed:
        raise PacketError(f"{heard.malformed} of {heard.datagrams} datagrams were not valid: {heard.why_malformed}")
    if heard.interrupted:
        raise typer.Exit(INTERRUPTED)
    if check:
        out.print(f"{heard.datagrams} datagrams, all valid")


@app.command()
def selftest(
    ctx: typer.Context,
    clip: Annotated[str, typer.Option(help="Who performs: actor, or actor-2, which nothing is tuned to.")] = "actor",
    report: opt.Report = None,
    config: opt.Config = None,
    estimator: opt.Estimator = None,
    smoothing: opt.Smoothing = None,
    feet: opt.Feet = None,
    max_frames: opt.MaxFrames = None,
) -> None:
    """Play the actor through the whole chain to a receiver, and compare what arrives with the exact truth.

    Nothing is fetched: ViTPose is tested only where its weights already are.
    """
    from realtime_pose.cli.console import progress_bar, selftest_table
    from realtime_pose.evaluation.selftest import run_selftest
    from realtime_pose.pipeline import check_names

    settings = opt.settings_of(ctx.params | {"no_download": True})  # a test fetches nothing by itself
    check_names(settings)
    with progress_bar(clip, out) as advance:
        figures = run_selftest(settings, max_frames, advance, clip)
    out.print(selftest_table(figures))
    if report is not None:
        save_report(report, figures.as_dict())


@app.command()
def doctor() -> None:
    """Say what is installed, which camera, device and estimator work here, and what to do about the rest."""
    from realtime_pose.app.doctor import examine

    table = Table("", "what", "found", "what to do")
    for finding in examine():
        table.add_row("[green]ok[/]" if finding.ok else "[yellow]--[/]", finding.what, finding.found, finding.remedy)
    out.print(table)


def main() -> None:
    """Run a command; errors of ours become one sentence and an exit code."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(arguments)
    except Exception as exc:
        if "--debug" in sys.argv:
            raise
        ours = isinstance(exc, RealtimePoseError)
        what = str(exc) if ours else f"{type(exc).__name__}: {exc}; this is a fault of the program, --debug shows where"
        err.print(f"[red]error[/] {escape(what)}")
        sys.exit(WRONG_USAGE if isinstance(exc, ConfigError) else FAILED)
