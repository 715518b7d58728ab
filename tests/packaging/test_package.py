"""The package: the wheel's and the source archive's content, the dependencies and the version."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import realtime_pose

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SHIPPED_FOLDERS = ("configs", "resources", "schema")
SHIPPED_FILES = ("checkpoints/manifest.json",)
PINNED = re.compile(r"\b(mediapipe|mmpose)==(\d[\w.]*\w)")
MADE = ("vitpose", "onnx", "openvino", "int8", "dashboard", "schema")  # the extras that `make install` brings
IMPORT_AND_PRINT = """
import json, sys, time
began = time.perf_counter()
import realtime_pose
print(json.dumps([time.perf_counter() - began, sorted({name.split(".")[0] for name in sys.modules})]))
"""


def requirements(name):
    """The lines of a requirements file, without comments."""
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines())
    return [line for line in lines if line]


@pytest.fixture(scope="module")
def tracked():
    """Every file of the repository that git does not ignore, committed or not yet."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nobody can say what belongs to it")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the wheel's files, and an environment in which Python imports the package from there."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(folder)
    return folder, {**os.environ, "PYTHONPATH": str(folder)}


def run_python(*arguments, cwd, env=None):
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_brings_nothing_heavy(tmp_path, capsys):
    seconds, modules = json.loads(run_python("-c", IMPORT_AND_PRINT, cwd=tmp_path))
    with capsys.disabled():
        print(f"import realtime_pose: {seconds:.3f} s")
    heavy = "torch cv2 streamlit mediapipe mmengine mmpose transformers openvino onnxruntime scipy av plotly matplotlib"
    assert not {*heavy.split()} & {*modules}


def test_the_version_is_in_one_place(tracked):
    assert SETTINGS["project"]["dynamic"] == ["version"]
    assert SETTINGS["tool"]["hatch"]["version"]["path"] == "realtime_pose/__init__.py"
    assert not re.search(r"^(version|date-released):", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)
    said = [name for name in tracked if name.endswith(".py") and "__version__ = " in (ROOT / name).read_text("utf-8")]
    assert [name for name in said if name != Path(__file__).relative_to(ROOT).as_posix()] == [
        "realtime_pose/__init__.py"
    ]


def ranges(*extras):
    """{package: its range} of the base and of extras, which must agree where they name one package."""
    optional, found = SETTINGS["project"]["optional-dependencies"], {}
    for line in [*SETTINGS["project"]["dependencies"], *(line for extra in extras for line in optional[extra])]:
        wanted = Requirement(line)
        assert found.setdefault(canonicalize_name(wanted.name), wanted.specifier) == wanted.specifier, line
    return found


def pins(name):
    """{package: its one version} of a requirements file's exact lines."""
    lines = map(Requirement, (line for line in requirements(name) if "==" in line))
    return {canonicalize_name(pin.name): re.fullmatch(r"==(\d[\w.]*)", str(pin.specifier))[1] for pin in lines}


def test_pip_installs_what_was_proved():
    """Each pin lies in its range, and every package of the extras that `make` installs has a pin."""
    wanted, proved = ranges(*MADE), pins("requirements.txt")
    assert len(proved) == len(requirements("requirements.txt"))
    assert proved.keys() == wanted.keys()
    assert [name for name, version in proved.items() if version not in wanted[name]] == []


def test_development_pins_are_within_the_ranges_of_the_extras():
    optional = [extra for extra in SETTINGS["project"]["optional-dependencies"] if extra != "all"]
    wanted, proved = ranges(*optional), pins("requirements-dev.txt")
    both = wanted.keys() & proved.keys()
    assert {"gradio", "pyarrow"} <= both
    assert [name for name in both if proved[name] not in wanted[name]] == []


def test_versions_to_install_are_those_of_the_requirements_file(tracked):
    proved = dict(PINNED.findall("\n".join(requirements("requirements-nodeps.txt"))))
    assert set(proved) == {"mediapipe", "mmpose"}
    told = [
        (name, package, version)
        for name in tracked
        if name.endswith((".py", ".md", ".toml", ".txt", "Dockerfile")) and not name.startswith("tests/")
        for package, version in PINNED.findall((ROOT / name).read_text("utf-8"))
    ]
    assert len(told) > len(proved)
    assert [row for row in told if proved[row[1]] != row[2]] == []


def test_the_wheel_carries_what_belongs_to_the_program_and_nothing_else(wheel, tracked):
    data = {name for name in tracked if name.startswith(tuple(f"{folder}/" for folder in SHIPPED_FOLDERS))}
    wanted = {name for name in tracked if name.startswith("realtime_pose/")}
    wanted |= {f"realtime_pose/_data/{name}" for name in data | {*SHIPPED_FILES}}
    about = f"realtime_pose-{realtime_pose.__version__}.dist-info"
    wanted |= {f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    wanted |= {f"{about}/licenses/{name}" for name in ("LICENSE", "NOTICE")}
    with zipfile.ZipFile(wheel) as files:
        assert {*files.namelist()} == wanted


def test_the_wheel_carries_what_is_easily_forgotten(wheel):
    with zipfile.ZipFile(wheel) as files:
        names = {*files.namelist()}
    for name in (
        "realtime_pose/py.typed",
        "realtime_pose/interface/.streamlit/config.toml",
        "realtime_pose/interface/dashboard/web/static/live.js",
        "realtime_pose/interface/dashboard/web/static/LICENSES.txt",
        "realtime_pose/_data/resources/lifter/lifter.safetensors",
        "realtime_pose/_data/resources/models/default_model.glb",
        "realtime_pose/_data/resources/videos/default.mp4",
        "realtime_pose/_data/checkpoints/manifest.json",
        "realtime_pose/_data/configs/default.yaml",
    ):
        assert name in names


def test_the_source_archive_is_the_repository(tracked):
    builders = pytest.importorskip("hatchling.builders.sdist", reason="hatchling, which builds the archive, is missing")
    files = builders.SdistBuilder(str(ROOT)).recurse_included_files()
    assert {Path(file.distribution_path).as_posix() for file in files} == tracked


def test_from_a_wheel_the_demo_runs_in_any_folder(installed, tmp_path):
    folder, env = installed
    env = {**env, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    where = run_python("-c", "import realtime_pose; print(realtime_pose.__file__)", cwd=tmp_path, env=env)
    assert Path(where.strip()).is_relative_to(folder)
    demo = ["run", "--source", "actor", "--no-download", "--estimator", "blazepose", "--max-frames", "5"]
    run_python("-m", "realtime_pose", *demo, "--report", "report.json", cwd=tmp_path, env=env)
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["frames"], report["persons_max"]) == (5, 1)
