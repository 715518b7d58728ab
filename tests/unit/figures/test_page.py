"""Plot page as a file: complete, without requests, safe with any text, and of bounded size."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from support.people import make_clip

from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.figures.motion import foot_height_figure, root_path_figure
from realtime_pose.figures.page import PLAYED_FRAMES, PlotPage, page_html, played_rows, write_page
from realtime_pose.figures.person_motion import PersonMotion, motion_of
from realtime_pose.figures.skeleton import figure_points, skeleton_figure

POSES = [result.people[0].pose for result in make_clip(20, seed=2)]
EVIL = '</script><script>document.title="owned"</script><img src=x onerror=alert(1)>&"\''


def page_of(poses=POSES, title="take", facts="facts", note="a note", row=4):
    motion = motion_of(poses, range(len(poses)), [i / 30 for i in range(len(poses))])
    charts = {"feet": ("", foot_height_figure(motion)), "path": ("The path", root_path_figure(motion))}
    return PlotPage(title, facts, motion, row, skeleton_figure(poses[row]), charts, ["feet"], [note])


class Reader(HTMLParser):
    """The page as a browser parses it: elements with their attributes, and the text in each."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts = [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        tag, attrs = self.elements[-1] if self.elements else ("", {})
        self.texts.setdefault(attrs.get("id") or tag, []).append(data)


@pytest.fixture(scope="module")
def text():
    return page_html(page_of())


def data_of(text):
    return json.loads(Reader(text).texts["page-data"][0])


def unpacked(data, name, kind):
    return np.frombuffer(base64.b64decode(data[name]), kind)


def test_nothing_in_it_points_outside(text):
    elements = Reader(text).elements
    assert {tag for tag, _ in elements} <= {
        "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "p", "noscript", "main", "section",
        "div", "span", "button", "input", "output", "footer", "script",
    }  # fmt: skip
    assert not [attrs for _, attrs in elements if {"src", "href", "srcset", "action"} & attrs.keys()]
    policy = next(attrs["content"] for tag, attrs in elements if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-eval" not in policy
    assert not re.search(r"script-src[^;]*unsafe|https?:|\*", policy)


def test_the_policy_names_both_scripts_and_no_other(text):
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = re.search(r"script-src ([^;]*);", text).group(1).split()
    assert policy == [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in scripts
    ]
    assert len(scripts) == 2


def test_text_from_a_file_stays_text():
    plain, evil = page_html(page_of()), page_html(page_of(title=EVIL, facts=EVIL, note=EVIL))
    count = [tag for tag, _ in Reader(plain).elements]
    assert [tag for tag, _ in Reader(evil).elements] == count
    assert "".join(Reader(evil).texts["h1"]).strip() == EVIL
    assert "".join(Reader(evil).texts["title"]).strip() == EVIL


def test_names_of_joints_cannot_end_the_data():
    page = page_of()
    figure = page.motion.figure
    names = (EVIL, *figure.names[1:])
    odd = type(figure)(figure.skeleton, figure.tips, names, figure.bones, figure.sides)
    motion = PersonMotion(**{**vars(page.motion), "figure": odd})
    text = page_html(PlotPage(**{**vars(page), "motion": motion}))
    assert [tag for tag, _ in Reader(text).elements] == [tag for tag, _ in Reader(page_html(page)).elements]
    assert "<" not in Reader(text).texts["page-data"][0]
    assert "<" not in data_of(text)["names"][0]  # Plotly reads some tags in hover texts


def test_the_player_has_every_frame_to_the_millimetre():
    poses = [None if i == 7 else pose for i, pose in enumerate(POSES)]
    page = page_of(poses)
    data = data_of(page_html(page))
    drawn, centre = figure_points(page.motion.points_m)
    points = unpacked(data, "points", "<i2").reshape(drawn.shape)
    assert unpacked(data, "frames", "<i4").tolist() == list(range(20))
    assert unpacked(data, "times", "<f4") == pytest.approx([i / 30 for i in range(20)])
    there = [i for i in range(20) if i != 7]
    assert np.abs(points[there] / 1000 - drawn[there]).max() <= 0.0005001
    assert points[7, 0, 0] == -32768
    assert unpacked(data, "centres", "<f4").reshape(-1, 2)[there] == pytest.approx(centre[there][:, [0, 2]], abs=1e-5)
    bits = np.unpackbits(unpacked(data, "known", np.uint8).reshape(20, -1), axis=1, bitorder="little")
    assert (bits[:, : drawn.shape[1]].astype(bool) == page.motion.known).all()
    assert data["row"] == 4


@pytest.mark.parametrize(("count", "row"), [(PLAYED_FRAMES, 5), (PLAYED_FRAMES + 1, 17_999), (5 * PLAYED_FRAMES, 3)])
def test_of_long_takes_it_plays_evenly_spaced_frames_and_the_wanted_one(count, row):
    nothing = np.empty(0)
    rows = played_rows(PersonMotion(0, None, np.arange(count), nothing, nothing, nothing, nothing), row)
    assert len(rows) <= PLAYED_FRAMES
    assert len(rows) > PLAYED_FRAMES // 2 - 1
    assert row in rows
    assert len({*np.diff(rows).tolist()}) == 1


def test_far_out_places_do_not_break_the_page():
    far = [type(POSES[0])(p.rotations, p.root_m, p.bone_m * np.float32(1e30), p.score, 0, 0) for p in POSES[:3]]
    points = unpacked(data_of(page_html(page_of(far, row=0))), "points", "<i2")
    assert np.abs(points.astype(int)).max() == 32_767


# --- the file ---------------------------------------------------------------------------------------------------------


def test_a_page_replaces_a_page_and_nothing_else(tmp_path):
    path = tmp_path / "new" / "page.html"
    write_page(path, page_of())
    write_page(path, page_of(title="again"))
    assert "<h1>again</h1>" in path.read_text(encoding="utf-8")
    assert [p.name for p in path.parent.iterdir()] == ["page.html"]
    path.write_text("<html>mine</html>", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"page.html exists and is not a page of this command"):
        write_page(path, page_of())
    assert path.read_text(encoding="utf-8") == "<html>mine</html>"


def test_only_a_page_can_be_written(tmp_path):
    with pytest.raises(ConfigError, match=r"session.rtpose is not a name for a page; give one that ends in .html"):
        write_page(tmp_path / "session.rtpose", page_of())
    assert not (tmp_path / "session.rtpose").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match=r"cannot write .*choose another path with --out"):
        write_page(tmp_path / "file" / "page.html", page_of())


def test_a_partial_page_is_removed_when_the_disk_is_full(tmp_path, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(RecordingError, match="No space left on device"):
        write_page(tmp_path / "page.html", page_of())
    assert list(tmp_path.iterdir()) == []
