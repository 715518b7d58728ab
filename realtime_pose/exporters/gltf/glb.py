"""motion.glb: a skinned character animated with a take's motion, for engines, browsers and Blender."""

from collections.abc import Callable
from pathlib import Path

from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError
from realtime_pose.exporters.gltf.animation import Keyframes, Model, Track, write_animated
from realtime_pose.exporters.pose_spool import PoseSpool
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.model3d.character import Character, default_character_path, load_character
from realtime_pose.model3d.fit_to_person import fit_to_person
from realtime_pose.model3d.retarget import Retargeter

NAME = "realtime-pose"


def open_glb(path: Path, take: TakeInfo) -> "GlbRecorder":
    """motion.glb of a take."""
    return GlbRecorder(path, take.character, take.bones)


class PerPersonRecorder:
    """Spools a take's poses, and writes a file for each person at the end; no file if nobody was seen.

    The first person's file is `path`, each other one is NAME_<id> beside it.

    Args:
        path: The first person's file; an existing one is replaced.
        write: Writes one person's file, given its path, the spool and the person's id.

    Raises:
        RecordingError: The folder of `path` cannot be written.
    """

    def __init__(self, path: Path, write: Callable[[Path, PoseSpool, int], None]) -> None:
        self._path, self._write = path, write
        self._spool: PoseSpool | None = PoseSpool(path.parent)

    def send(self, result: FrameResult) -> None:
        """Add the poses of one frame; after `close`, do nothing.

        Raises:
            RecordingError: The disk is full or gone.
        """
        if self._spool is not None:
            self._spool.add(result)

    def close(self) -> None:
        """Write the files. Safe to repeat.

        Raises:
            RecordingError: The disk is full or gone; the other people's files are still written.
        """
        spool, self._spool = self._spool, None
        if spool is None:
            return
        failure: RealtimePoseError | None = None
        try:
            for i, track_id in enumerate(spool.finish()):
                path = self._path.with_stem(f"{self._path.stem}_{track_id}") if i else self._path
                try:
                    self._write(path, spool, track_id)
                except RealtimePoseError as exc:
                    failure = failure or exc
        finally:
            spool.close()
        if failure is not None:
            raise failure


class GlbRecorder(PerPersonRecorder):
    """Writes each person's motion on a character, as one animation with the take's own times.

    The built-in character gets the person's bone lengths, so its joints are where the person's are. A user's character
    keeps its proportions.

    Args:
        path: The first person's file.
        character: A .glb or .vrm; None for the built-in one.
        bones: A file that maps bones to its node names; None finds them by name.

    Raises:
        CharacterError: The character cannot be used.
        RecordingError: The folder of `path` cannot be written.
    """

    def __init__(self, path: str | Path, character: Path | None = None, bones: Path | None = None) -> None:
        self._built_in = character is None
        self._character = load_character(character or default_character_path(), bones)
        super().__init__(Path(path), self._one)

    def _one(self, path: Path, spool: PoseSpool, track_id: int) -> None:
        character = self._character
        if self._built_in:
            character = fit_to_person(character, spool.bone_m(track_id))
        write_character(path, character, spool, track_id)


def write_character(path: Path, character: Character, spool: PoseSpool, track_id: int) -> None:
    """Write a person's motion on a character.

    Raises:
        RecordingError: The disk is full or gone.
    """
    retargeter = Retargeter(character, spool.bone_m(track_id))
    track = Track(NAME, character.driven, character.bones["hips"], spool.count(track_id), spool.ends_s(track_id))
    chunks = (Keyframes(keys.time_s, *retargeter.motion(keys.local_xyzw, keys.root_m)) for keys in spool.keys(track_id))
    write_animated(path, Model(character.document(), character.glb, character.patches), track, chunks)
