"""The one Studio of this process: the server shares it, the page's script takes it.

Streamlit runs the page as a script of its own for each browser tab, so nothing can be handed to it as an argument.
"""

from typing import TYPE_CHECKING

from realtime_pose.errors import ConfigError

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

_shared: "list[Studio]" = []


def share(studio: "Studio") -> None:
    """Make `studio` the one that pages show; before the first page is asked for."""
    _shared[:] = [studio]


def shared_studio() -> "Studio":
    """The Studio that the server shared.

    Raises:
        ConfigError: There is none, as the page was started by itself.
    """
    if not _shared:
        raise ConfigError("the page runs without its server; start it with: realtime-pose ui")
    return _shared[0]
