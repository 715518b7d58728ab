"""Exported takes over HTTP: streamed from the disk, so that a long film fills no memory.

Streamlit's own download button keeps a whole file in memory, and one whose file is made when it is clicked loses it
to the next refresh of any part of the page.
"""

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import FileResponse, PlainTextResponse, Response

from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.take_exports import exports_of
from realtime_pose.interface.dashboard.engine.take_list import TakeList
from realtime_pose.interface.dashboard.web.shared import shared_studio

if TYPE_CHECKING:
    from starlette.requests import Request

PATH = "/dashboard/takes/{take}/{kind}"
"""Where `download` is served."""


def address_of(take: str, kind: str) -> str:
    """The path at which a take in a format can be fetched, once it was made."""
    return f"/dashboard/takes/{quote(take, safe='')}/{quote(kind, safe='')}"


def download(request: "Request") -> Response:
    """The file of an export that is done; 404 with a sentence where there is none."""
    take, kind = request.path_params["take"], request.path_params["kind"]
    try:
        studio = shared_studio()
        folder = TakeList(studio.folders.takes).folder_of(take)
    except RealtimePoseError as exc:
        return PlainTextResponse(f"{exc}.", 404)
    state = exports_of(studio).state(folder, kind)
    if state is None or state.path is None:
        return PlainTextResponse(f"{take} was not made into {kind} yet; choose it on the page.", 404)
    return FileResponse(state.path, filename=f"{take}_{state.path.name}", headers={"cache-control": "no-store"})
