"""Bone mapping of a file: its VRM extension, else names and structure, corrected by a user's bones file."""

from pathlib import Path
from typing import NamedTuple

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.bone_names import REQUIRED, find_bones
from realtime_pose.model3d.bone_structure import bones_by_structure, carries, common_hips, joined
from realtime_pose.model3d.bones_file import node_names, read_bones_file
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import name_of, tree_of
from realtime_pose.model3d.rest_pose import parts_of, weighted_joints


class FoundBones(NamedTuple):
    """The bones that were found in a file.

    Attributes:
        bones: HUMANOID's joints (without spine and chest, which follow from the tree) -> node; some may be missing.
        how: The same joints -> how each was found: "VRM", "name", "structure" or "bones file".
    """

    bones: dict[str, int]
    how: dict[str, str]

    @property
    def missing(self) -> list[str]:
        """The required bones that were not found."""
        return [bone for bone in REQUIRED if bone not in self.bones]

    @property
    def is_vrm(self) -> bool:
        """Whether the file names its own bones."""
        return "VRM" in self.how.values()


def bones_of(glb: Glb, bones_file: Path | None) -> FoundBones:
    """All required bones of a character.

    Raises:
        CharacterError: Bones are missing, or the bones file is wrong.
    """
    found = look_for_bones(glb, bones_file)
    _check_complete(glb, found)
    return found


def look_for_bones(glb: Glb, bones_file: Path | None = None) -> FoundBones:
    """The bones by the file's VRM extension, else by the nodes' names, else by structure; then a user's bones file.

    Raises:
        CharacterError: The bones file is wrong.
    """
    vrm = _bones_of_vrm(glb)
    mapped = {} if bones_file is None else read_bones_file(bones_file, glb, candidates(glb))
    how = dict.fromkeys(vrm, "VRM") | dict.fromkeys(mapped, "bones file")
    given = vrm | mapped
    if vrm and given.keys() >= set(REQUIRED):
        return FoundBones(given, how)
    found = _by_name_and_structure(glb, given)
    return FoundBones(found.bones, found.how | how)


def _by_name_and_structure(glb: Glb, given: dict[str, int]) -> FoundBones:
    names, tree, nodes = [str(node.get("name", "")) for node in glb.nodes], tree_of(glb), candidates(glb)
    named = find_bones(names, nodes) | given
    built = {}
    if not named.keys() >= set(REQUIRED):
        built = bones_by_structure(tree, nodes, names, weighted_joints(glb))
    bones = joined(tree, named, built) | given
    if bones.keys() >= set(REQUIRED) - {"hips"} and "hips" not in given and not carries(tree, bones):
        hips = common_hips(tree, bones)
        if hips is not None:
            bones["hips"] = hips
    return FoundBones(bones, {bone: "name" if named.get(bone) == node else "structure" for bone, node in bones.items()})


def candidates(glb: Glb) -> list[int]:
    """The nodes that may be bones: joints first, then their ancestors, each nearest to the root first.

    Without a skin the nodes that carry parts of the mesh are taken for joints.
    """
    depth = [0] * len(glb.nodes)
    for node in tree_of(glb).order:
        depth[node] = depth[glb.parents[node]] + 1 if glb.parents[node] >= 0 else 0
    joints = {joint for skin in glb.document.get("skins", []) for joint in skin["joints"]} or parts_of(glb)
    ancestors: set[int] = set()
    for joint in joints:
        while (joint := glb.parents[joint]) >= 0 and joint not in ancestors:
            ancestors.add(joint)
    return [node for group in (joints, ancestors - joints) for node in sorted(group, key=lambda n: (depth[n], n))]


def _bones_of_vrm(glb: Glb) -> dict[str, int]:
    """The bones of a VRM 0.x or 1.0 extension; empty if the file is not a VRM, or the extension is invalid."""
    extensions = glb.document.get("extensions")
    found: dict[str, int] = {}
    for extension in ("VRMC_vrm", "VRM"):
        humanoid = _get(_get(extensions, extension), "humanoid")
        entries = _get(humanoid, "humanBones")
        if isinstance(entries, list):  # 0.x
            entries = {str(_get(entry, "bone")): entry for entry in entries}
        if isinstance(entries, dict):
            pairs = {bone: _get(entry, "node") for bone, entry in entries.items()}
            nodes = {bone: node for bone, node in pairs.items() if type(node) is int and 0 <= node < len(glb.nodes)}
            found = found or {bone: nodes[bone] for bone in (*REQUIRED, "neck") if bone in nodes}
    return found


def _get(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _check_complete(glb: Glb, found: FoundBones) -> None:
    bones, missing = found.bones, found.missing
    if missing and not glb.document.get("skins"):
        raise CharacterError(
            f"{glb.path} has no skin, so its mesh cannot follow bones, and its nodes are no body in parts either; give "
            "a rigged character"
        )
    if missing:
        raise CharacterError(
            f"{glb.path} has no node with a known name or place for: {', '.join(missing)}; map them in a file (lines "
            f"such as {missing[0]}: Name of its node; `realtime-pose bones` writes it) and give it with --bones; its "
            f"nodes: {node_names(glb, candidates(glb))}"
        )
    owners: dict[int, str] = {}
    for bone, node in bones.items():
        if node in owners:
            raise CharacterError(f"{glb.path}: {name_of(glb, node)} cannot be both {owners[node]} and {bone}")
        owners[node] = bone
