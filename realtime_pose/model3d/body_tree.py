"""The body in a file's tree: its trunk is found, and what hangs loose is hung on it."""

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree, name_of
from realtime_pose.model3d.rest_pose import LIMBS, weighted_joints
from realtime_pose.utils.arrays import Float64

_NEAR = 1e-6  # as a share of the body
_CROWN = 0.3  # from the head's joint to the crown, as a share of hips to head
_LIMB = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")


class Trunk(NamedTuple):
    """The nodes between hips and head, the lowest first.

    Attributes:
        torso: Those below the neck; the last one carries the arms. May be empty.
        neck: The others. May be empty.
    """

    torso: tuple[int, ...]
    neck: tuple[int, ...]


def check_spread(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> None:
    """Refuse bones without length: they point nowhere.

    Raises:
        CharacterError: Two joints lie in one place.
    """
    place = tree.world.place
    height = float(np.ptp(place[list(bones.values())], axis=0).max())
    for a, b in (*LIMBS, ("leftUpperArm", "rightUpperArm"), ("leftUpperLeg", "rightUpperLeg"), ("hips", "head")):
        if np.linalg.norm(place[bones[a]] - place[bones[b]]) <= _NEAR * height:
            raise CharacterError(f"{glb.path} has its {a} and its {b} in one place, so it cannot be posed")


def trunk_of(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> Trunk:
    """The nodes between hips and head.

    Raises:
        CharacterError: The head does not hang on the hips.
    """
    path = tree.path(bones["hips"], bones["head"])
    if path is None:
        head, hips = (name_of(glb, bones[bone]) for bone in ("head", "hips"))
        raise CharacterError(
            f"{glb.path}: its head {head} does not hang on its hips {hips}; say with --bones which node is which"
        )
    between = path[1:-1]
    if bones.get("neck") in between:
        at = between.index(bones["neck"])
    else:
        carrying = [set(tree.above(bones[f"{side}UpperArm"])) for side in ("left", "right")]
        at = max((i + 1 for i, node in enumerate(between) if all(node in nodes for nodes in carrying)), default=0)
    return Trunk(tuple(between[:at]), tuple(between[at:]))


def whole(glb: Glb, tree: NodeTree, bones: Mapping[str, int], trunk: Trunk) -> NodeTree:
    """The tree with every limb hung on the trunk, and every loose part of the mesh on the bone that it is nearest to.

    Rigs that are moved by constraints (Rigify's) come out of their program in pieces.

    Raises:
        CharacterError: A limb carries what it should hang on.
    """
    chest = trunk.torso[-1] if trunk.torso else bones["hips"]
    for side in ("left", "right"):
        carrier = chest
        for bone in _LIMB:
            node = bones[f"{side}{bone}"]
            if bone == "UpperLeg":
                carrier = bones["hips"]
            if node in tree.above(carrier):
                raise CharacterError(
                    f"{glb.path}: {name_of(glb, carrier)} hangs on {name_of(glb, node)}, which is taken for the "
                    f"{side}{bone}; say with --bones which node is which"
                )
            if carrier not in tree.above(node):
                tree = tree.hung_on(node, carrier)
            carrier = node
    spans = _spans(tree, bones, trunk)
    for loose, joint in _loose(glb, tree, {bone for bone, _, _ in spans}).items():
        point = tree.world.place[joint]
        tree = tree.hung_on(loose, min(spans, key=lambda span: _distance(point, span[1], span[2]))[0])
    return tree


def _loose(glb: Glb, tree: NodeTree, moved: set[int]) -> dict[int, int]:
    """The top nodes of what carries a part of the mesh and hangs on no bone, each with one such joint of it."""
    above_bones = {above for node in moved for above in tree.above(node)}
    loose: dict[int, int] = {}
    for joint in sorted(weighted_joints(glb) - moved - above_bones):
        way = [joint, *tree.above(joint)]
        if moved.isdisjoint(way):
            loose.setdefault([node for node in way if node not in above_bones][-1], joint)
    return loose


def _spans(tree: NodeTree, bones: Mapping[str, int], trunk: Trunk) -> list[tuple[int, Float64, Float64]]:
    """Each bone's node, where it begins at rest and where it ends."""
    place = tree.world.place
    column = [bones["hips"], *trunk.torso, *trunk.neck, bones["head"]]
    crown = place[bones["head"]] + (place[bones["head"]] - place[bones["hips"]]) * _CROWN
    spans = [(a, place[a], place[b]) for a, b in pairwise(column)]
    spans.append((bones["head"], place[bones["head"]], crown))
    for bone, end in LIMBS:
        spans.append((bones[bone], place[bones[bone]], place[bones[end]]))
        if end.endswith(("Hand", "Foot")):
            spans.append((bones[end], place[bones[end]], place[bones[end]]))
    return spans


def _distance(point: Float64, start: Float64, end: Float64) -> float:
    along = end - start
    share = np.clip((point - start) @ along / max(float(along @ along), 1e-12), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * along))
