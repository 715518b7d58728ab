"""The dashboard as an app: `streamlit run realtime_pose/interface/streamlit_app.py`, or `realtime-pose ui`.

`streamlit run` reads `.streamlit/config.toml` beside this file, from whatever folder it is called: it serves at
127.0.0.1:8501 (the next free port where that is taken), sends no telemetry and asks for nothing. Its socket is bound
before this file runs, so an address that a flag or STREAMLIT_SERVER_ADDRESS put in cannot be changed here any more:
one that others can reach is refused, unless REALTIME_POSE_HOST_NAMES has the names that they call this machine by.

Settings come from the defaults and the VITPOSE_* variables; `realtime-pose ui` also takes them from its command line.
"""

import sys

import streamlit as st

from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.web.server import PAGE, app_options, enforce_options, host_names_of

try:
    enforce_options(host_names_of())
except ConfigError as exc:
    sys.exit(f"error {exc}")

# Streamlit finds the app by reading this line, so it has to stand here as it is.
app = st.App(PAGE, **app_options(host_names=host_names_of()))
