"""The mirror of the package in tests/unit: where a module's test is, and that no folder has too many modules."""

from pathlib import Path

import pytest

UNIT = Path(__file__).parent
PACKAGE = UNIT.parents[1] / "realtime_pose"
MOST_MODULES = 15
TESTS = sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))
FOLDERS = sorted({path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")})
OF_THE_WHOLE_PACKAGE = {"test_mirror.py", "test_imports.py", "test_public_names.py", "test_bad_input.py"}
"""Tests of no single module: of the layout, of all imports, of the public names, of wrong input anywhere."""


def modules_in(folder):
    """Names of the modules and packages in a folder of the package."""
    return {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"} | {
        path.parent.name for path in (PACKAGE / folder).glob("*/__init__.py")
    }


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_every_test_is_named_after_a_module_in_the_same_place(test):
    assert (PACKAGE / test.parent).is_dir(), f"{test}: the package has no folder {test.parent}"
    if str(test) in OF_THE_WHOLE_PACKAGE:
        return
    name = test.stem.removeprefix("test_")
    beginnings = {module for module in modules_in(test.parent) if f"{name}_".startswith(f"{module}_")}
    assert beginnings, f"{test}: realtime_pose/{test.parent} has no module whose name its name begins with"


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_has_few_enough_modules(folder):
    modules = [path.name for path in (PACKAGE / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, f"{folder}: {len(modules)} modules"


def test_there_is_something_to_check():
    assert len(TESTS) > 100
    assert len(FOLDERS) > 25
