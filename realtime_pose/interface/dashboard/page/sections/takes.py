"""Takes: the list, the player with its slider, exports to download, and deleting."""

import time
from collections.abc import Callable, Hashable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.errors import RealtimePoseError
from realtime_pose.exporters.table import EXPORTERS
from realtime_pose.interface.dashboard.engine.state import PlaybackState, StudioState
from realtime_pose.interface.dashboard.engine.takes.take_exports import ExportState, download_path
from realtime_pose.interface.dashboard.engine.takes.take_list import Take
from realtime_pose.interface.dashboard.page.fragments import draw_again, fragment
from realtime_pose.interface.dashboard.page.state_sync import sentence_of

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi

_ROW, _HELD, _PLAYED = "takes.row", "takes.held_until", "takes.played"
_OPEN, _SHOWN, _PROBLEM = (f"takes.{name}" for name in ("open", "shown", "problem"))
_HOLD_S = 1.2  # after a user's move, before the slider follows the playback again
_FOLLOW_S = 0.9  # between two updates of the slider: each makes a thumb that is being dragged jump
_AT_ONCE = 8  # takes in the list before "Show more"
_ORDER = ("bvh", "glb", "fbx", "vrma", "csv", "overlay", "frames")
FORMATS = (*_ORDER, *(name for name in EXPORTERS if name not in _ORDER))
"""The formats in the order of the list: character motion first."""
_NAMES = {
    "overlay": "Video with skeleton", "frames": "Original video", "bvh": "BVH", "easy-vitpose": "Keypoints (JSON)",
    "coco": "Keypoints (COCO)", "csv": "Table (CSV)", "parquet": "Table (Parquet)", "trc": "OpenSim markers (TRC)",
    "mot": "OpenSim angles (MOT)", "glb": "Character (GLB)", "vrma": "VRM animation (VRMA)", "fbx": "Character (FBX)",
}  # fmt: skip
_CSS = """
<style>
a.rp-download { display: inline-block; padding: .45rem .9rem; border-radius: .5rem; font-weight: 600;
  background: #0b6b9a; color: #fff !important; text-decoration: none; }
a.rp-download:hover { background: #095a82; }
a.rp-download:focus-visible { outline: 2px solid #56b4e9; outline-offset: 2px; }
.rp-take { line-height: 1.35; overflow-wrap: anywhere; }
.rp-take small { opacity: .75; font-variant-numeric: tabular-nums; }
.rp-when { font-variant-numeric: tabular-nums; }
</style>
"""


def takes_section(studio: "StudioApi") -> None:
    """The whole tab."""
    st.html(_CSS)
    _list(studio)


# --- player -----------------------------------------------------------------------------------------------------------


def _player_depends_on(studio: "StudioApi") -> Hashable:
    state = studio.state()
    return state.phase, state.playback


