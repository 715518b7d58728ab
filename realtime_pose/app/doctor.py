"""Installation check: packages, cameras, devices, models and display, with a remedy for what does not work."""

import os
import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from realtime_pose.checkpoints import find_local, is_offline, read_manifest
from realtime_pose.errors import RealtimePoseError
from realtime_pose.utils.extras import install_command
from realtime_pose.utils.paths import data_path

_WITHOUT_DEPENDENCIES = {"mediapipe": "mediapipe==0.10.21", "mmpose": "mmpose==1.1.0"}
_BASE = ("mediapipe", "openvino", "opencv-python", "av", "ikpy")
_EXTRAS = {
    "torch": "vitpose",
    "transformers": "vitpose",
    "mmcv-lite": "vitpose",
    "mmpose": "vitpose",
    "onnxruntime": "onnx",
    "nncf": "int8",
    "streamlit": "dashboard",
    "plotly": "dashboard",
    "gradio": "gradio",
    "pyarrow": "parquet",
    "pillow-heif": "heic",
    "jsonschema": "schema",
}
"""Packages that a run can do without, and the extra that brings each."""

_OTHER_BUILDS = {"opencv-python": "opencv-python-headless", "onnxruntime": "onnxruntime-gpu"}
"""Another build of the same package, as used in containers or on machines with a GPU."""


@dataclass(frozen=True)
class Finding:
    """One line of the check; `remedy` is empty if nothing has to be done."""

    ok: bool
    what: str
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Every finding, most basic first; what does not work becomes a finding, not an exception."""
    checks: list[Callable[[], list[Finding]]] = [
        _python,
        _packages,
        _cameras,
        _device,
        _blazepose,
        _vitpose,
        _runtimes,
        _display,
        _actor,
    ]
    return [finding for check in checks for finding in check()]


def _python() -> list[Finding]:
    version = platform.python_version()
    ok = sys.version_info[:2] in ((3, 11), (3, 12))
    return [Finding(ok, "python", f"{version} on {platform.system()} {platform.machine()}", "" if ok else "use 3.11")]


def _packages() -> list[Finding]:
    findings = []
    for name in (*_BASE, *_EXTRAS):
        try:
            findings.append(Finding(True, name, _version(name)))
        except metadata.PackageNotFoundError:
            extra = f", of the extra {_EXTRAS[name]}" if name in _EXTRAS else ""
            findings.append(Finding(False, name, f"not installed{extra}", _install_command(name)))
    return findings


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        if name not in _OTHER_BUILDS:
            raise
        return f"{metadata.version(_OTHER_BUILDS[name])} ({_OTHER_BUILDS[name]})"


def _install_command(name: str) -> str:
    """The command that installs it, the same for a checkout and an installed wheel."""
    if name in _WITHOUT_DEPENDENCIES:
        return f"pip install --no-deps {_WITHOUT_DEPENDENCIES[name]}"
    if name in _EXTRAS:
        return install_command(_EXTRAS[name])
    try:
        requirements = metadata.requires("realtime-pose") or []
    except metadata.PackageNotFoundError:  # run from a folder of sources
        requirements = []
    return (
        f'pip install "{next((line for line in requirements if re.split("[^A-Za-z0-9_.-]", line)[0] == name), name)}"'
    )


def _cameras() -> list[Finding]:
    try:
        from realtime_pose.capture.cameras import list_cameras
    except (ImportError, OSError):
        return []  # OpenCV is missing: listed among the packages
    cameras = list_cameras()
    if not cameras:
        return [Finding(False, "camera", "none", "connect one, or use --source actor, a video, an image or a URL")]
    return [
        Finding(True, "camera", f"{camera}: {camera.width}x{camera.height} at {camera.fps:.0f} Hz")
        if camera.opens
        else Finding(False, "camera", f"{camera} gives no frames", "close other programs that use it, or reconnect it")
        for camera in cameras
    ]


def _device() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as exc:  # OSError: one of its libraries cannot be loaded
        return [Finding(False, "device", f"torch does not import: {exc}", _install_command("torch"))]
    if torch.cuda.is_available():
        return [Finding(True, "device", f"cuda: {torch.cuda.get_device_name()}, and cpu with {os.cpu_count()} cores")]
    if torch.backends.mps.is_available():
        return [Finding(True, "device", f"mps, and cpu with {os.cpu_count()} cores")]
    return [Finding(True, "device", f"cpu with {os.cpu_count()} cores; no GPU that torch can use")]


def _blazepose() -> list[Finding]:
    import numpy as np

    from realtime_pose.datatypes import Frame, PersonBox
    from realtime_pose.inference.base import InferenceConfig

    try:
        from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator

        frame = Frame(np.zeros((48, 64, 3), np.uint8), 0, 0, 0)
        box = PersonBox(np.array([0, 0, 64, 48], np.float32), 1.0, 1)
        estimator = BlazePoseEstimator(InferenceConfig())
        estimator.estimate(frame, [box])
        estimator.close()
    except (RealtimePoseError, ImportError, OSError) as exc:
        return [Finding(False, "blazepose", "does not run", str(exc))]
    return [Finding(True, "blazepose", "runs; its models lie in mediapipe's package")]


def _vitpose() -> list[Finding]:
    found = [name for name in read_manifest() if find_local(name) is not None]
    if found:
        return [Finding(True, "vitpose", f"weights: {', '.join(found)}")]
    if is_offline():
        return [Finding(False, "vitpose", "no weights, and HF_HUB_OFFLINE forbids downloads", "unset HF_HUB_OFFLINE")]
    return [Finding(False, "vitpose", "no weights yet", "realtime-pose models download vitpose-s")]


def _runtimes() -> list[Finding]:
    """The measured speed of each runtime on this machine, and which one is used."""
    try:
        from realtime_pose.inference.runtimes.choose import read_choices
    except (ImportError, OSError):
        return []  # listed among the packages
    findings = []
    for choice in read_choices():
        for timing in choice.timings:
            way = f"{choice.model} on {choice.device} by {timing.runtime} {timing.precision}"
            ms = "does not run" if timing.ms is None else f"{timing.ms:.1f} ms per person"
            off = "" if timing.shift_px is None else f", {timing.shift_px:.2f} px from fp32"
            used = (
                " (used)" if (timing.runtime, timing.precision) == (choice.best.runtime, choice.best.precision) else ""
            )
            findings.append(Finding(timing.accepted, "runtime", f"{way}: {ms}{off}{used}", timing.why_not))
    if not findings:
        findings.append(Finding(True, "runtime", "nothing timed yet; done by the first run with ViTPose"))
    return findings


def _display() -> list[Finding]:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return [
            Finding(False, "display", "none, so --show cannot open a window", "use --record DIR and watch overlay.mp4")
        ]
    return [Finding(True, "display", "available; --show opens a window")]


def _actor() -> list[Finding]:
    missing = [
        path
        for path in (
            "resources/videos/default.mp4",
            "resources/videos/default_truth.npz",
            "resources/models/default_model.glb",
        )
        if not data_path(path).is_file()
    ]
    if missing:
        return [Finding(False, "actor", f"missing: {', '.join(missing)}", "python -m tools.actor")]
    return [Finding(True, "actor", "clip, ground truth and model found; measure accuracy with: realtime-pose selftest")]
