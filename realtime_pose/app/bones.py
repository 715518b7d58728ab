"""A character's bones, as a table and as a bones file."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from realtime_pose.errors import CharacterError, ConfigError, RecordingError
from realtime_pose.model3d.bone_names import REQUIRED
from realtime_pose.model3d.bones_file import bones_file_text
from realtime_pose.model3d.character import load_character
from realtime_pose.model3d.character_bones import candidates, look_for_bones
from realtime_pose.model3d.glb import read_glb
from realtime_pose.model3d.nodes import name_of
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.atomic_files import write_text


class BoneRow(NamedTuple):
    """A bone, the name of its node, and how it was found; both empty if it was not."""

    bone: str
    node: str
    how: str


@dataclass(frozen=True)
class CharacterBones:
    """The bones of a character.

    Attributes:
        rows: A row for each bone, from the hips to the feet.
        text: A bones file with them.
        error: Why the character cannot be used; None if it can.
    """

    rows: list[BoneRow]
    text: str
    error: CharacterError | None

    def check(self) -> None:
        """Do nothing if the character can be used.

        Raises:
            CharacterError: It cannot.
        """
        if self.error is not None:
            raise self.error


def character_bones(path: Path, bones_file: Path | None = None) -> CharacterBones:
    """The bones that are found in a file, with a user's bones file if there is one.

    Raises:
        CharacterError: The file is not a GLB or VRM, or the bones file is wrong.
    """
    glb = read_glb(path)
    found = look_for_bones(glb, bones_file)
    node = {bone: name_of(glb, i) for bone, i in found.bones.items()}
    how = dict(found.how)
    error = None
    try:
        trunk = load_character(path, bones_file).trunk
    except CharacterError as exc:
        error = exc
    else:
        spine = (*trunk.torso[:1], *trunk.torso[-1:]) if len(trunk.torso) > 1 else trunk.torso
        for bone, i in zip(("spine", "chest"), spine, strict=False):
            node[bone], how[bone] = name_of(glb, i), "tree"
        if trunk.neck and "neck" not in node:
            node["neck"], how["neck"] = name_of(glb, trunk.neck[0]), "tree"
    shown = [bone for bone in HUMANOID.joints if bone in node or bone in REQUIRED]
    rows = [BoneRow(bone, node.get(bone, ""), how.get(bone, "not found")) for bone in shown]
    return CharacterBones(rows, bones_file_text(glb, candidates(glb), found.bones), error)


def write_bones_file(path: Path, found: CharacterBones, *, force: bool) -> None:
    """Write the bones file; one that exists is replaced with `force` alone, as it may have been corrected.

    Raises:
        ConfigError: It exists.
        RecordingError: It cannot be written.
    """
    if path.exists() and not force:
        raise ConfigError(f"{path} exists and may have your corrections; give another name with --out, or --force")
    try:
        write_text(path, found.text)
    except OSError as exc:
        raise RecordingError(f"cannot write {path}: {exc.strerror}; choose another folder") from exc