@fragment(0.4, _player_depends_on)
def player(studio: "StudioApi") -> None:
    """The slider and buttons of the take being played; nothing if there is none."""
    state = studio.state()
    playback = state.playback
    if playback is None or not state.phase.active:
        st.empty()
        return
    with st.container(border=True, key="player"):
        _follow(state, playback)
        st.slider(
            f"Take {playback.folder.name}", 0, max(playback.rows - 1, 1), key=_ROW, format="%d",
            on_change=_moved, args=(studio,), disabled=playback.rows < 2, label_visibility="collapsed",
            help="The current frame. Arrow keys move by one frame.",
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            playing = state.phase == "running" and not playback.at_end
            label, icon, act = ("Pause", "pause", studio.pause) if playing else ("Play", "play_arrow", studio.resume)
            # A key for each: a click on Pause that arrives as the take ends must not play it again.
            st.button(
                label, key=f"player.{label}", icon=f":material/{icon}:", on_click=_act, args=(act,),
            )  # fmt: skip
            st.button("Close", key="player.close", icon=":material/close:", on_click=_act, args=(studio.stop,))
            st.html(
                f'<span class="rp-when">{clock(playback.time_s)} of {clock(playback.duration_s)} · frame '
                f"{playback.row + 1:,} of {playback.rows:,}</span>"
            )


def _follow(state: StudioState, playback: PlaybackState) -> None:
    """Move the slider to the playback's position, unless the user has just moved it."""
    played = str(playback.folder)
    if st.session_state.get(_PLAYED) != played:
        st.session_state[_PLAYED] = played
        st.session_state[_HELD] = 0.0
    now_s = time.monotonic()
    held = st.session_state.get(_ROW)
    if held is None or (held != playback.row and now_s >= st.session_state.get(_HELD, 0.0)):
        st.session_state[_ROW] = playback.row  # only if it differs: setting it discards a key just pressed
        if state.phase == "running" and not playback.at_end:
            st.session_state[_HELD] = now_s + _FOLLOW_S
    if st.session_state[_ROW] != playback.row:
        draw_again()  # it is updated a moment later
    if st.session_state[_ROW] > (last := max(playback.rows - 1, 1)):
        st.session_state[_ROW] = last


def _moved(studio: "StudioApi") -> None:
    st.session_state[_HELD] = time.monotonic() + _HOLD_S
    _act(studio.seek, st.session_state[_ROW])


# --- list -------------------------------------------------------------------------------------------------------------


def _list_depends_on(studio: "StudioApi") -> Hashable:
    state = studio.state()
    used = [part and part.folder for part in (state.recording, state.playback)]
    return studio.takes.stamps(), *used, studio.exports.changes


@fragment(0.8, _list_depends_on)
def _list(studio: "StudioApi") -> None:
    state = studio.state()
    found = _takes(studio, state)
    if any(take.seconds is None for take in found):
        draw_again()  # each call reads more of them
    if problem := st.session_state.get(_PROBLEM):
        st.error(problem, icon=":material/error:")
    else:
        st.empty()
    shown = st.session_state.get(_SHOWN, _AT_ONCE)
    for place in range(shown):
        if place >= len(found):
            _empty_row(first=place == 0)
            continue
        with st.container(border=True, key=f"take-{found[place].name}"):
            _row(studio, found[place], state)
            if st.session_state.get(_OPEN) == found[place].name:
                with st.container():
                    _export(studio, found[place])
            else:
                st.empty()
    if len(found) > shown:
        st.button(f"Show {min(len(found) - shown, 20)} more", key="takes.more", on_click=_show_more, args=(shown,))
    else:
        st.empty()


def _empty_row(*, first: bool) -> None:
    """A row without a take.

    Every row is drawn in each run, empty or not: an element that a run leaves out may stay on the page when another
    fragment's run comes between.
    """
    if first:
        st.caption("No takes yet. Press Start, then Record: recordings appear here, to play and to export.")
    else:
        st.empty()


def _takes(studio: "StudioApi", state: StudioState) -> list[Take]:
    return studio.takes.takes(leave_out=None if state.recording is None else state.recording.folder)


def _row(studio: "StudioApi", take: Take, state: StudioState) -> None:
    played = state.playback is not None and state.playback.folder.name == take.name
    text, buttons = st.columns([3, 2], vertical_alignment="center")
    text.html(take_html(take))
    if take.damage:
        text.caption(f":material/warning: {_plain(take.damage)}")
    else:
        text.empty()
    with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button(
            "Playing" if played else "Play", key=f"takes.play.{take.name}", icon=":material/play_arrow:",
            disabled=played or not take.playable, on_click=_act, args=(studio.play, take.folder),
        )  # fmt: skip
        st.button(
            "Export", key=f"takes.export.{take.name}", icon=":material/download:", disabled=not take.playable,
            on_click=_open_export, args=(studio, take.name),
        )  # fmt: skip
        # Confirmed in a popover: buttons that replaced each other moved under the pointer.
        with st.popover(
            "Delete", key=f"takes.ask.{take.name}", icon=":material/delete:", disabled=played,
            help="Stop the playback first." if played else None,
        ):  # fmt: skip
            st.markdown(f"Delete {_plain(take.name)} and all its files?")
            st.button(
                "Delete permanently", key=f"takes.delete.{take.name}", type="primary", width="stretch",
                on_click=_delete, args=(studio, take.folder),
            )  # fmt: skip


def take_html(take: Take) -> str:
    """A take's name, date, length and size."""
    facts = [f"{take.when:%d %b %Y, %H:%M}"]
    if take.seconds is None or take.frames is None:
        facts.append("reading ...")
    elif take.playable:
        facts += [clock(take.seconds), f"{take.frames:,} frames"]
        facts.append({0: "no people", 1: "1 person"}.get(take.people, f"{take.people} people"))
    facts.append(size_text(take.size_bytes))
    return f'<div class="rp-take"><b>{escape(take.name)}</b><br><small>{escape(" · ".join(facts))}</small></div>'


def _plain(text: str) -> str:
    """Text with Markdown's special characters escaped."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()#+-.!|<>~$:" else sign for sign in text)


# --- exports ----------------------------------------------------------------------------------------------------------


def _export(studio: "StudioApi", take: Take) -> None:
    """The choice of a format, and its progress or link."""
    key = _format_key(take.name)
    choice, outcome = st.columns([2, 3], vertical_alignment="bottom")
    choice.selectbox(
        "Format", FORMATS, key=key, format_func=lambda name: _NAMES.get(name, name), filter_mode=None,
        on_change=_ask, args=(studio, take.name), help="The export starts as soon as a format is chosen.",
    )  # fmt: skip
    name = st.session_state[key]
    with outcome:
        _outcome(studio, take.folder, name)
    st.caption(f"{_NAMES.get(name, name)}: {EXPORTERS[name].what}.")


def _outcome(studio: "StudioApi", folder: Path, name: str) -> None:
    """The progress bar, then the link; or what went wrong."""
    state = studio.exports.state(folder, name)
    if state is not None and state.failure:
        st.error(_sentence(state.failure), icon=":material/error:")
    else:
        st.empty()
    if state is None or state.failure:
        st.button(
            "Try again" if state is not None else "Export", key=f"takes.again.{folder.name}", on_click=_ask,
            args=(studio, folder.name),
        )  # fmt: skip
    elif state.path is None:
        st.progress(state.done, f"Exporting {_NAMES.get(name, name)} ...")
    else:
        st.html(link_html(folder.name, name, state))


def link_html(take: str, kind: str, state: ExportState) -> str:
    """The download link of a finished export."""
    assert state.path is not None
    return (
        f'<a class="rp-download" href="{escape(download_path(take, kind), quote=True)}" '
        f'download="{escape(f"{take}_{state.path.name}", quote=True)}">Download {escape(state.path.name)}</a> '
        f'<small style="opacity:.75">{size_text(state.path.stat().st_size)}</small>'
    )


def _format_key(take: str) -> str:
    return f"takes.format.{take}"


def _open_export(studio: "StudioApi", take: str) -> None:
    """Show or hide the formats of a take."""
    if st.session_state.get(_OPEN) == take:
        st.session_state[_OPEN] = None
        return
    st.session_state[_OPEN] = take
    st.session_state.setdefault(_format_key(take), FORMATS[0])
    _ask(studio, take)


def _ask(studio: "StudioApi", take: str) -> None:
    try:
        folder = studio.takes.folder_of(take)
    except RealtimePoseError as exc:
        st.session_state[_PROBLEM] = sentence_of(exc)
        return
    studio.exports.request(folder, st.session_state[_format_key(take)], studio.config)


# --- actions ----------------------------------------------------------------------------------------------------------


def _act(action: Callable[..., object], *args: object) -> None:
    """Run a button's action; an error is shown above the list."""
    try:
        action(*args)
    except RealtimePoseError as exc:
        st.session_state[_PROBLEM] = sentence_of(exc)
    else:
        st.session_state[_PROBLEM] = ""


def _delete(studio: "StudioApi", folder: Path) -> None:
    state = studio.state()
    used = [part.folder for part in (state.recording, state.playback) if part is not None]
    in_use = next((path for path in used if path.name == folder.name), None)
    _act(studio.takes.delete, folder, in_use)


def _show_more(shown: int) -> None:
    st.session_state[_SHOWN] = shown + 20


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def size_text(size_bytes: int) -> str:
    """A size in MB or kB."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 1e5 else f"{max(size_bytes / 1e3, 0.1):.1f} kB"


def clock(seconds: float) -> str:
    """Minutes, seconds and tenths."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    return f"{int(minutes)}:{int(rest * 10) / 10:04.1f}"
