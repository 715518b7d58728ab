"""What a character looks like at rest: which way it faces, the pose its mesh was bound in, bones that hang loose.

Files differ: some stand in the T-pose, some in an A-pose, some in the first moment of a dance; some face +Z, some -Z,
some lie on their back; and some have limbs that do not hang on the trunk at all.
"""

import itertools
from collections.abc import Mapping

import numpy as np

from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree, turn_and_scale
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

LIMBS = tuple(
    (f"{side}{bone}", f"{side}{end}")
    for side in ("left", "right")
    for bone, end in (
        ("UpperArm", "LowerArm"), ("LowerArm", "Hand"), ("UpperLeg", "LowerLeg"), ("LowerLeg", "Foot"),
    )
)  # fmt: skip
"""Bones that have a direction of their own, and the bone that each ends at; the upper ones first."""

_LEVEL_RAD = np.radians(5.0)  # limbs are as good as symmetric
_UPRIGHT_RAD = np.radians(25.0)  # heads are seldom exactly above the hips
_SAME_RAD = 1e-3


def canonical_from_scene(tree: NodeTree, bones: Mapping[str, int]) -> Float64:
    """The turn (4,) that makes the character face +Z with +Y up.

    Left is where the left limbs are, up is where the head is; both are the scene's own axes where these are near.
    """
    place = tree.world.place
    arms, legs = (place[bones[f"left{b}"]] - place[bones[f"right{b}"]] for b in ("UpperArm", "UpperLeg"))
    up = _near_axis(rot.unit(place[bones["head"]] - place[bones["hips"]]), _AXES, _UPRIGHT_RAD)
    left = rot.unit(arms) + rot.unit(legs)
    level = rot.unit(_AXES - (_AXES @ up)[:, None] * up)
    left = _near_axis(rot.unit(left - (left @ up) * up), level, _LEVEL_RAD)
    return rot.from_matrix(np.stack((left, up, rot.cross(left, up))))


def _near_axis(direction: Float64, axes: Float64, within_rad: float) -> Float64:
    """The axis (one of (A, 3)) that is nearest to the direction, or the direction itself if none is near."""
    cosine = axes @ direction
    return axes[int(np.argmax(cosine))] if cosine.max() > np.cos(within_rad) else direction


def off_tpose_rad(tree: NodeTree, bones: Mapping[str, int]) -> float:
    """By how much the limbs' directions are off the T-pose, summed."""
    turn, place = canonical_from_scene(tree, bones), tree.world.place
    total = 0.0
    for bone, end in LIMBS:
        direction = rot.rotate(turn, place[bones[end]] - place[bones[bone]])
        wanted = HUMANOID.rest_direction[HUMANOID.index[end]]
        total += float(rot.angle_between_rad(rot.IDENTITY_XYZW, rot.shortest_arc(direction, wanted)))
    return total


def nearer_to_tpose(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> NodeTree:
    """The tree as the nodes have it, or in the pose that the mesh was bound in if that is nearer to the T-pose.

    Nodes may hold any moment of an animation, a mesh is bound in a pose that was made for it.
    """
    bound = _as_bound(glb, tree, bones)
    if bound is None or off_tpose_rad(bound, bones) > off_tpose_rad(tree, bones) - _SAME_RAD:
        return tree
    return bound


def weighted_joints(glb: Glb) -> set[int]:
    """The nodes that move a part of some mesh; all joints where the mesh is stored in a way we do not read."""
    moved: set[int] = set()
    for node in glb.nodes:
        skins, meshes = glb.document.get("skins", []), glb.document.get("meshes", [])
        skin, mesh = node.get("skin"), node.get("mesh")
        if type(skin) is not int or type(mesh) is not int or not (0 <= skin < len(skins) and 0 <= mesh < len(meshes)):
            continue
        joints = np.array(skins[skin]["joints"])
        for primitive in meshes[mesh].get("primitives", []):
            attributes = primitive.get("attributes", {})
            used = [
                (glb.array(attributes[f"JOINTS_{i}"]), glb.array(attributes[f"WEIGHTS_{i}"]))
                for i in range(4)
                if type(attributes.get(f"JOINTS_{i}")) is int and type(attributes.get(f"WEIGHTS_{i}")) is int
            ]
            for rows, weights in used:
                if rows is None or weights is None or rows.shape != weights.shape or rows.max() >= len(joints):
                    moved.update(joints.tolist())
                else:
                    moved.update(joints[np.unique(rows[weights > 0])].tolist())
    return moved


def _as_bound(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> NodeTree | None:
    """The tree turned as the skin with the most bones was bound; None if the file does not say."""
    skins = glb.document.get("skins", [])
    skin = max(skins, key=lambda s: len(set(s["joints"]) & set(bones.values())))
    joints: list[int] = skin["joints"]
    accessor = skin.get("inverseBindMatrices")
    values = glb.array(accessor) if type(accessor) is int else None
    if values is None or values.shape != (len(joints), 16) or bones["hips"] not in joints:
        return None
    if values.dtype != np.float32 or not np.all(np.isfinite(values)):
        return None
    inverse = values.astype(np.float64).reshape(-1, 4, 4).swapaxes(1, 2)[:, :3, :3]
    if np.any(np.abs(np.linalg.det(inverse)) < 1e-30):
        return None
    turn = rot.inverse(turn_and_scale(inverse)[0])
    hips = joints.index(bones["hips"])
    # the mesh's space is the scene's but for right angles; what is left over is the hips' own pose
    scene_from_mesh = rot.multiply(tree.world.turn[bones["hips"]], rot.inverse(turn[hips]))
    straight = _nearest_right_angle(scene_from_mesh)
    if rot.angle_between_rad(scene_from_mesh, straight) < np.pi / 4:
        scene_from_mesh = straight
    bound = rot.multiply(scene_from_mesh, turn)
    return tree.turned(dict(zip(joints, bound, strict=True)))


def _nearest_right_angle(turn: Float64) -> Float64:
    return _RIGHT_ANGLES[int(np.argmin(rot.angle_between_rad(turn, _RIGHT_ANGLES)))]


def _right_angles() -> Float64:
    """The 24 turns (24, 4) that take axes to axes."""
    matrices = [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1.0, -1.0), repeat=3)
    ]
    return rot.from_matrix(np.array([m for m in matrices if np.linalg.det(m) > 0]))


_RIGHT_ANGLES = _right_angles()
_AXES = np.concatenate((np.eye(3), -np.eye(3)))
