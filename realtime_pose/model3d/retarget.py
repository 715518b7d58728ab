"""Retargeting: a person's pose on a character with other rest rotations, proportions and numbers of bones.

With the character in the T-pose, a bone's rotation in canonical space is the person's rotation times the bone's own
rotation in that T-pose; files store it relative to the bone's parent (docs/conventions.md, "Skeleton").
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from realtime_pose.kinematics import global_pose, global_rotations
from realtime_pose.model3d.character import Character
from realtime_pose.model3d.foot_lock import FootLock, FootMotion, bend_leg, levelled, lock_feet
from realtime_pose.model3d.rest_pose import LIMBS, canonical_from_scene
from realtime_pose.model3d.soles import feet_points
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_ROW = HUMANOID.index
_LEG_REST_M = float(HUMANOID.rest_bone_m[_ROW["leftLowerLeg"]] + HUMANOID.rest_bone_m[_ROW["leftFoot"]])
ANKLE_PER_LEG = (float(HUMANOID.rest_offset_m[0, 1]) - _LEG_REST_M) / _LEG_REST_M
"""Height of the ankle over the sole, as a share of the leg above it; assumed for every person."""

_UPPER, _LOWER, _FOOT = (
    [_ROW[f"{side}{bone}"] for side in ("left", "right")] for bone in ("UpperLeg", "LowerLeg", "Foot")
)
_SIDES = ("left", "right")
_HINGE = (1.0, 0.0, 0.0)  # axis about which a knee bends, in the T-pose


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
    length of the legs, and the soles of feet that stand are on the floor, y = 0. The result is in the character's own
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
        self._set_legs(character)

    def feet(self, keys: Iterable[tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]]) -> FootLock:
        """What locks the feet that stand, for the frames of all chunks.

        Args:
            keys: Chunks of `time_s` (T,), `local_xyzw` (T, 17, 4), `root_m` (T, 3) and `foot_contact` (T, 2).
        """
        chunks = [
            FootMotion(np.asarray(time_s, np.float64), np.asarray(contact, np.bool_), *self._feet(local_xyzw, root_m))
            for time_s, local_xyzw, root_m, contact in keys
        ]
        whole = FootMotion(*(np.concatenate(parts) for parts in zip(*chunks, strict=True)))
        return lock_feet(whole, self.soles, self._leg_bones.sum(axis=1))

    def motion(self, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike, lock: FootLock | None = None) -> CharacterMotion:
        """The character's motion for a person's local rotations (T, 17, 4) and hips (T, 3), canonical.

        Args:
            local_xyzw: The person's rotations.
            root_m: The person's hips.
            lock: What locks the feet, of the same frames; None leaves limbs in the person's directions.
        """
        person_xyzw = global_rotations(HUMANOID, local_xyzw)
        hips = self._hips_at(person_xyzw, root_m)
        if lock is not None:
            hips[:, 1] += lock.hips
            person_xyzw = self._with_feet(person_xyzw, lock)
        in_scene: dict[int, Float64] = {}
        out = np.empty((len(person_xyzw), len(self._driven), 4))
        for i, node in enumerate(self._driven):
            mean_xyzw = _mean(person_xyzw, self._weights[node])
            in_scene[node] = rot.multiply(rot.multiply(self._scene_from_canonical, mean_xyzw), self._rest[node])
            above, between = self._links[i]
            parent = between if above is None else rot.multiply(in_scene[above], between)
            out[:, i] = rot.multiply(rot.inverse(parent), in_scene[node])
        position, rotation, scale = self._parent_of_hips
        hips_in_scene = rot.rotate(self._scene_from_canonical, hips)
        return CharacterMotion(rot.rotate(rot.inverse(rotation), hips_in_scene - position) / scale, out)

    def _hips_at(self, person_xyzw: Float64, root_m: npt.ArrayLike) -> Float64:
        """The hips (T, 3), canonical, where the length of the legs puts them."""
        hips = np.asarray(root_m, dtype=np.float64) * self._scale
        hips[:, 1] += self._lift_m
        return hips + rot.rotate(person_xyzw[:, 0], self._hips_above_legs)

    def _leg_vectors(self, person_xyzw: Float64) -> Float64:
        """(T, 2, 2, 3) thigh and shank of the left and the right leg, canonical, in the person's directions."""
        bones = self._leg_bones[..., None] * HUMANOID.rest_direction[np.stack((_LOWER, _FOOT), axis=1)]
        return rot.rotate(person_xyzw[:, np.stack((_UPPER, _LOWER), axis=1)], bones)

    def _feet(self, local_xyzw: npt.ArrayLike, root_m: npt.ArrayLike) -> tuple[Float64, Float64, Float64, Float64]:
        """`leg`, `ankle`, `wanted` and `foot_xyzw` of FootMotion."""
        person_m, person_xyzw = global_pose(HUMANOID, local_xyzw, root_m, self._bone_m)
        leg = self._leg_vectors(person_xyzw).sum(axis=2)
        hips = self._hips_at(person_xyzw, root_m)[:, None]
        ankle = hips + rot.rotate(person_xyzw[:, :1], self._hip_joints) + leg
        wanted = person_m[:, _FOOT] * self._scale
        wanted[..., 1] += self._ankle_lifts_m
        return leg, ankle, wanted, person_xyzw[:, _FOOT]

    def _with_feet(self, person_xyzw: Float64, lock: FootLock) -> Float64:
        """The person's global rotations with those of the legs changed so that ankles and hips go where they should."""
        person_xyzw, vectors = person_xyzw.copy(), self._leg_vectors(person_xyzw)
        for side, (upper, lower) in enumerate(zip(_UPPER, _LOWER, strict=True)):
            thigh, shank = vectors[:, side, 0], vectors[:, side, 1]
            target = thigh + shank + lock.ankles[:, side]
            target[:, 1] -= lock.hips
            hinge = rot.rotate(person_xyzw[:, upper], _HINGE)
            for row, change in zip((upper, lower), bend_leg(thigh, shank, hinge, target), strict=True):
                person_xyzw[:, row] = rot.multiply(change, person_xyzw[:, row])
            person_xyzw[:, _FOOT[side]] = levelled(person_xyzw[:, _FOOT[side]], lock.level[:, side])
        return person_xyzw

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

    def _set_legs(self, character: Character) -> None:
        """Lengths and joints of the legs, and with them the motion of the hips: its scale and its lift in metres."""
        bones = character.bones
        chains = np.array([[bones[f"{side}{bone}"] for bone in ("UpperLeg", "LowerLeg", "Foot")] for side in _SIDES])
        joints = self._position[chains]
        self._leg_bones = np.linalg.norm(np.diff(joints, axis=1), axis=2)
        leg = float(self._leg_bones.sum(axis=1).mean())
        self._scale = leg / float(self._bone_m[[_ROW["leftLowerLeg"], _ROW["leftFoot"]]].sum())
        self.soles = feet_points(character.glb, character.tree, bones, leg, ANKLE_PER_LEG)
        ankles = [ANKLE_PER_LEG * leg if character.fitted else -float(points[:, 1].min()) for points in self.soles]
        self._ankle_lifts_m = np.array(ankles) - ANKLE_PER_LEG * leg
        self._lift_m = float(self._ankle_lifts_m.mean())
        middle = joints[:, 0].mean(axis=0)
        self._hips_above_legs = self._position[self._hips] - middle
        self._hip_joints = joints[:, 0] - self._position[self._hips]


def _only(joint: str) -> Float64:
    return np.eye(len(HUMANOID.joints))[_ROW[joint]]


def _mean(xyzw: Float64, weights: Float64) -> Float64:
    """The weighted mean (T, 4) of similar rotations (T, J, 4)."""
    rows = np.flatnonzero(weights)
    first = xyzw[:, rows[0]]
    total = sum(weights[row] * rot.nearest_sign(xyzw[:, row], first) for row in rows)
    return rot.unit(total)
