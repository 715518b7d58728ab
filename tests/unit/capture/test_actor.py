"""The packaged clips as sources."""

import pytest
from support.footage import make_clip, read_all

from realtime_pose.capture import actor
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.capture.video import open_video
from realtime_pose.errors import CaptureError, EndOfStream


def test_the_actor_is_every_frame_of_the_packaged_clip(tmp_path, monkeypatch):
    make_clip(tmp_path / "clip.avi", 12)
    monkeypatch.setattr(actor, "data_path", lambda relative: tmp_path / "clip.avi")
    source = actor.open_actor(CaptureConfig("actor", rotate_deg=90))
    frames = read_all(source)
    assert len(frames) == 12
    assert frames[0].image_bgr.shape == (64, 48, 3)
    assert not source.live


OPENERS = [(actor.open_actor, actor.CLIP), (actor.open_second_actor, actor.SECOND_CLIP)]


@pytest.mark.parametrize(("opener", "clip"), OPENERS)
def test_a_missing_clip_reports_how_to_make_it(tmp_path, monkeypatch, opener, clip):
    monkeypatch.setattr(actor, "data_path", tmp_path.joinpath)
    with pytest.raises(CaptureError, match=rf"{clip} is missing; make it with: python -m tools.actor"):
        opener(CaptureConfig("actor"))


@pytest.mark.parametrize(("name", "clip"), [("actor", actor.CLIP), ("actor-2", actor.SECOND_CLIP)])
def test_the_clips_that_are_shipped_play_under_their_names(name, clip):
    whole = open_video(CaptureConfig(str(actor.data_path(clip))))
    source = open_source(CaptureConfig(name))
    for index in range(source.frame_count):
        frame, wanted = source.read(), whole.read()
        assert frame.index == index
        assert index % 50 or (frame.image_bgr == wanted.image_bgr).all()
    for ended in (source, whole):
        with pytest.raises(EndOfStream):
            ended.read()
    assert source.notices == []
