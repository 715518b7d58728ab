"""Body profiles: files with one person's measured proportions.

A profile is JSON: {"version": 1, "height_m": 1.75, "torso_m": 0.50, ...} with all of LENGTHS. `body.height_m` scales
its proportions; the profile's own height is the default.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig, DefaultHeight
from realtime_pose.errors import ConfigError, shortened
from realtime_pose.utils.atomic_files import write_text
from realtime_pose.utils.paths import user_folder
from realtime_pose.utils.settings import check_range

VERSION = 1
SHORTEST, LONGEST = 0.6, 1.6
"""Range of a length as a multiple of that of an average body of the same height."""

_SUFFIX = ".json"
_MAX_BYTES = 10_000
_DIGITS = 4  # of metres: 0.1 mm
_MAKE = "make one with: realtime-pose calibrate --profile NAME"


@dataclass(frozen=True)
class BodyProfile:
    """One person's proportions.

    Attributes:
        height_m: Body height, as stated by the person.
        lengths_m: Each of LENGTHS in metres.

    Raises:
        ConfigError: A length is implausible for a body of that height.
    """

    height_m: float
    lengths_m: Mapping[str, float]

    def __post_init__(self) -> None:
        check_range("height_m", self.height_m, 0.5, 2.5)
        average = BodyDimensions.of_height(self.height_m)
        for name in LENGTHS:
            usual = getattr(average, name)
            check_range(f"{name}_m", self.lengths_m[name], SHORTEST * usual, LONGEST * usual)

    @property
    def text(self) -> str:
        """The profile as one line of JSON, as stored in a session's settings."""
        lengths = {f"{name}_m": round(self.lengths_m[name], _DIGITS) for name in LENGTHS}
        return json.dumps({"version": VERSION, "height_m": round(self.height_m, _DIGITS), **lengths})

    def save(self, path: Path) -> None:
        """Write the file atomically; an earlier profile is replaced.

        Raises:
            ConfigError: It cannot be written, or another file is there.
        """
        check_profile_path(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, self.text.replace(', "', ',\n "') + "\n")
        except OSError as exc:
            raise ConfigError(f"cannot write the profile {path} ({exc.strerror}); choose another --profile") from exc


def profile_path(name_or_file: str) -> Path:
    """The file of a profile: a path if it has a folder or ends in .json, else a name in the user's data folder.

    Raises:
        ConfigError: It is neither a path nor a valid name.
    """
    if name_or_file.endswith(_SUFFIX) or "/" in name_or_file or os.sep in name_or_file:
        return Path(name_or_file).expanduser()
    if not re.fullmatch(r"[\w][\w .-]*", name_or_file):
        raise ConfigError(
            f"{name_or_file!r} is not a profile name; use letters, digits, - and _, or give the path of a .json file"
        )
    return _folder() / f"{name_or_file}{_SUFFIX}"


def check_profile_path(path: Path) -> Path:
    """The path, if a profile can be written there; it replaces an earlier profile and nothing else.

    Raises:
        ConfigError: Another file is there, or a folder.
    """
    if path.exists():
        try:
            load_profile(str(path.absolute()))
        except ConfigError as exc:
            raise ConfigError(f"{path} exists and is not a profile; choose another --profile") from exc
    return path


def load_profile(name_or_file: str) -> BodyProfile:
    """The profile of that name, or in that file.

    Raises:
        ConfigError: It cannot be read, or is not a profile.
    """
    path = profile_path(name_or_file)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as exc:
        names = sorted(other.stem for other in _folder().glob(f"*{_SUFFIX}"))
        hint = f"saved profiles: {', '.join(names)}; or {_MAKE}" if names else _MAKE
        raise ConfigError(f"cannot read the profile {path} ({exc.strerror}); {hint}") from exc
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path} is too large for a profile; {_MAKE}")
    return _parsed(content, str(path))


def resolved(config: BodyConfig, *, keep_height: bool | None = None) -> BodyConfig:
    """The settings with the profile's content in place of its name, independent of its file.

    Args:
        config: Settings; returned as they are without a profile, or if they hold its content already.
        keep_height: Scale the profile's proportions to `config.height_m`; if False, use the profile's height too; if
            left out, keep a height that was given and replace the default one.

    Raises:
        ConfigError: The profile cannot be read.
    """
    if not config.profile or _is_text(config.profile):
        return config
    if keep_height is None:
        keep_height = not isinstance(config.height_m, DefaultHeight)
    profile = load_profile(config.profile)
    return replace(config, profile=profile.text, height_m=config.height_m if keep_height else profile.height_m)


def body_of(config: BodyConfig) -> BodyDimensions:
    """The body dimensions by the settings: the profile's proportions or average ones, scaled to `height_m`.

    Raises:
        ConfigError: The profile cannot be read.
    """
    average = BodyDimensions.of_height(config.height_m)
    if not config.profile:
        return average
    given = _parsed(config.profile, "body.profile") if _is_text(config.profile) else load_profile(config.profile)
    scale = config.height_m / given.height_m
    return average.with_lengths({name: length * scale for name, length in given.lengths_m.items()})


def _folder() -> Path:
    return user_folder() / "profiles"


def _is_text(profile: str) -> bool:
    return profile.startswith("{")


def _parsed(content: str | bytes, origin: str) -> BodyProfile:
    try:
        values = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{origin} is not a profile: not valid JSON; {_MAKE}") from exc
    if not isinstance(values, dict):
        raise ConfigError(f"{origin} holds a {type(values).__name__}, wanted a profile's values; {_MAKE}")
    if values.get("version") != VERSION:
        raise ConfigError(
            f"{origin} is a profile of version {shortened(values.get('version'))}, "
            f"this program reads {VERSION}; {_MAKE}"
        )
    wanted = {"version", "height_m", *(f"{name}_m" for name in LENGTHS)}
    if values.keys() != wanted:
        wrong = sorted(map(str, wanted ^ values.keys()))
        raise ConfigError(f"{origin} is not a profile: {', '.join(wrong)[:200]} missing or unknown; {_MAKE}")
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{origin}: {key} is {shortened(value)}, wanted a number; {_MAKE}")
    try:
        return BodyProfile(float(values["height_m"]), {name: float(values[f"{name}_m"]) for name in LENGTHS})
    except (ConfigError, OverflowError) as exc:
        raise ConfigError(f"{origin}: {exc}; {_MAKE}") from exc
