"""Writes docs/drawings/: .venv/bin/python docs/make_drawings.py

Axes, skeleton and rotations come from the program (axes.py, skeletons.py, kinematics.py), so that the drawings match
the packets. A test fails when the committed files differ from what this writes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt

from realtime_pose.axes import BLENDER, OPENSIM, UNITY, UNREAL, Axes, canonical_from_opencv
from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M
from realtime_pose.kinematics import global_rotations, joint_positions
from realtime_pose.skeletons import COCO17, HUMANOID, side_of
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

FOLDER = Path(__file__).parent / "drawings"
INK, FAINT, PAPER = "#37474f", "#90a4ae", "#ffffff"
AXIS_COLOURS = ("#d32f2f", "#388e3c", "#1976d2")  # x, y, z: the colours that every engine uses
SIDE_COLOURS = {"left": "#e65100", "right": "#1565c0", "middle": INK}
FACE_MIDDLE = np.array([0.0, 0.06, 0.0])  # from the head joint, metres


@dataclass
class Drawing:
    """An SVG, built part by part.

    Attributes:
        width, height: px.
    """

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def line(self, a: npt.ArrayLike, b: npt.ArrayLike, colour: str, width: float = 2.0, dashes: str = "") -> None:
        """A line from a to b."""
        (x1, y1), (x2, y2) = np.asarray(a), np.asarray(b)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
            f'stroke-width="{width}" stroke-linecap="round"{dashed}/>'
        )

    def arrow(self, a: npt.ArrayLike, b: npt.ArrayLike, colour: str, width: float = 2.5) -> None:
        """A line with a head at b; a dot in a ring if it points at the viewer."""
        a, b = np.asarray(a, float), np.asarray(b, float)
        length = float(np.hypot(*(b - a)))
        if length < 6:
            self.ring(b, 6, colour)
            return self.dot(b, 2.2, colour)
        along = (b - a) / length
        aside = np.array([-along[1], along[0]])
        self.line(a, b - 6 * along, colour, width)
        corners = (b, b - 10 * along + 4.5 * aside, b - 10 * along - 4.5 * aside)
        self.parts.append(f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}" fill="{colour}"/>')
        return None

    def dot(self, at: npt.ArrayLike, radius: float, colour: str) -> None:
        """A filled circle."""
        x, y = np.asarray(at)
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>')

    def ring(self, at: npt.ArrayLike, radius: float, colour: str) -> None:
        """An empty circle."""
        x, y = np.asarray(at)
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )

    def shape(self, points: npt.ArrayLike, fill: str, stroke: str = "none") -> None:
        """A filled polygon."""
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in np.asarray(points))
        self.parts.append(f'<polygon points="{corners}" fill="{fill}" stroke="{stroke}" stroke-width="1.5"/>')

    def text(
        self,
        at: npt.ArrayLike,
        words: str,
        colour: str = INK,
        size: int = 13,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        """Text with its base line at y; `anchor` is SVG's: start, middle or end."""
        x, y = np.asarray(at)
        weight = ' font-weight="600"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size}" text-anchor="{anchor}"{weight}>'
            f"{escape(words)}</text>"
        )

    def svg(self, title: str) -> str:
        """The file's text."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" font-family="system-ui, sans-serif">\n<title>{escape(title)}</title>\n'
            f'<rect width="{self.width}" height="{self.height}" rx="8" fill="{PAPER}"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


@dataclass(frozen=True)
class View:
    """Orthographic projection from canonical metres to pixels.

    Attributes:
        middle: Where `looks_at` is drawn, px.
        per_m: px a metre.
        yaw_rad: Position of the view, from the character's front towards its left.
        pitch_rad: How far the view looks down.
        looks_at: A canonical point, metres.
    """

    middle: tuple[float, float]
    per_m: float
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    looks_at: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __call__(self, xyz_m: npt.ArrayLike) -> Float64:
        """(..., 2) px of canonical points (..., 3)."""
        x, y, z = np.moveaxis(np.asarray(xyz_m, float) - self.looks_at, -1, 0)
        right = x * np.cos(self.yaw_rad) - z * np.sin(self.yaw_rad)
        towards = x * np.sin(self.yaw_rad) + z * np.cos(self.yaw_rad)
        up = y * np.cos(self.pitch_rad) - towards * np.sin(self.pitch_rad)
        return np.stack((self.middle[0] + self.per_m * right, self.middle[1] - self.per_m * up), axis=-1)


@dataclass(frozen=True)
class Body:
    """A posed body: positions and world rotations of its joints."""

    joints: Float64
    turned: Float64

    def at(self, joint: str, offset: npt.ArrayLike = (0.0, 0.0, 0.0)) -> Float64:
        """The position of a joint, or of a point fixed to it."""
        row = HUMANOID.index[joint]
        return self.joints[row] + rot.rotate(self.turned[row], offset)


def posed(turns: Mapping[str, Float64] | None = None, moved_m: npt.ArrayLike = (0.0, 0.0, 0.0)) -> Body:
    """HUMANOID at rest, with some joints rotated and the whole body moved."""
    local = np.tile([0.0, 0.0, 0.0, 1.0], (len(HUMANOID.joints), 1))
    for joint, xyzw in (turns or {}).items():
        local[HUMANOID.index[joint]] = xyzw
    joints = joint_positions(HUMANOID, local, HUMANOID.rest_offset_m[0] + moved_m, HUMANOID.rest_bone_m)
    return Body(joints, global_rotations(HUMANOID, local))


def figure(drawing: Drawing, view: View, body: Body, *, faint: bool = False, thick: float = 5.0) -> None:
    """The body: bones, hands, feet, and a face whose nose shows the front."""
    bones = [
        (body.joints[parent], body.joints[row], HUMANOID.joints[row])
        for row, parent in enumerate(HUMANOID.parents)
        if parent >= 0
    ]
    bones += [(body.at(j), body.at(j, tip), j) for j, tip in HUMANOID.tip_offset_m.items() if j != "head"]
    for start, end, joint in bones:
        drawing.line(view(start), view(end), FAINT if faint else SIDE_COLOURS[side_of(joint)], thick)
    colour = FAINT if faint else INK
    drawing.line(view(body.at("head")), view(body.at("head", FACE_MIDDLE)), colour, thick)
    drawing.dot(view(body.at("head", FACE_MIDDLE)), round(0.1 * view.per_m, 1), colour)
    nose = [FACE_MIDDLE + np.array(offset) for offset in ((0.0, -0.01, 0.0), (0.0, -0.03, 0.24))]
    drawing.line(view(body.at("head", nose[0])), view(body.at("head", nose[1])), colour, thick)


def triad(
    drawing: Drawing, view: View, at: npt.ArrayLike, directions: Float64, length_m: float, words: Sequence[str]
) -> None:
    """Three axes (rows of `directions`, canonical) from a point, each with a label at its end."""
    start = view(at)
    for axis in np.argsort(directions @ [np.sin(view.yaw_rad), 0, np.cos(view.yaw_rad)]):  # far to near
        end = view(np.asarray(at) + length_m * directions[axis])
        drawing.arrow(start, end, AXIS_COLOURS[axis], 3)
        along = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
        anchor = "middle" if abs(along[0]) < 0.5 else "start" if along[0] > 0 else "end"
        drop = 16 if along[1] > 0.5 else -7 if along[1] < -0.5 else 4
        drawing.text(end + np.array([7 * along[0], drop]), words[axis], AXIS_COLOURS[axis], 13, anchor, bold=True)


WAYS = {(0, 1): "left", (0, -1): "right", (1, 1): "up", (1, -1): "down", (2, 1): "front", (2, -1): "back"}
CANONICAL = Axes((0, 1, 2), (1, 1, 1))
SPACES = (
    ("glTF, three.js, Godot", "PosePackets, our files", CANONICAL),
    ("Unity", "VMC, OSC trackers", UNITY),
    ("Unreal", "Live Link", UNREAL),
    ("Blender", "its own scene", BLENDER),
    ("OpenSim", "TRC, MOT", OPENSIM),
)


PANEL_PX = (240, 336)


def _panel(number: int) -> tuple[Float64, View]:
    """The upper left corner and the view of one of several small drawings, three in a row."""
    corner = np.array(PANEL_PX) * (number % 3, number // 3)
    return corner, View((corner[0] + 120, corner[1] + 272), 122, np.radians(-28), np.radians(16))


def _floor(drawing: Drawing, view: View, x_m: tuple[float, float], z_m: tuple[float, float]) -> None:
    corners = [(x_m[0], 0, z_m[0]), (x_m[1], 0, z_m[0]), (x_m[1], 0, z_m[1]), (x_m[0], 0, z_m[1])]
    drawing.shape(view(corners), "#eceff1", "#cfd8dc")


def _words(drawing: Drawing, corner: Float64, above: str, below_it: str, under: str) -> None:
    drawing.text(corner + np.array([120, 26]), above, size=15, bold=True)
    drawing.text(corner + np.array([120, 44]), below_it, FAINT, 12)
    drawing.text(corner + np.array([120, 322]), under, size=12)


def axes_drawing() -> str:
    """The same body in every coordinate system: the direction of each axis."""
    drawing = Drawing(720, 672)
    for number, (name, where, axes) in enumerate(SPACES):
        corner, view = _panel(number)
        _floor(drawing, view, (-0.5, 0.5), (-0.5, 0.5))
        figure(drawing, view, posed(), faint=True, thick=4)
        directions = np.array([sign * np.eye(3)[order] for order, sign in zip(axes.order, axes.signs, strict=True)])
        words = [f"{'xyz'[i]} {WAYS[axes.order[i], axes.signs[i]]}" for i in range(3)]
        triad(drawing, view, (0, 0, 0), directions, 0.6, words)
        hand = "right" if np.linalg.det(directions) > 0 else "left"
        unit = "centimetres" if axes.per_metre == 100 else "metres"
        _words(drawing, corner, name, where, f"{hand}-handed, {unit}")
    for row, words in enumerate(("left, right and front", "are the person's own")):
        drawing.text((600, 480 + 18 * row), words, FAINT, 12)
    return drawing.svg("The axes of each coordinate system, drawn at the same body; left and right are the person's")


def camera_drawing() -> str:
    """World and camera: the origin, the root, the camera's axes and the image's."""
    drawing = Drawing(720, 460)
    view = View((350, 300), 140, np.radians(-62), np.radians(14), (0.0, 0.0, 1.4))
    _floor(drawing, view, (-0.9, 0.9), (-0.6, 3.5))
    hanging = {f"{side}UpperArm": _turn(2, degrees) for side, degrees in (("left", -70), ("right", 70))}
    body = posed(hanging, (0.2, 0.0, 0.85))
    camera = np.array([0.0, 1.35, 3.1])
    corners = [(-0.62, -0.465, 0.9), (0.62, -0.465, 0.9), (0.62, 0.465, 0.9), (-0.62, 0.465, 0.9)]
    image = camera + canonical_from_opencv(corners)
    figure(drawing, view, body, faint=True, thick=5)
    triad(drawing, view, (0, 0, 0), np.eye(3), 0.6, ("+X", "+Y", "+Z"))
    drawing.text(view((0, 0, 0)) + np.array([-10, 12]), "origin", INK, 12, "end")
    drawing.arrow(view((0, 0, 0)), view(body.at("hips")), "#6a1b9a", 2.5)
    drawing.text(view(body.at("hips") / 2) + np.array([10, 2]), "root", "#6a1b9a", 13, "start", bold=True)
    drawing.shape(view(image), "#fff8e1cc", "#ffb300")
    for corner in image:
        drawing.line(view(camera), view(corner), "#ffb300", 1)
    drawing.dot(view(camera), 7, INK)
    drawing.line(view(camera), view(camera * (1, 0, 1)), FAINT, 1.5, "4 4")
    drawing.text(view(camera * (1, 0.42, 1)) + np.array([9, 0]), "camera height", FAINT, 12, "start")
    triad(drawing, view, camera, canonical_from_opencv(np.eye(3)), 0.42, ("x", "y", "z"))
    for axis, (end, word, off) in enumerate(((image[1], "x", (9, -2)), (image[3], "y", (-9, 4)))):
        at = view(image[0] + 0.38 * (end - image[0]))
        drawing.arrow(view(image[0]), at, AXIS_COLOURS[axis], 2)
        drawing.text(at + np.array(off), word, AXIS_COLOURS[axis], 12, "start" if axis == 0 else "end")
    for row, (head, words) in enumerate(
        (
            (
                "world",
                "origin on the floor below the first position; +X the image's right, +Y up, +Z towards the camera",
            ),
            ("camera", "OpenCV's axes: x right, y down, z forward"),
            ("image", "pixels from its upper left corner: x right, y down"),
        )
    ):
        drawing.text((70, 402 + 21 * row), head, size=12, anchor="end", bold=True)
        drawing.text((80, 402 + 21 * row), words, size=12, anchor="start")
    return drawing.svg("World, camera and image, seen from the side")


def _labelled(drawing: Drawing, at: Float64, away: Float64, words: str, side: str, anchor: str) -> None:
    """A point with its name at the end of a thin line."""
    colour = SIDE_COLOURS[side]
    drawing.line(at, at + away, colour, 0.8)
    beside = {"start": (4, 4), "end": (-4, 4), "middle": (0, 13 if away[1] > 0 else -4)}[anchor]
    drawing.text(at + away + np.array(beside), words, colour, 12, anchor)
    drawing.dot(at, 4.5, colour)


JOINT_LABELS = {  # px from the joint, and the anchor: of the middle and of the left, whose right is its mirror image
    "hips": (70, -28, "start"), "spine": (78, -16, "start"), "chest": (86, 16, "start"), "neck": (66, -18, "start"),
    "head": (62, -34, "start"), "UpperArm": (18, 64, "start"), "LowerArm": (0, 26, "middle"),
    "Hand": (0, -24, "middle"), "UpperLeg": (36, 22, "start"), "LowerLeg": (36, 0, "start"), "Foot": (36, 0, "start"),
}  # fmt: skip
POINT_LABELS = {
    "nose": (62, 22, "start"), "eye": (62, -50, "start"), "ear": (58, -14, "start"), "shoulder": (18, 64, "start"),
    "elbow": (0, 26, "middle"), "wrist": (0, -24, "middle"), "hip": (36, -14, "start"), "knee": (36, 0, "start"),
    "ankle": (36, 0, "start"),
}  # fmt: skip


def _label_of(table: Mapping[str, tuple[int, int, str]], name: str) -> tuple[Float64, str]:
    side = side_of(name)
    key = name if side == "middle" else name.removeprefix(side).removeprefix("_")
    across, down, anchor = table[key]
    if side == "right":
        return np.array([-across, down]), {"start": "end", "end": "start"}.get(anchor, anchor)
    return np.array([across, down]), anchor


def _from_the_front(title: str, under: str) -> tuple[Drawing, View]:
    drawing, view = Drawing(620, 640), View((310, 590), 290)
    drawing.text((310, 26), title, size=15, bold=True)
    drawing.text((310, 45), under, FAINT, 12)
    figure(drawing, view, posed(), faint=True, thick=3)
    drawing.text((310, 628), "seen from the front: orange is the person's left", FAINT, 12)
    return drawing, view


def skeleton_drawing() -> str:
    """HUMANOID at rest, each joint with its row and name."""
    drawing, view = _from_the_front("HUMANOID: 17 joints", "the rows of joints_3d and rotations")
    body = posed()
    for row, joint in enumerate(HUMANOID.joints):
        away, anchor = _label_of(JOINT_LABELS, joint)
        _labelled(drawing, view(body.at(joint)), away, f"{row} {joint}", side_of(joint), anchor)
    return drawing.svg("HUMANOID at rest from the front: rows and names of its joints")


STANDS_FOR = {"shoulder": "UpperArm", "elbow": "LowerArm", "wrist": "Hand", "hip": "UpperLeg", "knee": "LowerLeg",
              "ankle": "Foot"}  # fmt: skip


def keypoints_drawing() -> str:
    """The 17 keypoints on the same body."""
    drawing, view = _from_the_front("COCO: 17 keypoints", "the rows of keypoints and scores")
    body = posed()
    face = dict(zip(FACE_NAMES, FACE_TEMPLATE_M + body.at("head", FACE_MIDDLE), strict=True))
    for row, name in enumerate(COCO17.names):
        side, _, point = name.partition("_")
        at = view(face[name] if name in face else body.at(side + STANDS_FOR[point]))
        away, anchor = _label_of(POINT_LABELS, name)
        _labelled(drawing, at, away, f"{row} {name}", side_of(name), anchor)
    return drawing.svg("The body's 17 keypoints from the front: rows and names")


def _turn(axis: int, degrees: float) -> Float64:
    return rot.from_axis_angle(np.eye(3)[axis], np.array(np.radians(degrees)))


EXAMPLES: tuple[tuple[str, str, Mapping[str, Float64]], ...] = (
    ("rest", "every joint", {}),
    ("arms hang", "leftUpperArm, −75° about z", {"leftUpperArm": _turn(2, -75), "rightUpperArm": _turn(2, 75)}),
    ("elbow to the front", "leftLowerArm, −60° about y", {"leftLowerArm": _turn(1, -60)}),
    ("thigh to the front", "leftUpperLeg, −60° about x", {"leftUpperLeg": _turn(0, -60)}),
    ("heel to the back", "leftLowerLeg, 90° about x", {"leftLowerLeg": _turn(0, 90)}),
    ("looks to its left", "head, 60° about y", {"head": _turn(1, 60)}),
)


def rotations_drawing() -> str:
    """Some rotations to test a receiver with."""
    drawing = Drawing(720, 672)
    for number, (name, words, turns) in enumerate(EXAMPLES):
        corner, view = _panel(number)
        _floor(drawing, view, (-0.5, 0.5), (-0.5, 0.5))
        body = posed(turns)
        for joint in list(turns)[:1]:
            triad(drawing, view, body.at(joint), np.eye(3), 0.3, ("x", "y", "z"))
        figure(drawing, view, body, thick=4.5)
        xyzw = next(iter(turns.values()), np.array([0.0, 0.0, 0.0, 1.0]))
        _words(drawing, corner, name, words, " ".join(f"{value:.4g}" for value in xyzw.round(4) + 0.0))
    return drawing.svg("Local rotations and their effect; the numbers are x y z w")


DRAWINGS = {
    "axes.svg": axes_drawing,
    "camera.svg": camera_drawing,
    "keypoints.svg": keypoints_drawing,
    "rotations.svg": rotations_drawing,
    "skeleton.svg": skeleton_drawing,
}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, draw in DRAWINGS.items():
        (FOLDER / name).write_text(draw(), encoding="utf-8")
