"""Live outputs: a switch and an address for each, off by default."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.communication.destinations import parse_destination
from realtime_pose.config import AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.page.fragments import fragment
from realtime_pose.interface.dashboard.page.state_sync import (
    change,
    sentence_of,
    set_problem,
    show_problem,
    value_of,
)

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi


@dataclass(frozen=True)
class _Output:
    """One live output: its setting, its texts, and the destinations that it accepts."""

    name: str
    label: str
    why: str
    default: str
    default_port: int | None = None
    options: tuple[str, ...] = ("person",)
    lowest_port: int = 1

    @property
    def setting(self) -> str:
        return f"output.{self.name}"

    @property
    def switch(self) -> str:
        return f"output.{self.name}.on"

    @property
    def field(self) -> str:
        return f"output.{self.name}.to"


_OUTPUTS = (
    _Output("udp", "UDP", "Every pose as JSON, one packet per person and frame: for Unity, Godot, Blender and your "
            "own programs.", "127.0.0.1:5005", default_port=5005),
    _Output("vmc", "VMC", "The protocol of VTuber programs such as VSeeFace, VNyan and Warudo.",
            "127.0.0.1:39539", default_port=39539),
    _Output("livelink", "Live Link", "JSON Live Link for Unreal Engine.", "127.0.0.1:54321", default_port=54_321),
    _Output("osc_trackers", "OSC trackers", "Trackers as VRChat takes them: hips, feet and more.", "127.0.0.1:9000",
            default_port=9000, options=("person", "only")),
    _Output("websocket", "WebSocket", "A server on this computer from which web pages get the poses.",
            "127.0.0.1:8765", default_port=8765, options=("person", "origin"), lowest_port=0),
)  # fmt: skip


_MAX_ROWS = 8  # for the counts of each output


def load_outputs(config: AppConfig) -> None:
    """Set the switches and fields to the current outputs; an address that is switched off stays as it was typed."""
    for output in _OUTPUTS:
        held = value_of(config, output.setting)
        st.session_state[output.switch] = bool(held)
        if held or output.field not in st.session_state:
            st.session_state[output.field] = held or output.default


def outputs_section(studio: "StudioApi") -> None:
    """A switch and an address for each output, and packet counts."""
    _switches(studio)
    _sent(studio)


@fragment()
def _switches(studio: "StudioApi") -> None:
    for output in _OUTPUTS:
        with st.container(gap="xsmall"):
            st.toggle(output.label, key=output.switch, help=output.why, on_change=_switched, args=(studio, output))
            st.text_input(
                f"{output.label} address", key=output.field, label_visibility="collapsed", placeholder=output.default,
                on_change=_readdressed, args=(studio, output),
            )  # fmt: skip
            show_problem(output.setting)


def _switched(studio: "StudioApi", output: _Output) -> None:
    wanted = st.session_state[output.field].strip() if st.session_state[output.switch] else ""
    if st.session_state[output.switch] and not _is_valid(output, wanted):
        st.session_state[output.switch] = False
    elif not change(studio, {output.setting: wanted}, field=output.setting):
        st.session_state[output.switch] = bool(value_of(studio.config, output.setting))


def _readdressed(studio: "StudioApi", output: _Output) -> None:
    wanted, held = st.session_state[output.field].strip(), value_of(studio.config, output.setting)
    if not _is_valid(output, wanted):
        st.session_state[output.field] = held or output.default
    elif st.session_state[output.switch] and not change(studio, {output.setting: wanted}, field=output.setting):
        st.session_state[output.field] = held


def _is_valid(output: _Output, text: str) -> bool:
    """Whether every destination is valid; if not, `problem` has the reason."""
    try:
        if not text:
            raise ConfigError(f"enter an address, such as {output.default}")
        for destination in text.split():
            parse_destination(destination, output.default_port, options=output.options, lowest_port=output.lowest_port)
    except ConfigError as exc:
        set_problem(output.setting, sentence_of(exc))
        return False
    set_problem(output.setting, "")
    return True


@fragment(1.0, lambda studio: (studio.state().sinks, _any_on(studio.config)))
def _sent(studio: "StudioApi") -> None:
    sinks = studio.state().sinks
    if not sinks:
        st.caption("No output is on." if not _any_on(studio.config) else "Sending starts with Start.")
    for sink in sinks:
        rate = f"{sink.name} to {sink.target}: **{sink.packets_per_s:.0f}** packets/s"
        st.caption(f"{rate}, {sink.packets_sent:,} sent{f', {sink.lost:,} lost' if sink.lost else ''}")
    for _ in range(max(1, len(sinks)), _MAX_ROWS):  # replace rows of earlier outputs; see `show_problem`
        st.empty()


def _any_on(config: AppConfig) -> bool:
    return any(config.output.destinations.values())
