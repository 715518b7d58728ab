"""Settings of the model, of people and of motion."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
from realtime_pose.checkpoints import find_local, read_manifest
from realtime_pose.checkpoints.manifest import folders as checkpoint_folders
from realtime_pose.errors import ConfigError
from realtime_pose.inference.base import DEVICES, PRECISIONS, RUNTIMES
from realtime_pose.inference.estimators import ESTIMATORS
from realtime_pose.interface.dashboard.engine.sources.input_files import (
    MODEL_CONFIG_SUFFIXES,
    WEIGHT_SUFFIXES,
    allowed_file,
    listed_files,
)
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import (
    apply_widget,
    attempt,
    change,
    sentence_of,
    set_problem,
    show_problem,
    value_of,
)
from realtime_pose.utils.paths import data_path

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_ESTIMATOR_NAMES = {
    "auto": "Automatic", "blazepose": "BlazePose", "vitpose-s": "ViTPose small", "vitpose-b": "ViTPose base",
    "vitpose-l": "ViTPose large", "vitpose-h": "ViTPose huge", "mmpose": "mmpose (config file)",
}  # fmt: skip
_DEVICE_NAMES = {
    "auto": "Automatic", "cpu": "CPU", "cuda": "NVIDIA GPU (cuda)", "mps": "Apple GPU (mps)", "gpu": "Intel GPU (gpu)",
}  # fmt: skip
_RUNTIME_NAMES = {
    "auto": "Automatic", "torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
    "tensorrt": "TensorRT",
}  # fmt: skip
_PRECISION_NAMES = {
    "auto": "Automatic", "fp32": "32 bits (fp32)", "bf16": "16 bits (bf16)", "fp16": "16 bits (fp16)",
    "int8": "8 bits (int8)", "int4": "4 bits (int4)",
}  # fmt: skip
_SMOOTHING_NAMES = {"none": "None", "crisp": "Crisp", "balanced": "Balanced", "smooth": "Smooth"}
_FEET_NAMES = {"auto": "Lock standing feet", "always": "Always on the floor", "never": "Off"}
_BUILT_IN = ""
_EVERYONE = -1
_LOCK, _OFFERED = "lock.on", "lock.offered"
_LEFT_KEPT = 8


def estimator_name(name: str) -> str:
    """The display name of an estimator, e.g. "ViTPose small" for vitpose-s; the name itself if it has no other."""
    return _ESTIMATOR_NAMES.get(name, name)


def _choice(
    studio: "StudioApi", label: str, name: str, names: Mapping[str, str], choices: Sequence[str], why: str
) -> None:
    """A list of choices; a value that is set and not in it (cuda:1) is added."""
    held = value_of(studio.config, name)
    options = list(choices) if held in choices else [*choices, held]
    st.selectbox(
        label, options, key=name, format_func=lambda choice: names.get(choice, choice), on_change=apply_widget,
        args=(studio, name), help=why, filter_mode=None,
    )  # fmt: skip
    show_problem(name)


def model_section(studio: "StudioApi") -> None:
    """Model, device and runtime, and those in use."""
    _model_choices(studio)
    _active_model(studio)


@fragment()
def _model_choices(studio: "StudioApi") -> None:
    _choice(
        studio, "Pose model", "inference.estimator", {n: _with_download(n) for n in _ESTIMATOR_NAMES},
        ("auto", *ESTIMATORS),
        "Finds the keypoints of the body in a frame. BlazePose is fast; ViTPose is more "
        "accurate, and slower the larger it is. Automatic uses ViTPose small, or BlazePose if that is not on this "
        "computer.",
    )  # fmt: skip
    _choice(studio, "Device", "inference.device", _DEVICE_NAMES, DEVICES, "The CPU or GPU that runs the model.")
    with st.expander("Advanced model settings", key="model.more"):
        _choice(
            studio, "Engine", "inference.runtime", _RUNTIME_NAMES, RUNTIMES,
            "The library that runs ViTPose. Automatic measures the installed ones once and uses the fastest.",
        )  # fmt: skip
        _choice(
            studio, "Precision", "inference.precision", _PRECISION_NAMES, PRECISIONS,
            "Numeric precision: fewer bits are faster and slightly less accurate.",
        )  # fmt: skip
        _file_choice(
            studio, "Weights", "inference.checkpoint", WEIGHT_SUFFIXES,
            "A checkpoint file for the model. Choose one, or type its path; it must be in the folder checkpoints, "
            "or in one that was allowed with --allow.",
        )  # fmt: skip
        _file_choice(
            studio, "Model config", "inference.model_config", MODEL_CONFIG_SUFFIXES,
            "An mmpose model config (.py). It is code that will run: use only files that you trust. It must be in the "
            "folder configs, or in one that was allowed with --allow.",
        )  # fmt: skip


def _with_download(name: str) -> str:
    """The display name, and whether choosing it downloads its weights."""
    needed = name in read_manifest() and find_local(name) is None
    return f"{estimator_name(name)} (download)" if needed else estimator_name(name)


def _active_text(studio: "StudioApi") -> str:
    state = studio.state()
    if not state.estimator:
        return "The model in use is shown here after Start."
    where = ", ".join(filter(None, (state.device, state.precision)))
    return f"In use: **{estimator_name(state.estimator)}** with {state.runtime} ({where})"


@fragment(2.0, _active_text)
def _active_model(studio: "StudioApi") -> None:
    with st.container(key="active-model"):
        st.caption(_active_text(studio))


def allowed_folders(studio: "StudioApi") -> tuple[Path, ...]:
    """Folders of weights and model configs: the program's, and those allowed with --allow."""
    return (data_path("configs"), *checkpoint_folders(), *studio.folders.allowed)


