"""A studio without cameras or models, for what the server and its socket do with one."""

import struct
import threading

from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.web.feed import Feed


class FakeStudio:
    """Writes down what it was told."""

    def __init__(self):
        self.feed = Feed()
        self.browser_camera = None
        self.done = []
        self.told = threading.Condition()
        self.closed = 0

    def _do(self, what):
        with self.told:
            self.done.append(what)
            self.told.notify_all()

    def recentre(self):
        self._do("recentre")

    def pause(self):
        self._do("pause")

    def resume(self):
        self._do("resume")

    def step(self):
        self._do("step")
        raise ConfigError("there is nothing to step through")

    def close(self):
        self.closed += 1

    def wait_for(self, count, patience_s=20.0):
        """What was done, once it is `count` things."""
        with self.told:
            assert self.told.wait_for(lambda: len(self.done) >= count, patience_s)
        return self.done


class FakeCamera:
    """Keeps the pictures that it is given."""

    def __init__(self):
        self.given = []
        self.came = threading.Condition()

    def put(self, jpeg, grabbed_ms):
        with self.came:
            self.given.append((jpeg, grabbed_ms))
            self.came.notify_all()

    def wait_for(self, count, patience_s=20.0):
        with self.came:
            assert self.came.wait_for(lambda: len(self.given) >= count, patience_s)
        return self.given


def picture_message(jpeg, grabbed_ms=1.0):
    """What a browser sends of its camera."""
    return struct.pack("<d", grabbed_ms) + jpeg
