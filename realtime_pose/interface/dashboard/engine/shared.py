"""The one studio of this process: set by the server, read by the page's script.

Streamlit runs the page as a script for each browser tab, so it cannot get the studio as an argument.
"""

from typing import TYPE_CHECKING

from realtime_pose.errors import ConfigError

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_shared: "list[StudioApi]" = []


def share(studio: "StudioApi") -> None:
    """Set the studio that pages show; before the first page is requested."""
    _shared[:] = [studio]


def shared_studio() -> "StudioApi":
    """The studio that the server set.

    Raises:
        ConfigError: There is none, as the page was run without the server.
    """
    if not _shared:
        raise ConfigError("the page was started without its server; start it with: realtime-pose ui")
    return _shared[0]
