"""The studio's interface, as the page and the server use it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.config import AppConfig
from realtime_pose.interface.dashboard.engine.feed import Feed
from realtime_pose.interface.dashboard.engine.state import Folders, StudioState
from realtime_pose.interface.dashboard.engine.takes.pose_history import PoseHistory
from realtime_pose.interface.dashboard.engine.takes.take_exports import Exports
from realtime_pose.interface.dashboard.engine.takes.take_list import TakeList


class StudioApi(Protocol):
    """Shows one source at a time to everybody who watches.

    Every method returns at once and may be called from any thread; slow work is done in the background, and `state`
    shows its progress. Methods that do not apply now, such as `pause` when nothing runs, do nothing.
    """

    @property
    def folders(self) -> Folders:
        """The folders in which the dashboard may read and write."""
        ...

    @property
    def feed(self) -> Feed:
        """Frames and events for the live view."""
        ...

    @property
    def history(self) -> PoseHistory:
        """The last half minute of the run."""
        ...

    @property
    def takes(self) -> TakeList:
        """The recorded takes."""
        ...

    @property
    def exports(self) -> Exports:
        """Takes converted for download."""
        ...

    @property
    def config(self) -> AppConfig:
        """The settings."""
        ...

    @property
    def revision(self) -> int:
        """Incremented whenever the settings change."""
        ...

    @property
    def browser_camera(self) -> BrowserCamera | None:
        """The source that takes a browser's frames, while it runs."""
        ...

    def state(self) -> StudioState:
        """A snapshot of the state."""
        ...

    def apply(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Change settings, also of the active run: {"body": {"smoothing": "crisp"}}.

        Raises:
            ConfigError: A value is wrong; nothing is changed. What can only fail later, such as loading a model, is
                shown in `state().trouble`, and the run goes on as before.
            UnknownChoiceError: There is no such key or choice; nothing is changed.
        """
        ...

    def start(self) -> None:
        """Show the source in the settings, instead of what is shown now."""
        ...

    def play(self, folder: Path) -> None:
        """Play a take in the same live view, and into the same outputs."""
        ...

    def stop(self) -> None:
        """End the run; a recording is finished."""
        ...

    def pause(self) -> None:
        """Stop after the current frame."""
        ...

    def resume(self) -> None:
        """Continue; a take at its end starts again."""
        ...

    def step(self) -> None:
        """Show one more frame and pause."""
        ...

    def seek(self, row: int) -> None:
        """Go to a frame of the take."""
        ...

    def recentre(self) -> None:
        """Move the person to the origin, from the next frame on."""
        ...

    def lock_on(self, track_id: int | None) -> None:
        """Follow this person only; None follows as many as the settings say."""
        ...

    def record(self) -> None:
        """Record from now on, into a new folder in `folders.takes`."""
        ...

    def stop_recording(self) -> None:
        """Finish the take."""
        ...

    def calibrate(self) -> None:
        """Measure the person's body: a countdown, then a few seconds of standing still."""
        ...

    def cancel_calibration(self) -> None:
        """Stop measuring and keep the body as it was."""
        ...

    def close(self) -> None:
        """End everything, with files closed, within about two seconds. Safe to repeat."""
        ...
