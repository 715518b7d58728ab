"""What works on this machine, and what to do about the rest."""

import os
import platform
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from realtime_pose.checkpoints import find_local, is_offline, read_manifest
from realtime_pose.errors import RealtimePoseError
from realtime_pose.utils.paths import data_path

_WITHOUT_THEIR_NEEDS = {"mediapipe": "mediapipe==0.10.21", "mmpose": "mmpose==1.1.0"}
_PACKAGES = (
    "mediapipe",
    "torch",
    "mmpose",
    "mmcv-lite",
    "opencv-python",
    "transformers",
    "openvino",
    "onnxruntime",
    "av",
    "ikpy",
)


_IN_PLACE_OF = {"opencv-python": "opencv-python-headless", "onnxruntime": "onnxruntime-gpu"}
"""Another build of the same package, which a container or a machine with a GPU has instead."""


@dataclass(frozen=True)
class Finding:
    """One line of the examination; `remedy` is empty where nothing is to be done."""

    ok: bool
    what: str
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Every finding, most basic first; never raises for something that merely does not work."""
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
    for name in _PACKAGES:
        try:
            findings.append(Finding(True, name, _version(name)))
        except metadata.PackageNotFoundError:
            findings.append(Finding(False, name, "not installed", _how_to_install(name)))
    return findings


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        if name not in _IN_PLACE_OF:
            raise
        return f"{metadata.version(_IN_PLACE_OF[name])} ({_IN_PLACE_OF[name]})"


def _how_to_install(name: str) -> str:
    """The command, the same in a checkout and beside an installed wheel."""
    if name in _WITHOUT_THEIR_NEEDS:
        return f"pip install --no-deps {_WITHOUT_THEIR_NEEDS[name]}"
    try:
        asked = metadata.requires("realtime-pose") or []
    except metadata.PackageNotFoundError:  # run from a folder of sources
        asked = []
    return f'pip install "{next((line for line in asked if re.split("[^A-Za-z0-9_.-]", line)[0] == name), name)}"'


def _cameras() -> list[Finding]:
    try:
        from realtime_pose.capture.cameras import list_cameras
    except (ImportError, OSError):
        return []  # OpenCV is missing: said among the packages
    cameras = list_cameras()
    if not cameras:
        return [
            Finding(False, "camera", "none", "plug one in, or work without: --source actor, a video, an image or a URL")
        ]
    return [
        Finding(True, "camera", f"{camera}: {camera.width}x{camera.height} at {camera.fps:.0f} Hz")
        if camera.opens
        else Finding(False, "camera", f"{camera} gives no picture", "close other programs that use it, or replug it")
        for camera in cameras
    ]


def _device() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as exc:  # OSError: one of its libraries does not load
        return [Finding(False, "device", f"torch does not import: {exc}", _how_to_install("torch"))]
    if torch.cuda.is_available():
        return [Finding(True, "device", f"cuda: {torch.cuda.get_device_name()}, and cpu with {os.cpu_count()} cores")]
    if torch.backends.mps.is_available():
        return [Finding(True, "device", f"mps, and cpu with {os.cpu_count()} cores")]
    return [Finding(True, "device", f"cpu with {os.cpu_count()} cores; no GPU that torch can use")]


def _blazepose() -> list[Finding]:
    import numpy as np

    from realtime_pose.datatypes import Frame
    from realtime_pose.inference.base import InferenceConfig

    try:
        from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator

        estimator = BlazePoseEstimator(InferenceConfig())
        estimator.estimate(Frame(np.zeros((48, 64, 3), np.uint8), 0, 0, 0), [])
        estimator.close()
    except (RealtimePoseError, ImportError, OSError) as exc:
        return [Finding(False, "blazepose", "does not run", str(exc))]
    return [Finding(True, "blazepose", "runs, its model comes with mediapipe")]


def _vitpose() -> list[Finding]:
    here = [name for name in read_manifest() if find_local(name) is not None]
    if here:
        return [Finding(True, "vitpose", f"weights here: {', '.join(here)}")]
    if is_offline():
        return [
            Finding(False, "vitpose", "no weights, and HF_HUB_OFFLINE forbids fetching them", "unset HF_HUB_OFFLINE")
        ]
    return [Finding(False, "vitpose", "no weights yet", "realtime-pose models download vitpose-s")]


def _runtimes() -> list[Finding]:
    """How fast each way of running a model was found to be on this machine, and which is taken."""
    try:
        from realtime_pose.inference.runtimes.choose import read_choices
    except (ImportError, OSError):
        return []  # said among the packages
    findings = []
    for choice in read_choices():
        for timing in choice.timings:
            way = f"{choice.model} on {choice.device} by {timing.runtime} {timing.precision}"
            ms = "does not run" if timing.ms is None else f"{timing.ms:.1f} ms a person"
            off = "" if timing.shift_px is None else f", {timing.shift_px:.2f} px off fp32"
            taken = (
                " (taken)" if (timing.runtime, timing.precision) == (choice.best.runtime, choice.best.precision) else ""
            )
            findings.append(Finding(timing.accepted, "runtime", f"{way}: {ms}{off}{taken}", timing.why_not))
    if not findings:
        findings.append(Finding(True, "runtime", "nothing timed yet; the first run with ViTPose does it"))
    return findings


def _display() -> list[Finding]:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return [
            Finding(False, "display", "none, so --show cannot open a window", "use --record DIR and watch overlay.mp4")
        ]
    return [Finding(True, "display", "there; --show opens a window")]


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
    return [Finding(True, "actor", "clip, truth and model are here; judge everything with: realtime-pose selftest")]
