"""A file's nodes as arrays: who hangs on whom, and where everything is at rest."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.glb import Glb
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

_UNEVEN = 0.01  # share by which the axes of a scale may differ before directions suffer


class World(NamedTuple):
    """Nodes in the scene's space: `place` (N, 3), `turn` (N, 4), and `size` (N,), all scales down to the node's own."""

    place: Float64
    turn: Float64
    size: Float64


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
    def world(self) -> World:
        """Where the nodes are; an uneven scale counts with its mean."""
        place, turn = np.zeros((len(self.parents), 3)), self.rotation.copy()
        size = np.abs(self.scale).mean(axis=1)
        for node in self.order:
            parent = self.parents[node]
            if parent < 0:
                place[node] = self.translation[node]
                continue
            place[node] = place[parent] + rot.rotate(turn[parent], self.translation[node] * size[parent])
            turn[node] = rot.multiply(turn[parent], self.rotation[node])
            size[node] *= size[parent]
        return World(place, turn, size)

    def above(self, node: int) -> list[int]:
        """The node's ancestors, the nearest first."""
        out = []
        while (node := self.parents[node]) >= 0:
            out.append(node)
        return out

    def path(self, top: int, node: int) -> list[int] | None:
        """The nodes from `top` down to `node`, both included; None if `node` is not below `top`."""
        way = [node, *self.above(node)]
        return way[way.index(top) :: -1] if top in way else None

    def hung_on(self, node: int, parent: int) -> "NodeTree":
        """The same scene at rest, with `node` and all below it moving with `parent`."""
        place, turn, size = self.world
        parents, translation = list(self.parents), self.translation.copy()
        rotation, scale = self.rotation.copy(), self.scale.copy()
        back = rot.inverse(turn[parent])
        old = size[self.parents[node]] if self.parents[node] >= 0 else 1.0
        parents[node] = parent
        translation[node] = rot.rotate(back, place[node] - place[parent]) / size[parent]
        rotation[node] = rot.multiply(back, turn[node])
        scale[node] *= old / size[parent]
        return NodeTree(tuple(parents), translation, rotation, scale)

    def turned(self, world_turn: dict[int, Float64]) -> "NodeTree":
        """The same tree with these nodes' turns in the scene; all others keep theirs in their parent's space."""
        rotation, turn = self.rotation.copy(), self.rotation.copy()
        for node in self.order:
            above = turn[self.parents[node]] if self.parents[node] >= 0 else rot.IDENTITY_XYZW
            if node in world_turn:
                rotation[node] = rot.multiply(rot.inverse(above), world_turn[node])
            turn[node] = rot.multiply(above, rotation[node])
        return replace(self, rotation=rotation)


def tree_of(glb: Glb) -> NodeTree:
    """The nodes of a file; a `matrix` is taken apart.

    Raises:
        CharacterError: A rotation is no rotation.
    """
    parts = [_parts(node) for node in glb.nodes]
    translation, rotation, scale = (np.array([part[i] for part in parts], dtype=np.float64) for i in range(3))
    length = np.linalg.norm(rotation, axis=1)
    if np.any(length < 1e-6):
        name = name_of(glb, int(np.argmin(length)))
        raise CharacterError(f"{glb.path} has a node {name} that is turned by nothing; export the character again")
    return NodeTree(glb.parents, translation, rotation / length[:, None], scale)


def name_of(glb: Glb, node: int) -> str:
    """What to call a node in a sentence."""
    return str(glb.nodes[node].get("name") or f"number {node}")


def check_even(glb: Glb, tree: NodeTree, nodes: list[int]) -> None:
    """Refuse a scale under which directions are not what rotations say.

    Raises:
        CharacterError: One of the nodes is mirrored, has no size, or is stretched along one axis.
    """
    for node in nodes:
        scale = tree.scale[node]
        if scale.min() <= 1e-9 or scale.max() > scale.min() * (1 + _UNEVEN):
            raise CharacterError(
                f"{glb.path} has a bone {name_of(glb, node)} with an uneven scale ({_short(scale)}), which bends "
                "directions; apply the scale in the program that made it, and export again"
            )


def _short(scale: Float64) -> str:
    return ", ".join(f"{value:.3g}" for value in scale)


def _parts(node: dict[str, Any]) -> tuple[list[float], list[float], list[float]]:
    if "matrix" not in node:
        return (
            node.get("translation", [0.0, 0.0, 0.0]),
            node.get("rotation", [0.0, 0.0, 0.0, 1.0]),
            node.get("scale", [1.0, 1.0, 1.0]),
        )
    matrix = np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    turn, scale = turn_and_scale(matrix[:3, :3])
    return matrix[:3, 3].tolist(), turn.tolist(), scale.tolist()


def turn_and_scale(matrix: Float64) -> tuple[Float64, Float64]:
    """The quaternion (..., 4) and the scale (..., 3) that a matrix (..., 3, 3) without shear is made of."""
    scale = np.linalg.norm(matrix, axis=-2)
    scale[..., 0] = np.where(np.linalg.det(matrix) < 0, -scale[..., 0], scale[..., 0])
    return rot.from_matrix(matrix / np.where(scale == 0, 1.0, scale)[..., None, :]), scale
