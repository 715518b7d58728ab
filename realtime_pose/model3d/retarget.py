"""A performer's pose onto a character with other rest rotations, other proportions and another number of bones.

With the character brought into the T-pose, a bone's turn in canonical space is the performer's turn times the bone's
own turn in that T-pose; what a file wants is that turn relative to the bone's parent (docs/conventions.md, "Skeleton").
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from realtime_pose.kinematics import global_rotations
from realtime_pose.model3d.character import Character
from realtime_pose.model3d.rest_pose import LIMBS, canonical_from_scene
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_ROW = HUMANOID.index
_LEG_REST_M = float(HUMANOID.rest_bone_m[_ROW["leftLowerLeg"]] + HUMANOID.rest_bone_m[_ROW["leftFoot"]])
ANKLE_PER_LEG = (float(HUMANOID.rest_offset_m[0, 1]) - _LEG_REST_M) / _LEG_REST_M
"""Height of the ankle over the sole, as a share of the leg above it: what the performer's is taken to be."""

_ANKLE_RANGE = (0.0, 0.35)  # shares of the leg between which a character stands on the floor of its scene


class Motion(NamedTuple):
    """A character's movement over T moments.

    Attributes:
        hips: (T, 3) translation of the hips' node, in its parent's units.
        turns: (T, M, 4) rotation of each of the character's `moved` nodes, in its parent's space.
    """

    hips: Float64
    turns: Float64


