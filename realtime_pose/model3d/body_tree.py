"""Humanoid tree of a character: find the trunk, re-attach limbs and mesh parts that are detached."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree, name_of
from realtime_pose.model3d.rest_pose import LIMBS, weighted_joints
from realtime_pose.utils.arrays import Float64

_MIN_LENGTH = 1e-6  # of a bone, as a share of the body
_CROWN = 0.3  # from the head's joint to the crown, as a share of hips to head
_LIMB = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")


class TrunkNodes(NamedTuple):
    """The nodes between hips and head, from the bottom up.

    Attributes:
        torso: Nodes below the neck that do not carry the legs; the last one is the parent of the arms. May be empty.
        neck: The other nodes. May be empty.
    """

    torso: tuple[int, ...]
    neck: tuple[int, ...]


def check_bone_lengths(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> None:
    """Refuse bones without length, which have no direction.

    Raises:
        CharacterError: Two joints have the same position.
    """
    position = tree.world.position
    height = float(np.ptp(position[list(bones.values())], axis=0).max())
    for a, b in (*LIMBS, ("leftUpperArm", "rightUpperArm"), ("leftUpperLeg", "rightUpperLeg"), ("hips", "head")):
        if np.linalg.norm(position[bones[a]] - position[bones[b]]) <= _MIN_LENGTH * height:
            raise CharacterError(f"{glb.path} has its {a} and its {b} at the same position, so it cannot be posed")


def trunk_of(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> TrunkNodes:
    """The nodes between hips and head.

    Raises:
        CharacterError: The head is not a descendant of the hips.
    """
    path = tree.path(bones["hips"], bones["head"])
    if path is None:
        head, hips = (name_of(glb, bones[bone]) for bone in ("head", "hips"))
        raise CharacterError(
            f"{glb.path}: its head {head} is not below its hips {hips} in the node tree; map the bones with --bones"
        )
    legs = [tree.ancestors(bones[f"{side}UpperLeg"]) for side in ("left", "right")]
    between = [
        node for node in path[1:-1] if not all(node in nodes for nodes in legs)
    ]  # Biped's spine carries the legs
    if bones.get("neck") in between:
        split = between.index(bones["neck"])
    else:
        above_arms = [set(tree.ancestors(bones[f"{side}UpperArm"])) for side in ("left", "right")]
        split = max((i + 1 for i, node in enumerate(between) if all(node in nodes for nodes in above_arms)), default=0)
    return TrunkNodes(tuple(between[:split]), tuple(between[split:]))


def connected(glb: Glb, tree: NodeTree, bones: Mapping[str, int], trunk: TrunkNodes) -> NodeTree:
    """The tree with every limb attached to the trunk, and every detached part of the mesh to its nearest bone.

    Rigs driven by constraints (Rigify's) are exported in several pieces.

    Raises:
        CharacterError: A limb is an ancestor of the node that it should be attached to.
    """
    chest = trunk.torso[-1] if trunk.torso else bones["hips"]
    for side in ("left", "right"):
        parent = chest
        for bone in _LIMB:
            node = bones[f"{side}{bone}"]
            if bone == "UpperLeg":
                parent = bones["hips"]
            if node in tree.ancestors(parent):
                raise CharacterError(
                    f"{glb.path}: {name_of(glb, parent)} is below {name_of(glb, node)}, which was taken for the "
                    f"{side}{bone}; map the bones with --bones"
                )
            if parent not in tree.ancestors(node):
                tree = tree.reparented(node, parent)
            parent = node
    spans = _spans(tree, bones, trunk)
    for top, joint in _detached(glb, tree, {bone for bone, _, _ in spans}).items():
        point = tree.world.position[joint]
        tree = tree.reparented(top, min(spans, key=lambda span: _distance(point, span[1], span[2]))[0])
    return tree


def _detached(glb: Glb, tree: NodeTree, bones: set[int]) -> dict[int, int]:
    """The top nodes of skinned parts that are below no bone, each with one skinned joint of it."""
    above_bones = {ancestor for node in bones for ancestor in tree.ancestors(node)}
    detached: dict[int, int] = {}
    for joint in sorted(weighted_joints(glb) - bones - above_bones):
        chain = [joint, *tree.ancestors(joint)]
        if bones.isdisjoint(chain):
            detached.setdefault([node for node in chain if node not in above_bones][-1], joint)
    return detached


def _spans(tree: NodeTree, bones: Mapping[str, int], trunk: TrunkNodes) -> list[tuple[int, Float64, Float64]]:
    """Each bone's node, with the start and the end of the bone at rest."""
    position = tree.world.position
    column = [bones["hips"], *trunk.torso, *trunk.neck, bones["head"]]
    crown = position[bones["head"]] + (position[bones["head"]] - position[bones["hips"]]) * _CROWN
    spans = [(a, position[a], position[b]) for a, b in pairwise(column)]
    spans.append((bones["head"], position[bones["head"]], crown))
    for bone, end in LIMBS:
        spans.append((bones[bone], position[bones[bone]], position[bones[end]]))
        if end.endswith(("Hand", "Foot")):
            spans.append((bones[end], position[bones[end]], position[bones[end]]))
    return spans


def _distance(point: Float64, start: Float64, end: Float64) -> float:
    bone = end - start
    share = np.clip((point - start) @ bone / max(float(bone @ bone), 1e-12), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * bone))
