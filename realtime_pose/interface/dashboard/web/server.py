"""The dashboard's server: Streamlit's page, the WebSocket /live and the viewer's files on one port, behind the guard.

`streamlit run` and `realtime-pose ui` serve the same app with the same options, those of `.streamlit/config.toml`
beside `streamlit_app.py`. What is private to Streamlit or uvicorn is used here, in `page_runs` and in `fragments` only.
"""

import logging
import os
import signal
import socket
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from starlette.middleware import Middleware
from starlette.responses import FileResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.config import AppConfig, load_config
from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.engine.state import Folders
from realtime_pose.interface.dashboard.engine.take_exports import close_exports
from realtime_pose.interface.dashboard.page.streamlit_compat import mend_page_runs
from realtime_pose.interface.dashboard.web import downloads
from realtime_pose.interface.dashboard.web.guard import OUR_NAMES, Guard, hashes_of
from realtime_pose.interface.dashboard.web.live_socket import Live
from realtime_pose.interface.dashboard.web.shared import share, shared_studio
from realtime_pose.utils.paths import cache_folder, data_path

if TYPE_CHECKING:
    from starlette.requests import Request

    from realtime_pose.interface.dashboard.engine.studio import Studio

PAGE = Path(__file__).parents[1] / "page" / "page.py"
OPTIONS_FILE = Path(__file__).parents[2] / ".streamlit" / "config.toml"
SETTINGS = AppConfig(capture=CaptureConfig(source="actor"))
"""What the page begins with where nobody says otherwise: the first Start shows something, camera or not."""
CHARACTER = "/dashboard/default_model.glb"
PORT = 8501
HOST_NAMES = "REALTIME_POSE_HOST_NAMES"
"""Environment variable with names, a comma between, by which other machines may ask for the page; for containers."""

_STATIC = Path(__file__).with_name("static")
_LOOPBACK, _EVERYWHERE = "127.0.0.1", "0.0.0.0"  # the latter only where host names were given
_GRACE_S = 1  # for open connections when the server ends; what is still open then is cut
_PORTS_TRIED = 100
# What may not be undone from outside, as the page's safety rests on it.
_FIXED = (
    "server.enableXsrfProtection",
    "server.enableCORS",
    "server.enableStaticServing",
    "server.fileWatcherType",
    "browser.gatherUsageStats",
    "runner.magicEnabled",
)


