"""A studio that does nothing but remember what it was told, for tests of the page."""

import threading
from dataclasses import replace

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.engine.state import Folders, StudioState


class PageStudio:
    """Follows the real one's contract; `calls` has what was asked for, `now` is what state() answers."""

    def __init__(self, folder, config=None):
        self.folders = Folders(folder / "takes", folder / "uploads", (folder / "allowed",))
        self.config = config or AppConfig(capture=CaptureConfig(source="actor"))
        self.revision = 1
        self.now = StudioState()
        self.calls = []
        self.refuse = ""
        self.browser_camera = None
        self._lock = threading.Lock()

    def state(self):
        return self.now

    def apply(self, values):
        if self.refuse:
            raise ConfigError(self.refuse)
        with self._lock:
            changed = self.config.with_values(values, "page")
            self.calls.append(("apply", values))
            if changed != self.config:
                self.config, self.revision = changed, self.revision + 1

    def start(self):
        self._note("start", phase="opening")

    def stop(self):
        self._note("stop", phase="idle")

    def pause(self):
        self._note("pause", phase="paused")

    def resume(self):
        self._note("resume", phase="running")

    def lock_on(self, track_id):
        self._note(("lock_on", track_id), locked=track_id)

    def step(self):
        self._note("step")

    def recentre(self):
        self._note("recentre")

    def record(self):
        self._note("record")

    def stop_recording(self):
        self._note("stop_recording", recording=None)

    def calibrate(self):
        self._note("calibrate")

    def cancel_calibration(self):
        self._note("cancel_calibration", calibration=None)

    def play(self, folder):
        self._note(("play", folder))

    def seek(self, row):
        self._note(("seek", row))

    def close(self):
        self._note("close")

    def _note(self, call, **changes):
        self.calls.append(call)
        self.now = replace(self.now, **changes)
