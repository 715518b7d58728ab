"""Paths of shipped files, in a checkout and in an installed wheel."""

import re
import tomllib
from pathlib import Path

import pytest

from realtime_pose.utils import paths
from realtime_pose.utils.paths import data_path, is_on_network

ROOT = Path(__file__).parents[3]
NAMED = sorted(
    {
        match
        for file in (ROOT / "realtime_pose").rglob("*.py")
        for match in re.findall(r'"((?:configs|resources|schema|checkpoints)/[\w./-]+)"', file.read_text("utf-8"))
    }
)


def test_the_search_for_file_names_finds_some():
    assert "resources/videos/default.mp4" in NAMED


@pytest.mark.parametrize("relative", ["configs/default.yaml", *NAMED])
def test_every_file_that_the_code_names_exists(relative):
    assert data_path(relative).is_file()
    assert data_path(relative).is_absolute()


def test_in_a_wheel_data_lies_inside_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path / "realtime_pose")
    assert data_path("configs/default.yaml") == tmp_path / "configs" / "default.yaml"
    (tmp_path / "realtime_pose" / "_data").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()  # files of other packages in site-packages do not matter
    assert data_path("configs/default.yaml") == tmp_path / "realtime_pose" / "_data" / "configs" / "default.yaml"


@pytest.mark.parametrize("relative", NAMED)
def test_a_wheel_has_every_file_that_the_code_names(relative):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shipped = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    into = [source for source, target in shipped.items() if target == f"realtime_pose/_data/{source}"]
    assert any(Path(relative).is_relative_to(source) for source in into), f"{relative} is in no folder that a wheel has"


def test_paths_to_other_computers_are_known_by_their_first_characters():
    for path in (
        r"\\host\share",
        "//host/share",
        r"\/host",
        r"/\host",
        r"\\?\C:\a",
        r"\\.\COM1",
        r"\??\UNC\host",
        " //host",
    ):
        assert is_on_network(path)
    for path in ("a.mp4", "/home/a.mp4", r"C:\a.mp4", "~/a.mp4", "a//b", "", "?", "/?a"):
        assert not is_on_network(path)
