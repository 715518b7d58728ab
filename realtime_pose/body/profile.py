"""A person's own body in a small file, so that it is measured once and not in every run.

A profile is JSON: {"version": 1, "height_m": 1.75, "torso_m": 0.50, ...} with every one of LENGTHS. What a body is made
of is its proportions; `body.height_m` scales them, and is the profile's own height where no other is given.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.settings import BodyConfig, DefaultHeight
from realtime_pose.errors import ConfigError
from realtime_pose.utils.atomic_files import write_text
from realtime_pose.utils.paths import user_folder
from realtime_pose.utils.settings import check_range

VERSION = 1
SHORTEST, LONGEST = 0.6, 1.6
"""How far a length may be from that of an average body as tall, as a share of it."""

_SUFFIX = ".json"
_MOST_BYTES = 10_000
_DIGITS = 4  # tenths of a millimetre
_ANEW = "make one with: realtime-pose calibrate --profile NAME"


@dataclass(frozen=True)
class BodyProfile:
    """One person's body.

    Attributes:
        height_m: How tall they said they are.
        lengths_m: Each of LENGTHS.

    Raises:
        ConfigError: A length is none that a human body of that height can have.
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
        """The profile as one line of JSON, as a session's settings have it."""
        lengths = {f"{name}_m": round(self.lengths_m[name], _DIGITS) for name in LENGTHS}
        return json.dumps({"version": VERSION, "height_m": round(self.height_m, _DIGITS), **lengths})

    def save(self, path: Path) -> None:
        """Write the file; one that is there is replaced only when the new one is whole.

        Raises:
            ConfigError: It cannot be written.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_text(path, self.text.replace(', "', ',\n "') + "\n")
        except OSError as exc:
            raise ConfigError(f"cannot write the profile {path} ({exc.strerror}); choose another --profile") from exc


def profile_path(name_or_file: str) -> Path:
    """The file of a profile: a name's is in the user's own folder, anything with a folder or .json is a file's path.

    Raises:
        ConfigError: It is neither.
    """
    if name_or_file.endswith(_SUFFIX) or "/" in name_or_file or os.sep in name_or_file:
        return Path(name_or_file).expanduser()
    if not re.fullmatch(r"[\w][\w .-]*", name_or_file):
        raise ConfigError(
            f"profile {name_or_file!r} is no name; take letters, digits, - and _, or give the path of a .json file"
        )
    return _folder() / f"{name_or_file}{_SUFFIX}"


def load_profile(name_or_file: str) -> BodyProfile:
    """The profile of that name, or in that file.

    Raises:
        ConfigError: There is none, or it is not a profile.
    """
    path = profile_path(name_or_file)
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        there = sorted(other.stem for other in _folder().glob(f"*{_SUFFIX}"))
        known = f"there are: {', '.join(there)}; or {_ANEW}" if there else _ANEW
        raise ConfigError(f"cannot read the profile {path} ({exc.strerror}); {known}") from exc
    if len(content) > _MOST_BYTES:
        raise ConfigError(f"{path} is too large for a profile; {_ANEW}")
    return _parsed(content, str(path))


def resolved(config: BodyConfig, *, keep_height: bool | None = None) -> BodyConfig:
    """The settings with the profile's values in place of its name, so that nothing depends on its file any more.

    Args:
        config: Settings; without a profile, or with one whose values are in them already, they stay as they are.
        keep_height: Scale the profile's proportions to `config.height_m`; if False, use the profile's height too; if
            left out, keep a height that was given and replace the default one.

    Raises:
        ConfigError: There is no such profile.
    """
    if not config.profile or _is_text(config.profile):
        return config
    if keep_height is None:
        keep_height = not isinstance(config.height_m, DefaultHeight)
    profile = load_profile(config.profile)
    return replace(config, profile=profile.text, height_m=config.height_m if keep_height else profile.height_m)


def body_of(config: BodyConfig) -> BodyDimensions:
    """The body that the settings describe: the profile's proportions, else the average ones, at `height_m`.

    Raises:
        ConfigError: There is no such profile.
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
        raise ConfigError(f"{origin} is not a profile, as it is no JSON; {_ANEW}") from exc
    if not isinstance(values, dict):
        raise ConfigError(f"{origin} holds a {type(values).__name__}, wanted a profile's values; {_ANEW}")
    if values.get("version") != VERSION:
        raise ConfigError(
            f"{origin} is a profile of version {values.get('version')!r}, this program reads {VERSION}; {_ANEW}"
        )
    wanted = {"version", "height_m", *(f"{name}_m" for name in LENGTHS)}
    if values.keys() != wanted:
        odd = sorted(map(str, wanted ^ values.keys()))
        raise ConfigError(f"{origin} is not a profile: {', '.join(odd)} missing or unknown; {_ANEW}")
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ConfigError(f"{origin}: {key} is {value!r}, wanted a number; {_ANEW}")
    try:
        return BodyProfile(float(values["height_m"]), {name: float(values[f"{name}_m"]) for name in LENGTHS})
    except (ConfigError, OverflowError) as exc:
        raise ConfigError(f"{origin}: {exc}; {_ANEW}") from exc