def _file_choice(studio: "StudioApi", label: str, name: str, suffixes: Sequence[str], why: str) -> None:
    held = value_of(studio.config, name)
    files = listed_files(allowed_folders(studio), suffixes)
    options = [_BUILT_IN, *files] if held in (_BUILT_IN, *files) else [_BUILT_IN, *files, held]
    st.selectbox(
        label, options, key=name, accept_new_options=True, on_change=_file_chosen, args=(studio, name, label, suffixes),
        format_func=lambda path: Path(path).name if path else "Built-in", help=why,
    )  # fmt: skip
    show_problem(name)


def _file_chosen(studio: "StudioApi", name: str, label: str, suffixes: Sequence[str]) -> None:
    chosen = st.session_state[name] or _BUILT_IN
    held = value_of(studio.config, name)
    try:
        if chosen and not (name == "inference.checkpoint" and chosen in read_manifest()):
            chosen = str(allowed_file(chosen, suffixes, allowed_folders(studio), label.lower()))
    except ConfigError as exc:
        set_problem(name, sentence_of(exc))
        st.session_state[name] = held
        return
    st.session_state[name] = chosen if change(studio, {name: chosen}, field=name) else held


def motion_section(studio: "StudioApi") -> None:
    """People, filters and body."""
    _motion_choices(studio)
    _person_actions(studio)


@fragment()
def _motion_choices(studio: "StudioApi") -> None:
    _slider(
        studio, "Score threshold", "inference.score_threshold", 0.0, 1.0, 0.05,
        "Keypoints with a lower score (0 to 1) count as occluded.",
    )  # fmt: skip
    _number(studio, "People", "inference.persons", 1, 100, 1, "The most people to follow. Each one costs time.")
    _choice(
        studio, "Smoothing", "body.smoothing", _SMOOTHING_NAMES, tuple(SMOOTHING_PRESETS),
        "Crisp has the least lag and some jitter; smooth has the least jitter and some lag.",
    )  # fmt: skip
    _choice(
        studio, "Feet", "body.feet", _FEET_NAMES, ("auto", "always", "never"),
        "Standing feet are locked, so that they do not slide. Always also keeps the lower foot on the floor, so jumps "
        "are lost.",
    )  # fmt: skip
    st.toggle(
        "Mirror", key="output.mirror", on_change=apply_widget, args=(studio, "output.mirror"),
        help="Show and send the motion as in a mirror: left and right swap sides.",
    )  # fmt: skip
    show_problem("output.mirror")
    _number(
        studio, "Body height (m)", "body.height_m", 0.5, 2.5, 0.01,
        "One camera cannot measure how tall you are; this sets the scale.",
    )  # fmt: skip
    with st.expander("Advanced motion settings", key="motion.more"):
        _slider(
            studio, "Field of view (°)", "body.fov_deg", 10.0, 170.0, 1.0,
            "Of the camera, along the longer side of its frame. Webcams have about 60 to 80.",
        )  # fmt: skip
        _number(
            studio, "Camera pitch (°)", "body.camera_pitch_deg", -60.0, 60.0, 1.0,
            "Degrees that the camera looks down; 0 is exactly level. Empty: estimated from the people in view.",
            empty="estimated",
        )  # fmt: skip
        _number(
            studio, "Detector interval (frames)", "inference.detect_every", 1, 1_000_000, 1,
            "Run the person detector every N frames; people are tracked in between. A longer interval is faster, a "
            "shorter one finds new people sooner.",
        )  # fmt: skip


