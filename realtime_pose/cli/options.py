"""Command-line options made from the settings: `with_setting_options` adds them, `GivenOptions` has the typed ones."""

import functools
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from realtime_pose.config import DEFAULTS, SETTINGS, AppConfig, Setting, load_config
from realtime_pose.errors import ConfigError
from realtime_pose.report import check_report_path

Config = Annotated[
    list[Path] | None,
    typer.Option("--config", metavar="FILE", help="Settings file (YAML); may be given several times."),
]
THIS_RUN = "This run"
MaxFrames = Annotated[
    int | None, typer.Option(min=1, metavar="N", rich_help_panel=THIS_RUN, help="Stop after this many frames.")
]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=THIS_RUN,
        callback=check_report_path,  # before the run, not after it
        help="Write the figures of the run as JSON.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", rich_help_panel=THIS_RUN, help="Replace the take in the --record folder.")
]
Show = Annotated[bool, typer.Option("--show", help="Open a preview window; q or Esc closes it and stops the run.")]


@dataclass(frozen=True)
class GivenOptions:
    """The settings that a command was given.

    Attributes:
        files: The settings files, in their order.
        values: Each value that an option gave, by the setting's name, such as "body.height_m".
        typed: The option that gave it, such as "--height", likewise.
    """

    files: tuple[Path, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)
    typed: Mapping[str, str] = field(default_factory=dict)

    def settings(self, base: AppConfig = DEFAULTS, fixed: Mapping[str, object] | None = None) -> AppConfig:
        """All settings: those of `base`, then of the files, the environment, the options, and the command.

        Args:
            base: The settings to start from.
            fixed: Values that the command sets itself, by the setting's name.

        Raises:
            ConfigError: A file or a value is wrong.
        """
        sections: dict[str, dict[str, object]] = {}
        for name, value in {**self.values, **(fixed or {})}.items():
            section, key = name.split(".")
            sections.setdefault(section, {})[key] = value
        return load_config([*self.files], sections, base=base)


class SettingOption(NamedTuple):
    """One option of the command line, and what it sets.

    Attributes:
        names: As they are typed: ("--height",), ("--mjpg", "--no-mjpg").
        settings: The settings that it sets: one, or several that share it, such as width and height of --size.
        shortcut: Whether it is the first setting's shortcut.
    """

    names: tuple[str, ...]
    settings: tuple[Setting, ...]
    shortcut: bool = False

    @property
    def parameter(self) -> str:
        """Its parameter in the command's signature: "camera_height" for --camera-height."""
        return self.names[0].removeprefix("--").replace("-", "_")

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.shortcut or self.settings[0].kind is bool

    @property
    def help(self) -> str:
        """Its line in `--help`."""
        info = self.settings[0].info
        if self.shortcut and info.shortcut is not None:
            return info.shortcut.help
        if len(self.settings) > 1:
            return info.option_help
        return info.sentences(info.option_help or info.help)

    @property
    def default_words(self) -> str:
        """A sentence with the setting's default; empty for a switch, and where it is nothing, or the camera's own."""
        first = self.settings[0]
        default = first.info.unset if first.default is None else first.default
        if self.is_switch or default == "" or (default == 0 and first.info.low == 0):
            return ""
        return f" Default: {default:g}." if isinstance(default, float) else f" Default: {default}."

    def annotation(self, help: str, *, defaults: bool) -> Any:  # noqa: ANN401 - a type with Typer's own description
        """Its type and description for Typer; `help` replaces its own, to which `defaults` adds the default."""
        info, kind = self.settings[0].info, self.settings[0].kind
        if self.is_switch:
            kind = bool
        elif len(self.settings) > 1 or info.unset:
            kind = str  # parsed by `values`
        elif info.path:
            kind = Path
        elif info.several:
            kind = list[str]
        takes_number = kind in (int, float)
        described = typer.Option(
            "/".join(self.names),
            help=help or self.help + (self.default_words if defaults else ""),
            metavar=None if self.is_switch else "|".join(filter(None, (info.metavar, info.unset))) or None,
            rich_help_panel=info.panel or None,
            callback=_checked_range(self) if takes_number else None,
        )
        return Annotated[kind | None, described]

    def values(self, given: Any) -> Iterator[tuple[str, object]]:  # noqa: ANN401 - as Typer read it
        """The settings' names and values that it gives.

        Raises:
            ConfigError: The text is not a size or a number, or the name is not one of the choices.
        """
        first = self.settings[0]
        if self.shortcut and first.info.shortcut is not None:
            yield first.name, first.info.shortcut.value
        elif len(self.settings) > 1:
            yield from _parse_size(self, given)
        elif self.is_switch:
            yield first.name, given != self.names[0].startswith("--no-")
        elif first.info.several:
            yield first.name, " ".join(given)
        elif first.info.unset:
            yield first.name, _number_or_unset(self, given)
        elif first.info.choices:
            yield first.name, _chosen(self.names[0], first, given)
        else:
            yield first.name, str(given) if first.info.path else given


def _all_options() -> Iterator[SettingOption]:
    shared: dict[str, list[Setting]] = {}
    for each in SETTINGS.values():
        if each.info.option:
            shared.setdefault(each.info.option, []).append(each)
    for option, settings in shared.items():
        yield SettingOption(tuple(option.split("/")), tuple(settings))
        if (shortcut := settings[0].info.shortcut) is not None:
            yield SettingOption((shortcut.option,), tuple(settings), shortcut=True)


