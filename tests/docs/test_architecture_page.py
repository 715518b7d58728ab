"""docs/architecture.md: its programs run, its tables and files exist, its drawing and reading list are up to date."""

import ast
import json
import re
import sys
import types
from pathlib import Path

import cv2
import make_architecture as architecture
import pytest
from support.actor_frames import actor_frame

from realtime_pose.lifting.table import LIFTERS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text("utf-8")
OUTDATED = "run: .venv/bin/python docs/make_architecture.py"
SOURCE, LIFTER = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a program of the page as a module, with the clip that it names in the current folder."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(LIFTERS, "cardboard", "")  # and taken out again afterwards
    height, width = actor_frame(0).image_bgr.shape[:2]
    writer = cv2.VideoWriter("dance.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 30, (width, height))
    for index in range(4):
        writer.write(actor_frame(index).image_bgr)
    writer.release()

    def running(program):
        module = types.ModuleType("program_of_the_page")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(program, str(PAGE), "exec"), vars(module))

    return running


def test_the_source_gives_its_frames(run, capsys):
    run(SOURCE)
    assert capsys.readouterr().out.splitlines() == ["10"]


def test_the_lifter_is_used(run, capsys):
    run(LIFTER)
    roots = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(roots) == 4
    assert all(abs(x) < 0.5 and 0.6 < y < 1.2 for x, y, _ in roots), roots  # from the floor below the first position


def test_every_table_and_promise_that_is_named_is_in_the_file_that_is_named():
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \| ([^|]+) \|$", TEXT.partition("## Parts of your own")[2], re.MULTILINE)
    assert len(rows) >= 7
    for promise, table in rows[1:] if rows[0][0] == "promise" else rows:
        if "---" in promise:
            continue
        path = re.search(r"`((?:\w+/)+\w+\.py)`", promise)[1]
        names = names_in(path)
        assert {n for n in re.findall(r"`(\w+)`", promise) if n not in names} == set()
        place = re.search(r"`((?:\w+/)+\w+\.py)`", table)
        names = names_in(place[1] if place else path)
        assert {n for n in re.findall(r"`(\w+)`", table) if n not in names} == set()


def names_in(path):
    """Names of the top-level definitions of a module."""
    found = set()
    for node in ast.parse((ROOT / "realtime_pose" / path).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def test_every_file_that_is_named_is_there():
    named = set(re.findall(r"`((?:\w+/)+\w+\.py|\w+\.py)`", TEXT))
    assert len(named) > 15
    places = (ROOT, ROOT / "realtime_pose")
    missing = {name for name in named if not any((place / name).is_file() for place in places)}
    assert missing - {"base.py"} == set()


def test_every_package_is_on_the_page():
    there = {path.name for path in (ROOT / "realtime_pose").iterdir() if (path / "__init__.py").is_file()}
    assert {name for name in there if f"`{name}/`" not in TEXT} == set()


def test_the_drawing_is_up_to_date():
    assert architecture.DRAWING.read_text(encoding="utf-8") == architecture.architecture_drawing(), OUTDATED


def test_the_reading_list_is_up_to_date():
    assert architecture.page_with_list(TEXT) == TEXT, OUTDATED
    assert f"{architecture.MARKS[0]}\n\n{architecture.reading_list()}\n" in TEXT


def test_one_frames_way_is_short():
    files = [path for path, _ in architecture.READING_ORDER]
    assert len(set(files)) == len(files) <= architecture.MOST_FILES
    assert sum(map(architecture.line_count, files)) <= architecture.MOST_LINES


def test_the_reading_list_runs_from_a_source_to_an_output():
    files = [path for path, _ in architecture.READING_ORDER]
    assert files[0].startswith("capture/")
    assert files[-1].startswith("communication/")
    packages = {path.split("/")[0].removesuffix(".py") for path in files}
    assert packages >= {"capture", "pipeline", "body_pipeline", "lifting", "ik", "filters", "runtime", "communication"}


def test_imports_of_the_drawing_point_down():
    rows = {package: number for number, row in enumerate(architecture.layers()) for package in row}
    modules, pairs = architecture.imports()
    assert set(modules) == set(rows)
    assert all(rows[importer] < rows[imported] for importer, imported in pairs)


def test_only_detours_are_left_out_of_the_drawing():
    assert architecture.without_detours({("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}) == [
        ("a", "b"), ("a", "d"), ("b", "c"),
    ]  # fmt: skip
