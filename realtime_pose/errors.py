"""The exceptions of this package.

RealtimePoseError
├── ConfigError                 a setting is wrong
│   └── UnknownChoiceError      a name is not in a table; lists the valid ones
├── CaptureError                a source cannot deliver frames
│   └── CameraNotFoundError     there is no such camera
├── EndOfStream                 a source has no more frames (the normal way out)
├── CheckpointError             model weights are missing, damaged, unsupported or unsafe
├── ArrayShapeError             an array has the wrong shape
├── PacketError                 a datagram is not a PosePacket
├── RecordingError              a take cannot be written or read
├── CharacterError              a 3D character's file cannot be used
├── MissingPackageError         an optional package is not installed
└── StageFailedError            a worker failed; `__cause__` has the error

Each message is one plain sentence: what came, what was wanted, what to do next.
"""

import reprlib
from collections.abc import Iterable

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


def shortened(value: object) -> str:
    """A value of a file or the network for a message: cut, however long or deeply nested it is."""
    return _SHORT.repr(value)


class RealtimePoseError(Exception):
    """Base class of all exceptions of this package."""


class ConfigError(RealtimePoseError):
    """A setting is wrong."""


class UnknownChoiceError(ConfigError):
    """A name is not in its table of choices."""

    def __init__(self, setting: str, got: object, known: Iterable[str]) -> None:
        self.setting, self.got, self.known = setting, got, tuple(sorted(known))
        super().__init__(f"{setting}={shortened(got)} is not one of: {', '.join(self.known)}")


class CaptureError(RealtimePoseError):
    """A source cannot deliver frames."""


class CameraNotFoundError(CaptureError):
    """There is no such camera."""


class EndOfStream(RealtimePoseError):
    """A source has no more frames."""


class CheckpointError(RealtimePoseError):
    """Model weights are missing, damaged, of another architecture, or unsafe to load."""


class ArrayShapeError(RealtimePoseError):
    """An array has the wrong shape."""

    def __init__(self, name: str, got: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
        self.got, self.wanted = got, wanted
        shape = ", ".join("any" if n is None else str(n) for n in wanted)
        super().__init__(f"{name} has shape {got}, wanted ({shape})")


class PacketError(RealtimePoseError):
    """A datagram is not a PosePacket."""


class RecordingError(RealtimePoseError):
    """A take cannot be written or read."""


class CharacterError(RealtimePoseError):
    """A 3D character's file is damaged, has no skin, or lacks required bones."""


class MissingPackageError(RealtimePoseError):
    """An optional package is not installed; the message has the command that installs it."""

    def __init__(self, user: str, package: str, command: str) -> None:
        self.package, self.command = package, command
        super().__init__(f"{user} needs {package}; install it with: {command}")


class StageFailedError(RealtimePoseError):
    """A worker failed; `__cause__` has the error."""
