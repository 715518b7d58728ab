"""What would help when the program cannot keep up, or sees nobody."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from realtime_pose.config import AppConfig

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.state import StudioState

_SETTLED_S = 3.0  # before it the first frames' slowness says nothing
_KEEPS_UP = 0.85  # of the source's rate
_DIM_CAMERA_FPS = 20.0  # cameras halve their rate in dim light
_BIG = ("vitpose-b", "vitpose-l", "vitpose-h")


def hint(state: "StudioState", config: AppConfig) -> str:
    """One or two sentences on what would help now; empty when all goes well."""
    if state.phase != "running" or state.kind == "take" or state.seconds < _SETTLED_S:
        return ""
    if state.source_fps and state.fps < _KEEPS_UP * state.source_fps:
        return f"Only {state.fps:.0f} of {state.source_fps:.0f} pictures a second are used. {_remedy(state, config)}"
    if state.kind == "live" and 0 < state.source_fps < _DIM_CAMERA_FPS:
        return f"The camera gives only {state.source_fps:.0f} pictures a second. More light often doubles it."
    if state.persons == 0:
        return "Nobody is seen. Step back until the picture shows you from head to feet, with light on you."
    return ""


def _remedy(state: "StudioState", config: AppConfig) -> str:
    """What helps against the stage that takes longest."""
    slowest = _slowest(state.stages_ms)
    if slowest == "capture":
        return "The camera or stream itself is slow: a smaller picture or a cable instead of wireless helps."
    if slowest == "detect":
        every = config.inference.detect_every
        return f"Looking for people takes longest: look for them less often than every {every} pictures."
    if slowest == "send":
        return "Sending takes longest: switch off outputs that nobody listens to, or stop recording."
    if slowest in ("lift", "solve"):
        return "Working out the 3D pose takes longest: follow fewer people, or close other programs."
    return _lighter_model(state, config)


def _lighter_model(state: "StudioState", config: AppConfig) -> str:
    if state.estimator.startswith(_BIG):
        return "The pose model takes longest: choose ViTPose small, or BlazePose."
    if config.inference.persons > 1 and state.persons > 1:
        return "The pose model takes longest, once for each person: follow fewer people."
    if config.inference.flip_test:
        return "The pose model looks twice at each person: start without flip_test."
    if "auto" not in (config.inference.runtime, config.inference.precision):
        return "The pose model takes longest: set engine and number format back to Automatic, which takes the fastest."
    if state.estimator and state.estimator != "blazepose":
        return "The pose model takes longest: choose BlazePose, or close other programs."
    return "The pose model takes longest: close other programs, or use a computer with a graphics card."


def _slowest(stages_ms: Mapping[str, Mapping[str, float | None]]) -> str:
    """The stage with the highest median; empty if nothing is known."""
    known = {name: figures.get("p50") or 0.0 for name, figures in stages_ms.items()}
    return max(known, key=lambda name: known[name]) if any(known.values()) else ""
