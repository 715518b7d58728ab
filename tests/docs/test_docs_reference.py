"""Generated pages and drawings: the committed files are up to date and complete."""

import re
from dataclasses import fields

import make_architecture
import make_drawings as drawings
import make_reference as reference
import pytest
from support.pages import MADE, ROOT, named

from realtime_pose.config import AppConfig
from realtime_pose.skeletons import COCO17, HUMANOID


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_the_programs(name):
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert committed == reference.PAGES[name](), "run: .venv/bin/python docs/make_reference.py"


@pytest.mark.parametrize("name", drawings.DRAWINGS)
def test_the_drawings_are_the_programs(name):
    committed = (ROOT / "docs" / "drawings" / name).read_text(encoding="utf-8")
    assert committed == drawings.DRAWINGS[name](), "run: .venv/bin/python docs/make_drawings.py"


def test_nothing_is_left_over_of_earlier_ones():
    assert {named(path) for path in MADE} == {f"docs/reference/{name}" for name in reference.PAGES}
    assert {path.name for path in (ROOT / "docs" / "reference").iterdir()} == {*reference.PAGES}
    assert {path.name for path in (ROOT / "docs" / "drawings").iterdir()} == {
        *drawings.DRAWINGS, make_architecture.DRAWING.name,
    }  # fmt: skip


def test_every_setting_is_explained():
    page = reference.settings_page()
    for section in fields(AppConfig):
        for setting in fields(section.default_factory):
            (row,) = [line for line in page.split(f"## {section.name}\n")[1].split("\n## ")[0].splitlines()
                      if line.startswith(f"| `{setting.name}` |")]  # fmt: skip
            _, _, default, what, _, _ = re.split(r" ?(?<!\\)\| ?", row)
            assert default.strip("`")
            assert len(what) > 10


def test_the_drawings_name_every_joint_and_keypoint_once():
    for name, rows in (("skeleton.svg", HUMANOID.joints), ("keypoints.svg", COCO17.names)):
        words = re.findall(r">(\d+ \w+)</text>", drawings.DRAWINGS[name]())
        assert sorted(words) == sorted(f"{row} {joint}" for row, joint in enumerate(rows))


def test_the_axes_are_those_of_the_conventions_table():
    """The direction of each axis, as in the table of conventions.md."""
    said = re.findall(r">([xyz]) (left|right|up|down|front|back)</text>", drawings.axes_drawing())
    spaces = [dict(sorted(said[i : i + 3])) for i in range(0, len(said), 3)]
    assert spaces == [
        {"x": "left", "y": "up", "z": "front"},
        {"x": "right", "y": "up", "z": "front"},
        {"x": "left", "y": "front", "z": "up"},
        {"x": "left", "y": "back", "z": "up"},
        {"x": "front", "y": "up", "z": "right"},
    ]
