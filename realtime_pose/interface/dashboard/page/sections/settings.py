"""What finds the people and their pose, and how the pose is treated."""

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
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import (
    attempt,
    change,
    push,
    sentence_of,
    set_problem,
    show_problem,
    value_of,
)
from realtime_pose.interface.dashboard.web.uploads import (
    MODEL_CONFIG_SUFFIXES,
    WEIGHT_SUFFIXES,
    allowed_file,
    listed_files,
)
from realtime_pose.utils.paths import data_path

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

_ESTIMATOR_WORDS = {
    "auto": "Automatic", "blazepose": "BlazePose", "vitpose-s": "ViTPose small", "vitpose-b": "ViTPose base",
    "vitpose-l": "ViTPose large", "vitpose-h": "ViTPose huge", "mmpose": "mmpose (config file)",
}  # fmt: skip
_DEVICE_WORDS = {
    "auto": "Automatic", "cpu": "Processor (cpu)", "cuda": "NVIDIA card (cuda)", "mps": "Apple card (mps)",
    "gpu": "Intel card (gpu)",
}  # fmt: skip
_RUNTIME_WORDS = {
    "auto": "Automatic", "torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
    "tensorrt": "TensorRT",
}  # fmt: skip
_PRECISION_WORDS = {
    "auto": "Automatic", "fp32": "32 bits (fp32)", "bf16": "16 bits (bf16)", "fp16": "16 bits (fp16)",
    "int8": "8 bits (int8)", "int4": "4 bits (int4)",
}  # fmt: skip
_SMOOTHING_WORDS = {"none": "None", "crisp": "Crisp", "balanced": "Balanced", "smooth": "Smooth"}
_FEET_WORDS = {"auto": "Hold standing feet", "always": "Always on the floor", "never": "Leave free"}
_OWN = ""
_ANYONE = -1
_LOCK, _OFFERED = "lock.on", "lock.offered"
_GONE_KEPT = 8


def estimator_words(name: str) -> str:
    """What the page calls an estimator, e.g. "ViTPose small" for vitpose-s; the name itself if it has no other."""
    return _ESTIMATOR_WORDS.get(name, name)


def _choice(
    studio: "Studio", label: str, name: str, words: Mapping[str, str], choices: Sequence[str], why: str
) -> None:
    """A choice among words; one that is set and not in the list (cuda:1) joins it."""
    held = value_of(studio.config, name)
    options = list(choices) if held in choices else [*choices, held]
    st.selectbox(
        label, options, key=name, format_func=lambda choice: words.get(choice, choice), on_change=push,
        args=(studio, name), help=why, filter_mode=None,
    )  # fmt: skip
    show_problem(name)


def model_section(studio: "Studio") -> None:
    """Model, device and runtime, and which ones run now."""
    _model_choices(studio)
    _active_model(studio)


@fragment()
def _model_choices(studio: "Studio") -> None:
    _choice(
        studio, "Pose model", "inference.estimator", {n: _with_fetching(n) for n in _ESTIMATOR_WORDS},
        ("auto", *ESTIMATORS),
        "What finds the points of the body in a picture. BlazePose is quick and follows one person; ViTPose is more "
        "exact, the larger the slower. Automatic takes ViTPose small, or BlazePose where that cannot be had.",
    )  # fmt: skip
    _choice(studio, "Runs on", "inference.device", _DEVICE_WORDS, DEVICES, "Which part of the computer does the work.")
    with st.expander("More on the model", key="model.more"):
        _choice(
            studio, "Engine", "inference.runtime", _RUNTIME_WORDS, RUNTIMES,
            "The library that runs ViTPose. Automatic times those that are installed once, and takes the fastest.",
        )  # fmt: skip
        _choice(
            studio, "Number format", "inference.precision", _PRECISION_WORDS, PRECISIONS,
            "How the engine counts (its precision): fewer bits are faster and a little less exact.",
        )  # fmt: skip
        _file_choice(
            studio, "Weights", "inference.checkpoint", WEIGHT_SUFFIXES,
            "What the model has learnt (a checkpoint). Choose a file, or type its path; it must lie in the folder "
            "checkpoints, or in one that was allowed when the program was started.",
        )  # fmt: skip
        _file_choice(
            studio, "Model config", "inference.model_config", MODEL_CONFIG_SUFFIXES,
            "A model's description for mmpose (.py). It is code that will run: use only your own. It must lie in the "
            "folder configs, or in one that was allowed when the program was started.",
        )  # fmt: skip


def _with_fetching(name: str) -> str:
    words = estimator_words(name)
    return f"{words} (is fetched)" if name in read_manifest() and find_local(name) is None else words


def _active_words(studio: "Studio") -> str:
    state = studio.state()
    if not state.estimator:
        return "Which one runs is shown here after Start."
    where = ", ".join(filter(None, (state.device, state.precision)))
    return f"Now: **{estimator_words(state.estimator)}** with {state.runtime} ({where})"


@fragment(2.0, _active_words)
def _active_model(studio: "Studio") -> None:
    with st.container(key="active-model"):
        st.caption(_active_words(studio))


def allowed_folders(studio: "Studio") -> tuple[Path, ...]:
    """Where weights and model configs may lie: the program's folders, and those allowed at its start."""
    return (data_path("configs"), *checkpoint_folders(), *studio.folders.allowed)


def _file_choice(studio: "Studio", label: str, name: str, suffixes: Sequence[str], why: str) -> None:
    held = value_of(studio.config, name)
    files = listed_files(allowed_folders(studio), suffixes)
    options = [_OWN, *files] if held in (_OWN, *files) else [_OWN, *files, held]
    st.selectbox(
        label, options, key=name, accept_new_options=True, on_change=_file_chosen, args=(studio, name, label, suffixes),
        format_func=lambda path: Path(path).name if path else "The model's own", help=why,
    )  # fmt: skip
    show_problem(name)


