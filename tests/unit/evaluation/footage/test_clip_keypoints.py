"""Keypoints of clips: found once, then read from the cache, which knows the content and the settings that matter."""

from dataclasses import replace

import numpy as np
import pytest
from support.footage import WIDTH, make_clip
from support.people import make_person

from realtime_pose.config import AppConfig
from realtime_pose.errors import CaptureError, RecordingError
from realtime_pose.evaluation.footage import clip_keypoints
from realtime_pose.evaluation.footage.clip_keypoints import KeypointFinder, clips_in
from realtime_pose.skeletons import COCO17_FEET_HANDS


def keypoints_of(number, time_ns=0):
    """Keypoints inside the small clip."""
    person = make_person(number, track_id=1, time_ns=time_ns).keypoints
    return replace(person, xy_px=person.xy_px * np.float32(WIDTH / 640))


class Estimator:
    """Finds one person in the frames whose number is in `seen`."""

    name, runtime, precision, device, model_hash = "fake", "none", "fp32", "cpu", "0"
    layout, finds_people = COCO17_FEET_HANDS, True

    def __init__(self, seen=range(100)):
        self.seen, self.estimated, self.resets, self.closed = seen, 0, 0, False

    def estimate(self, frame, boxes):
        self.estimated += 1
        if frame.index not in self.seen:
            return []
        return [keypoints_of(frame.index, frame.time_ns)]

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed = True


@pytest.fixture
def estimator(monkeypatch):
    made = Estimator()
    monkeypatch.setattr(clip_keypoints, "build_estimator", lambda config, notify: made)
    return made


@pytest.fixture
def clip(tmp_path):
    make_clip(tmp_path / "a.avi", 6)
    return tmp_path / "a.avi"


def inference(**values):
    return AppConfig().with_values({"inference": values}, "test")


def test_a_second_run_reads_what_the_first_one_found(estimator, clip, tmp_path):
    first = KeypointFinder(AppConfig(), tmp_path / "cache").find(clip)
    assert (len(first), first.estimator, estimator.estimated, estimator.resets) == (6, "fake", 6, 1)
    assert (first.width, first.height) == (64, 48)
    second = KeypointFinder(AppConfig(), tmp_path / "cache").find(clip)
    assert estimator.estimated == 6
    for name in ("time_ns", "frame", "track_id", "xy_px", "score", "forgotten"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    (person,) = second.people(3)
    assert (person.track_id, person.time_ns) == (1, 100_000_000)
    assert np.array_equal(person.xy_px, keypoints_of(3).sane().xy_px)


def test_frames_without_anybody_are_kept(estimator, clip, tmp_path):
    estimator.seen = (0, 1, 4)
    found = KeypointFinder(AppConfig(), tmp_path).find(clip)
    assert [len(found.people(frame)) for frame in range(6)] == [1, 1, 0, 0, 1, 0]
    assert found.frame.tolist() == [0, 1, 4]


def test_a_clip_with_nobody_in_it_is_kept_too(estimator, clip, tmp_path):
    estimator.seen = ()
    for _ in range(2):
        found = KeypointFinder(AppConfig(), tmp_path).find(clip)
        assert (len(found), found.people(2), found.xy_px.shape) == (6, [], (0, 27, 2))
    assert estimator.estimated == 6


def test_content_and_2d_settings_decide_and_names_and_3d_settings_do_not(estimator, clip, tmp_path):
    def runs(config, path=clip):
        before = estimator.estimated
        KeypointFinder(config, tmp_path / "cache").find(path)
        return estimator.estimated - before

    assert runs(AppConfig()) == 6
    assert runs(AppConfig().with_values({"body": {"height_m": 1.8}}, "test")) == 0
    assert runs(inference(download=False)) == 0
    assert runs(inference(score_threshold=0.4)) == 6
    other = tmp_path / "b" / "a.avi"
    other.parent.mkdir()
    other.write_bytes(clip.read_bytes())
    assert runs(AppConfig(), other) == 0
    make_clip(other, 4)
    assert runs(AppConfig(), other) == 4


def test_a_damaged_cache_is_made_again(estimator, clip, tmp_path):
    cache = tmp_path / "cache"
    KeypointFinder(AppConfig(), cache).find(clip)
    (file,) = cache.iterdir()
    file.write_bytes(file.read_bytes()[:200])
    assert len(KeypointFinder(AppConfig(), cache).find(clip)) == 6
    assert estimator.estimated == 12


def test_the_users_cache_is_the_default(estimator, clip, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    KeypointFinder(AppConfig()).find(clip)
    assert len(list((tmp_path / "home/realtime_pose/keypoints").glob("a-*.npz"))) == 1


def test_a_cache_that_cannot_be_written_is_said(estimator, clip, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="choose another --keypoints-cache"):
        KeypointFinder(AppConfig(), tmp_path / "file").find(clip)


def test_models_are_released(estimator, clip, tmp_path):
    finder = KeypointFinder(AppConfig(), tmp_path)
    finder.close()
    finder.find(clip)
    finder.close()
    assert estimator.closed


def test_folders_are_searched_for_videos(tmp_path):
    for name in ("b.mp4", "a/z.gif", "a/x.MOV", "a/notes.txt", "still.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = clips_in([tmp_path, tmp_path / "b.mp4"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/x.MOV", "a/z.gif", "b.mp4"]
    assert clips_in([tmp_path / "still.jpg"]) == [tmp_path / "still.jpg"]


def test_missing_and_empty_paths_are_refused(tmp_path):
    with pytest.raises(CaptureError, match="there is no file or folder"):
        clips_in([tmp_path / "none.mp4"])
    with pytest.raises(CaptureError, match="has no video"):
        clips_in([tmp_path])
