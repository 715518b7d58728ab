"""Character: a skinned model with its rest pose and its humanoid bones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.model3d.body_tree import TrunkNodes, check_bone_lengths, connected, trunk_of
from realtime_pose.model3d.character_bones import bones_of
from realtime_pose.model3d.glb import Glb, read_glb
from realtime_pose.model3d.nodes import NodeTree, check_even, tree_of
from realtime_pose.model3d.rest_pose import nearer_to_tpose
from realtime_pose.utils.paths import data_path


def default_character_path() -> Path:
    """The built-in character."""
    return data_path("resources/models/default_model.glb")


@dataclass(frozen=True, eq=False)
class Character:
    """A skinned model and its bones.

    Attributes:
        glb: The file.
        tree: Its nodes at rest, with detached parts attached to the body.
        bones: HUMANOID's joints -> node, without spine and chest; neck only if it was found.
        trunk: The nodes between hips and head.
        patches: Bytes to replace in the file's binary chunk, by offset.
        guessed: The bones that were found by structure, not by name.
        fitted: Whether it has the person's bone lengths, so that its joints are where theirs are.
    """

    glb: Glb
    tree: NodeTree
    bones: Mapping[str, int]
    trunk: TrunkNodes
    patches: Mapping[int, bytes] = field(default_factory=dict)
    guessed: tuple[str, ...] = ()
    fitted: bool = False

    @property
    def driven(self) -> tuple[int, ...]:
        """The nodes that a pose rotates, parents before their children."""
        wanted = {*self.bones.values(), *self.trunk.torso, *self.trunk.neck}
        return tuple(node for node in self.tree.order if node in wanted)

    def document(self) -> dict[str, Any]:
        """The file's JSON with the tree's transforms; unchanged nodes stay as they are in the file."""
        before = tree_of(self.glb)
        nodes = [dict(node) for node in self.glb.nodes]
        for node, parent in enumerate(self.tree.parents):
            if parent != before.parents[node]:
                _reparent(nodes, node, before.parents[node], parent)
            same = all(
                np.array_equal(a[node], b[node])
                for a, b in (
                    (before.translation, self.tree.translation),
                    (before.rotation, self.tree.rotation),
                    (before.scale, self.tree.scale),
                )
            )
            if not same or (node in self.driven and "matrix" in nodes[node]):
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

    Bones are found by the file's VRM extension (0.x or 1.0), otherwise by name and structure.

    Args:
        path: The file. Its mesh has a skin, or hangs in rigid parts on the nodes.
        bones_file: A YAML file with lines `bone: node name`, for bones that are not found or found wrongly.

    Raises:
        CharacterError: The file cannot be used; the message lists missing bones.
    """
    glb = read_glb(path)
    found = bones_of(glb, None if bones_file is None else Path(bones_file))
    bones = found.bones
    tree = tree_of(glb)
    check_bone_lengths(glb, tree, bones)
    if not found.is_vrm:  # the VRM specification requires nodes in the T-pose
        tree = nearer_to_tpose(glb, tree, bones)
    trunk = trunk_of(glb, tree, bones)
    guessed = tuple(bone for bone, how in found.how.items() if how == "structure")
    character = Character(glb, connected(glb, tree, bones, trunk), bones, trunk, guessed=guessed)
    ancestors = {node for bone in character.driven for node in character.tree.ancestors(bone)}
    check_even(glb, character.tree, sorted(ancestors))
    return character


def _reparent(nodes: list[dict[str, Any]], node: int, old: int, new: int) -> None:
    if old >= 0:
        nodes[old]["children"] = [child for child in nodes[old]["children"] if child != node]
        if not nodes[old]["children"]:
            del nodes[old]["children"]
    nodes[new]["children"] = [*nodes[new].get("children", []), node]
