"""Keypoint layouts (ordered point sets) and skeletons (joint trees with a rest pose), as data."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64


def _mirror_of(name: str) -> str:
    """The name of the same point on the other side of the body."""
    for here, there in (("left", "right"), ("right", "left")):
        if name.startswith(here):
            return there + name[len(here) :]
    return name


@dataclass(frozen=True)
class KeypointLayout:
    """Ordered names of a keypoint set; data carries its layout, so that none is inferred from a count.

    Attributes:
        name: The layout's name in reports and files.
        names: The K keypoints in order; left and right are the person's.
        links: Pairs of rows to join in drawings.
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

    @cached_property
    def sides(self) -> tuple[str, ...]:
        """For each row: "left", "right" or, on the midline, "middle"."""
        return tuple(side_of(name) for name in self.names)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """For each row: "body", "foot", "hand" or "face"; COCO-17's eyes, ears and nose belong to the body."""
        return tuple(_PART_OF.get(name, "body") for name in self.names)

    @cached_property
    def has_body(self) -> bool:
        """Whether it has the points needed for lifting (LIMB_NAMES); an animal's layout has not."""
        return all(name in self.index for name in LIMB_NAMES)

    def rows(self, names: Sequence[str]) -> list[int]:
        """The rows of `names`, in that order; KeyError for a name that the layout lacks."""
        return [self.index[name] for name in names]

    @cached_property
    def lifts_as(self) -> "KeypointLayout":
        """The layout of this one's points for lifting: COCO17, or COCO17_FEET_HANDS if it has any of their points."""
        known = set(COCO17_FEET_HANDS.names) - set(COCO17.names)
        extra = known & set(self.names) or any(name in self.index for pair in MIDDLES.values() for name in pair)
        return COCO17_FEET_HANDS if extra else COCO17

    def rows_of(self, other: "KeypointLayout") -> tuple[int, ...]:
        """For each keypoint of `other`, the row of the same name here; -1 without one."""
        return tuple(self.index.get(name, -1) for name in other.names)


def side_of(name: str) -> str:
    """The side in a point's name: "left", "right" or "middle"."""
    return next((side for side in ("left", "right") if name.startswith(side)), "middle")


def _layout(name: str, names: tuple[str, ...], links: Sequence[tuple[str, str]]) -> KeypointLayout:
    return KeypointLayout(name, names, tuple((names.index(a), names.index(b)) for a, b in links))


def _both_sides(*links: tuple[str, str]) -> list[tuple[str, str]]:
    return [(f"{side}_{a}", f"{side}_{b}") for side in ("left", "right") for a, b in links]


def _chain(*names: str) -> list[tuple[str, str]]:
    """Links from each name to the next."""
    return list(pairwise(names))


LIMB_NAMES = tuple(
    f"{side}_{point}" for point in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle") for side in ("left", "right")
)
"""The twelve points needed for lifting a body."""

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
# In the order of COCO-WholeBody and COCO-25. BlazePose's "toe" is the tip of the whole foot, between big and small toe.
_TOES_AND_HEELS = (
    "left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel",
)
# The 68 face points of iBUG's scheme, which COCO-WholeBody uses, from the person's right to their left.
_JAW = (*(f"right_jaw_{i}" for i in range(8)), "chin", *(f"left_jaw_{i}" for i in range(7, -1, -1)))
_BROWS = {
    "right": tuple(f"right_brow_{i}" for i in range(5)),
    "left": tuple(f"left_brow_{i}" for i in range(4, -1, -1)),
}
_NOSE_BRIDGE = tuple(f"nose_bridge_{i}" for i in range(4))
_NOSTRILS = ("right_nostril_0", "right_nostril_1", "nose_base", "left_nostril_1", "left_nostril_0")
_EYES = {
    "right": tuple(f"right_eye_{point}" for point in
                   ("outer", "upper_outer", "upper_inner", "inner", "lower_inner", "lower_outer")),
    "left": tuple(f"left_eye_{point}" for point in
                  ("inner", "upper_inner", "upper_outer", "outer", "lower_outer", "lower_inner")),
}
_LIPS = (
    "right_lip_corner", "right_lip_upper_0", "right_lip_upper_1", "lip_upper", "left_lip_upper_1", "left_lip_upper_0",
    "left_lip_corner", "left_lip_lower_0", "left_lip_lower_1", "lip_lower", "right_lip_lower_1", "right_lip_lower_0",
)
_MOUTH = (
    "right_mouth_corner", "right_mouth_upper", "mouth_upper", "left_mouth_upper",
    "left_mouth_corner", "left_mouth_lower", "mouth_lower", "right_mouth_lower",
)
# fmt: on
_FACE = (
    *_JAW,
    *_BROWS["right"],
    *_BROWS["left"],
    *_NOSE_BRIDGE,
    *_NOSTRILS,
    *_EYES["right"],
    *_EYES["left"],
    *_LIPS,
    *_MOUTH,
)  # fmt: skip
# Each finger's points from palm to tip. The knuckle that BlazePose has too has the same name here.
_FINGERS = (
    ("thumb_1", "thumb", "thumb_3", "thumb_tip"),
    *((finger, f"{finger}_2", f"{finger}_3", f"{finger}_tip") for finger in ("index", "middle", "ring", "pinky")),
)
HAND_POINTS = ("hand_root", *(point for finger in _FINGERS for point in finger))
"""The 21 points of a hand, without its side: the wrist, then each finger from palm to tip."""

