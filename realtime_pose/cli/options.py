"""Options that several commands share, and where the value of each goes in the settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from realtime_pose.errors import ConfigError

Config = Annotated[
    list[Path] | None, typer.Option("--config", help="Settings file (YAML); may be given several times.")
]
Estimator = Annotated[
    str | None, typer.Option(help="auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h or mmpose.")
]
Checkpoint = Annotated[str | None, typer.Option(help="File of the weights, or a name that `models list` shows.")]
ModelConfig = Annotated[str | None, typer.Option(help="mmpose model config (.py). It is code: use only your own.")]
Dataset = Annotated[
    str | None, typer.Option(help="Head of a checkpoint with several: coco, aic, mpii, ap10k, apt36k or wholebody.")
]
ModelRuntime = Annotated[str | None, typer.Option("--runtime", help="auto, torch, onnxruntime, openvino or tensorrt.")]
Precision = Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16, int8 or int4.")]
FlipTest = Annotated[bool, typer.Option("--flip-test", help="Look twice, once mirrored: steadier, twice the work.")]
Detector = Annotated[
    str | None,
    typer.Option(help="Who finds people: auto, blazepose, rtdetr (-r18, -r34), yolox (-nano, -s) or whole-frame."),
]
DetectorCheckpoint = Annotated[
    str | None,
    typer.Option(help="File of the detector's weights (.onnx of YOLOX, .safetensors of RT-DETR), or a name."),
]
DetectEvery = Annotated[int | None, typer.Option(min=1, help="Frames between two looks for people.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu, cuda (or cuda:1), mps, or gpu (Intel's, by OpenVINO).")]
NoDownload = Annotated[bool, typer.Option("--no-download", help="Never fetch weights.")]
Persons = Annotated[int | None, typer.Option(min=1, help="People followed at most.")]
Single = Annotated[bool, typer.Option("--single", help="One performer, whoever else is in the picture: --persons 1.")]
Height = Annotated[float | None, typer.Option(min=0.5, max=2.5, help="Body height in metres: sets the scale.")]
Profile = Annotated[
    str | None, typer.Option(help="Your proportions: a name or .json file that `calibrate` wrote; sets the height too.")
]
Fov = Annotated[float | None, typer.Option(min=10, max=170, help="Camera's field of view in degrees, longer side.")]
LookAhead = Annotated[
    bool | None,
    typer.Option(
        "--look-ahead/--no-look-ahead", help="Smooth with what comes after too: nothing lags, all comes late."
    ),
]
Smoothing = Annotated[str | None, typer.Option(help="none, crisp, balanced or smooth.")]
Feet = Annotated[
    str | None, typer.Option(help="auto holds feet that stand, always keeps the lower one on the floor too, or never.")
]
CameraHeight = Annotated[
    float | None,
    typer.Option(min=0, max=10, help="Metres of the camera over the floor; 0 finds it by the feet."),
]
CameraPitch = Annotated[float | None, typer.Option(min=-60, max=60, help="Degrees that the camera looks down.")]
Udp = Annotated[
    list[str] | None,
    typer.Option(help="host:port[,person=ID] that PosePackets go to, e.g. 127.0.0.1:5005; may be given several times."),
]
UdpFormat = Annotated[str | None, typer.Option(help="How PosePackets go over UDP: json or binary.")]
Vmc = Annotated[list[str] | None, typer.Option(help="host[:39539][,person=ID] of a VMC receiver.")]
Livelink = Annotated[list[str] | None, typer.Option(help="host[:54321][,person=ID] of Unreal's JSON Live Link.")]
Websocket = Annotated[
    list[str] | None,
    typer.Option(help="host[:8765][,person=ID][,origin=URL] to serve packets to browsers at, e.g. 127.0.0.1:8765."),
]
OscTrackers = Annotated[
    list[str] | None, typer.Option(help="host[:9000][,person=ID] of a receiver of OSC trackers, e.g. VRChat.")
]
Mirror = Annotated[bool, typer.Option("--mirror", help="Send the pose as a mirror shows it.")]
Formats = Annotated[
    str | None, typer.Option("--format", help="Files beside the session, e.g. bvh,csv; `export --help` has them all.")
]
Character = Annotated[Path | None, typer.Option(help="Your own .glb or .vrm for motion.glb.")]
Bones = Annotated[Path | None, typer.Option(help="File that says which of its nodes are bones, where names do not.")]
Rotate = Annotated[int | None, typer.Option(help="Turn the picture clockwise by 0, 90, 180 or 270 degrees.")]
MaxFrames = Annotated[int | None, typer.Option(min=1, help="End after so many frames.")]
Report = Annotated[
    Path | None, typer.Option(help='Write the figures here (JSON); several inputs give {"files": [...]}.')
]

_SECTION_OF = {
    "capture": ("source", "width", "height_px", "fps", "backend", "mjpg", "rotate"),
    "inference": (
        "estimator", "checkpoint", "model_config", "dataset", "runtime", "precision", "device", "flip_test",
        "download", "detector", "detector_checkpoint", "detect_every", "persons",
    ),
    "body": ("height", "profile", "fov", "smoothing", "look_ahead", "feet", "camera_height", "camera_pitch"),
    "output": (
        "udp", "udp_format", "vmc", "livelink", "websocket", "osc_trackers", "mirror", "record", "formats", "character",
        "bones",
    ),
}  # fmt: skip
"""The commands' parameters that are settings, by section."""
_KEY_OF = {
    "height_px": "height", "rotate": "rotate_deg", "height": "height_m", "fov": "fov_deg",
    "camera_height": "camera_height_m", "camera_pitch": "camera_pitch_deg",
}  # fmt: skip
"""Settings that are not called as the parameter is."""
BODY = _SECTION_OF["body"]
"""Parameters that change a pose."""
_FLAGS = ("flip_test", "mirror")
"""Parameters whose False means that nothing was said."""
_PATHS = ("record", "character", "bones")
"""Parameters that are paths, and text in the settings."""
TARGETS = ("udp", "vmc", "livelink", "websocket", "osc_trackers")
"""Parameters that may be given several times; the settings have them with a space between."""


