"""The page's layout. Streamlit runs it as a script for each browser tab, and again for each change.

What refreshes or can be changed is in a fragment of its own (`fragments`), so that the live view is never redrawn.
"""

from typing import TYPE_CHECKING

import streamlit as st

from realtime_pose.interface.dashboard.engine.shared import shared_studio
from realtime_pose.interface.dashboard.page.sections.figures import (
    details_section,
    figures_section,
    packet_section,
)
from realtime_pose.interface.dashboard.page.sections.help import help_section
from realtime_pose.interface.dashboard.page.sections.live import live_section
from realtime_pose.interface.dashboard.page.sections.outputs import load_outputs, outputs_section
from realtime_pose.interface.dashboard.page.sections.settings import model_section, motion_section
from realtime_pose.interface.dashboard.page.sections.source import load_source, source_section
from realtime_pose.interface.dashboard.page.sections.status import status_section
from realtime_pose.interface.dashboard.page.sections.still import still_section
from realtime_pose.interface.dashboard.page.sections.takes import player, takes_section
from realtime_pose.interface.dashboard.page.state_sync import update_widgets
from realtime_pose.interface.dashboard.page.style import CSS, ICON

if TYPE_CHECKING:
    from realtime_pose.interface.dashboard.engine.api import StudioApi


def show(studio: "StudioApi") -> None:
    """Draw the whole page."""
    st.set_page_config(page_title="realtime-pose", page_icon=ICON, layout="wide")
    st.html(CSS)
    if (config := update_widgets(studio)) is not None:
        load_source(studio, config.capture.source)
        load_outputs(config)
    with st.sidebar:
        _settings(studio)
    status_section(studio)
    live_section()
    player(studio)
    figures_section(studio)
    _tabs(studio)


def _settings(studio: "StudioApi") -> None:
    st.subheader("Source", anchor=False)
    source_section(studio)
    st.subheader("Model", anchor=False)
    model_section(studio)
    st.subheader("Person and motion", anchor=False)
    motion_section(studio)
    st.subheader("Outputs", anchor=False)
    outputs_section(studio)


def _tabs(studio: "StudioApi") -> None:
    figures, takes, data, help_tab = st.tabs(["Figures", "Takes", "Data", "Help"])
    with figures:
        details_section(studio)
        still_section(studio)
    with takes:
        takes_section(studio)
    with data:
        packet_section(studio)
    with help_tab:
        help_section()


if __name__ == "__main__":
    show(shared_studio())
