"""A source and a pipeline for the studio that need neither camera nor model."""

import threading
import time
from functools import partial

import numpy as np
from support.bodies import keypoints_of, points_of

from realtime_pose.datatypes import Frame, PersonKeypoints
from realtime_pose.errors import EndOfStream
from realtime_pose.pipeline import assemble_pipeline
from realtime_pose.skeletons import COCO17, RELAXED_XYZW
from realtime_pose.utils.arrays import as_float32

PATIENCE_S = 30.0
FRAME_NS = 33_333_333


class FakeLiveSource:
    """Frames as fast as they are read, 30 a second by their own time; `ends_after` makes it a clip."""

    live, fps, frame_count, dropped = True, 30.0, None, 0

    def __init__(self, ends_after=None):
        self.notices, self.closed, self._next, self._ends = [], threading.Event(), 0, ends_after

    def read(self):
        if self.closed.wait(0.002) or self._next == self._ends:
            raise EndOfStream
        self._next += 1
        image = np.full((480, 640, 3), self._next % 250, np.uint8)
        return Frame(image, self._next - 1, self._next * FRAME_NS, time.monotonic_ns())

    def close(self):
        self.closed.set()


class StandingEstimator:
    """Finds one person, who stands still and upright, without a detector."""

    runtime, precision, device, model_hash = "none", "fp32", "cpu", "0"
    layout, finds_people = COCO17, True

    def __init__(self, name="standing"):
        self.name, self.closed, self.people = name, False, (1,)

    def estimate(self, frame, boxes):
        found = []
        for track_id in self.people:
            seen = keypoints_of(points_of(RELAXED_XYZW, root_m=(0.8 * (track_id - 1), 0.0, -4.0)), track_id=track_id)
            score = as_float32(seen.score * 0.9)
            found.append(PersonKeypoints(COCO17, seen.xy_px, score, track_id, frame.time_ns))
        return found

    def close(self):
        self.closed = True


def pipeline_of(config, notify=None, progress=None, *, estimator=None):
    """A pipeline like that of `build_pipeline`, with a StandingEstimator of the configured name."""
    return assemble_pipeline(config, estimator or StandingEstimator(config.inference.estimator))


def replace_source_and_pipeline(monkeypatch, source=FakeLiveSource, pipeline=pipeline_of):
    """Make the studio open these instead of cameras and models; returns the list of opened sources."""
    opened = []

    def open_frames(capture):
        opened.append(source())
        return opened[-1]

    monkeypatch.setattr("realtime_pose.interface.dashboard.engine.active_run._open_frames", open_frames)
    for module in ("app.run", "interface.dashboard.engine.model_loader"):
        monkeypatch.setattr(f"realtime_pose.{module}.build_pipeline", partial(pipeline))
    return opened


def until(condition, what="it"):
    """Wait for a condition; the failure names what was waited for."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.005)
    return value
