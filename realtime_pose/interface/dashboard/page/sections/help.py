"""Keys, and what the words mean."""

import streamlit as st

_KEYS = """
| Key | Does |
|---|---|
| r | Recentre: the character stands in the middle of the floor again |
| Space | Pause, or go on |
| . | One picture further, while paused |

The keys work while the picture is selected (click it, or reach it with Tab). Drag in the 3D view to look around, and
turn the wheel to come closer.
"""

_WORDS = """
| Word | Means |
|---|---|
| Source | Where pictures come from: the demo, a camera, a file, an address |
| Pose model | The program's eye: it finds shoulders, elbows, knees and so on in a picture |
| Confidence | How sure it is of a point; 100 % is certain |
| Delay | Time from a picture to the pose made of it |
| Left out | Pictures nobody had time for; a live camera does not wait |
| Smoothing | Takes the trembling out of a movement, at the price of a little delay |
| Take | A recording: pictures and poses, to play back and to export |
| UDP, VMC, WebSocket | Ways to send poses to other programs while they are made |
| Packet | One message of those, with one person's pose |
"""


def help_section() -> None:
    """Two tables: keys and words."""
    st.markdown("##### Keys\n" + _KEYS)
    st.markdown("##### Words\n" + _WORDS)
