"""Figures: a motion, a skeleton or latencies in, a Plotly figure or one HTML page out."""

from realtime_pose.utils.extras import needs_extra

with needs_extra("dashboard", "a figure"):
    import plotly  # noqa: F401 - every module here draws with it
