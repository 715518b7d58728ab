"""Node tree of a glTF file: parents and rest transforms as arrays."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import Glb
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_UNEVEN = 0.01  # how much the axes of a scale may differ, as a share


class WorldTransforms(NamedTuple):
    """Nodes in scene space: `position` (N, 3), `rotation_xyzw` (N, 4), and `scale` (N,), the product of all scales."""

    position: Float64
    rotation_xyzw: Float64
    scale: Float64


@dataclass(frozen=True, eq=False)
class NodeTree:
    """The N nodes of a file at rest, each relative to its parent.

    Attributes:
        parents: Each node's parent, -1 for a root.
        translation: (N, 3), the parent's units.
        rotation: (N, 4) unit quaternions.
        scale: (N, 3).
    """

    parents: tuple[int, ...]
    translation: Float64
    rotation: Float64
    scale: Float64

    @cached_property
    def order(self) -> tuple[int, ...]:
        """Every node, parents before their children."""
        children: dict[int, list[int]] = {}
        for node, parent in enumerate(self.parents):
            children.setdefault(parent, []).append(node)
        out: list[int] = []
        waiting = children.get(-1, [])[::-1]
        while waiting:
            out.append(waiting.pop())
            waiting.extend(children.get(out[-1], [])[::-1])
        return tuple(out)

    @cached_property
    def world(self) -> WorldTransforms:
        """The nodes in scene space; of an uneven scale the mean is used."""
        position, rotation = np.zeros((len(self.parents), 3)), self.rotation.copy()
        scale = np.abs(self.scale).mean(axis=1)
        for node in self.order:
            parent = self.parents[node]
            if parent < 0:
                position[node] = self.translation[node]
                continue
            position[node] = position[parent] + rot.rotate(rotation[parent], self.translation[node] * scale[parent])
            rotation[node] = rot.multiply(rotation[parent], self.rotation[node])
            scale[node] *= scale[parent]
        return WorldTransforms(position, rotation, scale)

    def ancestors(self, node: int) -> list[int]:
        """The node's ancestors, nearest first."""
        out = []
        while (node := self.parents[node]) >= 0:
            out.append(node)
        return out

    def path(self, top: int, node: int) -> list[int] | None:
        """The nodes from `top` down to `node`, both included; None if `node` is no descendant of `top`."""
        chain = [node, *self.ancestors(node)]
        return chain[chain.index(top) :: -1] if top in chain else None

    def reparented(self, node: int, parent: int) -> "NodeTree":
        """The same rest positions with `node`, and its descendants, as a child of `parent`."""
        position, world_rotation, world_scale = self.world
        parents, translation = list(self.parents), self.translation.copy()
        rotation, scale = self.rotation.copy(), self.scale.copy()
        parent_from_world = rot.inverse(world_rotation[parent])
        old_scale = world_scale[self.parents[node]] if self.parents[node] >= 0 else 1.0
        parents[node] = parent
        translation[node] = rot.rotate(parent_from_world, position[node] - position[parent]) / world_scale[parent]
        rotation[node] = rot.multiply(parent_from_world, world_rotation[node])
        scale[node] *= old_scale / world_scale[parent]
        return NodeTree(tuple(parents), translation, rotation, scale)

    def with_world_rotations(self, given: dict[int, Float64]) -> "NodeTree":
        """The tree with these world rotations (4,) of some nodes; all others keep their local rotations."""
        rotation, world = self.rotation.copy(), self.rotation.copy()
        for node in self.order:
            parent = world[self.parents[node]] if self.parents[node] >= 0 else rot.IDENTITY_XYZW
            if node in given:
                rotation[node] = rot.multiply(rot.inverse(parent), given[node])
            world[node] = rot.multiply(parent, rotation[node])
        return replace(self, rotation=rotation)


def tree_of(glb: Glb) -> NodeTree:
    """The nodes of a file; a `matrix` is decomposed.

    Raises:
        CharacterError: A rotation has no length.
    """
    parts = [_transform(node) for node in glb.nodes]
    translation, rotation, scale = (np.array([part[i] for part in parts], dtype=np.float64) for i in range(3))
    length = np.linalg.norm(rotation, axis=1)
    if np.any(length < 1e-6):
        name = name_of(glb, int(np.argmin(length)))
        raise CharacterError(f"{glb.path} has a node {name} with a rotation of 0; export the character again")
    return NodeTree(glb.parents, translation, rotation / length[:, None], scale)


def name_of(glb: Glb, node: int) -> str:
    """The node's name for messages."""
    return str(glb.nodes[node].get("name") or f"number {node}")


def check_even(glb: Glb, tree: NodeTree, nodes: list[int]) -> None:
    """Refuse scales that distort directions.

    Raises:
        CharacterError: A node is mirrored, has a scale of 0, or is stretched along one axis.
    """
    for node in nodes:
        scale = tree.scale[node]
        if scale.min() <= 1e-9 or scale.max() > scale.min() * (1 + _UNEVEN):
            raise CharacterError(
                f"{glb.path} has a bone {name_of(glb, node)} with an uneven scale ({_short(scale)}), which distorts "
                "directions; apply the scale in the program that made it, and export again"
            )


def _short(scale: Float64) -> str:
    return ", ".join(f"{value:.3g}" for value in scale)


def _transform(node: dict[str, Any]) -> tuple[list[float], list[float], list[float]]:
    if "matrix" not in node:
        return (
            node.get("translation", [0.0, 0.0, 0.0]),
            node.get("rotation", [0.0, 0.0, 0.0, 1.0]),
            node.get("scale", [1.0, 1.0, 1.0]),
        )
    matrix = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    rotation, scale = rotation_and_scale(matrix[:3, :3])
    return matrix[:3, 3].tolist(), rotation.tolist(), scale.tolist()


def rotation_and_scale(matrix: Float64) -> tuple[Float64, Float64]:
    """Decompose matrices (..., 3, 3) without shear into quaternions (..., 4) and scales (..., 3)."""
    scale = np.linalg.norm(matrix, axis=-2)
    scale[..., 0] = np.where(np.linalg.det(matrix) < 0, -scale[..., 0], scale[..., 0])
    return rot.from_matrix(matrix / np.where(scale == 0, 1.0, scale)[..., None, :]), scale
