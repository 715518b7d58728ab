"""`realtime-pose ui`: the dashboard in a browser."""

import os
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli.options import GivenOptions, with_setting_options
from realtime_pose.cli.terminal import out
from realtime_pose.utils.extras import check_installed

_SERVER = "Server"


@with_setting_options(
    "capture.source", "capture.rotate_deg", "inference", "body", "output",
    without=(
        "body.look_ahead", "output.udp_format", "output.record", "output.formats", "output.character", "output.bones",
    ),
    defaults=False,
    help={"capture.source": "Camera index or name, file, folder of images, URL, actor, actor-2 or browser."},
)  # fmt: skip
def ui(
    *,
    port: Annotated[
        int, typer.Option(min=1, max=65_535, metavar="N", help="Port to serve at; the next free one if it is taken.")
    ] = 8501,
    takes: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for takes.")] = Path("takes"),
    given: GivenOptions,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    allow: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=_SERVER,
            help="Folder that checkpoints and model configs may come from; may be given several times.",
        ),
    ] = None,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=_SERVER,
            help="Serve other machines too, under this name (in a container: localhost); may be given several times.",
        ),
    ] = None,
) -> None:
    """Open the dashboard in a browser: live view, settings, outputs and takes, on this machine, until Ctrl-C."""
    check_installed("dashboard", "the dashboard", "streamlit", "plotly")
    from realtime_pose.interface.dashboard.web import server

    settings = given.settings(server.SETTINGS)
    folders = server.default_folders(takes, allow or ())
    names = (*(host_name or ()), *server.host_names_of())
    free = server.free_port(port, server.address_for(names))
    if free != port:
        out.print(f"port {port} is in use, so the dashboard is at {free}")
    address = f"http://127.0.0.1:{free}"

    def ready() -> None:
        out.print(f"dashboard: {address} (Ctrl-C stops it)")
        if not no_browser and _has_screen():
            threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()

    server.serve(lambda: server.default_studio(settings, folders), port=free, host_names=names, on_ready=ready)
    server.leave()


def _has_screen() -> bool:
    """Whether a browser can open a window: without a display, a text browser would take over the terminal."""
    return not sys.platform.startswith("linux") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