def app_options(
    make_studio: "Callable[[], Studio] | None" = None,
    *,
    host_names: Iterable[str] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Routes, middleware and lifespan of the app, as `st.App(PAGE, **app_options())` takes them.

    Args:
        make_studio: Makes the studio, once, when the server starts; by default one with the default settings.
        host_names: Names beside this machine's own that the page may be called by.
        on_ready: Called when the server answers.
    """
    make = make_studio or (lambda: default_studio(load_config([], {}, base=SETTINGS), default_folders()))

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        _end_in_time()
        mend_page_runs()
        studio = await anyio.to_thread.run_sync(make)
        share(studio)
        on_ready()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(studio.close)
            await anyio.to_thread.run_sync(close_exports, studio)

    logging.getLogger("uvicorn.error").addFilter(_only_trouble)
    return {
        "routes": [
            WebSocketRoute("/live", Live(shared_studio, CHARACTER).serve),
            Route(CHARACTER, _character),
            Route(downloads.PATH, downloads.download),
            Mount("/dashboard", StaticFiles(directory=_STATIC, check_dir=False)),
        ],
        "middleware": [Middleware(Guard, host_names=tuple(host_names), scripts=_streamlit_scripts())],
        "lifespan": lifespan,
    }


def build_app(make_studio: "Callable[[], Studio] | None" = None, *, page: Path = PAGE, **options: Any) -> Any:  # noqa: ANN401 - Streamlit has no types here
    """The dashboard as an ASGI app (a Streamlit `App`); `options` are those of `app_options`. One a process."""
    import streamlit as st

    return st.App(page, **app_options(make_studio, **options))


def serve(
    make_studio: "Callable[[], Studio]",
    *,
    port: int = PORT,
    host_names: Iterable[str] = (),
    on_ready: Callable[[], None] = lambda: None,
    page: Path = PAGE,
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM, on this machine only unless `host_names` names others."""
    names = tuple(host_names)
    options = streamlit_options() | {
        "server.address": address_for(names),
        "server.allowedHosts": [*OUR_NAMES, *names],
        "server.port": port,
        "logger.hideWelcomeMessage": True,
    }
    with _ends_quietly():
        build_app(make_studio, page=page, host_names=names, on_ready=on_ready).run(config=options)


def leave() -> NoReturn:
    """End the process now, after `serve`: all is closed by then, and unloading model runtimes can take seconds."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def default_studio(config: AppConfig, folders: Folders) -> "Studio":
    """The studio with these settings."""
    from realtime_pose.interface.dashboard.engine.studio import Studio

    return Studio(config, folders)


def default_folders(takes: Path = Path("takes"), allowed: Iterable[Path] = ()) -> Folders:
    """The folders of a dashboard: takes below the working folder, models in the program's own and `allowed` ones."""
    own = (data_path("configs"), data_path("checkpoints"), Path("configs").resolve(), Path("checkpoints").resolve())
    folders = dict.fromkeys((*own, *(folder.resolve() for folder in allowed)))
    return Folders(takes.resolve(), cache_folder() / "uploads", tuple(folders))


def host_names_of(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The names in REALTIME_POSE_HOST_NAMES."""
    return tuple(name.strip() for name in environment.get(HOST_NAMES, "").split(",") if name.strip())


def address_for(host_names: Iterable[str]) -> str:
    """Where to listen: on this machine only, or everywhere once other machines' names for it are known."""
    return _EVERYWHERE if tuple(host_names) else _LOOPBACK


def free_port(wanted: int, address: str) -> int:
    """`wanted`, or the first free port after it.

    Raises:
        ConfigError: There is none.
    """
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65_536)):
        with socket.socket() as probe:
            if os.name == "posix":  # elsewhere it would let two programs have one port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError:
                continue
            return port
    raise ConfigError(f"no port from {wanted} on is free here; name another one with --port")


def streamlit_options() -> dict[str, Any]:
    """The options in `.streamlit/config.toml`, by their full names."""
    return dict(_flat(tomllib.loads(OPTIONS_FILE.read_text(encoding="utf-8"))))


def enforce_options(host_names: Iterable[str]) -> None:
    """Hold `streamlit run` to the options in the file, which the environment and flags can override.

    The socket is bound before any line of ours runs, so that another address cannot be changed, only refused.

    Raises:
        ConfigError: It was told to serve other machines, and nobody said by which name.
    """
    from streamlit import config

    wanted = streamlit_options()
    address = config.get_option("server.address")
    ours_to_bind = config._server_mode == "starlette-app"  # `streamlit run`; another server has its own address
    if ours_to_bind and address not in OUR_NAMES and not tuple(host_names):
        raise ConfigError(
            f"the dashboard was to be served at {address or 'every address'}, where others can reach it; leave "
            f"server.address out, or set {HOST_NAMES} to the name that they call this machine by"
        )
    for name in _FIXED:
        config.set_option(name, wanted[name])
    config.set_option("server.allowedHosts", [*OUR_NAMES, *host_names])


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _streamlit_scripts() -> tuple[str, ...]:
    from streamlit import file_util

    return hashes_of((Path(file_util.get_static_dir()) / "index.html").read_text(encoding="utf-8"))


async def _character(_: "Request") -> FileResponse:
    return FileResponse(data_path("resources/models/default_model.glb"), media_type="model/gltf-binary")


def _only_trouble(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _end_in_time() -> None:
    """Give open connections a moment when the server ends, not for ever as by default; who hears SIGTERM is it."""
    import uvicorn

    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, uvicorn.Server):
        server.config.timeout_graceful_shutdown = _GRACE_S


@contextmanager
def _ends_quietly() -> Iterator[None]:
    """SIGTERM and Ctrl-C are how a server ends, not how it fails: uvicorn raises them again when it is done."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
