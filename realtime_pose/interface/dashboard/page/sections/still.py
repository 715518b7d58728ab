"""Plots of a paused run or a take: the pose in 3D, joint angles over time, and time by stage."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from realtime_pose.app.take import SESSION, open_session
from realtime_pose.body.joint_angles import ANGLES, angles_over_time
from realtime_pose.errors import RealtimePoseError
from realtime_pose.figures.latency import Percentiles, latency_figure
from realtime_pose.figures.motion import angles_figure
from realtime_pose.figures.skeleton import skeleton_figure
from realtime_pose.figures.theme import DARK, LIGHT, Theme
from realtime_pose.interface.dashboard.engine.state import StudioState
from realtime_pose.interface.dashboard.engine.takes.pose_history import FramePoses, TakePoses, motion_in, people_in
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import sentence_of
from realtime_pose.skeletons import HUMANOID

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_DRAWN, _PERSON = "still.drawn", "still.person"
_PLOT = {"displayModeBar": False, "scrollZoom": False}
_HINT = "Pause, or play a take, to plot the pose in 3D, the joint angles and the time by stage."


@dataclass(frozen=True)
class _Plotted:
    """The data of the plots: the current frame's poses, those around it (from `start_s` on), and the stages' times."""

    current: FramePoses | None
    all: list[FramePoses]
    start_s: float
    stages_ms: dict[str, Percentiles]
    latency_ms: Percentiles | None


def still_section(studio: "StudioApi") -> None:
    """The plots of a paused run, or of a take; otherwise a line on how to get them."""
    _figures(studio)
    _watch(studio)


@fragment()
def _figures(studio: "StudioApi") -> None:
    state = studio.state()
    st.session_state[_DRAWN] = _key(state)
    data, failure = None, ""
    try:
        data = _data_of(studio, state)
    except RealtimePoseError as exc:
        failure = sentence_of(exc)
    # both containers are drawn in each run: an element that a run leaves out may stay on the page
    if failure:
        st.error(failure, icon=":material/error:")
    elif data is None:
        st.caption(_HINT)
    else:
        st.empty()
    if data is None:
        st.empty()
    else:
        with st.container(key="still"):
            _draw(data, DARK if st.context.theme.type == "dark" else LIGHT, moving=state.phase == "running")


@fragment(0.7, lambda studio: _key(studio.state()))
def _watch(studio: "StudioApi") -> None:
    """Redraw the plots when there is another frame to show."""
    if st.session_state.get(_DRAWN) != _key(studio.state()):
        st.rerun()


def _key(state: StudioState) -> tuple[object, ...]:
    """The values that the plots depend on. A playing take does not update them: drawing slows the live view down."""
    take = None if state.playback is None else str(state.playback.folder)
    if state.phase == "paused":
        return "paused", take, state.frames if state.playback is None else state.playback.row
    return ("playing", take) if take is not None and state.phase == "running" else ("nothing",)


def _data_of(studio: "StudioApi", state: StudioState) -> _Plotted | None:
    if state.playback is not None and state.phase in ("running", "paused"):
        take = _take_poses(state.playback.folder, _changed_ns(state.playback.folder / SESSION))
        stages, latency = take.stages or ({}, None)
        return _Plotted(take.at(state.playback.row), take.poses, take.start_s, stages, latency)
    if state.phase != "paused":
        return None
    poses = studio.history.poses()
    start_s = poses[-1].time_s if poses else 0.0  # so that times count back from the current frame
    return _Plotted(poses[-1] if poses else None, poses, start_s, dict(state.stages_ms), state.latency_ms)


def _changed_ns(path: Path) -> int:
    """The file's modification time; 0 if it is gone, which reading it will report."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2)
def _take_poses(folder: Path, changed_ns: int) -> TakePoses:
    return TakePoses(open_session(folder))


def _draw(data: _Plotted, theme: Theme, *, moving: bool) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        person = _chosen_person(people_in(data.all))
        _draw_skeleton(data, person, theme, moving=moving)
        if any(p.get("p50") is not None for p in data.stages_ms.values()):
            _plot(latency_figure(data.stages_ms, data.latency_ms, theme), "still.latency")
        else:
            st.caption("This take has no times by stage.")
    with right:
        _draw_angles(data, person, theme)


def _chosen_person(people: list[int]) -> int | None:
    if len(people) < 2:
        return people[0] if people else None
    if st.session_state.get(_PERSON) not in people:
        st.session_state[_PERSON] = people[0]
    return st.segmented_control(
        "Person", people, key=_PERSON, format_func=lambda person: f"Person {person}", required=True,
    )  # fmt: skip


def _draw_skeleton(data: _Plotted, person: int | None, theme: Theme, *, moving: bool) -> None:
    pose = data.current.poses.get(person) if data.current is not None and person is not None else None
    if pose is None or data.current is None:
        st.caption("No pose in this frame.")
        return
    at_s = data.current.time_s - data.start_s
    more = " Pause, or move the slider, for another frame." if moving else ""
    _plot(skeleton_figure(pose, theme), "still.skeleton")
    st.caption(f"{f'The pose at {at_s:.2f} s.' if at_s > 0 or moving else 'The current pose.'} Drag to rotate.{more}")


def _draw_angles(data: _Plotted, person: int | None, theme: Theme) -> None:
    if person is None or data.current is None:
        return
    motion = motion_in(data.all, person)
    if motion.figure.skeleton is not HUMANOID:
        st.caption("Joint angles are available for the program's own skeleton only; this take has another.")
        return
    angles = angles_over_time(motion.local_xyzw, motion.score)
    figure = angles_figure(motion.time_s - data.start_s, dict(zip(ANGLES, angles.T, strict=True)), theme)
    at_s = data.current.time_s - data.start_s
    figure.add_shape(
        type="line", xref="x", yref="paper", x0=at_s, x1=at_s, y0=0, y1=1, line={"color": theme.muted, "width": 1}
    )
    with st.container(height=640, border=False):
        _plot(figure, "still.angles")


def _plot(figure: Any, key: str) -> None:  # noqa: ANN401 - Plotly has no types here
    st.plotly_chart(figure, key=key, theme=None, width="stretch", config=_PLOT)
