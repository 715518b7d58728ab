"""Retargeting: a person's pose on a character with other rest rotations, proportions and numbers of bones.

With the character in the T-pose, a bone's rotation in canonical space is the person's rotation times the bone's own
rotation in that T-pose; files store it relative to the bone's parent (docs/conventions.md, "Skeleton").
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
"""Height of the ankle over the sole, as a share of the leg above it; assumed for every person."""

_ANKLE_RANGE = (0.0, 0.35)  # a character stands on its scene's floor if its ankles are this high, as shares of the leg


class CharacterMotion(NamedTuple):
    """A character's motion over T frames.

    Attributes:
        hips: (T, 3) translation of the hips' node, in its parent's units.
        rotations_xyzw: (T, M, 4) rotation of each of the character's `driven` nodes, in its parent's space.
    """

    hips: Float64
    rotations_xyzw: Float64


class Retargeter:
    """Converts a person's poses to a character's.

    Limbs point in the same directions as the person's. The trunk bends from its own curve at rest: each of its bones
    gets the mean rotation of the stretch of the person's spine that it covers. The motion of the hips is scaled by the
    length of the legs, and a character that stands on its floor stays on it. The result is in the character's own
    scene: one that faces -Z, as VRM 0.x does, keeps facing -Z.

    Args:
        character: The character.
        bone_m: (17,) the person's bone lengths, HUMANOID's order.
    """

    def __init__(self, character: Character, bone_m: npt.ArrayLike) -> None:
        bones, tree = character.bones, character.tree
        self._bone_m = np.asarray(bone_m, dtype=np.float64)
        self._driven = character.driven
        self._hips = bones["hips"]
        position, rotation, scale = tree.world
        self._canonical_from_scene = canonical_from_scene(tree, bones)
        self._scene_from_canonical = rot.inverse(self._canonical_from_scene)
        self._position = rot.rotate(self._canonical_from_scene, position)
        self._weights = self._spine_weights(character)
        # a bone's rotation in the scene = scene_from_canonical * the person's rotation * the bone's in the T-pose
        to_tpose = self._to_tpose(character)
        self._rest = {
            node: rot.multiply(
                rot.multiply(to_tpose.get(node, rot.IDENTITY_XYZW), self._canonical_from_scene), rotation[node]
            )
            for node in self._driven
        }
        self._links = [self._link(character, node) for node in self._driven]
        parent = tree.parents[self._hips]
        world_of_parent = position[parent], rotation[parent], scale[parent]
        self._parent_of_hips = world_of_parent if parent >= 0 else (np.zeros(3), rot.IDENTITY_XYZW, 1)
        self._scale, self._lift_m, self._hips_above_legs = self._hip_motion(character)

    def motion(self, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike) -> CharacterMotion:
        """The character's motion for a person's local rotations (T, 17, 4) and hips (T, 3), canonical."""
        person_xyzw = global_rotations(HUMANOID, local_xyzw)
        in_scene: dict[int, Float64] = {}
        out = np.empty((len(person_xyzw), len(self._driven), 4))
        for i, node in enumerate(self._driven):
            mean_xyzw = _mean(person_xyzw, self._weights[node])
            in_scene[node] = rot.multiply(rot.multiply(self._scene_from_canonical, mean_xyzw), self._rest[node])
            above, between = self._links[i]
            parent = between if above is None else rot.multiply(in_scene[above], between)
            out[:, i] = rot.multiply(rot.inverse(parent), in_scene[node])
        hips = np.asarray(root_m, dtype=np.float64) * self._scale
        hips[:, 1] += self._lift_m
        hips = hips + rot.rotate(person_xyzw[:, 0], self._hips_above_legs)
        position, rotation, scale = self._parent_of_hips
        hips_in_scene = rot.rotate(self._scene_from_canonical, hips)
        return CharacterMotion(rot.rotate(rot.inverse(rotation), hips_in_scene - position) / scale, out)

    def camera_in_scene(self, position_m: npt.ArrayLike, rotation_xyzw: npt.ArrayLike) -> tuple[Float64, Float64]:
        """Where a camera of the person's world stands in the character's scene: both see them at the same pixels.

        Args:
            position_m: (T, 3), canonical.
            rotation_xyzw: (T, 4), world from camera.

        Returns:
            Position (T, 3) and rotation (T, 4), moved and scaled as the hips are by `motion`.
        """
        position = np.asarray(position_m, dtype=np.float64) * self._scale + (0.0, self._lift_m, 0.0)
        place = rot.rotate(self._scene_from_canonical, position)
        return place, rot.multiply(self._scene_from_canonical, rotation_xyzw)

    def _spine_weights(self, character: Character) -> dict[int, Float64]:
        """Weights (17,) of the person's joints in the rotation of each driven node."""
        weights = {node: _only(bone) for bone, node in character.bones.items()}
        weights |= {node: _only("neck") for node in character.trunk.neck}
        torso = character.trunk.torso
        if torso:
            top = (*character.trunk.neck, character.bones["head"])[0]
            column = self._position[[self._hips, *torso, top]]
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
            weights[torso[-1]] = _only("chest")  # parent of the arms
        return weights

    def _to_tpose(self, character: Character) -> dict[int, Float64]:
        """The canonical rotation of each limb bone from rest to the T-pose.

        It is the smallest rotation that makes the bone point in the right direction. A hand follows its arm; a foot
        keeps its rotation.
        """
        rotations: dict[int, Float64] = {}
        for bone, end in LIMBS:
            node, tip = character.bones[bone], character.bones[end]
            above = rotations.get(node, rot.IDENTITY_XYZW)
            direction = rot.rotate(above, self._position[tip] - self._position[node])
            rotations[node] = rot.multiply(rot.shortest_arc(direction, HUMANOID.rest_direction[_ROW[end]]), above)
            if not end.endswith("Foot"):
                rotations[tip] = rotations[node]
        return rotations

    def _link(self, character: Character, node: int) -> tuple[int | None, Float64]:
        """The nearest driven ancestor, and the rotation of the node's parent relative to it."""
        tree = character.tree
        between = rot.IDENTITY_XYZW
        for above in tree.ancestors(node):
            if above in self._rest:
                return above, between
            between = rot.multiply(tree.rotation[above], between)
        return None, between

    def _hip_motion(self, character: Character) -> tuple[float, float, Float64]:
        """Motion of the hips: scale, lift in metres, and (3,) the hips relative to the middle of the hip joints."""
        legs, bones = [], character.bones
        for side in ("left", "right"):
            joints = self._position[[bones[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot")]]
            legs.append(float(np.linalg.norm(np.diff(joints, axis=0), axis=1).sum()))
        leg, person_leg = float(np.mean(legs)), self._bone_m[[_ROW["leftLowerLeg"], _ROW["leftFoot"]]].sum()
        middle = self._position[[bones["leftUpperLeg"], bones["rightUpperLeg"]]].mean(axis=0)
        ankle = float(self._position[[bones["leftFoot"], bones["rightFoot"]], 1].mean())
        stands = _ANKLE_RANGE[0] * leg < ankle < _ANKLE_RANGE[1] * leg
        lift = ankle - ANKLE_PER_LEG * leg if stands else 0.0
        return leg / float(person_leg), lift, self._position[self._hips] - middle


def _only(joint: str) -> Float64:
    return np.eye(len(HUMANOID.joints))[_ROW[joint]]


def _mean(xyzw: Float64, weights: Float64) -> Float64:
    """The weighted mean (T, 4) of similar rotations (T, J, 4)."""
    rows = np.flatnonzero(weights)
    first = xyzw[:, rows[0]]
    total = sum(weights[row] * rot.nearest_sign(xyzw[:, row], first) for row in rows)
    return rot.unit(total)
