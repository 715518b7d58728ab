"""Rest pose of a character: the direction it faces, and the nodes' pose or the mesh's bind pose.

Files differ: some are in the T-pose, some in an A-pose, some in the first frame of an animation; some face +Z, some -Z,
some lie on their back.
"""

import itertools
from collections.abc import Mapping

import numpy as np

from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree, rotation_and_scale
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
"""The bones whose direction matters, and the bone at the end of each; upper bones first."""

_LEVEL_RAD = np.radians(5.0)  # limbs are nearly symmetric
_UPRIGHT_RAD = np.radians(25.0)  # heads are rarely exactly above the hips
_SAME_RAD = 1e-3


def canonical_from_scene(tree: NodeTree, bones: Mapping[str, int]) -> Float64:
    """The rotation (4,) that makes the character face +Z with +Y up.

    Left is the direction of the left limbs, up that of the head; each is snapped to a scene axis if one is near.
    """
    position = tree.world.position
    arms, legs = (position[bones[f"left{b}"]] - position[bones[f"right{b}"]] for b in ("UpperArm", "UpperLeg"))
    up = _near_axis(rot.unit(position[bones["head"]] - position[bones["hips"]]), _AXES, _UPRIGHT_RAD)
    left = rot.unit(arms) + rot.unit(legs)
    level = rot.unit(_AXES - (_AXES @ up)[:, None] * up)
    left = _near_axis(rot.unit(left - (left @ up) * up), level, _LEVEL_RAD)
    return rot.from_matrix(np.stack((left, up, rot.cross(left, up))))


def _near_axis(direction: Float64, axes: Float64, within_rad: float) -> Float64:
    """The axis (one of (A, 3)) nearest to the direction, or the direction itself if none is near."""
    cosine = axes @ direction
    return axes[int(np.argmax(cosine))] if cosine.max() > np.cos(within_rad) else direction


def distance_from_tpose_rad(tree: NodeTree, bones: Mapping[str, int]) -> float:
    """Sum of the angles between the limbs' directions and those of the T-pose."""
    canonical, position = canonical_from_scene(tree, bones), tree.world.position
    total = 0.0
    for bone, end in LIMBS:
        direction = rot.rotate(canonical, position[bones[end]] - position[bones[bone]])
        wanted = HUMANOID.rest_direction[HUMANOID.index[end]]
        total += float(rot.angle_between_rad(rot.IDENTITY_XYZW, rot.shortest_arc(direction, wanted)))
    return total


def nearer_to_tpose(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> NodeTree:
    """The tree in the nodes' pose, or in the mesh's bind pose if that is nearer to the T-pose.

    Nodes may be in any pose of an animation; the bind pose is made for the mesh.
    """
    bound = _in_bind_pose(glb, tree, bones)
    if bound is None or distance_from_tpose_rad(bound, bones) > distance_from_tpose_rad(tree, bones) - _SAME_RAD:
        return tree
    return bound


def parts_of(glb: Glb) -> set[int]:
    """The nodes with a rigid part of the mesh: one without a skin."""
    return {i for i, node in enumerate(glb.nodes) if type(node.get("mesh")) is int and "skin" not in node}


def weighted_joints(glb: Glb) -> set[int]:
    """The nodes with skin weights; all joints if the mesh is stored in a way that this program does not read."""
    weighted: set[int] = set()
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
                    weighted.update(joints.tolist())
                else:
                    weighted.update(joints[np.unique(rows[weights > 0])].tolist())
    return weighted


def _in_bind_pose(glb: Glb, tree: NodeTree, bones: Mapping[str, int]) -> NodeTree | None:
    """The tree in the bind pose of the skin with the most bones; None if the file does not define it."""
    skins = glb.document.get("skins", [])
    if not skins:
        return None
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
    bind_xyzw = rot.inverse(rotation_and_scale(inverse)[0])
    hips = joints.index(bones["hips"])
    # the mesh's space differs from the scene's by right angles; the rest is the pose of the hips
    scene_from_mesh = rot.multiply(tree.world.rotation_xyzw[bones["hips"]], rot.inverse(bind_xyzw[hips]))
    straight = _nearest_right_angle(scene_from_mesh)
    if rot.angle_between_rad(scene_from_mesh, straight) < np.pi / 4:
        scene_from_mesh = straight
    bound = rot.multiply(scene_from_mesh, bind_xyzw)
    return tree.with_world_rotations(dict(zip(joints, bound, strict=True)))


def _nearest_right_angle(xyzw: Float64) -> Float64:
    return _RIGHT_ANGLES[int(np.argmin(rot.angle_between_rad(xyzw, _RIGHT_ANGLES)))]


def _right_angles() -> Float64:
    """The 24 rotations (24, 4) that map axes to axes."""
    matrices = [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in itertools.permutations(range(3))
        for signs in itertools.product((1.0, -1.0), repeat=3)
    ]
    return rot.from_matrix(np.array([m for m in matrices if np.linalg.det(m) > 0]))


_RIGHT_ANGLES = _right_angles()
_AXES = np.concatenate((np.eye(3), -np.eye(3)))
