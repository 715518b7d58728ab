"""A studio without cameras, models or threads, which satisfies `StudioApi`; for tests of the page and the server."""

import struct
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.browser import BrowserCamera
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.engine.api import StudioApi
from realtime_pose.interface.dashboard.engine.feed import Feed
from realtime_pose.interface.dashboard.engine.state import Folders, Phase, StudioState
from realtime_pose.interface.dashboard.engine.takes.pose_history import PoseHistory
from realtime_pose.interface.dashboard.engine.takes.take_exports import Exports
from realtime_pose.interface.dashboard.engine.takes.take_list import TakeList


class FakeStudio:
    """Records its calls.

    Attributes:
        now: What `state` returns.
        calls: Names of methods that were called, as tuples with their arguments if they have any.
        refusals: By method, the message of the ConfigError that it raises.
    """

    def __init__(self, folder: Path = Path("nowhere"), config: AppConfig | None = None) -> None:
        self.folders = Folders(folder / "takes", folder / "uploads", (folder / "allowed",))
        self.config = config or AppConfig(capture=CaptureConfig(source="actor"))
        self.revision = 1
        self.feed, self.history = Feed(), PoseHistory()
        self.takes, self.exports = TakeList(self.folders.takes), Exports()
        self.browser_camera: BrowserCamera | None = None
        self.now = StudioState()
        self.calls: list[Any] = []
        self.refusals: dict[str, str] = {}
        self._called = threading.Condition()

    def state(self) -> StudioState:
        return self.now

    def apply(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._call("apply", values)
        changed = self.config.with_values(values, "page")
        if changed != self.config:
            self.config, self.revision = changed, self.revision + 1

    def start(self) -> None:
        self._call("start", phase=Phase.OPENING)

    def play(self, folder: Path) -> None:
        self._call("play", folder)

    def stop(self) -> None:
        self._call("stop", phase=Phase.IDLE, kind="", playback=None)

    def pause(self) -> None:
        self._call("pause", phase=Phase.PAUSED)

    def resume(self) -> None:
        self._call("resume", phase=Phase.RUNNING)

    def step(self) -> None:
        self._call("step")

    def seek(self, row: int) -> None:
        self._call("seek", row)

    def recentre(self) -> None:
        self._call("recentre")

    def lock_on(self, track_id: int | None) -> None:
        self._call("lock_on", track_id, locked=track_id)

    def record(self) -> None:
        self._call("record")

    def stop_recording(self) -> None:
        self._call("stop_recording", recording=None)

    def calibrate(self) -> None:
        self._call("calibrate")

    def cancel_calibration(self) -> None:
        self._call("cancel_calibration", calibration=None)

    def close(self) -> None:
        self._call("close")
        self.exports.close()

    def wait_for(self, count: int, timeout_s: float = 20.0) -> list[Any]:
        """The calls, once there are so many."""
        with self._called:
            assert self._called.wait_for(lambda: len(self.calls) >= count, timeout_s)
        return self.calls

    def _call(self, name: str, *arguments: Any, **changes: Any) -> None:
        with self._called:
            if name in self.refusals:
                if name != "apply":
                    self.calls.append(name)
                self._called.notify_all()
                raise ConfigError(self.refusals[name])
            self.calls.append((name, *arguments) if arguments else name)
            self.now = replace(self.now, **changes)
            self._called.notify_all()


_: type[StudioApi] = FakeStudio  # checked by mypy


class FakeCamera:
    """Keeps the frames that it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[bytes, float]] = []
        self._came = threading.Condition()

    def put(self, jpeg: bytes, grabbed_ms: float) -> None:
        with self._came:
            self.given.append((jpeg, grabbed_ms))
            self._came.notify_all()

    def wait_for(self, count: int, timeout_s: float = 20.0) -> list[tuple[bytes, float]]:
        """The frames, once there are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.given) >= count, timeout_s)
        return self.given


def camera_message(jpeg: bytes, grabbed_ms: float = 1.0) -> bytes:
    """A camera frame as a browser sends it."""
    return struct.pack("<d", grabbed_ms) + jpeg
