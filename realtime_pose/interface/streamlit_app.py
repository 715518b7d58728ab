"""The dashboard as an app: `streamlit run realtime_pose/interface/streamlit_app.py`, or `realtime-pose ui`.

`streamlit run` reads `.streamlit/config.toml` beside this file, from whatever folder it is called: it serves at
127.0.0.1:8501 (the next free port if that is taken) and sends no telemetry. Its socket is bound before this file runs,
so another address, from a flag or STREAMLIT_SERVER_ADDRESS, can only be refused: that is done unless
REALTIME_POSE_HOST_NAMES has the host names under which other machines open the page.

Settings come from the defaults and the VITPOSE_* variables; `realtime-pose ui` also takes them from its command line.
"""

import sys

import streamlit as st

from realtime_pose.errors import ConfigError
from realtime_pose.interface.dashboard.web.server import PAGE, app_options, enforce_options, host_names_of

try:
    options = app_options(host_names=host_names_of())
    enforce_options(host_names_of())
except ConfigError as exc:
    sys.exit(f"error {exc}")

# Streamlit finds the app by reading this line, so it has to be a plain assignment.
app = st.App(PAGE, **options)
