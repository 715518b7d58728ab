"""The dashboard's server: Streamlit's page, the WebSocket /live and the viewer's files on one port, behind the guard.

`streamlit run` and `realtime-pose ui` serve the same app with the options in `.streamlit/config.toml`.
Streamlit's private parts are in `page/streamlit_compat.py`.
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
from realtime_pose.interface.dashboard.engine.shared import share, shared_studio
from realtime_pose.interface.dashboard.engine.state import Folders
from realtime_pose.interface.dashboard.engine.takes.take_exports import DOWNLOAD_PATH
from realtime_pose.interface.dashboard.page import streamlit_compat
from realtime_pose.interface.dashboard.web import downloads
from realtime_pose.interface.dashboard.web.guard import OUR_NAMES, Guard, hashes_of
from realtime_pose.interface.dashboard.web.live_socket import Live
from realtime_pose.utils.paths import cache_folder, data_path

if TYPE_CHECKING:
    from starlette.requests import Request

    from realtime_pose.interface.dashboard.engine.api import StudioApi

PAGE = Path(__file__).parents[1] / "page" / "page.py"
OPTIONS_FILE = Path(__file__).parents[2] / ".streamlit" / "config.toml"
SETTINGS = AppConfig(capture=CaptureConfig(source="actor"))
"""The default settings of the page: the first Start shows something, camera or not."""
CHARACTER = "/dashboard/default_model.glb"
PORT = 8501
HOST_NAMES = "REALTIME_POSE_HOST_NAMES"
"""Environment variable with comma-separated host names under which other machines may open the page; for containers."""

_STATIC = Path(__file__).with_name("static")
_LOOPBACK, _EVERYWHERE = "127.0.0.1", "0.0.0.0"  # the latter only with host names
_GRACE_S = 1  # for open connections when the server ends; then they are cut
_PORTS_TRIED = 100
# Not to be overridden from outside, as the page's security depends on them.
_FIXED = (
    "server.enableXsrfProtection",
    "server.enableCORS",
    "server.enableStaticServing",
    "server.fileWatcherType",
    "browser.gatherUsageStats",
    "runner.magicEnabled",
)


def app_options(
    make_studio: "Callable[[], StudioApi] | None" = None,
    *,
    host_names: Iterable[str] = (),
    on_ready: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Routes, middleware and lifespan of the app, as `st.App(PAGE, **app_options())` takes them.

    Args:
        make_studio: Makes the studio, once, when the server starts; by default one with the default settings.
        host_names: Host names beside this machine's own under which the page may be opened.
        on_ready: Called when the server answers.

    Raises:
        ConfigError: The installed Streamlit is not the one that the dashboard was written for.
    """
    streamlit_compat.check()
    make = make_studio or (lambda: default_studio(load_config([], {}, base=SETTINGS), default_folders()))

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        from realtime_pose.interface.dashboard.page.fragments import freshness_of  # imports Streamlit

        _limit_shutdown_time()
        streamlit_compat.install(freshness_of)
        studio = await anyio.to_thread.run_sync(make)
        share(studio)
        on_ready()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(studio.close)

    logging.getLogger("uvicorn.error").addFilter(_is_warning)
    return {
        "routes": [
            WebSocketRoute("/live", Live(shared_studio, CHARACTER).serve),
            Route(CHARACTER, _character),
            Route(DOWNLOAD_PATH, downloads.download),
            Mount("/dashboard", StaticFiles(directory=_STATIC, check_dir=False)),
        ],
        "middleware": [
            Middleware(Guard, host_names=tuple(host_names), scripts=hashes_of(streamlit_compat.index_html()))
        ],
        "lifespan": lifespan,
    }


def build_app(make_studio: "Callable[[], StudioApi] | None" = None, *, page: Path = PAGE, **options: Any) -> Any:  # noqa: ANN401 - Streamlit has no types here
    """The dashboard as an ASGI app (a Streamlit `App`); `options` are those of `app_options`. One a process."""
    import streamlit as st

    return st.App(page, **app_options(make_studio, **options))


