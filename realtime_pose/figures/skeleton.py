"""3D skeleton figure: one pose on a floor grid, seen from the front and a little from its left.

Plotly rotates a scene about its z axis, so points are drawn in Blender's axes (z up, facing -y), relative to the floor
point under the root: a walking person stays in the middle, and the grid moves.
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
"""Size of the floor grid's squares."""
GRID, LEFT, RIGHT, MIDDLE, OCCLUDED, JOINTS = range(6)
"""The figure's traces, in order."""
BOX_M = (-0.15, 2.1)
"""Default range of heights."""
_HALF_M = 1.1
_LINES = np.arange(-4, 5) * GRID_M
_TRACE_OF = {"left": LEFT, "right": RIGHT, "middle": MIDDLE}


def figure_points(points_m: Float64) -> tuple[Float64, Float64]:
    """Points (..., P, 3) in the figure's axes, and the floor point (..., 3) under the root, which is their origin."""
    centre = points_m[..., 0, :] * np.array([1.0, 0.0, 1.0])
    return BLENDER.positions(points_m - centre[..., None, :]), centre


def trace_of_bones(figure: StickFigure) -> list[int]:
    """Each bone's trace while it is not occluded, by the side of its outer end."""
    return [_TRACE_OF[figure.sides[end]] for _, end in figure.bones]


def skeleton_figure(pose: SkeletonPose, theme: Theme = LIGHT, box_m: tuple[float, float] = BOX_M) -> go.Figure:
    """The pose in 3D; occluded bones (score 0) are thin and grey.

    Args:
        pose: The pose.
        theme: Colours.
        box_m: Lowest and highest height to show, so that many poses can have the same range.
    """
    stick = StickFigure.of(pose.rotations.skeleton)
    points = stick.points(pose.rotations.local_xyzw, pose.root_m, pose.bone_m)
    known = stick.known(pose.score)
    drawn, centre = figure_points(points)
    low, high = min(box_m[0], float(drawn[:, 2].min()) - 0.1), max(box_m[1], float(drawn[:, 2].max()) + 0.1)
    figure = empty_figure(theme, "", 460, margin={"l": 0, "r": 0, "t": 0, "b": 0}, scene=_scene(theme, low, high))
    figure.add_scatter3d(
        **_lines(_grid(centre)), line={"color": theme.zero, "width": 1.5}, hoverinfo="skip", name="floor"
    )
    colours = {LEFT: theme.left, RIGHT: theme.right, MIDDLE: theme.middle, OCCLUDED: theme.muted}
    of_bones = trace_of_bones(stick)
    for trace, colour in colours.items():
        ends = [
            bone
            for bone, own in zip(stick.bones, of_bones, strict=True)
            if trace == (own if known[bone[1]] else OCCLUDED)
        ]
        figure.add_scatter3d(
            **_lines(drawn[np.array(ends, np.intp).reshape(-1, 2)]),
            line={"color": colour, "width": 2 if trace == OCCLUDED else 8},
            hoverinfo="skip",
            name="occluded" if trace == OCCLUDED else "",
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
    """Hover text of each point: its name (escaped, as it may come from a file) and its position in canonical axes."""
    return [
        f"{escape(name)}<br>x {x:.2f}, y {y:.2f}, z {z:.2f} m" + ("" if is_known else "<br>occluded: held or guessed")
        for name, (x, y, z), is_known in zip(stick.names, points_m.tolist(), known.tolist(), strict=True)
    ]


def _scene(theme: Theme, low: float, high: float) -> dict[str, Any]:
    invisible = {"visible": False, "showspikes": False}
    return {
        "xaxis": invisible | {"range": [-_HALF_M, _HALF_M]},
        "yaxis": invisible | {"range": [-_HALF_M, _HALF_M]},
        "zaxis": invisible | {"range": [low, high]},
        "aspectmode": "manual",
        "aspectratio": {"x": 1, "y": 1, "z": (high - low) / (2 * _HALF_M)},
        "bgcolor": theme.paper,
        "camera": {"eye": {"x": 0.45, "y": -1.2, "z": 0.2}, "center": {"x": 0, "y": 0, "z": -0.06}},
        "dragmode": "turntable",
    }


def _grid(centre: Float64) -> Float64:
    """The floor grid's lines (L, 2, 3), fixed in the world while `centre` moves."""
    x, y, _ = BLENDER.positions(centre) % GRID_M
    first, last = _LINES[0], _LINES[-1]
    pairs = [
        (((v - x, first - y, 0), (v - x, last - y, 0)), ((first - x, v - y, 0), (last - x, v - y, 0))) for v in _LINES
    ]
    return np.array(pairs).reshape(-1, 2, 3)


def _lines(ends: Float64) -> dict[str, Any]:
    """Separate lines (L, 2, 3) as attributes of one trace, with a gap after each."""
    gaps = np.full((len(ends), 1, 3), np.nan)
    x, y, z = np.concatenate((ends, gaps), axis=1).reshape(-1, 3).T
    return {"x": x, "y": y, "z": z, "mode": "lines"}
