"""Session reader: the settings of an .rtpose file, and its frames one after another."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RecordingError
from realtime_pose.session.checks import check_settings, read_json
from realtime_pose.session.format import (
    END,
    FRAME_COUNT,
    FRAME_HEAD,
    MAGIC,
    RECORD_HEAD,
    SETTINGS,
    VERSION,
    VERSION_NUMBER,
    read_payload,
)
from realtime_pose.session.records import RecordDecoder


@dataclass
class Session:
    """An open session.

    Attributes:
        path: The file.
        settings: The settings of the run that made it.
        total_frames: Number of frames if the source was read to its end; otherwise None.
        size_bytes: Length of the file when it was opened.
        bytes_read: The number of bytes that `frames` has read.
        truncated: After the last frame: whether the end of the file is missing, as after a crash.
    """

    path: Path
    settings: dict[str, Any]
    total_frames: int | None
    size_bytes: int
    bytes_read: int = field(default=0, init=False)
    truncated: bool = field(default=False, init=False)

    @property
    def finished(self) -> bool:
        """Whether its source was read to its end."""
        return self.total_frames is not None

    def frames(self) -> Iterator[FrameResult]:
        """The results in order, exactly as they were sent; images are black, since a session keeps none.

        `camera` is None in sessions of programs that kept none.

        Raises:
            RecordingError: A record in the middle is damaged.
        """
        decoder = RecordDecoder(self.path)
        for _, payload in self.records():
            result = decoder.decode(payload)
            if result is not None:
                yield result

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Each record after the settings: the byte at which its payload starts, and the payload.

        Raises:
            RecordingError: A record in the middle is damaged.
        """
        with _open(self.path) as file:
            _read_head(self.path, file)
            start = file.tell()
            while head := file.read(RECORD_HEAD.size):
                payload = read_payload(file, head)
                if payload is None:
                    if len(file.read(1)) == 0:
                        self.truncated = True
                        return
                    raise RecordingError(f"{self.path} is damaged at byte {start}; the frames before it can be used")
                self.bytes_read = start + len(head) + len(payload)
                yield start + len(head), payload
                start = self.bytes_read


def read_session(path: str | Path) -> Session:
    """The session in a file; the settings are read now, frames when they are requested.

    Raises:
        RecordingError: The file does not exist, is not a session, or was written by a newer program.
    """
    path = Path(path)
    with _open(path) as file:
        settings = _read_head(path, file)
        size_bytes = file.seek(0, os.SEEK_END)
        return Session(path, settings, _total_frames(file, size_bytes), size_bytes)


def _total_frames(file: BinaryIO, size_bytes: int) -> int | None:
    """The frame count in the end record; None if the file does not end with one."""
    length = RECORD_HEAD.size + len(END) + FRAME_COUNT.size
    file.seek(max(size_bytes - length, 0))
    payload = read_payload(file, file.read(RECORD_HEAD.size))
    if payload is None or payload[:1] != END or len(payload) != len(END) + FRAME_COUNT.size:
        return None
    frames = int(FRAME_COUNT.unpack(payload[1:])[0])
    return frames if frames <= size_bytes // (RECORD_HEAD.size + FRAME_HEAD.size) else None


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise RecordingError(f"cannot read {path}: {exc.strerror}; check the path") from exc


def _read_head(path: Path, file: BinaryIO) -> dict[str, Any]:
    if file.read(len(MAGIC)) != MAGIC:
        raise RecordingError(f"{path} is not a session; give an .rtpose file that this program recorded")
    version = file.read(VERSION_NUMBER.size)
    if len(version) == VERSION_NUMBER.size and (number := VERSION_NUMBER.unpack(version)[0]) != VERSION:
        raise RecordingError(f"{path} is a session of version {number}, this program reads {VERSION}; update it")
    payload = read_payload(file, file.read(RECORD_HEAD.size))
    if payload is None or payload[:1] != SETTINGS:
        raise RecordingError(f"{path} is cut off or damaged before its first frame; record it again")
    try:
        return check_settings(read_json(payload[1:]))
    except ValueError as exc:
        raise RecordingError(
            f"{path} has settings that are not a JSON object as this program writes it ({exc}); record it again"
        ) from exc
