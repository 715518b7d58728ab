"""Setting fields (dataclass fields with help, unit, range, choices and command-line option), and range checks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from realtime_pose.errors import ConfigError
from realtime_pose.utils.choices import load_attribute

T = TypeVar("T")
_KEY = "setting"
_MAX_YAML_BYTES = 1_000_000
_NO_LIMIT = 1_000_000  # a limit from here on only keeps nonsense out, so that help does not mention it


class Shortcut(NamedTuple):
    """A switch that gives a setting one value, as --single does for --persons 1."""

    option: str
    value: object
    help: str


@dataclass(frozen=True)
class SettingInfo:
    """Metadata of a setting: help, unit, range, option.

    Command-line options, reference pages and range checks are made from it.

    Attributes:
        help: Description, in a sentence; "{choices}" stands for the names to choose from.
        more: Further sentences, which the reference page has and `--help` has not.
        option: Its option: "--height"; "--mjpg/--no-mjpg" for a switch and its opposite; "--no-download" for a switch
            that sets False; empty for none. Fields that share an option are one value with an x between: 1280x720.
        option_help: The text in `--help` in place of `help`, where the option has another sense.
        panel: Heading of the option in `--help`; empty for those that come first.
        metavar: The name of the option's value in `--help`; by its type if empty.
        unit: Unit of a number: m, deg, s, px, Hz.
        low, high: Range of a number, both ends included; None for no range.
        choices: The names to choose from, or the "module:attribute" of a table of them, which is imported when needed;
            empty for free text.
        also: Names that may be chosen and are not in the table, such as auto.
        variable: Environment variable that sets it too.
        several: Whether the option may be given several times; the setting has the values with a space between.
        path: Whether the text is a path.
        unset: The word for None in options and files, where the setting may be left to the program: "auto".
        shortcut: Another option, for one of its values.
    """

    help: str
    more: str = ""
    option: str = ""
    option_help: str = ""
    panel: str = ""
    metavar: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: str | Sequence[object] = ()
    also: Sequence[str] = ()
    variable: str = ""
    several: bool = False
    path: bool = False
    unset: str = ""
    shortcut: Shortcut | None = None

    def names(self) -> tuple[str, ...]:
        """The names to choose from, in their table's order; empty for free text and numbers."""
        table: Iterable[object] = load_attribute(self.choices) if isinstance(self.choices, str) else self.choices
        return (*self.also, *map(str, table))

    @property
    def range_words(self) -> str:
        """Its range, such as "0.5 to 2.5" or "1 or more"; empty for none."""
        if self.low is None or self.high is None:
            return ""
        return f"{self.low:g} or more" if self.high >= _NO_LIMIT else f"{self.low:g} to {self.high:g}"

    def sentences(self, text: str) -> str:
        """One of its texts with the choices put in, and the range behind it."""
        if "{choices}" in text:
            *others, last = self.names()
            text = text.replace("{choices}", f"{', '.join(others)} or {last}" if others else last)
        return f"{text.removesuffix('.')} ({self.range_words})." if self.range_words else text


def setting(default: T, **info: Any) -> T:  # noqa: ANN401 - the attributes of SettingInfo, checked when it is made
    """A dataclass field with that default and a SettingInfo of these attributes (typed as the default it has)."""
    made: T = field(default=default, metadata={_KEY: SettingInfo(**info)})
    return made


def settings_in(config: Any) -> dict[str, SettingInfo]:  # noqa: ANN401 - a dataclass or one of its objects
    """Metadata of each field that `setting` made, by the field's name, in the order of the class."""
    return {each.name: each.metadata[_KEY] for each in fields(config) if _KEY in each.metadata}


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - a file can contain anything
    """What a YAML file holds: plain values, without aliases, by which a small file could stand for gigabytes.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not YAML, too large or too deep.
    """
    import yaml

    class Plain(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:  # noqa: ANN401 - PyYAML's own method
            if self.check_event(yaml.AliasEvent):
                raise ValueError("an alias such as *name is not supported; write the value itself")
            return super().compose_node(parent, index)

    with path.open("rb") as file:
        content = file.read(_MAX_YAML_BYTES + 1)
    if len(content) > _MAX_YAML_BYTES:
        raise ValueError("it has more than 1 MB")
    try:
        return yaml.load(content.decode("utf-8"), Plain)
    except RecursionError as exc:
        raise ValueError("its brackets are nested too deeply") from exc
    except yaml.YAMLError as exc:
        raise ValueError(" ".join(str(exc).split())[:200]) from exc


def check_settings(section: str, config: object) -> None:
    """Refuse a number outside of its setting's range.

    Raises:
        ConfigError: The message names the setting, what came and what was wanted.
    """
    for key, info in settings_in(config).items():
        value = getattr(config, key)
        if info.low is not None and info.high is not None and not (value is None and info.unset):
            check_range(f"{section}.{key}", value, info.low, info.high)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Check that a number lies in low..high; NaN does not.

    Raises:
        ConfigError: It does not; the message has the setting, the value and the range.
    """
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value:g}, wanted {low:g} to {high:g}")
