"""The packaged clip as a source."""

import pytest
from support.footage import make_clip, read_all

from realtime_pose.capture import actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.errors import CaptureError


def test_the_actor_is_every_frame_of_the_packaged_clip(tmp_path, monkeypatch):
    make_clip(tmp_path / "clip.avi", 12)
    monkeypatch.setattr(actor, "data_path", lambda relative: tmp_path / "clip.avi")
    source = actor.open_actor(CaptureConfig("actor", rotate_deg=90))
    frames = read_all(source)
    assert len(frames) == 12
    assert frames[0].image_bgr.shape == (64, 48, 3)
    assert not source.live


def test_a_missing_clip_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(actor, "data_path", tmp_path.joinpath)
    with pytest.raises(
        CaptureError, match=r"default.mp4 is missing; make it with: python -m realtime_pose.model3d.actor"
    ):
        actor.open_actor(CaptureConfig("actor"))


def test_the_clip_that_is_shipped_plays():
    if not actor.data_path(actor.CLIP).is_file():
        pytest.skip("the actor's clip has not been made yet")
    source = actor.open_actor(CaptureConfig("actor"))
    assert len(read_all(source)) == source.frame_count
    assert source.notices == []
