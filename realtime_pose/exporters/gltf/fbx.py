"""motion.fbx: the animated character as FBX, converted from GLB by Blender in the background."""

import logging
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.gltf import fbx_in_blender
from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.exporters.pose_spool import PoseSpool
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.model3d.character import Character
from realtime_pose.utils.atomic_files import replacing

_DEFAULT_FPS = 30.0
_START_S, _FRAME_S = 120.0, 0.25  # time limit: many times what Blender needs
_PROGRESS_S = 10.0
_TAIL = 20_000  # bytes at the end of Blender's output
_UNLIT = "KHR_materials_unlit"
_ON_A_MAC = "/Applications/Blender.app/Contents/MacOS/Blender"

log = logging.getLogger(__name__)


def open_fbx(path: Path, take: TakeInfo) -> "FbxRecorder":
    """motion.fbx of a take."""
    return FbxRecorder(path, take.fps, take.character, take.bones)


class FbxRecorder(GlbRecorder):
    """Writes each person's motion on a character as FBX, one keyframe per frame.

    Args:
        path: The first person's file.
        fps: Frame rate of the file; 0 means 30.
        character: A .glb or .vrm; None for the built-in one.
        bones: A file that maps bones to its node names; None finds them by name.

    Raises:
        CharacterError: The character cannot be used.
        RecordingError: Blender is not installed or cannot convert, or the folder of `path` cannot be written.
    """

    def __init__(
        self, path: str | Path, fps: float = 0.0, character: Path | None = None, bones: Path | None = None
    ) -> None:
        self._blender = _find_blender(Path(path))
        _run(self._blender, ("", os.devnull, "0"), _START_S)
        self._fps = fps or _DEFAULT_FPS
        super().__init__(path, character, bones, fps=fps)
        self._character = _shaded(self._character)

    def _one(self, path: Path, spool: PoseSpool, track_id: int) -> None:
        try:
            with (
                tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as name,
                replacing(path) as target,
            ):
                source = Path(name) / f"{path.stem}.glb"
                super()._one(source, spool, track_id)
                frames = spool.ends_s(track_id)[1] * self._fps
                _run(self._blender, (str(source), str(target), f"{self._fps:.6f}"), _START_S + _FRAME_S * frames)
                if not target.is_file():
                    raise _failed("exit code 0")
        except OSError as exc:
            raise RecordingError(
                f"cannot write {path}: {exc.strerror}; free some space there, or choose another folder"
            ) from exc


def _find_blender(path: Path) -> str:
    blender = shutil.which("blender") or shutil.which(_ON_A_MAC)
    if blender is None:
        raise RecordingError(
            f"{path.name} is written by Blender, and the command `blender` is not found; install Blender 3.3 or later, "
            "so that `blender --version` works, or export glb, which Blender can convert to FBX elsewhere"
        )
    return blender


def environment_of(blender: str) -> dict[str, str]:
    """The environment to start Blender in: this program's, with Blender's own folder first on the path.

    A Blender that uses the system's Python starts the first `python3` on the path, and a virtual environment found
    there lacks its libraries.
    """
    home = str(Path(blender).resolve().parent)
    return {**os.environ, "PATH": os.pathsep.join((home, os.environ.get("PATH", os.defpath)))}


def _shaded(character: Character) -> Character:
    """The character without unlit materials, whose textures Blender does not export to FBX."""
    document = character.glb.document
    materials = [
        {**material, "extensions": {k: v for k, v in material["extensions"].items() if k != _UNLIT}}
        if isinstance(material.get("extensions"), dict)
        else material
        for material in document.get("materials", [])
    ]
    return replace(character, glb=replace(character.glb, document={**document, "materials": materials}))


def _run(blender: str, arguments: tuple[str, str, str], limit_s: float) -> None:
    """Run the conversion script; with an empty first argument it only checks this Blender.

    Raises:
        RecordingError: Blender does not start, fails, or takes longer than `limit_s`.
    """
    command = [
        *(blender, "--background", "--factory-startup", "-noaudio", "--python-exit-code", "1"),
        *("--python", str(Path(fbx_in_blender.__file__)), "--", *arguments),
    ]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "blender.log"
        with output.open("wb") as log_file:
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log_file,
                    stderr=subprocess.STDOUT,
                    env=environment_of(blender),
                )
            except OSError as exc:
                raise RecordingError(f"{blender} does not start: {exc.strerror}; reinstall it, or export glb") from exc
            with process:
                try:
                    code = _wait(process, output, limit_s)
                except BaseException:
                    process.kill()
                    raise
        if code != 0:
            raise _failed(_reason(_lines(output), code))


def _reason(lines: list[str], code: int) -> str:
    """The last line that names an error, else the last one, else the exit code."""
    said = [line.strip() for line in lines if line.strip()]
    errors = [line for line in said if "Error: " in line] or said
    return errors[-1][:200] if errors else f"exit code {code}"


def _failed(reason: str) -> RecordingError:
    return RecordingError(f"Blender could not write FBX ({reason}); export glb, and convert it with another Blender")


def _wait(process: "subprocess.Popen[bytes]", output: Path, limit_s: float) -> int:
    """The process's exit code; logs its progress while waiting."""
    end_s = time.monotonic() + limit_s
    while (left_s := end_s - time.monotonic()) > 0:
        try:
            return process.wait(min(left_s, _PROGRESS_S))
        except subprocess.TimeoutExpired:
            done = [line for line in _lines(output) if line.startswith("done ")]
            log.warning("Blender writes FBX: %s", done[-1].removeprefix("done ") if done else "starting")
    raise RecordingError(f"Blender did not finish within {limit_s:.0f} s; export a shorter take, or glb")


def _lines(output: Path) -> list[str]:
    return output.read_bytes()[-_TAIL:].decode(errors="replace").splitlines()
