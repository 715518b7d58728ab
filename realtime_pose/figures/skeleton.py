"""A skeleton in 3D as a Plotly figure: one pose on a floor grid, seen from the front and a little from its left.

Plotly turns a scene about its z axis, so what is drawn is in Blender's axes (z up, facing -y), relative to the floor
point under the root: whoever walks stays in the middle, and the grid moves under them.
"""

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from realtime_pose.axes import BLENDER
from realtime_pose.datatypes import SkeletonPose
from realtime_pose.figures.person_motion import StickFigure
from realtime_pose.figures.theme import LIGHT, Theme, empty_figure
from realtime_pose.utils.arrays import Bool, Float64

GRID_M = 0.5
"""The floor grid's squares."""
GRID, LEFT, RIGHT, MIDDLE, UNSEEN, JOINTS = range(6)
"""The figure's traces, in order."""
BOX_M = (-0.15, 2.1)
"""Heights that the scene shows when nothing lies outside."""
_HALF_M = 1.1
_LINES = np.arange(-4, 5) * GRID_M
_TRACE_OF = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}


def drawn_from(points_m: Float64) -> tuple[Float64, Float64]:
    """Points (..., P, 3) as they are drawn, and the floor point (..., 3) under the root that they are relative to."""
    centre = points_m[..., 0, :] * np.array([1.0, 0.0, 1.0])
    return BLENDER.positions(points_m - centre[..., None, :]), centre


def trace_of_bones(figure: StickFigure) -> list[int]:
    """For each bone the trace that it is drawn in while it is seen: its outer end says the side."""
    return [_TRACE_OF[figure.sides[end]] for _, end in figure.bones]


def skeleton_figure(pose: SkeletonPose, theme: Theme = LIGHT, box_m: tuple[float, float] = BOX_M) -> go.Figure:
    """The pose in 3D; bones whose turn was not seen (score 0) are thin and grey.

    Args:
        pose: What to draw.
        theme: Colours.
        box_m: Lowest and highest height that the scene shows, so that it can be the same for many poses.
    """
    stick = StickFigure.of(pose.rotations.skeleton)
    points = stick.points(pose.rotations.local_xyzw, pose.root_m, pose.bone_m)
    known = stick.known(pose.score)
    drawn, centre = drawn_from(points)
    low, high = min(box_m[0], float(drawn[:, 2].min()) - 0.1), max(box_m[1], float(drawn[:, 2].max()) + 0.1)
    figure = empty_figure(theme, "", 460, margin={"l": 0, "r": 0, "t": 0, "b": 0}, scene=_scene(theme, low, high))
    figure.add_scatter3d(
        **_lines(_grid(centre)), line={"color": theme.zero, "width": 1.5}, hoverinfo="skip", name="floor"
    )
    colours = {LEFT: theme.left, RIGHT: theme.right, MIDDLE: theme.middle, UNSEEN: theme.muted}
    of_bones = trace_of_bones(stick)
    for trace, colour in colours.items():
        ends = [
            bone
            for bone, own in zip(stick.bones, of_bones, strict=True)
            if trace == (own if known[bone[1]] else UNSEEN)
        ]
        figure.add_scatter3d(
            **_lines(drawn[np.array(ends, np.intp).reshape(-1, 2)]),
            line={"color": colour, "width": 2 if trace == UNSEEN else 8},
            hoverinfo="skip",
            name="not seen" if trace == UNSEEN else "",
        )
    figure.add_scatter3d(
        x=drawn[:, 0], y=drawn[:, 1], z=drawn[:, 2],
        mode="markers",
        marker={"size": 4, "color": [colours[_TRACE_OF[side]] for side in stick.sides], "line": {"width": 0}},
        text=hover_texts(stick, points, known),
        hovertemplate="%{text}<extra></extra>",
        name="joints",
    )  # fmt: skip
    return figure


def hover_texts(stick: StickFigure, points_m: Float64, known: Bool) -> list[str]:
    """What is said of each point: its name (escaped, as a file may have it), and where it is in canonical axes."""
    return [
        f"{escape(name)}<br>x {x:.2f}, y {y:.2f}, z {z:.2f} m" + ("" if seen else "<br>not seen: held or a guess")
        for name, (x, y, z), seen in zip(stick.names, points_m.tolist(), known.tolist(), strict=True)
    ]


def _scene(theme: Theme, low: float, high: float) -> dict[str, Any]:
    hidden = {"visible": False, "showspikes": False}
    return {
        "xaxis": hidden | {"range": [-_HALF_M, _HALF_M]},
        "yaxis": hidden | {"range": [-_HALF_M, _HALF_M]},
        "zaxis": hidden | {"range": [low, high]},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": (high - low) / (2 * _HALF_M)},
        "bgcolor": theme.paper,
        "camera": {"eye": {"x": 0.45, "y": -1.2, "z": 0.2}, "center": {"x": 0, "y": 0, "z": -0.06}},
        "dragmode": "turntable",
    }


def _grid(centre: Float64) -> Float64:
    """The floor grid's lines (L, 2, 3), which go with the world while `centre` moves over it."""
    x, y, _ = BLENDER.positions(centre) % GRID_M
    first, last = _LINES[0], _LINES[-1]
    pairs = [
        (((v - x, first - y, 0), (v - x, last - y, 0)), ((first - x, v - y, 0), (last - x, v - y, 0))) for v in _LINES
    ]
    return np.array(pairs).reshape(-1, 2, 3)


def _lines(ends: Float64) -> dict[str, Any]:
    """Separate lines (L, 2, 3) as one trace's attributes: a gap after each."""
    gaps = np.full((len(ends), 1, 3), np.nan)
    x, y, z = np.concatenate((ends, gaps), axis=1).reshape(-1, 3).T
    return {"x": x, "y": y, "z": z, "mode": "lines"}
