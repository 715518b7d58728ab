"""Names, explanations and colours of the pipeline's stages."""

from collections.abc import Iterable
from dataclasses import dataclass

from realtime_pose.report import STAGES


@dataclass(frozen=True)
class Stage:
    """A stage as the page shows it."""

    name: str
    why: str
    colour: str


# Colours from Okabe and Ito's palette, which colour-blind people can tell apart.
_KNOWN = {
    "capture": Stage("Capture", "Reading the frame from its source.", "#999999"),
    "detect": Stage("Detect", "Finding people.", "#e69f00"),
    "estimate": Stage("Pose", "Finding the keypoints of each person: the pose model.", "#56b4e9"),
    "lift": Stage("3D", "Placing the keypoints in space.", "#009e73"),
    "solve": Stage("Joints", "Turning points into joint rotations within human limits.", "#cc79a7"),
    "filter": Stage("Filters", "Smoothing, floor and foot locking.", "#f0e442"),
    "send": Stage("Send", "Passing the result to outputs, recording and live view.", "#d55e00"),
}
_OTHER = "#0072b2"


def stage(name: str) -> Stage:
    """The stage of this name in reports; one that the page does not know is shown by its name."""
    return _KNOWN.get(name) or Stage(name, "", _OTHER)


def listed_stages(measured: Iterable[str]) -> tuple[str, ...]:
    """The stages to list, in the order of the pipeline, then any others that were measured."""
    return tuple(dict.fromkeys((*STAGES, *measured)))