OPTIONS: tuple[SettingOption, ...] = tuple(_all_options())
"""Every option that the settings have, in the settings' order."""


def with_setting_options(
    *names: str, without: Collection[str] = (), help: Mapping[str, str] | None = None, defaults: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that gives a command the options of settings, and --config.

    They stand in the place of its parameter `given`, which receives what was typed as a `GivenOptions`.

    Args:
        names: Sections ("output") or single settings ("body.height_m"); none adds --config alone.
        without: Settings ("body.look_ahead") or options ("--single") of those that the command does not take.
        help: Help of this command's own, by setting.
        defaults: Whether the settings' defaults are this command's too, so that its help has them.
    """
    chosen = [
        option
        for option in OPTIONS
        if {option.settings[0].name, option.settings[0].section} & {*names}
        if not {option.settings[0].name, option.names[0]} & {*without}
    ]
    own_help = help or {}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        for each in inspect.signature(command, eval_str=True).parameters.values():
            if each.name == "given":
                for option in chosen:
                    annotation = option.annotation(own_help.get(option.settings[0].name, ""), defaults=defaults)
                    parameters.append(_keyword(option.parameter, annotation, default=None))
                parameters.append(_keyword("config", Config, default=None))
            else:
                parameters.append(_keyword(each.name, each.annotation, each.default))

        @functools.wraps(command)
        def with_given(**typed: Any) -> None:  # noqa: ANN401 - as Typer read them
            typed_options = {name: typed.pop(name) for name in [option.parameter for option in chosen]}
            command(given=parse_given(typed_options, typed.pop("config")), **typed)

        with_given.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # read by Typer
        with_given.__annotations__ = {each.name: each.annotation for each in parameters}
        return with_given

    return decorate


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:  # noqa: ANN401 - any type and value
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def parse_given(typed: Mapping[str, Any], files: Collection[Path] | None = None) -> GivenOptions:
    """The settings that a command's parameters give.

    Args:
        typed: The value of each option by its parameter's name, None where it was not typed; names that are no
            setting's option are ignored.
        files: The settings files.

    Raises:
        ConfigError: A value is not one of the choices, or two options contradict each other.
    """
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for option in OPTIONS:
        if (given := typed.get(option.parameter)) is None:
            continue
        for name, value in option.values(given):
            if name in values and values[name] != value:
                raise ConfigError(
                    f"{option.names[0]} means {sources[name]} {value}, and {sources[name]} {values[name]} was given "
                    "too; leave one of them out"
                )
            values[name], sources[name] = value, option.names[0]
    return GivenOptions(tuple(files or ()), values, sources)


def _checked_range(option: SettingOption) -> Callable[[Any], Any]:
    """A callback that refuses a number outside of the setting's range, in the words of the option."""

    def checked(value: float | None) -> float | None:
        if value is not None and (problem := _range_problem(option, value)):
            raise typer.BadParameter(problem)
        return value

    return checked


def _range_problem(option: SettingOption, value: float) -> str:
    """What is wrong with a number that is outside of the setting's range; empty if it is inside."""
    info, name = option.settings[0].info, option.names[0]
    if info.low is None or info.high is None or info.low <= value <= info.high:
        return ""
    hint = ""
    if info.unit == "m" and info.low <= value / 100 <= info.high:
        hint = f"; {name.removeprefix('--').replace('-', ' ')} is in metres: {value / 100:g}"
    return f"{value:g} is out of range, wanted {info.range_words}{f' or {info.unset}' if info.unset else ''}{hint}"


def _number_or_unset(option: SettingOption, text: str) -> float | None:
    """The number that was typed, or None for the word that leaves the setting to the program."""
    name, info = option.names[0], option.settings[0].info
    if text.strip().lower() == info.unset:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{name} {text[:40]!r} is not a number; write {info.range_words} or {info.unset}") from None
    if problem := _range_problem(option, value):
        raise ConfigError(f"{name}: {problem}")
    return value


def _chosen(option: str, setting: Setting, typed: object) -> object:
    """The choice that was typed, in any case; what follows a colon, as in cuda:1, is not part of its name."""
    names, text = setting.info.names(), str(typed)
    head, colon, rest = text.partition(":")
    if head.lower() in names:
        return typed if isinstance(typed, int) else head.lower() + colon + rest
    near = [name for name in names if head and name.startswith(head.lower())] or get_close_matches(head.lower(), names)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{option} {typed!r} is not one of: {', '.join(names)}{hint}")


def _parse_size(option: SettingOption, text: str) -> Iterator[tuple[str, int]]:
    """Names and values of two settings from a text such as 1280x720."""
    typed, numbers = f"{option.names[0]} {text[:40]!r}", text.lower().split("x")
    if len(numbers) != len(option.settings) or not all(number.isdecimal() for number in numbers):
        raise ConfigError(f"{typed} is not a size; write it like 1280x720")
    for setting, number in zip(option.settings, numbers, strict=True):
        low, high = setting.info.low, setting.info.high
        if low is not None and high is not None and not low <= float(number) <= high:
            raise ConfigError(f"{typed} is out of range, wanted {setting.info.range_words} {setting.info.unit}")
        yield setting.name, int(number)
