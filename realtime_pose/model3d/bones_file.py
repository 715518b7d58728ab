"""Bones files: a user's mapping of bones to the nodes of a character, as YAML with lines `bone: node name`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from realtime_pose.errors import CharacterError, shortened
from realtime_pose.model3d.bone_names import REQUIRED
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import name_of
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.settings import read_yaml

_MAX_COMMENT = 10_000
_NAMES_SHOWN = 30


def read_bones_file(path: Path, glb: Glb, candidates: Sequence[int]) -> dict[str, int]:
    """The bones in a file -> node, without spine and chest, which are found in the tree.

    Args:
        path: The file.
        glb: The character.
        candidates: The nodes that may be bones; of two nodes with the same name the first of them is meant.

    Raises:
        CharacterError: The file cannot be read, or names a bone or a node that does not exist.
    """
    try:
        values = read_yaml(path)
    except OSError as exc:
        raise CharacterError(f"cannot read the bones file {path}: {exc.strerror}; check the path") from exc
    except ValueError as exc:
        raise CharacterError(f"{path} is not valid YAML ({exc})") from exc
    if not isinstance(values, dict):
        raise CharacterError(f"{path} has no bones; write lines such as: leftHand: Name of its node")
    index = _index(glb, candidates)
    found = {}
    for bone, name in values.items():
        if bone not in HUMANOID.joints:
            raise CharacterError(f"{path}: {shortened(bone)} is not a bone; give one of: {', '.join(HUMANOID.joints)}")
        if str(name) not in index:
            raise CharacterError(
                f"{path}: {glb.path} has no node {shortened(str(name))}; it has {node_names(glb, candidates)}"
            )
        found[str(bone)] = index[str(name)]
    return {bone: node for bone, node in found.items() if bone not in ("spine", "chest")}


def bones_file_text(glb: Glb, candidates: Sequence[int], bones: Mapping[str, int]) -> str:
    """A bones file with these bones: a comment for each one that is missing, or whose node has no name of its own."""
    import yaml

    index = _index(glb, candidates)
    nodes = " ".join(node_names(glb, candidates, most=len(candidates)).split())
    lines = [
        f"# The bones of {glb.path.name}; correct what is wrong, and give this file with --bones.",
        f"# Its nodes: {nodes[:_MAX_COMMENT]}",
    ]
    for bone in HUMANOID.joints:
        node = bones.get(bone)
        if node is None:
            lines += [f"# {bone}:"] if bone in REQUIRED else []
            continue
        name = str(glb.nodes[node].get("name", ""))
        if index.get(name) != node:
            lines.append(f"# {bone} is node {node}, whose name {' '.join(name.split())!r} is not its alone; rename it")
        else:
            lines.append(yaml.safe_dump({bone: name}, allow_unicode=True, width=float("inf")).strip())
    return "\n".join(lines) + "\n"


def node_names(glb: Glb, nodes: Sequence[int], most: int = _NAMES_SHOWN) -> str:
    """The names of nodes in a row, for messages."""
    names = [name_of(glb, node) for node in nodes]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _index(glb: Glb, candidates: Sequence[int]) -> dict[str, int]:
    index = {}
    for node in (*range(len(glb.nodes)), *reversed(candidates)):
        index[str(glb.nodes[node].get("name", ""))] = node
    return index
