"""All settings of a run: defaults, then YAML files, then environment, then command line; unknown keys are refused."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from realtime_pose.body.profile import resolved
from realtime_pose.body.settings import BodyConfig
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.sinks import SINKS
from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.exporters.table import DEFAULT_FORMATS
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.utils.paths import data_path

_ENVIRONMENT = {
    "VITPOSE_CONFIG": "model_config",
    "VITPOSE_CHECKPOINT": "checkpoint",
    "VITPOSE_DEVICE": "device",
}
_EXAMPLE = data_path("configs/default.yaml")  # by its full path, which an installed wheel has too


@dataclass(frozen=True)
class OutputConfig:
    """Where results go.

    Attributes:
        udp: Targets of PosePackets, each "host:port" or "host:port,person=ID", a space between; empty sends nothing.
        udp_format: How PosePackets go over UDP: "json" or "binary".
        vmc: Targets of VMC, likewise; so are the next three.
        livelink: Targets of JSON Live Link.
        websocket: Addresses to serve PosePackets to browsers at; ",origin=URL" lets another host's pages in.
        osc_trackers: Targets of OSC trackers.
        mirror: Send the pose as a mirror shows it: left and right change sides.
        record: Folder for the session and the other files of a take; empty records nothing.
        formats: Which other files a take has: names in `exporters.table.EXPORTERS`, comma between.
        character: The .glb or .vrm that performs in motion.glb; empty takes the program's own.
        bones: A file that says which of its nodes are bones; empty finds them by their names.
    """

    udp: str = ""
    udp_format: str = "json"
    vmc: str = ""
    livelink: str = ""
    websocket: str = ""
    osc_trackers: str = ""
    mirror: bool = False
    record: str = ""
    formats: str = DEFAULT_FORMATS
    character: str = ""
    bones: str = ""

    @property
    def targets(self) -> dict[str, str]:
        """The targets of each live sink, by its name in SINKS."""
        return {name: getattr(self, name) for name in SINKS}


@dataclass(frozen=True)
class AppConfig:
    """Every setting, one section a stage."""

    capture: CaptureConfig = field(default_factory=CaptureConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

    def with_values(self, values: Mapping[str, Any], origin: str) -> "AppConfig":
        """A copy with nested `values` ({"body": {"height_m": 1.8}}) put in.

        Raises:
            ConfigError: A value has the wrong type; the message names `origin`.
            UnknownChoiceError: There is no such section or key; the message lists those there are.
        """
        changed = self
        for section, entries in values.items():
            if section not in {f.name for f in fields(self)}:
                raise UnknownChoiceError(f"{origin}: section", section, [f.name for f in fields(self)])
            if entries is None:
                continue  # a section whose every key is commented out
            if not isinstance(entries, Mapping):
                raise ConfigError(f"{origin}: {section} is {entries!r}, wanted a table of settings")
            part = getattr(self, section)
            typed = {key: _typed(part, section, key, value, origin) for key, value in entries.items()}
            changed = replace(changed, **{section: replace(part, **typed)})
        return changed


DEFAULTS = AppConfig()


def load_config(
    files: list[Path],
    overrides: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    *,
    base: AppConfig = DEFAULTS,
) -> AppConfig:
    """The settings of a run: over `base` each of `files` in turn, then VITPOSE_* variables, then `overrides`.

    Raises:
        ConfigError: A file is missing or no YAML table, a value has the wrong type, or there is no such profile.
        UnknownChoiceError: A section or key is unknown.
    """
    config = base
    for path in files:
        config = config.with_values(_read_yaml(path), str(path))
    from_environment = {key: environment[name] for name, key in _ENVIRONMENT.items() if environment.get(name)}
    config = config.with_values({"inference": from_environment}, "environment").with_values(overrides, "command line")
    return replace(config, body=resolved(config.body, keep_height="height_m" in (overrides.get("body") or {})))


def _read_yaml(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"cannot read the settings file {path} ({exc.strerror}); see {_EXAMPLE}") from exc
    except (yaml.YAMLError, ValueError) as exc:  # a date that cannot be, bytes that are no text
        raise ConfigError(f"{path} is not valid YAML ({' '.join(str(exc).split())}); see {_EXAMPLE}") from exc
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} holds a {type(values).__name__}, wanted sections as in {_EXAMPLE}")
    return values


def _typed(part: object, section: str, key: object, value: object, origin: str) -> object:
    """The value, checked against the type of the default that it replaces."""
    known = [f.name for f in fields(part)]  # type: ignore[arg-type]  # every section is a dataclass
    if not isinstance(key, str) or key not in known:
        raise UnknownChoiceError(f"{origin}: {section} key", key, known)
    wanted = type(getattr(part, key))
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(min(max(value, -_HUGE), _HUGE))  # beyond it a float overflows; ranges refuse it later
    if wanted is str and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # `source: 0` is a camera's index
    if type(value) is not wanted:
        raise ConfigError(f"{origin}: {section}.{key} is {value!r}, wanted {_WORDS[wanted]}")
    return value


_HUGE = 10**300
_WORDS = {float: "a number", int: "a whole number", str: "text", bool: "true or false"}
