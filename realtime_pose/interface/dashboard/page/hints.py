"""Hints for the user when the computer cannot keep up, or when no person is found."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from realtime_pose.config import AppConfig

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.state import StudioState

_SETTLED_S = 3.0  # the first frames are always slow
_KEEPS_UP = 0.85  # of the source's rate
_DIM_CAMERA_FPS = 20.0  # cameras halve their rate in dim light
_BIG = ("vitpose-b", "vitpose-l", "vitpose-h")


def hint(state: "StudioState", config: AppConfig) -> str:
    """One or two sentences on what would help now; empty if nothing is needed."""
    if state.phase != "running" or state.kind == "take" or state.seconds < _SETTLED_S:
        return ""
    if state.source_fps and state.fps < _KEEPS_UP * state.source_fps:
        return f"Only {state.fps:.0f} of {state.source_fps:.0f} frames a second are used. {_remedy(state, config)}"
    if state.kind == "live" and 0 < state.source_fps < _DIM_CAMERA_FPS:
        return f"The camera gives only {state.source_fps:.0f} frames a second. More light often doubles it."
    if state.persons == 0:
        return "No person found. Step back until your whole body is in the frame, in good light."
    return ""


def _remedy(state: "StudioState", config: AppConfig) -> str:
    """Advice for the slowest stage."""
    slowest = _slowest(state.stages_ms)
    if slowest == "capture":
        return "The camera or stream is slow: use a smaller frame size, or a cable instead of Wi-Fi."
    if slowest == "detect":
        every = config.inference.detect_every
        return f"The person detector takes longest: run it less often than every {every} frames."
    if slowest == "send":
        return "Sending takes longest: switch off outputs that you do not need, or stop recording."
    if slowest in ("lift", "solve", "filter"):
        return "The 3D pose takes longest: follow fewer people, or close other programs."
    return _lighter_model(state, config)


def _lighter_model(state: "StudioState", config: AppConfig) -> str:
    if state.estimator.startswith(_BIG):
        return "The pose model takes longest: choose ViTPose small, or BlazePose."
    if config.inference.persons > 1 and state.persons > 1:
        return "The pose model takes longest, once for each person: follow fewer people."
    if config.inference.flip_test:
        return "The pose model runs twice for each person: start without flip_test."
    if "auto" not in (config.inference.runtime, config.inference.precision):
        return "The pose model takes longest: set engine and precision back to Automatic, which uses the fastest."
    if state.estimator and state.estimator != "blazepose":
        return "The pose model takes longest: choose BlazePose, or close other programs."
    return "The pose model takes longest: close other programs, or use a computer with a graphics card."


def _slowest(stages_ms: Mapping[str, Mapping[str, float | None]]) -> str:
    """The stage with the highest median; empty if nothing was measured."""
    known = {name: figures.get("p50") or 0.0 for name, figures in stages_ms.items()}
    return max(known, key=lambda name: known[name]) if any(known.values()) else ""
