"""What one looks at standing still: the moment in 3D, the joints' angles over time, and where the time went."""

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
from realtime_pose.interface.dashboard.engine.moments import History, Moment, TakeMoments, motion_in, people_of
from realtime_pose.interface.dashboard.engine.state import StudioState
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import sentence_of
from realtime_pose.skeletons import HUMANOID

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.studio import Studio

_DRAWN, _PERSON = "still.drawn", "still.person"
_PLOT = {"displayModeBar": False, "scrollZoom": False}
_WORDS = "Pause, or play a take, to see the moment in 3D, the joints' angles and the delays as figures."


@dataclass(frozen=True)
class _Still:
    """What is drawn: the moment, the time around it (from `begin_s` on), and how long things took."""

    moment: Moment | None
    moments: list[Moment]
    begin_s: float
    stages_ms: dict[str, Percentiles]
    latency_ms: Percentiles | None


def still_section(studio: "Studio") -> None:
    """The figures of a paused run, or of a take; a line on how to get them otherwise."""
    _figures(studio)
    _watch(studio)


@fragment()
def _figures(studio: "Studio") -> None:
    state = studio.state()
    st.session_state[_DRAWN] = _sign(state)
    still, failure = None, ""
    try:
        still = _still_of(studio, state)
    except RealtimePoseError as exc:
        failure = sentence_of(exc)
    # both places are drawn in each run: what a run leaves out may stay on the page
    if failure:
        st.error(failure, icon=":material/error:")
    elif still is None:
        st.caption(_WORDS)
    else:
        st.empty()
    if still is None:
        st.empty()
    else:
        with st.container(key="still"):
            _draw(still, DARK if st.context.theme.type == "dark" else LIGHT, moving=state.phase == "running")


@fragment(0.7, lambda studio: _sign(studio.state()))
def _watch(studio: "Studio") -> None:
    """Have the figures drawn anew when there is another moment to show."""
    if st.session_state.get(_DRAWN) != _sign(studio.state()):
        st.rerun()


def _sign(state: StudioState) -> tuple[object, ...]:
    """What the figures depend on. They stand still while a take goes on: drawing them costs the live view its rate."""
    take = None if state.playback is None else str(state.playback.folder)
    if state.phase == "paused":
        return "paused", take, state.frames if state.playback is None else state.playback.row
    return ("playing", take) if take is not None and state.phase == "running" else ("nothing",)


def _still_of(studio: "Studio", state: StudioState) -> _Still | None:
    if state.playback is not None and state.phase in ("running", "paused"):
        take = _take_moments(state.playback.folder, _changed_ns(state.playback.folder / SESSION))
        stages, latency = take.stages or ({}, None)
        return _Still(take.at(state.playback.row), take.moments, take.begin_s, stages, latency)
    if state.phase != "paused":
        return None
    history: History | None = getattr(studio, "history", None)
    moments = history.moments() if history is not None else []
    begin_s = moments[-1].time_s if moments else 0.0  # so that times count back from the moment
    return _Still(moments[-1] if moments else None, moments, begin_s, dict(state.stages_ms), state.latency_ms)


def _changed_ns(path: Path) -> int:
    """When the file was changed; 0 if it is gone, which reading it tells."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2)
def _take_moments(folder: Path, changed_ns: int) -> TakeMoments:
    return TakeMoments(open_session(folder))


def _draw(still: _Still, theme: Theme, *, moving: bool) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        person = _chosen_person(people_of(still.moments))
        _draw_skeleton(still, person, theme, moving=moving)
        if any(p.get("p50") is not None for p in still.stages_ms.values()):
            _plot(latency_figure(still.stages_ms, still.latency_ms, theme), "still.latency")
        else:
            st.caption("No delays were kept with this take.")
    with right:
        _draw_angles(still, person, theme)


def _chosen_person(people: list[int]) -> int | None:
    if len(people) < 2:
        return people[0] if people else None
    if st.session_state.get(_PERSON) not in people:
        st.session_state[_PERSON] = people[0]
    return st.segmented_control(
        "Person", people, key=_PERSON, format_func=lambda person: f"Person {person}", required=True,
    )  # fmt: skip


def _draw_skeleton(still: _Still, person: int | None, theme: Theme, *, moving: bool) -> None:
    pose = still.moment.poses.get(person) if still.moment is not None and person is not None else None
    if pose is None or still.moment is None:
        st.caption("Nobody has a pose at this moment.")
        return
    at_s = still.moment.time_s - still.begin_s
    more = " Pause, or move the slider, for another moment." if moving else ""
    _plot(skeleton_figure(pose, theme), "still.skeleton")
    st.caption(f"{f'The moment at {at_s:.2f} s.' if at_s > 0 or moving else 'This moment.'} Drag to turn it.{more}")


def _draw_angles(still: _Still, person: int | None, theme: Theme) -> None:
    if person is None or still.moment is None:
        return
    motion = motion_in(still.moments, person)
    if motion.figure.skeleton is not HUMANOID:
        st.caption("Joint angles are named for the program's own skeleton; this take has another.")
        return
    angles = angles_over_time(motion.local_xyzw, motion.score)
    figure = angles_figure(motion.time_s - still.begin_s, dict(zip(ANGLES, angles.T, strict=True)), theme)
    at_s = still.moment.time_s - still.begin_s
    figure.add_shape(
        type="line", xref="x", yref="paper", x0=at_s, x1=at_s, y0=0, y1=1, line={"color": theme.muted, "width": 1}
    )
    with st.container(height=640, border=False):
        _plot(figure, "still.angles")


def _plot(figure: Any, key: str) -> None:  # noqa: ANN401 - Plotly has no types here
    st.plotly_chart(figure, key=key, theme=None, width="stretch", config=_PLOT)
