"""Which device a model runs on."""

from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.inference.base import DEVICES


def pick_device(wanted: str) -> str:
    """The device for auto, cpu, cuda, mps, gpu (Intel's, by OpenVINO) or one GPU such as cuda:1.

    auto takes the fastest kind that torch has here.

    Raises:
        UnknownChoiceError: It is none of these.
        ConfigError: This machine has no such device.
    """
    kind, _, number = wanted.partition(":")
    if kind not in DEVICES or (number and not (number.isdecimal() and kind == "cuda")):
        raise UnknownChoiceError("device", wanted, DEVICES)
    if kind in ("cpu", "gpu"):
        return kind
    import torch

    here = {"cpu": 1}
    if torch.backends.mps.is_available():
        here["mps"] = 1
    if torch.cuda.is_available():
        here["cuda"] = torch.cuda.device_count()
    if kind == "auto":
        return list(here)[-1]
    if int(number or 0) >= here.get(kind, 0):
        names = ", ".join(name if n == 1 else f"{name}:0 to {name}:{n - 1}" for name, n in here.items())
        raise ConfigError(f"device={wanted!r} is not on this machine, which has: {names}; or leave the choice to auto")
    return wanted
