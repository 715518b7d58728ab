"""A 3D character that a body can drive: its file, its nodes at rest, and which of them are a body's bones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.body_tree import Trunk, check_spread, trunk_of, whole
from realtime_pose.model3d.character_bones import bones_of
from realtime_pose.model3d.glb import Glb, read_glb
from realtime_pose.model3d.nodes import NodeTree, check_even, tree_of
from realtime_pose.model3d.rest_pose import nearer_to_tpose
from realtime_pose.utils.paths import data_path


def default_character_path() -> Path:
    """The character that comes with the program."""
    return data_path("resources/models/default_model.glb")


@dataclass(frozen=True, eq=False)
class Character:
    """A skinned model and its bones.

    Attributes:
        glb: The file.
        tree: Its nodes at rest; what hung loose in the file hangs on the body here.
        bones: HUMANOID's joints -> node, without spine and chest; neck only where one is known.
        trunk: The nodes between hips and head.
        patches: Where in the file's binary part other bytes stand than in the file.
    """

    glb: Glb
    tree: NodeTree
    bones: Mapping[str, int]
    trunk: Trunk
    patches: Mapping[int, bytes] = field(default_factory=dict)

    @property
    def moved(self) -> tuple[int, ...]:
        """The nodes that a body turns, parents before their children."""
        wanted = {*self.bones.values(), *self.trunk.torso, *self.trunk.neck}
        return tuple(node for node in self.tree.order if node in wanted)

    def document(self) -> dict[str, Any]:
        """The file's JSON with the nodes as the tree has them; what did not change stays as it was written."""
        before = tree_of(self.glb)
        nodes = [dict(node) for node in self.glb.nodes]
        for node, parent in enumerate(self.tree.parents):
            if parent != before.parents[node]:
                _hang(nodes, node, before.parents[node], parent)
            same = all(
                np.array_equal(a[node], b[node])
                for a, b in (
                    (before.translation, self.tree.translation),
                    (before.rotation, self.tree.rotation),
                    (before.scale, self.tree.scale),
                )
            )
            if not same or (node in self.moved and "matrix" in nodes[node]):
                nodes[node].pop("matrix", None)
                nodes[node]["translation"] = self.tree.translation[node].tolist()
                nodes[node]["rotation"] = self.tree.rotation[node].tolist()
                nodes[node]["scale"] = self.tree.scale[node].tolist()
        scenes = [dict(scene) for scene in self.glb.document.get("scenes", [])]
        for scene in scenes:
            if "nodes" in scene:
                scene["nodes"] = [node for node in scene["nodes"] if self.tree.parents[node] < 0]
        return {**self.glb.document, "nodes": nodes, "scenes": scenes}


def load_character(path: str | Path, bones_file: str | Path | None = None) -> Character:
    """The character in a .glb or .vrm file.

    Bones are found by the file's own VRM extension (0.x or 1.0), else by their names.

    Args:
        path: The file; it needs a skin.
        bones_file: A YAML file `bone: name of its node`, for bones that are not found or found wrongly.

    Raises:
        CharacterError: The file cannot be used; the message says why, and names bones that are missing.
    """
    glb = read_glb(path)
    if not glb.document.get("skins"):
        raise CharacterError(f"{path} has no skin, so nothing of it can follow bones; give a rigged character")
    bones, is_vrm = bones_of(glb, None if bones_file is None else Path(bones_file))
    tree = tree_of(glb)
    check_spread(glb, tree, bones)
    if not is_vrm:  # a VRM's nodes stand in the T-pose by its specification
        tree = nearer_to_tpose(glb, tree, bones)
    trunk = trunk_of(glb, tree, bones)
    character = Character(glb, whole(glb, tree, bones, trunk), bones, trunk)
    above = {node for bone in character.moved for node in character.tree.above(bone)}
    check_even(glb, character.tree, sorted(above))
    return character


def _hang(nodes: list[dict[str, Any]], node: int, old: int, new: int) -> None:
    if old >= 0:
        nodes[old]["children"] = [child for child in nodes[old]["children"] if child != node]
        if not nodes[old]["children"]:
            del nodes[old]["children"]
    nodes[new]["children"] = [*nodes[new].get("children", []), node]