def settings_of(params: Mapping[str, Any], base: Any = None) -> Any:  # noqa: ANN401 - AppConfig, imported late
    """The settings that a command's parameters (its context's `params`) and settings files give.

    Args:
        params: By parameter name; those that are no settings are passed over.
        base: The settings to begin with; the defaults if left out.

    Raises:
        ConfigError: A file or a value is wrong.
    """
    from realtime_pose.config import AppConfig, load_config

    given = dict(params)
    given["width"], given["height_px"] = _parse_size(given.get("size"))
    given["persons"] = _persons(given.get("persons"), single=given.get("single", False))
    given["download"] = False if given.get("no_download") else None
    given |= {name: str(given[name]) for name in _PATHS if given.get(name) is not None}
    given |= {flag: given.get(flag) or None for flag in _FLAGS}
    given |= {name: " ".join(given[name]) for name in TARGETS if given.get(name) is not None}
    sections = {
        section: {_KEY_OF.get(name, name): given[name] for name in names if given.get(name) is not None}
        for section, names in _SECTION_OF.items()
    }
    return load_config(given.get("config") or [], sections, base=base or AppConfig())


def _persons(persons: int | None, *, single: bool) -> int | None:
    if single and persons not in (None, 1):
        raise ConfigError(f"--single follows one performer and --persons {persons} more; give one of the two")
    return 1 if single else persons


def _parse_size(size: str | None) -> tuple[int | None, int | None]:
    if size is None:
        return None, None
    width, _, height = size.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ConfigError(f"--size {size!r} is no resolution; write it like 1280x720")
    return int(width), int(height)