_BOTH_HANDS = tuple(f"{side}_{point}" for side in ("left", "right") for point in HAND_POINTS)
_PART_OF = (
    dict.fromkeys((*_TOES_AND_HEELS, "left_toe", "right_toe"), "foot")
    | dict.fromkeys(_BOTH_HANDS, "hand")
    | dict.fromkeys(_FACE, "face")
)

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
_FACE_LINKS = [
    link
    for contour in (_JAW, *_BROWS.values(), (*_NOSE_BRIDGE, "nose_base"), _NOSTRILS,
                    *((*ring, ring[0]) for ring in (*_EYES.values(), _LIPS, _MOUTH)))
    for link in _chain(*contour)
]  # fmt: skip
_WHOLEBODY_LINKS = [
    *_both_sides(("ankle", "big_toe"), ("ankle", "small_toe"), ("ankle", "heel"), ("wrist", "hand_root")),
    *_both_sides(*(link for finger in _FINGERS for link in _chain("hand_root", *finger))),
    *_FACE_LINKS,
]

COCO17 = _layout("coco17", _COCO17_NAMES, _COCO17_LINKS)
"""COCO's 17 body keypoints: ViTPose's output, and the content of a `pose` packet."""

COCO17_FEET_HANDS = _layout("coco17_feet_hands", _COCO17_NAMES + _FEET_AND_HANDS, _COCO17_LINKS + _FEET_AND_HANDS_LINKS)
"""COCO-17, then BlazePose's heels, toes (its foot index) and three knuckles of each hand."""

COCO25 = _layout(
    "coco25",
    (*_COCO17_NAMES[:5], "neck", *_COCO17_NAMES[5:13], "pelvis", *_COCO17_NAMES[13:], *_TOES_AND_HEELS),
    [
        ("nose", "left_eye"), ("nose", "right_eye"), ("left_eye", "right_eye"), ("nose", "neck"), ("neck", "pelvis"),
        *_both_sides(("eye", "ear"), ("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")),
        *((f"{side}_{point}", middle) for side in ("left", "right")
          for point, middle in (("shoulder", "neck"), ("hip", "pelvis"))),
        *_both_sides(("ankle", "heel"), ("heel", "big_toe"), ("big_toe", "small_toe")),
    ],
)  # fmt: skip
"""COCO-17, neck, pelvis (there called "hip") and feet, in the order of easy_ViTPose's coco_25 models."""

COCO_WHOLEBODY133 = _layout(
    "coco_wholebody133",
    (
        *_COCO17_NAMES,
        *_TOES_AND_HEELS,
        *_FACE,
        *_BOTH_HANDS,
    ),
    _COCO17_LINKS + _WHOLEBODY_LINKS,
)
"""COCO-17, feet, 68 face points, 21 points of the left hand, 21 of the right (Jin et al., 2020)."""

BLAZE_BODY_HANDS63 = _layout(
    "blaze_body_hands63",
    COCO17_FEET_HANDS.names + tuple(name for name in _BOTH_HANDS if name not in _FEET_AND_HANDS),
    [
        *_COCO17_LINKS,
        *_both_sides(("ankle", "heel"), ("heel", "toe"), ("ankle", "toe"), ("wrist", "hand_root")),
        *_both_sides(*(link for finger in _FINGERS for link in _chain("hand_root", *finger))),
    ],
)
"""COCO17_FEET_HANDS, then the other points of two hands of 21, as in COCO-WholeBody: BlazePose with `--hands`."""

