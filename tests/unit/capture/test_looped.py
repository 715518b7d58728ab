import numpy as np
import pytest

from realtime_pose.capture.looped import Looped
from realtime_pose.datatypes import Frame
from realtime_pose.errors import EndOfStream


class Clip:
    live, fps, frame_count = False, 25.0, 3

    def __init__(self, frames=3, begin_ns=7):
        self.notices, self.closed, self._frames, self._begin_ns, self._next = [], False, frames, begin_ns, 0

    def read(self):
        if self.closed or self._next == self._frames:
            raise EndOfStream
        self._next += 1
        image = np.full((2, 2, 3), self._next, np.uint8)
        return Frame(image, self._next - 1, self._begin_ns + (self._next - 1) * 40_000_000, self._next)

    def close(self):
        self.closed = True


def test_a_clip_repeats_as_one_endless_stream():
    clips = []

    def opened():
        clips.append(Clip())
        return clips[-1]

    looped = Looped(opened)
    frames = [looped.read() for _ in range(8)]
    assert [frame.index for frame in frames] == list(range(8))
    assert [int(frame.image_bgr[0, 0, 0]) for frame in frames] == [1, 2, 3, 1, 2, 3, 1, 2]
    assert np.diff([frame.time_ns for frame in frames]).tolist() == [40_000_000] * 7  # also across the restart
    assert [clip.closed for clip in clips] == [True, True, False]


def test_after_close_it_ends():
    looped = Looped(Clip)
    looped.read()
    looped.close()
    with pytest.raises(EndOfStream):
        looped.read()


def test_a_clip_without_frames_ends_at_once():
    with pytest.raises(EndOfStream):
        Looped(lambda: Clip(frames=0)).read()