def _slider(studio: "StudioApi", label: str, name: str, low: float, high: float, step: float, why: str) -> None:
    st.slider(label, low, high, step=step, key=name, on_change=apply_widget, args=(studio, name), help=why)
    show_problem(name)


def _number(
    studio: "StudioApi", label: str, name: str, low: float, high: float, step: float, why: str, empty: str = ""
) -> None:
    """A field for a number; with `empty`, which says what it means, it may be left empty."""
    st.number_input(
        label, low, high, value=None if empty else "min", step=step, key=name, placeholder=empty or None,
        on_change=apply_widget, args=(studio, name), help=why,
    )  # fmt: skip
    show_problem(name)


def _follow(studio: "StudioApi") -> None:
    """Follow the chosen person; for an option that has left the list Streamlit returns its label, not its number."""
    chosen = st.session_state[_LOCK]
    if isinstance(chosen, int):
        studio.lock_on(None if chosen == _EVERYONE else chosen)


def _people_key(studio: "StudioApi") -> Hashable:
    state = studio.state()
    calibration = None if state.calibration is None else state.calibration.phase
    return state.phase, state.kind, state.people, state.locked, calibration


@fragment(1.0, _people_key)
def _person_actions(studio: "StudioApi") -> None:
    """The person to follow, calibration and recentring: what depends on the people in the frame."""
    state = studio.state()
    live = state.phase.active and state.kind != "take"
    # People who have just left stay: an open list must not change under the pointer when a detection flickers.
    present = {*state.people, *(() if state.locked is None else (state.locked,))}
    left = [person for person in st.session_state.get(_OFFERED, ()) if person not in present]
    offered = st.session_state[_OFFERED] = [*left[-_LEFT_KEPT:], *sorted(present)] if live else []
    followed = _EVERYONE if state.locked is None else state.locked
    if st.session_state.get(_LOCK) != followed:
        st.session_state[_LOCK] = followed
    st.selectbox(
        "Follow", [_EVERYONE, *sorted(offered)], key=_LOCK, disabled=not live, filter_mode=None,
        format_func=lambda person: "Everyone" if person == _EVERYONE else f"Only person {person}",
        on_change=_follow, args=(studio,),
        help="Follow one person and ignore others; their numbers are shown in the live view.",
    )  # fmt: skip
    measuring = state.calibration is not None and state.calibration.measuring
    with st.container(horizontal=True, gap="small"):
        if measuring:
            st.button(
                "Cancel", key="calibrate.cancel", on_click=attempt, args=(studio.cancel_calibration,),
                width="stretch",
            )  # fmt: skip
        else:
            st.button(
                "Measure my body", key="calibrate", disabled=not live, on_click=attempt, args=(studio.calibrate,),
                width="stretch",
                help="Calibration: counts down, then measures the length of your limbs. Your whole body must be in the "
                "frame.",
            )  # fmt: skip
        st.button(
            "Recentre", key="recentre", disabled=not live, on_click=attempt, args=(studio.recentre,), width="stretch",
            help="Move the character back to the middle of the floor. Key: r, with the live view selected.",
        )  # fmt: skip
