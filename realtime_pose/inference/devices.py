"""Choice of the device that a model runs on."""

from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.inference.base import DEVICES
from realtime_pose.utils.extras import is_installed, needs_extra


def pick_device(wanted: str) -> str:
    """The device for auto, cpu, cuda, mps, gpu (Intel's, by OpenVINO) or one GPU such as cuda:1.

    auto is the fastest kind that torch has here, and cpu without torch.

    Raises:
        UnknownChoiceError: There is no such kind of device.
        ConfigError: This machine does not have it.
        MissingPackageError: The device needs torch, which is missing.
    """
    kind, _, number = wanted.partition(":")
    if kind not in DEVICES or (number and not (number.isdecimal() and kind == "cuda")):
        raise UnknownChoiceError("device", wanted, DEVICES)
    if kind in ("cpu", "gpu"):
        return kind
    if kind == "auto" and not is_installed("torch"):
        return "cpu"
    with needs_extra("vitpose", f"device {kind}"):
        import torch

    counts = {"cpu": 1}
    if torch.backends.mps.is_available():
        counts["mps"] = 1
    if torch.cuda.is_available():
        counts["cuda"] = torch.cuda.device_count()
    if kind == "auto":
        return list(counts)[-1]
    if int(number or 0) >= counts.get(kind, 0):
        names = ", ".join(name if n == 1 else f"{name}:0 to {name}:{n - 1}" for name, n in counts.items())
        raise ConfigError(f"device={wanted!r} is not on this machine, which has: {names}; use one of them or auto")
    return wanted