class Retargeter:
    """Turns a performer's poses into a character's.

    Limbs point where the performer's do. The trunk bends with the performer's, from the curve that it has at rest: each
    bone takes the mean of what the performer's spine does along the stretch that it covers. The hips' way is scaled by
    the length of the legs, and the feet of a character that stands on its floor stay on it. Everything happens in the
    character's own scene: one that faces -Z, as a VRM 0.x does, performs facing -Z.

    Args:
        character: Who moves.
        bone_m: (17,) the performer's bone lengths, HUMANOID's order.
    """

    def __init__(self, character: Character, bone_m: npt.ArrayLike) -> None:
        bones, tree = character.bones, character.tree
        self._bone_m = np.asarray(bone_m, dtype=np.float64)
        self._moved = character.moved
        self._hips = bones["hips"]
        place, turn, size = tree.world
        self._canonical = canonical_from_scene(tree, bones)
        self._scene = rot.inverse(self._canonical)
        self._place = rot.rotate(self._canonical, place)
        self._weights = self._stretches(character)
        # a bone's turn in the scene = scene <- canonical, the performer's turn, then what the bone has in the T-pose
        raised = self._raised(character)
        self._rest = {
            node: rot.multiply(rot.multiply(raised.get(node, rot.IDENTITY_XYZW), self._canonical), turn[node])
            for node in self._moved
        }
        self._links = [self._link(character, node) for node in self._moved]
        parent = tree.parents[self._hips]
        self._over = (place[parent], turn[parent], size[parent]) if parent >= 0 else (np.zeros(3), rot.IDENTITY_XYZW, 1)
        self._scale, self._lift_m, self._hips_above_legs = self._travel(character)

    def motion(self, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike) -> Motion:
        """The character's movement of the performer's: local rotations (T, 17, 4) and hips (T, 3), canonical."""
        performed = global_rotations(HUMANOID, local_xyzw)
        turned: dict[int, Float64] = {}
        out = np.empty((len(performed), len(self._moved), 4))
        for i, node in enumerate(self._moved):
            theirs = _mean(performed, self._weights[node])
            turned[node] = rot.multiply(rot.multiply(self._scene, theirs), self._rest[node])
            above, between = self._links[i]
            parent = between if above is None else rot.multiply(turned[above], between)
            out[:, i] = rot.multiply(rot.inverse(parent), turned[node])
        hips = np.asarray(root_m, dtype=np.float64) * self._scale
        hips[:, 1] += self._lift_m
        hips = hips + rot.rotate(performed[:, 0], self._hips_above_legs)
        place, turn, size = self._over
        return Motion(rot.rotate(rot.inverse(turn), rot.rotate(self._scene, hips) - place) / size, out)

    def _stretches(self, character: Character) -> dict[int, Float64]:
        """For each moved node the weights (17,) of the performer's joints whose turns it takes the mean of."""
        weights = {node: _only(bone) for bone, node in character.bones.items()}
        weights |= {node: _only("neck") for node in character.trunk.neck}
        torso = character.trunk.torso
        if torso:
            top = (*character.trunk.neck, character.bones["head"])[0]
            column = self._place[[self._hips, *torso, top]]
            height = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(column, axis=0), axis=1))))
            height /= max(height[-1], 1e-9)
            rows = [_ROW[joint] for joint in ("spine", "chest", "neck")]
            ends = np.cumsum(self._bone_m[rows]) / max(self._bone_m[rows].sum(), 1e-9)
            starts = np.concatenate(([0.0], ends[:-1]))
            for node, low, high in zip(torso, height[1:-1], height[2:], strict=True):
                high = max(high, low + 1e-9)
                share = np.clip(np.minimum(high, ends) - np.maximum(low, starts), 0.0, None)
                weights[node] = np.zeros(len(HUMANOID.joints))
                weights[node][[_ROW["hips"], _ROW["spine"], _ROW["chest"]]] = share / max(share.sum(), 1e-12)
            weights[torso[-1]] = _only("chest")  # it carries the arms
        return weights

    def _raised(self, character: Character) -> dict[int, Float64]:
        """The turn of each limb's bone, canonical, that takes it from rest into the T-pose.

        Of all turns that make a bone point the right way the smallest is taken. A hand goes with its arm; a foot stays
        as it stands.
        """
        raised: dict[int, Float64] = {}
        for bone, end in LIMBS:
            node, tip = character.bones[bone], character.bones[end]
            above = raised.get(node, rot.IDENTITY_XYZW)
            direction = rot.rotate(above, self._place[tip] - self._place[node])
            raised[node] = rot.multiply(rot.shortest_arc(direction, HUMANOID.rest_direction[_ROW[end]]), above)
            if not end.endswith("Foot"):
                raised[tip] = raised[node]
        return raised

    def _link(self, character: Character, node: int) -> tuple[int | None, Float64]:
        """The nearest moved node above, and the turn of what lies between: of the node's parent, relative to it."""
        tree = character.tree
        between = rot.IDENTITY_XYZW
        for above in tree.above(node):
            if above in self._rest:
                return above, between
            between = rot.multiply(tree.rotation[above], between)
        return None, between

    def _travel(self, character: Character) -> tuple[float, float, Float64]:
        """How the hips travel: scale of the performer's way, lift in metres, and (3,) from the legs' middle to them."""
        legs, bones = [], character.bones
        for side in ("left", "right"):
            joints = self._place[[bones[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot")]]
            legs.append(float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum()))
        leg, their_leg = float(np.mean(legs)), self._bone_m[[_ROW["leftLowerLeg"], _ROW["leftFoot"]]].sum()
        middle = self._place[[bones["leftUpperLeg"], bones["rightUpperLeg"]]].mean(axis=0)
        ankle = float(self._place[[bones["leftFoot"], bones["rightFoot"]], 1].mean())
        stands = _ANKLE_RANGE[0] * leg < ankle < _ANKLE_RANGE[1] * leg
        lift = ankle - ANKLE_PER_LEG * leg if stands else 0.0
        return leg / float(their_leg), lift, self._place[self._hips] - middle


def _only(joint: str) -> Float64:
    return np.eye(len(HUMANOID.joints))[_ROW[joint]]


def _mean(turns: Float64, weights: Float64) -> Float64:
    """The weighted mean (T, 4) of turns (T, J, 4) that are not far from each other."""
    rows = np.flatnonzero(weights)
    first = turns[:, rows[0]]
    total = sum(weights[row] * rot.nearest_sign(turns[:, row], first) for row in rows)
    return rot.unit(total)
