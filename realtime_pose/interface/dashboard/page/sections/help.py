"""Help: the live view's keys, and a glossary."""

import streamlit as st

_KEYS = """
| Key | Does |
|---|---|
| r | Recentre: move the character back to the middle of the floor |
| Space | Pause or resume |
| . | Next frame, while paused |

The keys work while the live view is selected (click it, or reach it with Tab). Drag in the 3D view to look around, and
turn the mouse wheel to zoom.
"""

_GLOSSARY = """
| Word | Meaning |
|---|---|
| Source | Where frames come from: the demo, a camera, a file, an address |
| Pose model | Finds shoulders, elbows, knees and other keypoints in a frame |
| Score | How certain the model is of a keypoint; 100 % is certain |
| Latency | Time from a camera frame to its pose |
| Dropped | Camera frames that were skipped because the computer was busy |
| Smoothing | Removes jitter from the movement; adds a little lag |
| Take | A recording: video and poses, to play back and to export |
| UDP, VMC, WebSocket | Ways to send poses to other programs live |
| Packet | One message with one person's pose |
"""


def help_section() -> None:
    """Two tables: keys and glossary."""
    st.markdown("##### Keys\n" + _KEYS)
    st.markdown("##### Glossary\n" + _GLOSSARY)