def _file_chosen(studio: "Studio", name: str, label: str, suffixes: Sequence[str]) -> None:
    chosen = st.session_state[name] or _OWN
    held = value_of(studio.config, name)
    try:
        if chosen and not (name == "inference.checkpoint" and chosen in read_manifest()):
            chosen = str(allowed_file(chosen, suffixes, allowed_folders(studio), label.lower()))
    except ConfigError as exc:
        set_problem(name, sentence_of(exc))
        st.session_state[name] = held
        return
    st.session_state[name] = chosen if change(studio, {name: chosen}, field=name) else held


def motion_section(studio: "Studio") -> None:
    """People, and what is done to their poses."""
    _motion_choices(studio)
    _person_actions(studio)


@fragment()
def _motion_choices(studio: "Studio") -> None:
    _slider(
        studio, "Confidence", "inference.score_threshold", 0.0, 1.0, 0.05,
        "How sure the model must be of a point (0 to 1). Points below it count as not seen.",
    )  # fmt: skip
    _number(studio, "People", "inference.persons", 1, 100, 1, "How many are followed at most. Each takes time.")
    _choice(
        studio, "Smoothing", "body.smoothing", _SMOOTHING_WORDS, tuple(SMOOTHING_PRESETS),
        "Crisp follows at once and trembles a little; smooth is calm and comes a little late.",
    )  # fmt: skip
    _choice(
        studio, "Feet", "body.feet", _FEET_WORDS, ("auto", "always", "never"),
        "Feet that stand are held still, so that they do not slide. Always also keeps the lower foot on the floor, so "
        "nobody jumps.",
    )  # fmt: skip
    st.toggle(
        "Mirror", key="output.mirror", on_change=push, args=(studio, "output.mirror"),
        help="Show and send the movement as a mirror would: left and right change sides.",
    )  # fmt: skip
    show_problem("output.mirror")
    _number(
        studio, "Body height (m)", "body.height_m", 0.5, 2.5, 0.01,
        "One camera cannot know how tall you are; this sets the size of everything.",
    )  # fmt: skip
    with st.expander("More on motion", key="motion.more"):
        _slider(
            studio, "Field of view (°)", "body.fov_deg", 10.0, 170.0, 1.0,
            "How wide the camera sees, along the longer side of its picture. Webcams have about 60 to 80.",
        )  # fmt: skip
        _number(
            studio, "Look for people every ... pictures", "inference.detect_every", 1, 1_000_000, 1,
            "In between, those already found are followed (the detector's interval). More is quicker; fewer finds "
            "newcomers sooner.",
        )  # fmt: skip


def _slider(studio: "Studio", label: str, name: str, low: float, high: float, step: float, why: str) -> None:
    st.slider(label, low, high, step=step, key=name, on_change=push, args=(studio, name), help=why)
    show_problem(name)


def _number(studio: "Studio", label: str, name: str, low: float, high: float, step: float, why: str) -> None:
    st.number_input(label, low, high, step=step, key=name, on_change=push, args=(studio, name), help=why)
    show_problem(name)


def _follow(studio: "Studio") -> None:
    """Lock on to whom the list says; of one who left it meanwhile Streamlit gives the words instead of the number."""
    chosen = st.session_state[_LOCK]
    if isinstance(chosen, int):
        studio.lock_on(None if chosen == _ANYONE else chosen)


def _performers(studio: "Studio") -> Hashable:
    state = studio.state()
    calibration = None if state.calibration is None else state.calibration.phase
    return state.phase, state.kind, state.people, state.locked, calibration


@fragment(1.0, _performers)
def _person_actions(studio: "Studio") -> None:
    """Who is followed, and the measuring of a body: what depends on who stands before the camera now."""
    state = studio.state()
    on = state.phase in ("running", "paused") and state.kind != "take"
    # Who has just gone stays: a list that is open must not change under the pointer for somebody who flickers.
    present = {*state.people, *(() if state.locked is None else (state.locked,))}
    gone = [person for person in st.session_state.get(_OFFERED, ()) if person not in present]
    offered = st.session_state[_OFFERED] = [*gone[-_GONE_KEPT:], *sorted(present)] if on else []
    followed = _ANYONE if state.locked is None else state.locked
    if st.session_state.get(_LOCK) != followed:
        st.session_state[_LOCK] = followed
    st.selectbox(
        "Follow", [_ANYONE, *sorted(offered)], key=_LOCK, disabled=not on, filter_mode=None,
        format_func=lambda person: "Anyone" if person == _ANYONE else f"Only person {person}",
        on_change=_follow, args=(studio,),
        help="Lock on to one performer; the numbers stand over their heads in the picture.",
    )  # fmt: skip
    measuring = state.calibration is not None and state.calibration.phase in ("countdown", "measuring")
    with st.container(horizontal=True, gap="small"):
        if measuring:
            st.button(
                "Cancel measuring", key="calibrate.cancel", on_click=attempt, args=(studio.cancel_calibration,),
                width="stretch",
            )  # fmt: skip
        else:
            st.button(
                "Measure my body", key="calibrate", disabled=not on, on_click=attempt, args=(studio.calibrate,),
                width="stretch",
                help="Counts down, then looks at how long your limbs are (a calibration). Have your whole body in the "
                "picture.",
            )  # fmt: skip
        st.button(
            "Recentre", key="recentre", disabled=not on, on_click=attempt, args=(studio.recentre,), width="stretch",
            help="The character stands in the middle of the floor again. Key: r, with the picture selected.",
        )  # fmt: skip
