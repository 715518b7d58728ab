"""motion.glb: a skinned character animated with a take's motion, for engines, browsers and Blender."""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.datatypes import FrameResult, SceneCamera
from realtime_pose.errors import RealtimePoseError
from realtime_pose.exporters.gltf.animation import Keyframes, Model, Track, write_animated
from realtime_pose.exporters.pose_spool import Keys, PoseSpool
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.model3d.character import Character, default_character_path, load_character
from realtime_pose.model3d.fit_to_person import fit_to_person
from realtime_pose.model3d.foot_lock import FootLock
from realtime_pose.model3d.retarget import Retargeter
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

log = logging.getLogger(__name__)

NAME = "realtime-pose"
_NEAR_M = 0.05  # nothing that is nearer to the camera is drawn


def open_glb(path: Path, take: TakeInfo) -> "GlbRecorder":
    """motion.glb of a take."""
    return GlbRecorder(path, take.character, take.bones, fps=take.fps)


class PerPersonRecorder:
    """Spools a take's poses, and writes a file for each person at the end; no file if nobody was seen.

    The first person's file is `path`, each other one is NAME_<id> beside it.

    Args:
        path: The first person's file; an existing one is replaced.
        write: Writes one person's file, given its path, the spool and the person's id.
        fps: The source's nominal rate; 0 if unknown.

    Raises:
        RecordingError: The folder of `path` cannot be written.
    """

    def __init__(self, path: Path, write: Callable[[Path, PoseSpool, int], None], *, fps: float = 0.0) -> None:
        self._path, self._write = path, write
        self._spool: PoseSpool | None = PoseSpool(path.parent, fps)
        self._clock = self._spool.clock

    @property
    def notes(self) -> list[str]:
        """Sentences on where the files differ from the take so far."""
        return self._clock.notes

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
    """Writes each person's motion on a character, as one animation with the take's own times, and the camera.

    The built-in character gets the person's bone lengths, so its joints are where the person's are. A user's character
    keeps its proportions.

    Args:
        path: The first person's file.
        character: A .glb or .vrm; None for the built-in one.
        bones: A file that maps bones to its node names; None finds them by name.
        fps: The source's nominal rate; 0 if unknown.

    Raises:
        CharacterError: The character cannot be used.
        RecordingError: The folder of `path` cannot be written.
    """

    def __init__(
        self, path: str | Path, character: Path | None = None, bones: Path | None = None, *, fps: float = 0.0
    ) -> None:
        self._built_in = character is None
        self._character = load_character(character or default_character_path(), bones)
        if self._character.guessed:
            guessed = ", ".join(self._character.guessed)
            log.warning("%s: found by structure, not by name: %s; see: realtime-pose bones FILE", character, guessed)
        super().__init__(Path(path), self._one, fps=fps)

    def _one(self, path: Path, spool: PoseSpool, track_id: int) -> None:
        character = self._character
        if self._built_in:
            character = fit_to_person(character, spool.bone_m(track_id))
        write_character(path, character, spool, track_id)


def write_character(path: Path, character: Character, spool: PoseSpool, track_id: int) -> None:
    """Write a person's motion on a character, and the take's camera as a node, animated only if it moves.

    Raises:
        RecordingError: The disk is full or gone.
    """
    retargeter = Retargeter(character, spool.bone_m(track_id))
    document, rotating, moving = character.document(), [*character.driven], [character.bones["hips"]]
    if spool.camera is not None:
        document, node = _with_camera(document, spool.camera, retargeter)
        if spool.camera_moves:
            rotating, moving = [*rotating, node], [*moving, node]
    track = Track(NAME, rotating, moving, spool.count(track_id), spool.ends_s(track_id))
    lock: FootLock | None = None
    if spool.knows_contact(track_id) and not character.fitted:
        poses = ((k.time_s, k.local_xyzw, k.root_m, k.foot_contact) for k in spool.keys(track_id))
        lock = retargeter.feet(poses)
    chunks = _keyframes(spool.keys(track_id), retargeter, lock, with_camera=len(moving) > 1)
    write_animated(path, Model(document, character.glb, character.patches), track, chunks)


def _keyframes(
    chunks: Iterator[Keys], retargeter: Retargeter, lock: FootLock | None, *, with_camera: bool
) -> Iterator[Keyframes]:
    done = 0
    for keys in chunks:
        start, done = done, done + len(keys.time_s)
        part = None if lock is None else lock.rows(start, done)
        yield _keyframes_of(keys, retargeter, part, with_camera=with_camera)


def _keyframes_of(keys: Keys, retargeter: Retargeter, lock: FootLock | None, *, with_camera: bool) -> Keyframes:
    hips, rotations = retargeter.motion(keys.local_xyzw, keys.root_m, lock)
    translations = hips[:, None]
    if with_camera:
        place, rotation = retargeter.camera_in_scene(keys.camera_m, rot.unit(keys.camera_xyzw))
        translations = np.concatenate((translations, place[:, None]), axis=1)
        rotations = np.concatenate((rotations, rotation[:, None]), axis=1)
    return Keyframes(keys.time_s, translations, rotations)


def _with_camera(
    document: Mapping[str, Any], camera: SceneCamera, retargeter: Retargeter
) -> tuple[dict[str, Any], int]:
    """The document with a perspective camera where the take's camera stood, and its node.

    Source: Khronos, "glTF 2.0 Specification", section 3.10 (cameras look along -z, yfov is in radians).
    """
    place, rotation = retargeter.camera_in_scene(camera.position_m, rot.unit(camera.rotation_xyzw))
    lens = {"aspectRatio": camera.width / camera.height, "yfov": math.radians(camera.yfov_deg), "znear": _NEAR_M}
    cameras, nodes = [*document.get("cameras", [])], [*document["nodes"]]
    place_of_node = {"translation": as_float32(place).tolist(), "rotation": as_float32(rot.unit(rotation)).tolist()}
    nodes.append({"name": "camera", "camera": len(cameras), **place_of_node})
    cameras.append({"name": "camera", "type": "perspective", "perspective": lens})
    scenes = [dict(scene) for scene in document.get("scenes", [])]
    for scene in scenes:
        scene["nodes"] = [*scene.get("nodes", []), len(nodes) - 1]
    return {**document, "cameras": cameras, "nodes": nodes, "scenes": scenes}, len(nodes) - 1
