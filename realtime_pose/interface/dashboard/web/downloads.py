"""Downloads of exported takes over HTTP, streamed from the disk.

Streamlit's own download button keeps the whole file in memory, and a file that is made on click is lost at the next
rerun of any fragment.
"""

from typing import TYPE_CHECKING

from starlette.responses import FileResponse, PlainTextResponse, Response

from realtime_pose.errors import RealtimePoseError
from realtime_pose.interface.dashboard.engine.shared import shared_studio

if TYPE_CHECKING:
    from starlette.requests import Request


def download(request: "Request") -> Response:
    """The file of a finished export; 404 with a sentence if there is none."""
    take, kind = request.path_params["take"], request.path_params["kind"]
    try:
        studio = shared_studio()
        folder = studio.takes.folder_of(take)
    except RealtimePoseError as exc:
        return PlainTextResponse(f"{exc}.", 404)
    state = studio.exports.state(folder, kind)
    if state is None or state.path is None:
        return PlainTextResponse(f"{take} has not been exported as {kind} yet; choose that format on the page.", 404)
    return FileResponse(state.path, filename=f"{take}_{state.path.name}", headers={"cache-control": "no-store"})
