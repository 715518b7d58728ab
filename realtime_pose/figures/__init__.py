"""Plotly figures: poses and run statistics in; figures and a self-contained HTML page out."""

from realtime_pose.utils.extras import needs_extra

with needs_extra("dashboard", "a figure"):
    import plotly  # noqa: F401 - every module here draws with it
