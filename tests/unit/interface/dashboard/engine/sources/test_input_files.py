"""Files that the page may name or upload."""

import io
import os
import shutil

import cv2
import numpy as np
import pytest

from realtime_pose.errors import CaptureError, ConfigError
from realtime_pose.interface.dashboard.engine.sources import input_files
from realtime_pose.interface.dashboard.engine.sources.input_files import (
    allowed_file,
    checked_media,
    clean_uploads,
    keep_upload,
    listed_files,
)

PICTURE = np.full((48, 64, 3), 90, np.uint8)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "dance.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (64, 48))
    for _ in range(5):
        writer.write(PICTURE)
    writer.release()
    return path


def test_a_video_and_an_image_are_accepted(clip, tmp_path):
    picture = tmp_path / "one.png"
    cv2.imwrite(str(picture), PICTURE)
    assert checked_media(f" {clip} ") == clip.resolve()
    assert checked_media(str(picture)) == picture.resolve()


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"<?xml version='1.0'?><MPD></MPD>",
        b"    ftyp<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
        b"root:x:0:0:root:/root:/bin/bash\n",
        b"\0\0\0\x18ftypmp42 and then nothing that is a video",
        b"",
    ],
)
def test_a_file_with_only_the_name_of_a_video_is_refused(content, tmp_path):
    path = tmp_path / "list.mp4"
    path.write_bytes(content)
    with pytest.raises(CaptureError):
        checked_media(str(path))


@pytest.mark.parametrize("mark", [b"#EXTM3U", b"ffconcat version 1.0", b"    ftyp<MPD>"])
def test_a_play_list_is_refused_before_ffmpeg_sees_it(mark, tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "open_source", lambda config: pytest.fail("opened"))
    path = tmp_path / "list.mp4"
    path.write_bytes(mark + b"\nfile:///etc/passwd\n")
    with pytest.raises(CaptureError, match="is not a video or an image"):
        checked_media(str(path))


def test_a_link_named_like_a_video_does_not_open_what_it_leads_to(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("password")
    link = tmp_path / "nice.mp4"
    link.symlink_to(secret)
    with pytest.raises(CaptureError, match="not a video or image by its name") as caught:
        checked_media(str(link))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "  ", "a\0b.mp4", "/etc/passwd", "concat:/etc/passwd|x.mp4", "-.mp4", "/dev/zero"]
)
def test_other_texts_are_refused(text):
    with pytest.raises(CaptureError):
        checked_media(text)


def test_a_pipe_does_not_delay_the_page(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(CaptureError, match="not a file"):
        checked_media(str(tmp_path / "pipe.mp4"))


def test_an_image_of_too_many_pixels_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "_MAX_IMAGE_MEGAPIXELS", 0.001)
    cv2.imwrite(str(tmp_path / "large.png"), PICTURE)
    with pytest.raises(CaptureError, match="64 x 48"):
        checked_media(str(tmp_path / "large.png"))


def test_an_upload_is_kept_under_a_generated_name(clip, tmp_path):
    folder = tmp_path / "uploads"
    path = keep_upload("../../evil/My Dance!.MP4", io.BytesIO(clip.read_bytes()), folder)
    assert path.parent == folder.resolve()
    assert path.name.startswith("my-dance-")
    assert path.suffix == ".mp4"
    assert path.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize(("name", "content"), [("x.mp4", b"#EXTM3U\n"), ("x.html", b"<html>"), ("x", b"")])
def test_an_upload_that_is_no_video_leaves_nothing(name, content, tmp_path):
    with pytest.raises(CaptureError) as caught:
        keep_upload(name, io.BytesIO(content), tmp_path / "uploads")
    assert name in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not list(tmp_path.rglob("*.*"))


def test_an_upload_that_is_too_large_leaves_nothing(clip, tmp_path, monkeypatch):
    monkeypatch.setattr(input_files, "MAX_UPLOAD_MB", 0)
    with pytest.raises(CaptureError, match="larger than"):
        keep_upload("x.mp4", io.BytesIO(clip.read_bytes()), tmp_path)
    assert not list(tmp_path.iterdir())


def test_old_uploads_go_and_the_one_in_use_stays(tmp_path):
    for age in range(8):
        path = tmp_path / f"{age}.mp4"
        path.write_bytes(b"x")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    clean_uploads(tmp_path, in_use=str(tmp_path / "7.mp4"), now_s=1_000_000)
    assert {path.name for path in tmp_path.iterdir()} == {"0.mp4", "1.mp4", "2.mp4", "3.mp4", "7.mp4"}
    clean_uploads(tmp_path, in_use=str(tmp_path / "7.mp4"), now_s=2_000_000)
    assert [path.name for path in tmp_path.iterdir()] == ["7.mp4"]


@pytest.fixture
def folders(tmp_path):
    allowed = tmp_path / "checkpoints"
    (allowed / "mine").mkdir(parents=True)
    (allowed / "mine" / "a.pth").write_bytes(b"x")
    (allowed / "notes.txt").write_bytes(b"x")
    (tmp_path / "outside.pth").write_bytes(b"x")
    (allowed / "link.pth").symlink_to(tmp_path / "outside.pth")
    return tmp_path, allowed


@pytest.mark.parametrize("given", ["mine/a.pth", "{allowed}/mine/a.pth", "{allowed}/mine/../mine/a.pth"])
def test_a_file_in_an_allowed_folder_is_taken(folders, given):
    _, allowed = folders
    text = given.format(allowed=allowed)
    assert allowed_file(text, (".pth",), [allowed], "weights") == (allowed / "mine" / "a.pth").resolve()


@pytest.mark.parametrize("given", ["{root}/outside.pth", "{allowed}/../outside.pth", "link.pth", "/etc/passwd"])
def test_a_file_elsewhere_is_refused_also_through_a_link(folders, given):
    root, allowed = folders
    with pytest.raises(ConfigError, match="outside of the allowed folders"):
        allowed_file(given.format(root=root, allowed=allowed), (".pth",), [allowed], "weights")


def test_missing_files_and_other_kinds_are_reported(folders):
    _, allowed = folders
    with pytest.raises(ConfigError, match="is not in"):
        allowed_file("b.pth", (".pth",), [allowed], "weights")
    with pytest.raises(ConfigError, match="does not end in"):
        allowed_file("notes.txt", (".pth",), [allowed], "weights")


def test_the_list_has_what_is_inside_only(folders):
    _, allowed = folders
    assert listed_files([allowed], (".pth",)) == [str((allowed / "mine" / "a.pth").resolve())]
    shutil.rmtree(allowed)
    assert listed_files([allowed], (".pth",)) == []
