"""Soles of a character's feet: the lowest points of its mesh, else of its nodes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import NodeTree
from realtime_pose.model3d.rest_pose import canonical_from_scene
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

_DIRECTIONS = 256  # a foot is kept as its extreme points in this many directions
_NO_FEET = 0.06  # a mesh that ends this little below the ankles, as a share of the leg, has no feet
_ON_FLOOR = 0.35  # feet without a mesh stand on the scene's floor if they are this near to it


def feet_points(
    glb: Glb, tree: NodeTree, bones: Mapping[str, int], leg: float, ankle_per_leg: float
) -> tuple[Float64, Float64]:
    """The points (V, 3) of the left and of the right foot that can touch the floor, from the ankle, at rest, canonical.

    They are vertices of the mesh. Without a mesh that can be read, they are the foot's nodes, moved down to the
    scene's floor, or, of a character that does not stand on it, to `ankle_per_leg` below the ankle.

    Args:
        glb: The file.
        tree: Its nodes at rest.
        bones: HUMANOID's joints -> node.
        leg: Length of a leg, in the scene's units.
        ankle_per_leg: Height of a person's ankles over their soles, as a share of the leg.
    """
    turn, position = canonical_from_scene(tree, bones), tree.world.position
    nodes_of, feet = [], []
    for side in ("left", "right"):
        ankle = bones[f"{side}Foot"]
        nodes_of.append([node for node in range(len(tree.parents)) if ankle in (node, *tree.ancestors(node))])
        points = _vertices(glb, tree, nodes_of[-1])
        feet.append(_extreme(rot.rotate(turn, points - position[ankle])))
    if all(len(points) and points[:, 1].min() < -_NO_FEET * leg for points in feet):
        return feet[0], feet[1]
    canonical = rot.rotate(turn, position)
    lowest = float(canonical[[*nodes_of[0], *nodes_of[1]], 1].min())
    bare = []
    for side, nodes in zip(("left", "right"), nodes_of, strict=True):
        ankle_m = canonical[bones[f"{side}Foot"]]
        points = canonical[nodes] - ankle_m
        points[:, 1] = -ankle_m[1] if 0 <= lowest < _ON_FLOOR * leg else -ankle_per_leg * leg
        bare.append(points)
    return bare[0], bare[1]


def _vertices(glb: Glb, tree: NodeTree, nodes: list[int]) -> Float64:
    """The vertices (V, 3) of the mesh that follow these nodes more than all others, in the scene; maybe none."""
    wanted, world = np.isin(np.arange(len(tree.parents)), nodes), _matrices(tree)
    parts = [np.zeros((0, 3))]
    meshes, skins = glb.document.get("meshes", []), glb.document.get("skins", [])
    for index, node in enumerate(glb.nodes):
        mesh, skin = node.get("mesh"), node.get("skin")
        if type(mesh) is not int or not 0 <= mesh < len(meshes):
            continue
        for primitive in meshes[mesh].get("primitives", []):
            attributes = primitive.get("attributes", {})
            points = _read(glb, attributes.get("POSITION"), 3)
            if points is None or points.dtype != np.float32:
                continue
            points = np.concatenate((points, np.ones((len(points), 1))), axis=1)
            if skin is None:
                parts += [(points @ world[index].T)[:, :3]] if wanted[index] else []
            elif type(skin) is int and 0 <= skin < len(skins):
                parts.append(_skinned(glb, skins[skin], attributes, points, wanted, world))
    points = np.concatenate(parts)
    return points[np.isfinite(points).all(axis=1)]


def _skinned(
    glb: Glb, skin: Mapping[str, Any], attributes: Mapping[str, Any], points: Float64, wanted: Bool, world: Float64
) -> Float64:
    """The points (V, 3) of a skinned mesh, given homogeneous (P, 4), that follow the wanted nodes (N,) most."""
    nodes = np.array(skin["joints"])
    binds = _read(glb, skin.get("inverseBindMatrices"), 16)
    inverse = np.tile(np.eye(4), (len(nodes), 1, 1)) if binds is None else binds.reshape(-1, 4, 4).swapaxes(1, 2)
    pairs = [
        (_read(glb, attributes.get(f"JOINTS_{i}"), 4), _read(glb, attributes.get(f"WEIGHTS_{i}"), 4)) for i in range(4)
    ]
    read = [(rows, weights) for rows, weights in pairs if rows is not None and weights is not None]
    if not read or len(inverse) != len(nodes) or any(len(rows) != len(points) for pair in read for rows in pair):
        return np.zeros((0, 3))
    rows, weights = (np.concatenate([pair[i] for pair in read], axis=1) for i in range(2))
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True, dtype=np.float64), 1e-12)
    if rows.dtype.kind != "u" or rows.max() >= len(nodes):
        return np.zeros((0, 3))
    chosen = np.where(wanted[nodes][rows], weights, 0.0).sum(axis=1) > 0.5
    matrices = world[nodes] @ inverse
    out = np.zeros((int(chosen.sum()), 3))
    for column in range(rows.shape[1]):  # one influence at a time: takes little memory
        moved = np.einsum("vab,vb->va", matrices[rows[chosen, column]], points[chosen])[:, :3]
        out += weights[chosen, column, None] * moved
    return out


def _read(glb: Glb, accessor: object, width: int) -> npt.NDArray[Any] | None:
    """An accessor's values (count, width); None if the file has none that can be read: feet can do without."""
    try:
        values = glb.array(accessor) if type(accessor) is int else None
    except CharacterError:
        return None
    return values if values is not None and values.shape[1] == width and np.isfinite(values).all() else None


def _matrices(tree: NodeTree) -> Float64:
    """(N, 4, 4) scene from node, with uneven scales as they are: parts of robots are scaled boxes."""
    out = np.tile(np.eye(4), (len(tree.parents), 1, 1))
    out[:, :3, :3], out[:, :3, 3] = rot.to_matrix(tree.rotation) * tree.scale[:, None], tree.translation
    for node in tree.order:
        if tree.parents[node] >= 0:
            out[node] = out[tree.parents[node]] @ out[node]
    return out


def _extreme(points: Float64) -> Float64:
    """The points (V, 3) that are farthest in some direction below the horizon."""
    if not len(points):
        return points
    number = np.arange(_DIRECTIONS) + 0.5
    down, around = -number / _DIRECTIONS, number * np.pi * (3 - np.sqrt(5))  # Fibonacci's spiral
    level = np.sqrt(1 - down**2)
    directions = np.stack((level * np.cos(around), down, level * np.sin(around)), axis=1)
    return points[np.unique(np.argmax(points @ directions.T, axis=0))]
