"""motion.fbx: the animated character as FBX, converted from GLB by Blender in the background."""

import logging
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from realtime_pose.errors import RecordingError
from realtime_pose.exporters.gltf import fbx_in_blender
from realtime_pose.exporters.gltf.glb import GlbRecorder
from realtime_pose.exporters.pose_spool import PoseSpool
from realtime_pose.exporters.table import TakeInfo
from realtime_pose.utils.atomic_files import replacing

_DEFAULT_FPS = 30.0
_START_S, _FRAME_S = 120.0, 0.25  # time limit: many times what Blender needs
_PROGRESS_S = 10.0
_TAIL = 20_000  # bytes at the end of Blender's output
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
        RecordingError: Blender is not installed, or the folder of `path` cannot be written.
    """

    def __init__(
        self, path: str | Path, fps: float = 0.0, character: Path | None = None, bones: Path | None = None
    ) -> None:
        self._blender = _find_blender(Path(path))
        self._fps = fps or _DEFAULT_FPS
        super().__init__(path, character, bones)

    def _one(self, path: Path, spool: PoseSpool, track_id: int) -> None:
        try:
            with (
                tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}-") as name,
                replacing(path) as target,
            ):
                source = Path(name) / "character.glb"
                super()._one(source, spool, track_id)
                frames = spool.ends_s(track_id)[1] * self._fps
                _convert(self._blender, source, target, self._fps, _START_S + _FRAME_S * frames)
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


def _convert(blender: str, source: Path, target: Path, fps: float, limit_s: float) -> None:
    command = [
        *(blender, "--background", "--factory-startup", "-noaudio", "--python-exit-code", "1"),
        *("--python", str(Path(fbx_in_blender.__file__)), "--", str(source), str(target), f"{fps:.6f}"),
    ]
    output = source.with_name("blender.log")
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
    if code == 0 and target.is_file():
        return
    errors = [line.strip() for line in _lines(output) if "Error:" in line]
    reason = errors[0][:200] if errors else f"exit code {code}"
    raise RecordingError(f"Blender could not write FBX ({reason}); export glb, and convert it with another Blender")


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
