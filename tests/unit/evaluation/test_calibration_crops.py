"""Calibration crops: people cut out of footage, and the split into calibration and held-out parts."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CaptureError, ConfigError, EndOfStream
from realtime_pose.evaluation import calibration_crops
from realtime_pose.evaluation.calibration_crops import MAX_CROPS, MIN_CROPS, FootageCrops, collect_crops
from realtime_pose.inference.topdown import CropGeometry

CONFIG = AppConfig(CaptureConfig(source="actor"))
SMALL = CropGeometry(input_wh=(24, 32))


class Footage:
    """A source of `frames` frames whose pixels hold the frame number."""

    def __init__(self, frames: int) -> None:
        self.frame_count, self._left, self.closed = frames, iter(range(frames)), False

    def read(self) -> Frame:
        i = next(self._left, None)
        if i is None:
            raise EndOfStream("no more")
        return Frame(np.full((48, 64, 3), i % 251, np.uint8), i, i, 0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def film(monkeypatch):
    """Replaces the source and the pipeline by fakes with the given frames and people, and returns both."""

    def show(frames: int, people) -> SimpleNamespace:
        source = Footage(frames)
        pipeline = SimpleNamespace(
            step=lambda frame: SimpleNamespace(
                people=[SimpleNamespace(box=PersonBox(np.float32(box), 1.0)) for box in people(frame.index)]
            ),
            close=lambda: setattr(pipeline, "closed", True),
            closed=False,
        )
        monkeypatch.setattr(calibration_crops, "open_source", lambda config: source)
        monkeypatch.setattr(calibration_crops, "build_pipeline", lambda config: pipeline)
        return SimpleNamespace(source=source, pipeline=pipeline)

    return show


BOX = (10, 5, 40, 45)


def frame_numbers(crops: FootageCrops) -> np.ndarray:
    middle = crops.crops[:, 0, 16, 12] * CropGeometry.std_rgb[0] + CropGeometry.mean_rgb[0]
    return middle.round().astype(int)


def test_held_out_crops_are_blocks_of_time(film):
    shown = film(240, lambda i: [BOX])
    steps = []
    crops = collect_crops(CONFIG, SMALL, lambda done, total: steps.append((done, total)))
    assert np.array_equal(frame_numbers(crops), np.arange(240))
    assert steps[-1] == (240, 240)
    assert (shown.source.closed, shown.pipeline.closed) == (True, True)
    changes = np.count_nonzero(np.diff(crops.held_out.astype(int)))
    assert crops.held_out.sum() == 80
    assert changes == 8  # four blocks, not every third crop
    assert np.allclose(crops.diagonal_px, 50)
    assert np.allclose(crops.regions_of_held_out.corner_px, crops.regions.corner_px[0])


def test_long_footage_is_sampled_evenly(film):
    film(1200, lambda i: [BOX])
    crops = collect_crops(CONFIG, SMALL)
    assert MAX_CROPS / 2 < len(crops.crops) <= MAX_CROPS
    assert np.array_equal(frame_numbers(crops), np.arange(0, 1200, 4) % 251)


def test_all_people_are_cut_out_and_empty_frames_skipped(film):
    film(100, lambda i: [BOX, (30, 0, 60, 48)] if i % 2 else [])
    assert len(collect_crops(CONFIG, SMALL).crops) == 100


@pytest.mark.parametrize(
    ("frames", "people", "error"),
    [
        (300, lambda i: [], rf"actor gave 0 crops of people in 300 frames, wanted {MIN_CROPS} or more"),
        (300, lambda i: [BOX] if i < 20 else [], "gave 20 crops of people in 300 frames.*give longer footage"),
    ],
)
def test_too_little_footage_is_refused(film, frames, people, error):
    shown = film(frames, people)
    with pytest.raises(ConfigError, match=error):
        collect_crops(CONFIG, SMALL)
    assert shown.pipeline.closed


@pytest.mark.parametrize("source", ["0", "rtsp://camera/1"])
def test_a_live_source_is_refused(source):
    with pytest.raises(ConfigError, match="is not a recording; calibration needs a video of people"):
        collect_crops(replace(CONFIG, capture=CaptureConfig(source=source)), SMALL)


def test_a_missing_video_is_refused():
    with pytest.raises(CaptureError, match=r"no file, folder or camera 'nothing\.mp4'"):
        collect_crops(replace(CONFIG, capture=CaptureConfig(source="nothing.mp4")), SMALL)
