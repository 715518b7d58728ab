"""Bone mapping of a file: its VRM extension, else the nodes' names, corrected by a user's bones file."""

from collections.abc import Mapping
from pathlib import Path

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.bone_names import REQUIRED, find_bones
from realtime_pose.model3d.glb import Glb
from realtime_pose.model3d.nodes import name_of
from realtime_pose.skeletons import HUMANOID

_MAX_MAPPING = 100_000
_NAMES_SHOWN = 30


def bones_of(glb: Glb, bones_file: Path | None) -> tuple[dict[str, int], bool]:
    """HUMANOID's joints (without spine and chest, which follow from the tree) -> node; and whether the file is a VRM.

    Raises:
        CharacterError: Bones are missing, or the bones file is wrong.
    """
    bones = _bones_of_vrm(glb)
    is_vrm = bool(bones)
    if not is_vrm:
        bones = find_bones([str(node.get("name", "")) for node in glb.nodes], candidates(glb))
    if bones_file is not None:
        bones |= _bones_of_file(bones_file, glb)
    _check_complete(glb, bones)
    return bones, is_vrm


def candidates(glb: Glb) -> list[int]:
    """The nodes that may be bones: joints first, then their ancestors."""
    joints = {joint for skin in glb.document["skins"] for joint in skin["joints"]}
    ancestors = set()
    for joint in joints:
        while (joint := glb.parents[joint]) >= 0 and joint not in ancestors:
            ancestors.add(joint)
    return [*sorted(joints), *sorted(ancestors - joints)]


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


def _bones_of_file(path: Path, glb: Glb) -> dict[str, int]:
    import yaml

    try:
        text = path.read_bytes()
        values = yaml.safe_load(text) if len(text) < _MAX_MAPPING else None
    except OSError as exc:
        raise CharacterError(f"cannot read the bones file {path}: {exc.strerror}; check the path") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        raise CharacterError(f"{path} is not valid YAML ({' '.join(str(exc).split())[:120]})") from exc
    if not isinstance(values, dict):
        raise CharacterError(f"{path} has no bones; write lines such as: leftHand: Name of its node")
    index: dict[str, int] = {}
    for node in (*range(len(glb.nodes)), *reversed(candidates(glb))):  # of two nodes with the same name the joint
        index[str(glb.nodes[node].get("name", ""))] = node
    found = {}
    for bone, name in values.items():
        if bone not in HUMANOID.joints:
            raise CharacterError(f"{path}: {bone!r} is not a bone; give one of: {', '.join(HUMANOID.joints)}")
        if str(name) not in index:
            raise CharacterError(f"{path}: {glb.path} has no node {str(name)!r}; it has {_names(glb)}")
        found[str(bone)] = index[str(name)]
    return {bone: node for bone, node in found.items() if bone not in ("spine", "chest")}  # these are found in the tree


def _names(glb: Glb) -> str:
    names = [str(glb.nodes[node].get("name", "")) for node in candidates(glb)]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _check_complete(glb: Glb, bones: Mapping[str, int]) -> None:
    missing = [bone for bone in REQUIRED if bone not in bones]
    if missing:
        raise CharacterError(
            f"{glb.path} has no node with a known name for: {', '.join(missing)}; map them in a file "
            f"(lines such as {missing[0]}: Name of its node) and give it with --bones; its nodes: {_names(glb)}"
        )
    owners: dict[int, str] = {}
    for bone, node in bones.items():
        if node in owners:
            raise CharacterError(f"{glb.path}: {name_of(glb, node)} cannot be both {owners[node]} and {bone}")
        owners[node] = bone
