"""Files of several formats that are written at once: one that fails does not stop the others."""

import errno
from collections.abc import Mapping
from contextlib import suppress

from realtime_pose.communication.base import PoseSink
from realtime_pose.datatypes import FrameResult
from realtime_pose.errors import RealtimePoseError, RecordingError
from realtime_pose.exporters.table import EXPORTERS

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileGroup:
    """Writes each result into several files. One that fails is closed, and the others go on to the end.

    Args:
        sinks: The files' sinks by format.

    Attributes:
        failures: By format, what ended its file.
    """

    def __init__(self, sinks: Mapping[str, PoseSink]) -> None:
        self.failures: dict[str, Exception] = {}
        self._sinks = list(sinks.values())
        self._open, self._count, self._closed = dict(sinks), len(sinks), False

    @property
    def notes(self) -> list[str]:
        """Sentences on where the files differ from the take so far, each once."""
        return list(dict.fromkeys(note for sink in self._sinks for note in getattr(sink, "notes", ())))

    def send(self, result: FrameResult) -> None:
        """Write one frame into every file that has not failed.

        Raises:
            RecordingError: The disk is full, which would end the other files a moment later.
        """
        for name, sink in list(self._open.items()):
            try:
                sink.send(result)
            except Exception as exc:
                if _is_disk_full(exc):
                    raise
                self.failures[name] = exc
                self._open.pop(name)
                with suppress(Exception):  # the first failure is the cause of any other
                    sink.close()

    def close(self) -> None:
        """Finish every file, even if one of them fails. Safe to repeat.

        Raises:
            RecordingError: One could not be written or finished, now or in `send`; in one sentence, which says whether
                there are others.
        """
        if self._closed:
            return
        self._closed = True
        for name, sink in self._open.items():
            try:
                sink.close()
            except Exception as exc:  # noqa: BLE001 - raised below, once every file is closed
                self.failures[name] = exc
        self._open.clear()
        failures = list(self.failures.values())
        if not failures:
            return
        if any(not isinstance(exc, RealtimePoseError) for exc in failures) or self._count == 1:
            raise failures[0]  # a fault of the program, with its traceback; or there is nothing to add
        sentences = [_naming(EXPORTERS[name].file, str(exc)) for name, exc in self.failures.items()]
        whole = "; the other files are complete" if len(failures) < self._count else ""
        raise RecordingError(f"{'; '.join(dict.fromkeys(sentences))}{whole}") from failures[0]


def _naming(file: str, sentence: str) -> str:
    """The sentence, with the file if it does not name it."""
    return sentence if file in sentence else f"{file}: {sentence}"


def _is_disk_full(exc: BaseException | None) -> bool:
    while exc is not None:
        if isinstance(exc, OSError) and exc.errno in _DISK_FULL:
            return True
        exc = exc.__cause__
    return False
