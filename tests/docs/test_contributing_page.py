"""CONTRIBUTING.md: the files, tables and tests that it names exist."""

import re

import pytest
from support.pages import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Where a change goes")[1].split("\n## ")[0]
PATHS = sorted(set(re.findall(r"`((?:[\w.]+/)+(?:[\w.]+)?|\w+\.(?:py|yml))`", SECTION)))
TABLES = re.findall(r"\| `(\w+)` in `([\w./]+\.py)` \|", SECTION)


@pytest.mark.parametrize("path", PATHS)
def test_paths_named_on_the_page_exist(path):
    places = (ROOT / path, ROOT / "realtime_pose" / path)
    assert any(place.exists() for place in places)


@pytest.mark.parametrize(("name", "path"), TABLES)
def test_every_table_is_in_its_file(name, path):
    code = (ROOT / "realtime_pose" / path).read_text(encoding="utf-8")
    assert re.search(rf"^(?:{name}\b.*=|(?:def|class) {name}\b)", code, re.MULTILINE)


def test_there_is_something_to_check():
    assert len(PATHS) > 25
    assert len(TABLES) >= 9
