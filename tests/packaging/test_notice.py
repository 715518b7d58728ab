"""NOTICE names everything that is bundled with the program, and every package that it installs."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTICE = (ROOT / "NOTICE").read_text("utf-8")
STATIC = ROOT / "realtime_pose" / "interface" / "dashboard" / "web" / "static"
ROWS = dict(re.findall(r"^\| ([@\w][\w@/. -]*?) *\| ([^|]*?) *\|", NOTICE, re.MULTILINE))


def same(name):
    """A package's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


LICENCE_OF = {same(name): licence for name, licence in ROWS.items()}


def packages(lines):
    """The packages that lines of a requirements file name."""
    bare = (line.partition("#")[0].strip() for line in lines)
    return {same(re.match(r"[\w.-]+", line)[0]) for line in bare if line}


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def asked_for():
    """Every package that the program is installed with, by file and extra."""
    files = {name: (ROOT / name).read_text("utf-8").splitlines() for name in
             ("requirements.txt", "requirements-nodeps.txt")}  # fmt: skip
    extras = {name: lines for name, lines in project()["optional-dependencies"].items() if name != "all"}
    return files | {"pyproject.toml": project()["dependencies"], **extras}


@pytest.mark.parametrize("place", asked_for())
def test_every_python_package_has_a_line_with_its_licence(place):
    named = packages(asked_for()[place])
    assert named, f"nothing is read from {place}"
    assert {name for name in named if not LICENCE_OF.get(name)} == set()


def test_no_line_is_left_over_from_a_package_that_nothing_asks_for():
    python = NOTICE.partition("2. PYTHON PACKAGES")[2].partition("\n3. ")[0]
    named = {same(name) for name in re.findall(r"^\| ([\w.-]+) +\| \S", python, re.MULTILINE)} - {"package"}
    assert named - set().union(*map(packages, asked_for().values())) == set()


def test_everything_that_the_viewers_bundle_asks_for_is_named():
    package = json.loads((ROOT / "viewer" / "package.json").read_text("utf-8"))
    assert package["dependencies"]
    assert [name for name in package["dependencies"] if not ROWS.get(name)] == []
    assert [name for name in package["devDependencies"] if name not in NOTICE] == []


def test_everything_in_the_bundle_is_named():
    rule = "-" * 80
    parts = (STATIC / "LICENSES.txt").read_text("utf-8").split(rule)[1:]
    names = [re.match(r"@?[\w/.-]+", part.strip())[0] for part in parts]
    assert set(names) >= {"three", "@pixiv/three-vrm", "meshoptimizer"}
    assert [name for name in names if name not in ROWS] == []


def test_nothing_else_of_others_lies_in_the_wheel():
    """A new font, script or weights file in the package needs a line in NOTICE, and then one here."""
    known = {
        "interface/dashboard/web/static/live.js", "figures/page.js", "figures/page.css", "py.typed",
        "interface/.streamlit/config.toml", "interface/dashboard/web/static/LICENSES.txt",
    }  # fmt: skip
    package = ROOT / "realtime_pose"
    there = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "node_modules" not in path.parts
    }
    assert there - known == set()
    for name in ("lifter.safetensors", "default_model.glb", "crops.png", "resources/videos", "schema/", "configs/"):
        assert name in NOTICE


def test_the_wheel_carries_it():
    assert set(project()["license-files"]) == {"LICENSE", "NOTICE"}