def serve(
    make_studio: "Callable[[], StudioApi]",
    *,
    port: int = PORT,
    host_names: Iterable[str] = (),
    on_ready: Callable[[], None] = lambda: None,
    page: Path = PAGE,
) -> None:
    """Serve the dashboard until SIGINT or SIGTERM, on this machine only unless there are host names."""
    names = tuple(host_names)
    options = streamlit_options() | {
        "server.address": address_for(names),
        "server.allowedHosts": [*OUR_NAMES, *names],
        "server.port": port,
        "logger.hideWelcomeMessage": True,
    }
    with _quiet_shutdown():
        build_app(make_studio, page=page, host_names=names, on_ready=on_ready).run(config=options)


def leave() -> NoReturn:
    """End the process at once, after `serve` has closed everything: unloading model runtimes can take seconds."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def default_studio(config: AppConfig, folders: Folders) -> "StudioApi":
    """The studio with these settings."""
    from realtime_pose.interface.dashboard.engine.studio import Studio

    return Studio(config, folders)


def default_folders(takes: Path = Path("takes"), allowed: Iterable[Path] = ()) -> Folders:
    """The dashboard's folders: takes in the working folder, models in the program's own and the `allowed` ones."""
    own = (data_path("configs"), data_path("checkpoints"), Path("configs").resolve(), Path("checkpoints").resolve())
    folders = dict.fromkeys((*own, *(folder.resolve() for folder in allowed)))
    return Folders(takes.resolve(), cache_folder() / "uploads", tuple(folders))


def host_names_of(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The names in REALTIME_POSE_HOST_NAMES."""
    return tuple(name.strip() for name in environment.get(HOST_NAMES, "").split(",") if name.strip())


def address_for(host_names: Iterable[str]) -> str:
    """The address to listen at: this machine only, or every address if there are host names."""
    return _EVERYWHERE if tuple(host_names) else _LOOPBACK


def free_port(wanted: int, address: str) -> int:
    """`wanted`, or the first free port after it.

    Raises:
        ConfigError: None is free.
    """
    for port in range(wanted, min(wanted + _PORTS_TRIED, 65_536)):
        with socket.socket() as probe:
            if os.name == "posix":  # on Windows it would let two programs share a port
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError:
                continue
            return port
    raise ConfigError(f"no port from {wanted} on is free; choose another one with --port")


def streamlit_options() -> dict[str, Any]:
    """The options in `.streamlit/config.toml`, by their full names."""
    return dict(_flat(tomllib.loads(OPTIONS_FILE.read_text(encoding="utf-8"))))


def enforce_options(host_names: Iterable[str]) -> None:
    """Set the options again that the environment and flags of `streamlit run` can override.

    The socket is bound before this runs, so another address cannot be changed, only refused.

    Raises:
        ConfigError: It would serve other machines, and no host name is given.
    """
    wanted = streamlit_options()
    address = streamlit_compat.option("server.address")
    if streamlit_compat.is_streamlit_run() and address not in OUR_NAMES and not tuple(host_names):
        raise ConfigError(
            f"server.address is {address or 'every address'}, which other machines can reach; leave it out, or set "
            f"{HOST_NAMES} to the host name under which they open the page"
        )
    for name in _FIXED:
        streamlit_compat.set_option(name, wanted[name])
    streamlit_compat.set_option("server.allowedHosts", [*OUR_NAMES, *host_names])


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


async def _character(_: "Request") -> FileResponse:
    return FileResponse(data_path("resources/models/default_model.glb"), media_type="model/gltf-binary")


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _limit_shutdown_time() -> None:
    """Limit the time that uvicorn waits for open connections, by default for ever; its server handles SIGTERM."""
    import uvicorn

    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if isinstance(server, uvicorn.Server):
        server.config.timeout_graceful_shutdown = _GRACE_S


@contextmanager
def _quiet_shutdown() -> Iterator[None]:
    """End normally on SIGTERM and Ctrl-C, which uvicorn raises again after its shutdown."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)
