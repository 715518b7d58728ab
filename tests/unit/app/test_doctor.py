"""Installation check: every fault has a remedy, and nothing makes the check itself fail."""

import subprocess
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from realtime_pose.app import doctor
from realtime_pose.app.doctor import examine
from realtime_pose.capture.cameras import CameraInfo
from realtime_pose.errors import CheckpointError


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """No camera, no weights and no hub, whatever this machine has."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("realtime_pose.capture.cameras.list_cameras", list)
    monkeypatch.setattr(doctor, "find_local", lambda name: None)


@pytest.fixture
def blazepose(monkeypatch):
    """A stand-in for BlazePose that starts quickly, or raises the exception in `failure`."""
    state = SimpleNamespace(failure=None, closed=0)

    class StandIn:
        def __init__(self, config):
            if state.failure:
                raise state.failure

        def estimate(self, frame, boxes):
            return []

        def close(self):
            state.closed += 1

    monkeypatch.setattr("realtime_pose.inference.landmarks.blazepose.BlazePoseEstimator", StandIn)
    return state


def finding(what):
    found = [entry for entry in examine() if entry.what == what]
    assert len(found) == 1
    return found[0]


def test_this_machine_is_examined_and_blazepose_truly_runs():
    findings = examine()
    by_name = {entry.what: entry for entry in findings}
    assert by_name["python"].ok
    assert by_name["blazepose"].ok, by_name["blazepose"]
    assert by_name["actor"].ok
    assert {"mediapipe", "torch", "mmpose", "opencv-python", "av", "camera", "vitpose", "display"} <= by_name.keys()
    assert all(entry.found for entry in findings)
    assert all(bool(entry.remedy) != entry.ok for entry in findings)  # only faults have a remedy


def test_an_old_python_is_reported(monkeypatch, blazepose):
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 4))
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.10.4")
    entry = finding("python")
    assert (entry.ok, entry.remedy) == (False, "use 3.11")
    assert entry.found.startswith("3.10.4 on ")


def test_another_build_of_a_package_is_as_good(monkeypatch, blazepose):
    version = metadata.version

    def headless(name):
        if name == "opencv-python":
            raise metadata.PackageNotFoundError(name)
        return "5.0" if name == "opencv-python-headless" else version(name)

    monkeypatch.setattr(doctor.metadata, "version", headless)
    assert finding("opencv-python") == doctor.Finding(True, "opencv-python", "5.0 (opencv-python-headless)")


def test_a_missing_package_is_named_with_the_command_that_brings_it(monkeypatch, blazepose):
    version = metadata.version

    def without_ikpy(name):
        if name == "ikpy":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_ikpy)
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: ["ikpy-more>=9", "ikpy==4.2.1"])
    assert finding("ikpy") == doctor.Finding(False, "ikpy", "not installed", 'pip install "ikpy==4.2.1"')
    assert finding("av").ok


def test_a_missing_extra_is_named_with_the_command_that_brings_it(monkeypatch, blazepose):
    version = metadata.version

    def without_onnxruntime(name):
        if name.startswith("onnxruntime"):
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_onnxruntime)
    entry = finding("onnxruntime")
    assert entry.found == "not installed, of the extra onnx"
    assert entry.remedy == 'pip install "realtime-pose[onnx]"'


def test_a_package_with_conflicting_dependencies_is_installed_without_them(monkeypatch, blazepose):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", nothing)
    monkeypatch.setattr(doctor.metadata, "requires", nothing)
    assert finding("mediapipe").remedy == "pip install --no-deps mediapipe==0.10.21"
    assert finding("av").remedy == 'pip install "av"'


def test_cameras(monkeypatch, blazepose):
    assert finding("camera").found == "none"
    assert "--source actor" in finding("camera").remedy
    cameras = [CameraInfo(0, "Desk cam", True, 1280, 720, 30.0), CameraInfo(2, "", opens=False)]
    monkeypatch.setattr("realtime_pose.capture.cameras.list_cameras", lambda: cameras)
    works, fails = [entry for entry in examine() if entry.what == "camera"]
    assert (works.ok, works.found) == (True, "0 (Desk cam): 1280x720 at 30 Hz")
    assert (fails.ok, fails.found) == (False, "2 gives no frames")


def test_a_blazepose_that_does_not_start_is_a_finding(blazepose):
    assert finding("blazepose").ok
    assert blazepose.closed == 1
    blazepose.failure = CheckpointError("BlazePose does not start (no model)")
    entry = finding("blazepose")
    assert (entry.ok, entry.remedy) == (False, "BlazePose does not start (no model)")


def test_weights(monkeypatch, blazepose):
    assert "HF_HUB_OFFLINE" in finding("vitpose").found
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(doctor, "is_offline", lambda: False)
    assert finding("vitpose").found == "no weights yet"
    assert not finding("vitpose").ok
    monkeypatch.setattr(doctor, "find_local", lambda name: "here" if name == "vitpose-b" else None)
    assert finding("vitpose") == doctor.Finding(True, "vitpose", "weights: vitpose-b")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_display(monkeypatch, blazepose):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not finding("display").ok
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert finding("display").ok


def test_a_missing_actor_reports_how_to_make_it(monkeypatch, blazepose, tmp_path):
    monkeypatch.setattr(doctor, "data_path", lambda relative: tmp_path / relative)
    entry = finding("actor")
    assert entry.remedy == "python -m tools.actor"
    assert entry.found.count("resources/") == 3


WITHOUT = """
import sys
from importlib.abc import MetaPathFinder
class Faulty(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        fault = {"MISSING": ModuleNotFoundError, "BROKEN": OSError}.get(faults.get(name.split(".")[0]))
        if fault:
            raise fault(f"{name} does not load")
faults = dict(argument.split("=") for argument in sys.argv[1:])
sys.meta_path.insert(0, Faulty())
from realtime_pose.app.doctor import examine
print(*(f"{entry.what}={entry.ok}" for entry in examine()))
"""


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        (("cv2=MISSING", "torch=MISSING"), {"python=True", "blazepose=False", "device=False"}),
        (("cv2=BROKEN", "torch=BROKEN"), {"python=True", "blazepose=False", "device=False"}),
        (("mediapipe=MISSING", "torch=BROKEN"), {"python=True", "blazepose=False", "device=False"}),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else "",
)
def test_it_speaks_also_where_packages_are_missing_or_broken(faults, says):
    command = [sys.executable, "-c", WITHOUT, *faults]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert says <= set(done.stdout.split())


def test_timings_are_listed_with_the_choice(monkeypatch):
    from realtime_pose.inference.runtimes import choose
    from realtime_pose.inference.runtimes.choose import Choice, Timing

    timings = (
        Timing("openvino", "int8", 9.0, 3.2, False, "its keypoints are 3.20 px off fp32's, more than 0.5 px"),
        Timing("openvino", "bf16", 15.0, 0.1, True),
        Timing("onnxruntime", "fp32", None, None, False, "it is not well"),
    )
    monkeypatch.setattr(choose, "read_choices", lambda: [Choice("vitpose-s", "cpu", timings)])
    rows = [entry for entry in examine() if entry.what == "runtime"]
    assert [row.ok for row in rows] == [False, True, False]
    assert rows[0].remedy.startswith("its keypoints are 3.20 px off")
    assert rows[1].found == "vitpose-s on cpu by openvino bf16: 15.0 ms per person, 0.10 px from fp32 (used)"
    assert rows[2].found == "vitpose-s on cpu by onnxruntime fp32: does not run"


def test_a_missing_timing_is_reported(monkeypatch):
    from realtime_pose.inference.runtimes import choose

    monkeypatch.setattr(choose, "read_choices", list)
    assert finding("runtime").found.startswith("nothing timed yet")
