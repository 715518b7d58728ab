"""Names of points and joints, as data: keypoint layouts (flat sets) and skeletons (trees with a rest pose)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from realtime_pose.utils.arrays import Float64


def _mirror_of(name: str) -> str:
    """The name of the same point on the other side of the body."""
    for here, there in (("left", "right"), ("right", "left")):
        if name.startswith(here):
            return there + name[len(here) :]
    return name


@dataclass(frozen=True)
class KeypointLayout:
    """Ordered names of a keypoint set; data carries its layout, so nothing is ever inferred from a count.

    Attributes:
        name: What reports and files call the layout.
        names: The K keypoints in order; left and right are the person's.
        links: Pairs of indices that a drawing joins.
    """

    name: str
    names: tuple[str, ...]
    links: tuple[tuple[int, int], ...] = field(repr=False)

    @cached_property
    def index(self) -> dict[str, int]:
        """Keypoint name -> its row."""
        return {name: i for i, name in enumerate(self.names)}

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For each row, the row of the same point on the other side (itself on the midline)."""
        return tuple(self.index[_mirror_of(name)] for name in self.names)

    def rows(self, names: Sequence[str]) -> list[int]:
        """The rows of `names`, in that order. Raises KeyError for a name the layout lacks."""
        return [self.index[name] for name in names]


def _layout(name: str, names: tuple[str, ...], links: Sequence[tuple[str, str]]) -> KeypointLayout:
    return KeypointLayout(name, names, tuple((names.index(a), names.index(b)) for a, b in links))


def _both_sides(*links: tuple[str, str]) -> list[tuple[str, str]]:
    return [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in links]


# fmt: off
_COCO17_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)
_FEET_AND_HANDS = (
    "left_heel", "right_heel", "left_toe", "right_toe", "left_pinky", "right_pinky", "left_index", "right_index",
    "left_thumb", "right_thumb",
)
# fmt: on
_COCO17_LINKS = [
    ("nose", "left_eye"),
    ("nose", "right_eye"),
    ("left_eye", "left_ear"),
    ("right_eye", "right_ear"),
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *_both_sides(("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle")),
]  # fmt: skip
_FEET_AND_HANDS_LINKS = _both_sides(
    ("ankle", "heel"), ("heel", "toe"), ("ankle", "toe"),
    ("wrist", "thumb"), ("wrist", "index"), ("wrist", "pinky"), ("index", "pinky"),
)  # fmt: skip

COCO17 = _layout("coco17", _COCO17_NAMES, _COCO17_LINKS)
"""COCO's 17 body keypoints: what ViTPose gives, and what a `pose` packet carries."""

COCO17_FEET_HANDS = _layout("coco17_feet_hands", _COCO17_NAMES + _FEET_AND_HANDS, _COCO17_LINKS + _FEET_AND_HANDS_LINKS)
"""COCO-17 first, then BlazePose's heels, toes (its foot index) and three knuckles of each hand."""

LAYOUTS = {layout.name: layout for layout in (COCO17, COCO17_FEET_HANDS)}
"""Every layout by name, for files that name theirs."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints with a rest pose: identity rotations are the rest pose.

    Attributes:
        name: What packets and files call the skeleton.
        joints: The J joint names; a parent always stands before its children.
        parents: (J,) row of each joint's parent, -1 for the root.
        rest_offset_m: (J, 3) from the parent at rest, canonical axes; the root's is its height over the soles.
        tip_offset_m: Where a bone without a child ends, by joint name, relative to that joint at rest.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    rest_offset_m: Float64
    tip_offset_m: dict[str, tuple[float, float, float]]

    @cached_property
    def index(self) -> dict[str, int]:
        """Joint name -> its row."""
        return {name: i for i, name in enumerate(self.joints)}

    @cached_property
    def mirror(self) -> tuple[int, ...]:
        """For each row, the row of the same joint on the other side (itself on the midline)."""
        return tuple(self.index[_mirror_of(name)] for name in self.joints)

    @cached_property
    def rest_bone_m(self) -> Float64:
        """(J,) length from the parent at rest; 0 for the root, which `root_m` places."""
        length = np.linalg.norm(self.rest_offset_m, axis=-1)
        length[0] = 0.0
        length.flags.writeable = False
        return length

    @cached_property
    def rest_direction(self) -> Float64:
        """(J, 3) unit direction from the parent at rest; 0 for the root."""
        direction = self.rest_offset_m / np.maximum(self.rest_bone_m, 1e-12)[:, None] * (self.rest_bone_m > 0)[:, None]
        direction.flags.writeable = False
        return direction


REST_HEIGHT_M = 1.70
"""Body height that HUMANOID's rest offsets belong to; other heights scale them."""

# (joint, parent, offset from the parent in metres). Heights and limb lengths are a 1.70 m adult's by the segment
# table of Winter, "Biomechanics and Motor Control of Human Movement", 4th ed., fig. 4.1 (thigh 0.245 H, shank
# 0.246 H, ankle 0.039 H, hip to shoulder 0.288 H); hips and shoulders are as wide as COCO's annotators mark them.
_HUMANOID_ROWS: tuple[tuple[str, str | None, tuple[float, float, float]], ...] = (
    ("hips", None, (0.0, 0.90, 0.0)),
    ("spine", "hips", (0.0, 0.10, 0.0)),
    ("chest", "spine", (0.0, 0.17, 0.0)),
    ("neck", "chest", (0.0, 0.25, 0.0)),
    ("head", "neck", (0.0, 0.09, 0.0)),
    ("leftUpperArm", "chest", (0.18, 0.22, 0.0)),
    ("leftLowerArm", "leftUpperArm", (0.29, 0.0, 0.0)),
    ("leftHand", "leftLowerArm", (0.25, 0.0, 0.0)),
    ("rightUpperArm", "chest", (-0.18, 0.22, 0.0)),
    ("rightLowerArm", "rightUpperArm", (-0.29, 0.0, 0.0)),
    ("rightHand", "rightLowerArm", (-0.25, 0.0, 0.0)),
    ("leftUpperLeg", "hips", (0.10, 0.0, 0.0)),
    ("leftLowerLeg", "leftUpperLeg", (0.0, -0.415, 0.0)),
    ("leftFoot", "leftLowerLeg", (0.0, -0.415, 0.0)),
    ("rightUpperLeg", "hips", (-0.10, 0.0, 0.0)),
    ("rightLowerLeg", "rightUpperLeg", (0.0, -0.415, 0.0)),
    ("rightFoot", "rightLowerLeg", (0.0, -0.415, 0.0)),
)


def _humanoid() -> Skeleton:
    joints = tuple(row[0] for row in _HUMANOID_ROWS)
    parents = tuple(-1 if row[1] is None else joints.index(row[1]) for row in _HUMANOID_ROWS)
    offsets = np.array([row[2] for row in _HUMANOID_ROWS])
    offsets.flags.writeable = False
    tips = {
        "head": (0.0, 0.19, 0.0),
        "leftHand": (0.17, 0.0, 0.0),
        "rightHand": (-0.17, 0.0, 0.0),
        "leftFoot": (0.0, -0.055, 0.15),
        "rightFoot": (0.0, -0.055, 0.15),
    }
    return Skeleton("humanoid", joints, parents, offsets, tips)


HUMANOID = _humanoid()
"""The 17 joints that a body drives, named as VRM names them; rest = T-pose facing +Z, soles at y = 0."""

SKELETONS = {HUMANOID.name: HUMANOID}
"""Every skeleton by name, for files that name theirs."""
