"""Bone rescaling: lifted points with the bone lengths of a body profile, bone directions unchanged."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from realtime_pose.body.head_pose import FACE_NAMES
from realtime_pose.body.profile import body_of
from realtime_pose.body.proportions import LENGTHS
from realtime_pose.body.settings import BodyConfig
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.arrays import Float64

_TINY_M = 1e-6


class BoneRescaling:
    """Rescales lifted points to the lengths of `body.profile`; does nothing without a profile."""

    def __init__(self, config: BodyConfig) -> None:
        self._lengths = dict(zip(LENGTHS, body_of(config).lengths.tolist(), strict=True)) if config.profile else None

    def apply(self, xyz_m: Float64, layout: KeypointLayout) -> Float64:
        """The rescaled points (K, 3) from the midpoint of the hips; hand, foot and face points move with their bone."""
        return xyz_m if self._lengths is None else with_lengths(xyz_m, layout, self._lengths)


def with_lengths(xyz_m: Float64, layout: KeypointLayout, lengths_m: dict[str, float]) -> Float64:
    """The points (K, 3) from the midpoint of the hips, with each of LENGTHS as given by `lengths_m`.

    A bone whose ends coincide has no direction and stays as it is.
    """
    out, placed = xyz_m.copy(), [np.zeros(3)]
    for bone in _bones(layout):
        start_m, end_m = (xyz_m[rows].mean(axis=0) for rows in (bone.start, bone.end))
        vector = end_m - start_m
        lifted_m = float(np.linalg.norm(vector))
        if lifted_m > _TINY_M:
            vector = vector * (lengths_m[bone.length] * bone.share / lifted_m)
        placed.append(placed[bone.parent] + vector)
        out[bone.carried] = xyz_m[bone.carried] + (placed[-1] - end_m)
    return out


class _Bone(NamedTuple):
    """One bone of the tree from the hips outwards.

    Attributes:
        length: Its name in LENGTHS.
        share: Its share of that length: half of a width on each side.
        parent: Its start: 0 = midpoint of the hips, i = end of the i-th bone.
        start, end: Rows whose midpoints are its ends in the lifted points.
        carried: Rows that move with its end.
    """

    length: str
    share: float
    parent: int
    start: list[int]
    end: list[int]
    carried: list[int]


@lru_cache(maxsize=16)
def _bones(layout: KeypointLayout) -> tuple[_Bone, ...]:
    parts = tuple(zip(layout.names, layout.parts, layout.sides, strict=True))
    face = [i for i, (name, part, _) in enumerate(parts) if part == "face" or name in FACE_NAMES]
    hips, shoulders = (layout.rows([f"left_{part}", f"right_{part}"]) for part in ("hip", "shoulder"))
    bones = [_Bone("torso", 1.0, 0, hips, shoulders, [*shoulders, *face])]
    for side in ("left", "right"):
        hand, foot = ([i for i, (_, p, s) in enumerate(parts) if (p, s) == (part, side)] for part in ("hand", "foot"))
        hip, knee, ankle, shoulder, elbow, wrist = (
            layout.rows([f"{side}_{part}"]) for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        )
        n = len(bones)
        bones += [
            _Bone("hip_width", 0.5, 0, hips, hip, hip),
            _Bone("thigh", 1.0, n + 1, hip, knee, knee),
            _Bone("shank", 1.0, n + 2, knee, ankle, [*ankle, *foot]),
            _Bone("shoulder_width", 0.5, 1, shoulders, shoulder, shoulder),
            _Bone("upper_arm", 1.0, n + 4, shoulder, elbow, elbow),
            _Bone("forearm", 1.0, n + 5, elbow, wrist, [*wrist, *hand]),
        ]
    return tuple(bones)
