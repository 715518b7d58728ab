"""Layout of tests/unit, which mirrors the package, and the number of modules in each folder of the package."""

from pathlib import Path

import pytest

UNIT = Path(__file__).parent
PACKAGE = UNIT.parents[1] / "realtime_pose"
MOST_MODULES = 15
TESTS = sorted(path.relative_to(UNIT) for path in UNIT.rglob("test_*.py"))
FOLDERS = sorted({path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")})
OF_THE_WHOLE_PACKAGE = {"test_mirror.py", "test_imports.py", "test_public_names.py"}
"""Tests of no single module: of the layout, of all imports, of the public names."""


def names_in(folder):
    """Names of the modules and packages in a folder of the package, and its own for tests of several modules."""
    modules = {path.stem for path in (PACKAGE / folder).glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in (PACKAGE / folder).glob("*/__init__.py")} | {folder.name}


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_every_test_is_named_after_a_module_of_its_folder(test):
    assert (PACKAGE / test.parent).is_dir(), f"{test}: the package has no folder {test.parent}"
    if str(test) in OF_THE_WHOLE_PACKAGE:
        return
    name = test.stem.removeprefix("test_")
    found = any(f"{name}_".startswith(f"{module}_") for module in names_in(test.parent))
    assert found, f"{test}: realtime_pose/{test.parent} has no module of which this is a test"


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_folder_has_few_enough_modules(folder):
    modules = [path.name for path in (PACKAGE / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, f"{folder}: {len(modules)} modules"


def test_there_is_something_to_check():
    assert len(TESTS) > 100
    assert len(FOLDERS) > 25
