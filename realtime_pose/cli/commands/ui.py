"""`realtime-pose ui`: the dashboard, in a browser."""

import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli import options as opt
from realtime_pose.cli.terminal import out
from realtime_pose.utils.extras import check_installed


def ui(
    ctx: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Where to serve; the next free port if taken.")] = 8501,
    takes: Annotated[Path, typer.Option(help="Folder for what is recorded.")] = Path("takes"),
    allow: Annotated[
        list[Path] | None,
        typer.Option(help="Folder that checkpoints and model configs may come from; may be given several times."),
    ] = None,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            help="Serve other machines too, under this name (in a container: localhost); may be given several times."
        ),
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
    source: Annotated[
        str | None, typer.Option(help="Camera index or name, file, folder, URL, actor, actor-2 or browser.")
    ] = None,
    udp: opt.Udp = None,
    vmc: opt.Vmc = None,
    livelink: opt.Livelink = None,
    websocket: opt.Websocket = None,
    osc_trackers: opt.OscTrackers = None,
    mirror: opt.Mirror = False,
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
    rotate: opt.Rotate = None,
) -> None:
    """Open the dashboard: live view, settings, outputs and takes in a browser, on this machine, until Ctrl-C."""
    check_installed("dashboard", "the dashboard", "streamlit", "plotly")
    from realtime_pose.interface.dashboard.web import server

    settings = opt.settings_of(ctx.params, server.SETTINGS)
    folders = server.default_folders(takes, allow or ())
    names = (*(host_name or ()), *server.host_names_of())
    free = server.free_port(port, server.address_for(names))
    if free != port:
        out.print(f"port {port} is taken by another program, so the dashboard is at {free}")
    address = f"http://127.0.0.1:{free}"

    def ready() -> None:
        out.print(f"dashboard: {address} (Ctrl-C ends it)")
        if not no_browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()

    server.serve(lambda: server.default_studio(settings, folders), port=free, host_names=names, on_ready=ready)
    server.leave()


def _has_screen() -> bool:
    """Whether a browser can open: over a plain terminal a text browser would take it over."""
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
