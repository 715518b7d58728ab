"""Fitting the built-in character to a person's bone lengths: joints and skin."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import Character
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree
from realtime_pose.model3d.retarget import ANKLE_PER_LEG
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_LEG = [HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]]


def fit_to_person(character: Character, bone_m: npt.ArrayLike) -> Character:
    """The character with the person's bone lengths (17,), so that its joints are where the person's are.

    It is scaled by the length of the legs; the remaining difference shifts the joints, and the skin with them.

    Raises:
        CharacterError: The character is not HUMANOID with one skin, as the built-in one is.
    """
    glb, tree, length = character.glb, character.tree, np.asarray(bone_m, dtype=np.float64)
    node_of = dict(character.bones) | dict(zip(("spine", "chest"), character.trunk.torso, strict=False))
    nodes = [node_of.get(joint, -1) for joint in HUMANOID.joints]
    skins = glb.document["skins"]
    if len(character.driven) != len(nodes) or len(skins) != 1 or not _is_humanoid(tree, nodes):
        raise CharacterError(f"{glb.path} has other bones than HUMANOID, so it cannot be fitted to a person")
    before = tree.world.position
    leg_m = float(length[_LEG].sum())
    scale = leg_m / float(np.linalg.norm(tree.translation[[nodes[row] for row in _LEG]], axis=1).sum())
    translation = tree.translation.copy()
    translation[nodes] = HUMANOID.rest_direction * length[:, None]
    translation[nodes[0]] = (0.0, leg_m * (1 + ANKLE_PER_LEG), 0.0)
    fitted = replace(tree, translation=translation)
    document, patches = _fitted_skin(glb, before, fitted.world.position, scale)
    return replace(character, glb=replace(glb, document=document), tree=fitted, patches=patches, fitted=True)


def _is_humanoid(tree: NodeTree, nodes: list[int]) -> bool:
    """Whether these nodes form HUMANOID's tree, unrotated and unscaled."""
    if -1 in nodes or np.any(rot.angle_between_rad(tree.world.rotation_xyzw[nodes], rot.IDENTITY_XYZW) > 1e-6):
        return False
    parents = [nodes[parent] if parent >= 0 else -1 for parent in HUMANOID.parents]
    return [tree.parents[node] for node in nodes] == parents and np.allclose(tree.world.scale[nodes], 1.0)


def _fitted_skin(
    glb: Glb, before_m: Float64, after_m: Float64, scale: float
) -> tuple[dict[str, Any], dict[int, bytes]]:
    """The document and the changed binary data, with the skin's points moved along with the joints.

    Args:
        before_m: (N, 3) positions of the nodes in the old bind pose.
        after_m: (N, 3) positions of the nodes in the new bind pose.
        scale: Scale about each joint.
    """
    accessors = [dict(accessor) for accessor in glb.document["accessors"]]
    patches: dict[int, bytes] = {}

    def put(accessor: int, values: Float64) -> None:
        data = values.astype("<f4")
        view = glb.document["bufferViews"][accessors[accessor]["bufferView"]]
        patches[view.get("byteOffset", 0) + accessors[accessor].get("byteOffset", 0)] = data.tobytes()
        if "min" in accessors[accessor]:
            accessors[accessor] |= {"min": data.min(axis=0).tolist(), "max": data.max(axis=0).tolist()}

    skin = glb.document["skins"][0]
    shift = (after_m - scale * before_m)[skin["joints"]]
    for mesh in glb.document["meshes"]:
        for primitive in mesh["primitives"]:
            names = primitive["attributes"]
            points, joints, weights = (_values(glb, names[name]) for name in ("POSITION", "JOINTS_0", "WEIGHTS_0"))
            put(names["POSITION"], scale * points + np.einsum("vk,vka->va", weights, shift[joints.astype(int)]))
    binds = np.tile(np.eye(4), (len(skin["joints"]), 1, 1))
    binds[:, 3, :3] = -after_m[skin["joints"]]  # transposed: glTF matrices are column-major
    put(skin["inverseBindMatrices"], binds.reshape(-1, 16))
    return {**glb.document, "accessors": accessors}, patches


def _values(glb: Glb, accessor: int) -> Float64:
    values = glb.array(accessor)
    if values is None:
        raise CharacterError(f"{glb.path} is stored in a way that cannot be fitted to a person")
    return values.astype(np.float64)
