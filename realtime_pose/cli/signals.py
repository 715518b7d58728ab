"""Termination signals: SIGTERM and SIGHUP end a command as Ctrl-C does, with files closed."""

import signal
from types import FrameType
from typing import Any

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]  # Windows has no SIGHUP


class TerminationSignals:
    """Handles SIGTERM (docker stop, `timeout`, a service manager) and SIGHUP (a closed terminal) like Ctrl-C.

    The second signal is ignored: files are being closed already.
    """

    def __init__(self) -> None:
        self._received = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "TerminationSignals":
        """Handle the signals from now on; a signal that the parent process ignores, as nohup does, stays ignored."""
        for number in _SIGNALS:
            if (before := signal.getsignal(number)) is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        """Put back the handlers from before."""
        for number, before in self._before.items():
            signal.signal(number, before)

    def exit_code(self, code: int) -> int:
        """The program's exit code: 128 + the signal's number if a signal ended it, as shells count."""
        return 128 + self._received if self._received and code else code

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._received:
            return
        self._received = number
        ctrl_c = signal.getsignal(signal.SIGINT)
        if not callable(ctrl_c):  # a shell that starts programs in the background has them ignore Ctrl-C
            raise KeyboardInterrupt
        ctrl_c(signal.SIGINT, frame)
