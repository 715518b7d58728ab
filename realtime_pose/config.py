"""All settings of a run: defaults, then YAML files, environment and command line; unknown keys are refused."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

from realtime_pose.body.profile import resolved
from realtime_pose.body.settings import BodyConfig, current_body_values
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.sinks import SINKS
from realtime_pose.errors import ConfigError, UnknownChoiceError, shortened
from realtime_pose.exporters.table import DEFAULT_FORMATS
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.utils.paths import data_path
from realtime_pose.utils.settings import SettingInfo, read_yaml, setting, settings_in

_EXAMPLE = data_path("configs/default.yaml")  # by its full path, which an installed wheel has too
_FILES, _SENDING = "Files of a take", "Sending"


@dataclass(frozen=True)
class OutputConfig:
    """Settings of the outputs: where poses are sent, and the files of a take; each field says what it is."""

    udp: str = setting(
        "",
        help="Send PosePackets to host[:5005][,person=ID]; may be given several times.",
        more="A settings file puts a space between several, here and in the next four; empty sends nothing.",
        option="--udp",
        metavar="HOST",
        several=True,
    )
    udp_format: str = setting(
        "json",
        help="Encoding of PosePackets over UDP: {choices}.",
        option="--udp-format",
        panel=_SENDING,
        metavar="NAME",
        choices=("json", "binary"),
    )
    vmc: str = setting("", help="Send VMC to host[:39539][,person=ID].", option="--vmc", metavar="HOST", several=True)
    livelink: str = setting(
        "",
        help="Send Unreal's JSON Live Link to host[:54321][,person=ID].",
        option="--livelink",
        metavar="HOST",
        several=True,
    )
    websocket: str = setting(
        "",
        help="Serve packets to browsers at host[:8765][,person=ID][,origin=URL], e.g. 127.0.0.1:8765.",
        more="An origin lets pages of another host connect; null those from local files, as in OBS.",
        option="--websocket",
        metavar="HOST",
        several=True,
    )
    osc_trackers: str = setting(
        "",
        help="Send OSC trackers, e.g. to VRChat, to host[:9000][,person=ID][,only=hips,feet].",
        option="--osc-trackers",
        metavar="HOST",
        several=True,
    )
    mirror: bool = setting(
        False, help="Send the pose mirrored: left and right change sides.", option="--mirror", panel=_SENDING
    )
    record: str = setting(
        "",
        help="Folder for the take: session, video, motion and keypoints; the next free one (take-2) if it has a take.",
        more="Empty records nothing.",
        option="--record",
        metavar="FOLDER",
        path=True,
    )
    formats: str = setting(
        DEFAULT_FORMATS,
        help="Files to write beside the session, e.g. bvh,csv; `export --help` lists them all.",
        option="--format",
        metavar="NAMES",
    )
    character: str = setting(
        "",
        help="Your own character (.glb or .vrm) for motion.glb.",
        more="Empty uses the built-in one.",
        option="--character",
        panel=_FILES,
        metavar="FILE",
        path=True,
    )
    bones: str = setting(
        "",
        help="File that maps bones to your character's node names.",
        more="Empty finds the bones by their names.",
        option="--bones",
        panel=_FILES,
        metavar="FILE",
        path=True,
    )

    @property
    def destinations(self) -> dict[str, str]:
        """The destinations of each live sink, by its name in SINKS."""
        return {name: getattr(self, name) for name in SINKS}

    @property
    def targets(self) -> dict[str, str]:
        """`destinations` by its name in version 0.1.0."""
        return self.destinations


@dataclass(frozen=True)
class AppConfig:
    """Every setting, in a section for each part of the program."""

    capture: CaptureConfig = field(default_factory=CaptureConfig)
    inference: InferenceConfig = field(default_factory=InferenceConfig)
    body: BodyConfig = field(default_factory=BodyConfig)
    output: OutputConfig = field(default_factory=OutputConfig)

    def with_values(self, values: Mapping[str, Any], origin: str) -> "AppConfig":
        """A copy with nested `values` ({"body": {"height_m": 1.8}}).

        Raises:
            ConfigError: A value has the wrong type; the message names `origin`.
            UnknownChoiceError: A section or key is unknown; the message lists the known ones.
        """
        changed = self
        for section, entries in values.items():
            if section not in {f.name for f in fields(self)}:
                raise UnknownChoiceError(f"{origin}: section", section, [f.name for f in fields(self)])
            if entries is None:
                continue  # every key of the section is commented out
            if not isinstance(entries, Mapping):
                raise ConfigError(f"{origin}: {section} is {entries!r}, wanted a table of settings")
            part = getattr(self, section)
            if section == "body":
                entries = current_body_values(entries)
            typed = {key: _typed(part, section, key, value, origin) for key, value in entries.items()}
            changed = replace(changed, **{section: replace(part, **typed)})
        return changed


DEFAULTS = AppConfig()


class Setting(NamedTuple):
    """One setting of AppConfig: its section, its key in it, its default, its type, and its metadata.

    The type is that of a value which is set: float for `float | None`.
    """

    section: str
    key: str
    default: Any
    kind: type
    info: SettingInfo

    @property
    def name(self) -> str:
        """Such as "body.height_m"."""
        return f"{self.section}.{self.key}"


def _all_settings() -> Iterator[Setting]:
    for each in fields(AppConfig):
        part = getattr(DEFAULTS, each.name)
        types = get_type_hints(type(part))
        for key, info in settings_in(part).items():
            kind = next(iter(get_args(types[key])), types[key])
            yield Setting(each.name, key, getattr(part, key), kind, info)


SETTINGS: dict[str, Setting] = {each.name: each for each in _all_settings()}
"""Every setting by its name, section by section."""
VARIABLES = {each.info.variable: each for each in SETTINGS.values() if each.info.variable}
"""The settings that an environment variable sets, by its name."""


def load_config(
    files: list[Path],
    overrides: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
    *,
    base: AppConfig = DEFAULTS,
) -> AppConfig:
    """The settings of a run: over `base` each of `files` in turn, then VITPOSE_* variables, then `overrides`.

    Raises:
        ConfigError: A file is missing or not a YAML table, a value has the wrong type, or the profile does not exist.
        UnknownChoiceError: A section or key is unknown.
    """
    config = base
    for path in files:
        config = config.with_values(_read_yaml(path), str(path))
    for name, each in VARIABLES.items():
        if value := environment.get(name):
            config = config.with_values({each.section: {each.key: value}}, "environment")
    config = config.with_values(overrides, "command line")
    return replace(config, body=resolved(config.body, keep_height="height_m" in (overrides.get("body") or {})))


def _read_yaml(path: Path) -> Mapping[str, Any]:
    try:
        values = read_yaml(path)
    except OSError as exc:
        raise ConfigError(f"cannot read the settings file {path} ({exc.strerror}); see {_EXAMPLE}") from exc
    except ValueError as exc:
        raise ConfigError(f"{path} is not valid YAML ({exc}); see {_EXAMPLE}") from exc
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} holds a {type(values).__name__}, wanted sections as in {_EXAMPLE}")
    return values


def _typed(part: object, section: str, key: object, value: object, origin: str) -> object:
    """The value, checked against the setting's type."""
    known = [f.name for f in fields(part)]  # type: ignore[arg-type]  # every section is a dataclass
    if not isinstance(key, str) or key not in known:
        raise UnknownChoiceError(f"{origin}: {section} key", key, known)
    wanted, unset = SETTINGS[f"{section}.{key}"].kind, SETTINGS[f"{section}.{key}"].info.unset
    if unset and value in (None, unset):
        return None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(min(max(value, -_HUGE), _HUGE))  # a float would overflow; the range check refuses it later
    if wanted is float and isinstance(value, float):
        value = float(value)  # a DefaultHeight that is set by name counts as given
    if wanted is str and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)  # `source: 0` is a camera's index
    if type(value) is not wanted:
        wanted_words = f"{_WORDS[wanted]} or {unset}" if unset else _WORDS[wanted]
        raise ConfigError(f"{origin}: {section}.{key} is {shortened(value)}, wanted {wanted_words}")
    return value


_HUGE = 10**300
_WORDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
