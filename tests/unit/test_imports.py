"""Imports: light packages first, every module imports, and every name of a lazy table exists."""

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import realtime_pose
from realtime_pose.capture.sources import SOURCES
from realtime_pose.communication.sinks import SINKS
from realtime_pose.ik.table import SOLVERS
from realtime_pose.inference.detectors.table import DETECTORS
from realtime_pose.inference.estimators import ESTIMATORS
from realtime_pose.lifting.table import LIFTERS
from realtime_pose.utils.choices import load_choice

HEAVY = {"torch", "cv2", "mediapipe", "mmpose", "mmengine", "transformers", "ikpy", "av", "matplotlib"}
MEDIUM = {"scipy", "yaml", "rich", "typer", "huggingface_hub", "safetensors"}
ACTOR_EXTRA = {"pyvista", "vtk", "vtkmodules", "skimage", "trimesh", "fast_simplification", "pygltflib"}
TABLES = {
    "SOURCES": SOURCES,
    "SINKS": SINKS,
    "LIFTERS": LIFTERS,
    "SOLVERS": SOLVERS,
    "DETECTORS": DETECTORS,
    "ESTIMATORS": ESTIMATORS,
}
MODULES = sorted(module.name for module in pkgutil.walk_packages(realtime_pose.__path__, "realtime_pose."))
IMPORT_THEN_LIST = (
    "import importlib, json, sys; importlib.import_module(sys.argv[1]); print(json.dumps([*sys.modules]))"
)


def imported_by(module):
    """The top-level packages that a fresh interpreter has after importing `module`."""
    command = [sys.executable, "-W", "error", "-c", IMPORT_THEN_LIST, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return {name.split(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize("module", ["realtime_pose", "realtime_pose.skeletons", "realtime_pose.datatypes"])
def test_the_package_and_its_datatypes_need_numpy_alone(module):
    assert not imported_by(module) & (HEAVY | MEDIUM)


@pytest.mark.parametrize(
    "module",
    [
        "realtime_pose.cli",
        "realtime_pose.config",
        "realtime_pose.kinematics",
        "realtime_pose.communication.packets.pose_packet",
        "realtime_pose.ik.table",
        "realtime_pose.inference.estimators",
        "realtime_pose.inference.detectors.table",
        "realtime_pose.capture.sources",
    ],
)
def test_heavy_libraries_are_imported_on_use(module):
    assert not imported_by(module) & HEAVY


@pytest.mark.parametrize("module", MODULES)
def test_every_module_imports(module):
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if module.startswith("tools.actor") and str(exc.name).split(".")[0] in ACTOR_EXTRA:
            pytest.skip(f"needs the actor extra: {exc}")
        raise


def test_every_file_is_among_the_modules():
    root = Path(realtime_pose.__file__).parent
    files = {path for path in root.rglob("*.py") if path.name != "__init__.py"}
    assert {"realtime_pose." + ".".join(path.relative_to(root).with_suffix("").parts) for path in files} <= {*MODULES}


@pytest.mark.parametrize(("table", "name"), [(table, name) for table, rows in TABLES.items() for name in rows])
def test_every_lazy_name_is_callable(table, name):
    assert callable(load_choice(table, name, TABLES[table]))


def test_every_lazy_table_is_listed_here():
    tables = {
        name
        for module in MODULES
        if not module.startswith("tools.actor")
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, Mapping) and value
        if all(isinstance(row, str) and re.fullmatch(r"realtime_pose[\w.]*:\w+", row) for row in value.values())
    }
    assert tables == {*TABLES}