AIC14 = _layout(
    "aic14",
    (*(f"{side}_{point}" for points in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
       for side in ("right", "left") for point in points), "head_top", "neck"),
    [
        ("head_top", "neck"), ("left_shoulder", "neck"), ("right_shoulder", "neck"), ("left_hip", "right_hip"),
        *_both_sides(
            ("shoulder", "elbow"), ("elbow", "wrist"), ("shoulder", "hip"), ("hip", "knee"), ("knee", "ankle")),
    ],
)  # fmt: skip
"""AI Challenger's 14 keypoints."""

MPII16 = _layout(
    "mpii16",
    (
        "right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle", "pelvis", "thorax",
        "upper_neck", "head_top", "right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow",
        "left_wrist",
    ),
    [
        *_chain("pelvis", "thorax", "upper_neck", "head_top"),
        *((f"{side}_{point}", middle) for side in ("left", "right")
          for point, middle in (("shoulder", "upper_neck"), ("hip", "pelvis"))),
        *_both_sides(("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")),
    ],
)  # fmt: skip
"""MPII Human Pose's 16 keypoints."""

AP10K17 = _layout(
    "ap10k17",
    (
        "left_eye", "right_eye", "nose", "neck", "tail_root", "left_shoulder", "left_elbow", "left_front_paw",
        "right_shoulder", "right_elbow", "right_front_paw", "left_hip", "left_knee", "left_back_paw", "right_hip",
        "right_knee", "right_back_paw",
    ),
    [
        ("left_eye", "right_eye"), ("left_eye", "nose"), ("right_eye", "nose"), *_chain("nose", "neck", "tail_root"),
        *((middle, f"{side}_{point}") for side in ("left", "right")
          for point, middle in (("shoulder", "neck"), ("hip", "tail_root"))),
        *_both_sides(("shoulder", "elbow"), ("elbow", "front_paw"), ("hip", "knee"), ("knee", "back_paw")),
    ],
)  # fmt: skip
"""AP-10K's 17 animal keypoints; APT-36K has the same."""

MIDDLES = {f"{side}_toe": (f"{side}_big_toe", f"{side}_small_toe") for side in ("left", "right")}
"""Points that can be computed as the midpoint of two others: the toe from the big and the small toe."""

LAYOUTS = {
    layout.name: layout
    for layout in (COCO17, COCO17_FEET_HANDS, BLAZE_BODY_HANDS63, COCO25, COCO_WHOLEBODY133, AIC14, MPII16, AP10K17)
}
"""Every layout by name, for reading files."""


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A tree of joints with a rest pose, in which all rotations are the identity.

    Attributes:
        name: The skeleton's name in packets and files.
        joints: The J joint names; parents come before their children.
        parents: (J,) row of each joint's parent, -1 for the root.
        rest_offset_m: (J, 3) from the parent at rest, canonical axes; the root's is its height over the soles.
        tip_offset_m: End of each bone without a child, by joint name, relative to that joint at rest.
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
"""Body height of HUMANOID's rest offsets; other heights scale them."""

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
"""The 17 joints of a body with VRM's names; rest = T-pose facing +Z, soles at y = 0."""


def _relaxed_xyzw() -> Float64:
    local = [vec.IDENTITY_XYZW] * len(HUMANOID.joints)
    for joint, sign in (("leftUpperArm", -1.0), ("rightUpperArm", 1.0)):
        local[HUMANOID.index[joint]] = vec.from_axis_angle(vec.Z, sign * math.radians(75.0))
    relaxed = np.array(local)
    relaxed.flags.writeable = False
    return relaxed


RELAXED_XYZW = _relaxed_xyzw()
"""(17, 4) local rotations of HUMANOID's relaxed pose, standing with hanging arms, to which occluded joints ease."""

SKELETONS = {HUMANOID.name: HUMANOID}
"""Every skeleton by name, for reading files."""

LIMB_JOINTS = tuple(
    f"{side}{joint}"
    for joint in ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
    for side in ("left", "right")
)
"""The 12 joints that MPJPE is taken over: shoulders, elbows, wrists, hips, knees, ankles."""

LIMB_ROWS = [HUMANOID.index[joint] for joint in LIMB_JOINTS]
"""Their rows in HUMANOID, in the order of LIMB_NAMES."""
