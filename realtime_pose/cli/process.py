"""`realtime-pose process`: files in, folders of results out."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from realtime_pose.cli import options as opt
from realtime_pose.cli.playing import play, print_run, save_report
from realtime_pose.cli.terminal import err
from realtime_pose.errors import CaptureError, ConfigError, RealtimePoseError


def process(
    ctx: typer.Context,
    inputs: Annotated[list[str], typer.Argument(help="Videos, images, folders of images, or actor.")],
    to: Annotated[
        Path, typer.Option("--out", help="Folder for the results; with several inputs, one folder each below it.")
    ],
    formats: opt.Formats = None,
    character: opt.Character = None,
    bones: opt.Bones = None,
    udp: opt.Udp = None,
    udp_format: opt.UdpFormat = None,
    vmc: opt.Vmc = None,
    livelink: opt.Livelink = None,
    websocket: opt.Websocket = None,
    osc_trackers: opt.OscTrackers = None,
    report: opt.Report = None,
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
    fov: opt.Fov = None,
    smoothing: opt.Smoothing = None,
    mirror: opt.Mirror = False,
    rotate: opt.Rotate = None,
) -> None:
    """Process every frame of files as fast as it goes, and write overlay, motion, keypoints and session."""
    base = opt.settings_of(ctx.params)
    reports, failed = [], 0
    for item, folder in zip(inputs, _folders(inputs, to), strict=True):
        settings = replace(
            base,
            capture=replace(base.capture, source=item),
            output=replace(base.output, record=str(folder)),
        )
        try:
            figures, trouble = play(settings, paced=False, max_frames=max_frames)
        except RealtimePoseError as exc:  # one bad file is no reason to leave the others
            if len(inputs) == 1 or isinstance(exc, ConfigError):
                raise
            figures, trouble = {"source": item, "frames": 0, "warnings": [str(exc)]}, exc
        reports.append(figures)
        if figures["frames"]:
            print_run(figures, str(folder), None)
        if isinstance(trouble, RealtimePoseError):
            failed += 1
            err.print(f"[red]error[/] {escape(str(trouble))}")
        elif trouble is not None:
            break
    if report is not None:
        save_report(report, reports[0] if len(inputs) == 1 else {"files": reports})
    if isinstance(trouble, typer.Exit):
        raise trouble
    if failed:
        raise CaptureError(f"{failed} of {len(inputs)} inputs failed; what was wrong with each is said above")


def _folders(inputs: list[str], to: Path) -> list[Path]:
    """A folder for each input: the given one for a single input, else one below it by the input's name."""
    if len(inputs) == 1:
        return [to]
    folders: list[Path] = []
    for item in inputs:
        name, count = Path(item).resolve().stem, 1
        while (folder := to / (name if count == 1 else f"{name}-{count}")) in folders:
            count += 1
        folders.append(folder)
    return folders
