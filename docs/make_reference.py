"""Writes docs/reference/ and configs/default.yaml from the program: .venv/bin/python docs/make_reference.py

The packet page comes from the JSON Schema and golden packets, the commands from the command line's parser, the
settings and their file from the dataclasses. A test fails when the committed files differ from what this writes.
"""

import inspect
import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import typer.main

from realtime_pose.cli import options
from realtime_pose.cli.app import app
from realtime_pose.config import SETTINGS, VARIABLES, AppConfig, Setting

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "reference"
DEFAULT_FILE = ROOT / "configs" / "default.yaml"
MADE = "<!-- Made by docs/make_reference.py: change what it reads, then run it again. -->"


def cell(text: str) -> str:
    """Text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def table(*columns: str, rows: list[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    lines = [columns, ("---",) * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join((f"# {title}", MADE, *parts)) + "\n"


# --- the packet -------------------------------------------------------------------------------------------------------

_LARGEST = 9007199254740991


def packet_page() -> str:
    """docs/reference/packet.md."""
    schema = json.loads((ROOT / "schema" / "pose-packet-v1.schema.json").read_text(encoding="utf-8"))
    kinds = [schema["$defs"][entry["$ref"].rsplit("/", 1)[1]] for entry in schema["oneOf"]]
    examples = [
        json.loads(line) for line in (ROOT / "tests/golden/packets_valid.jsonl").read_text("utf-8").splitlines()
    ]
    return page(
        schema["title"],
        "For authors of receivers: every field of the packets, its type and its range.",
        f"{schema['description']}\n\nAxes, units and digits are in "
        "[conventions](../conventions.md#posepacket-version-1), the binary format is in "
        "[outputs](../feeds.md#posepacket-in-binary-format). This page is the "
        "[JSON Schema](../../schema/pose-packet-v1.schema.json) as tables; `realtime-pose listen --check` validates "
        "packets with it.",
        "Without a stated limit, numbers go up to 2^53 - 1, which a double holds exactly. A *name* is text of "
        f"{_length(schema['$defs']['name'])} characters without control characters.",
        *(_kind(schema, kind, examples) for kind in kinds),
    )


def _kind(schema: Mapping[str, Any], kind: Mapping[str, Any], examples: list[dict[str, Any]]) -> str:
    rows = [
        (f"`{key}`", "" if key in kind["required"] else "no", _type(schema, value), _says(schema, value))
        for key, value in kind["properties"].items()
    ]
    optional = any(row[1] for row in rows)
    shown = table(
        *("key", *(("required",) if optional else ()), "value", "what"),
        rows=[row if optional else (row[0], *row[2:]) for row in rows],
    )
    example = next(packet for packet in examples if packet["type"] == kind["title"] and packet.get("joints_3d", 1))
    lines = [f"  {json.dumps(key)}: {_short(value)}" for key, value in example.items()]
    return "\n\n".join(
        (
            f"## `{kind['title']}`",
            kind["description"] + ("" if optional else " Every key is required."),
            shown,
            "One of the golden packets, with shortened lists:",
            "```text\n{\n" + ",\n".join(lines) + "\n}\n```",
        )
    )


def _says(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    referred = schema["$defs"][value["$ref"].rsplit("/", 1)[1]] if "$ref" in value else {}
    return str(value.get("description") or referred.get("description", ""))


def _type(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    """A schema as text."""
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[1]
        return name if name == "name" else _type(schema, schema["$defs"][name])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    if "anyOf" in value:
        return " or ".join(_type(schema, choice) for choice in value["anyOf"])
    match value["type"]:
        case "array":
            many = _span(value["minItems"], value["maxItems"]) if "minItems" in value else "any number"
            return f"{many} × {_inner(schema, value['items'])}"
        case "object" if "additionalProperties" in value:
            return f"object of {_inner(schema, value['additionalProperties'])}"
        case "integer" | "number" as kind:
            word = "whole number" if kind == "integer" else "number"
            low, high = value.get("minimum"), value.get("maximum")
            if high == _LARGEST:
                return word if low == -_LARGEST else f"{word}, {low} or more"
            return f"{word}, {_span(low, high)}"
        case "boolean":
            return "true or false"
        case kind:
            return str(kind)


def _inner(schema: Mapping[str, Any], value: Mapping[str, Any]) -> str:
    words = _type(schema, value)
    return f"({words})" if " " in words else words


def _length(text: Mapping[str, Any]) -> str:
    return _span(text["minLength"], text["maxLength"])


def _span(low: object, high: object) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _short(value: object) -> str:
    return json.dumps(_shortened(value), ensure_ascii=False).replace('"..."', "...")


def _shortened(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shortened(inner) for key, inner in value.items()}
    if isinstance(value, list) and len(value) > 4:
        return [*map(_shortened, value[:2]), "..."]
    return [_shortened(inner) for inner in value] if isinstance(value, list) else value


# --- the commands -----------------------------------------------------------------------------------------------------


def commands_page() -> str:
    """docs/reference/commands.md."""
    root = typer.main.get_command(app)
    commands = sorted(walk(root, ()), key=lambda named: named[0])
    return page(
        "The command line",
        "For users of the terminal: every command and option. `realtime-pose COMMAND` is the same as "
        "`python -m realtime_pose COMMAND`. An option with a setting beside it overrides the "
        "[settings file](settings.md), which has its default. `--debug` shows a traceback, `--version` the version.",
        table("exit code", "means", rows=[("0", "done"), ("1", "failed, in one sentence"), ("2", "wrong usage"),
                                          ("130, 143, 129", "interrupted: by Ctrl-C, SIGTERM, SIGHUP")]),
        table("command", "does", rows=[
            (f"[`{' '.join(name)}`](#{'-'.join(name)})", _first_sentence(command.help)) for name, command in commands
        ]),
        *(_command(name, command) for name, command in commands),
    )  # fmt: skip


def walk(command: Any, name: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - Typer's own
    """Every command with its name; groups are replaced by their commands."""
    inner = getattr(command, "commands", {})
    for key in inner:
        yield from walk(inner[key], (*name, key))
    if not inner:
        yield name, command


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.;])\s|\n\n", text.strip())[0].rstrip(".;")


def _command(name: tuple[str, ...], command: Any) -> str:  # noqa: ANN401
    arguments = [p for p in command.params if not p.opts[0].startswith("-")]
    chosen = [p for p in command.params if p.opts[0].startswith("-") and not p.hidden and p.name != "help"]
    needed = [f"{p.opts[0]} {_metavar(p)}" for p in chosen if p.required]
    usage = ["realtime-pose", *name, *(_argument(p) for p in arguments), *needed, *(["[options]"] if chosen else [])]
    parts = [f"## {' '.join(name)}", inspect.cleandoc(command.help), f"```text\n{' '.join(usage)}\n```"]
    if arguments:
        rows = [(f"`{p.opts[0].upper()}`", _default(p), p.help or "") for p in arguments]
        parts.append(table("argument", "default", "what", rows=rows))
    if chosen:
        rows = [(_option(p), _default(p), _option_help(p), _setting_link(name[0], p)) for p in chosen]
        parts.append(table("option", "default", "what", "setting", rows=rows))
    return "\n\n".join(parts)


def _argument(parameter: Any) -> str:  # noqa: ANN401
    word = parameter.opts[0].upper() + ("..." if parameter.nargs == -1 else "")
    return word if parameter.required else f"[{word}]"


def _kind_of(parameter: Any) -> type:  # noqa: ANN401
    annotation = parameter.type_descriptor.annotation
    return next(iter(get_args(annotation)), annotation)


def _metavar(parameter: Any) -> str:  # noqa: ANN401
    return parameter.metavar or {int: "N", float: "X", Path: "PATH"}.get(_kind_of(parameter), "TEXT")


def _option(parameter: Any) -> str:  # noqa: ANN401
    names = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{name}`" if parameter.is_flag else f"`{name} {_metavar(parameter)}`" for name in names)


def _option_help(parameter: Any) -> str:  # noqa: ANN401
    low, high = parameter.min, parameter.max
    span = (
        f" {low} to {high}." if low is not None and high is not None else f" At least {low}." if low is not None else ""
    )
    return (parameter.help or "") + span


def _setting_link(command: str, parameter: Any) -> str:  # noqa: ANN401
    if parameter.required or parameter.default or command in _WITHOUT_SETTINGS:
        return ""  # an option of the command's own, whatever its name
    settings = _SETTINGS_OF.get(parameter.opts[0], ())
    return ", ".join(f"[`{each.name}`](settings.md#{each.section})" for each in settings)


def _default(parameter: Any) -> str:  # noqa: ANN401
    if parameter.required:
        return "required"
    empty = parameter.default in (None, False, "", ()) or parameter.is_flag if hasattr(parameter, "is_flag") else False
    return "" if empty or parameter.default is None else f"`{parameter.default}`"


_WITHOUT_SETTINGS = ("models", "train")
"""Commands whose options are no settings."""


_SETTINGS_OF = {option.names[0]: option.settings for option in options.OPTIONS}
"""The settings that each option sets."""


# --- the settings -----------------------------------------------------------------------------------------------------


def settings_page() -> str:
    """docs/reference/settings.md."""
    sections = [(section.name, section.default_factory) for section in fields(AppConfig)]
    return page(
        "Settings",
        "For users who keep their options in a file: every setting, its default and its option. Settings files are "
        "YAML, with the sections below: `--config mine.yaml`, also more than once; a later file wins. Environment "
        "variables override files, and options override both. An unknown key is an error that lists the known ones. "
        "`configs/default.yaml` has all settings with their defaults. In Python each section is a "
        "[dataclass](../library.md#settings).",
        "```yaml\n# mine.yaml: only what differs\nbody:\n  height_m: 1.82\n  smoothing: crisp\noutput:\n"
        "  udp: 127.0.0.1:5005\n```",
        table("environment variable", "sets",
              rows=[(f"`{name}`", f"`{each.name}`") for name, each in VARIABLES.items()]),
        *(_section(name, made) for name, made in sections if made is not MISSING),
    )  # fmt: skip


def _section(name: str, config: type) -> str:
    rows = []
    for each in SETTINGS.values():
        if each.section == name:
            default = _default_text(each)
            what = f"{each.info.sentences(each.info.help)} {each.info.more}".strip()
            rows.append((f"`{each.key}`", f"`{default}`", what, _options_of(each)))
    summary = inspect.getdoc(config).splitlines()[0].split("; ")[0].rstrip(".")
    text = f"`{config.__name__}`: {summary[0].lower()}{summary[1:]}."
    return "\n\n".join((f"## {name}", text, table("key", "default", "what", "option", rows=rows)))


def _default_text(setting: Setting) -> str:
    """Its default as YAML; the setting's own word for one that the program finds."""
    return setting.info.unset if setting.default is None else json.dumps(setting.default, ensure_ascii=False)


def _options_of(setting: Setting) -> str:
    names = [option.names for option in options.OPTIONS if setting in option.settings]
    return ", ".join(f"`{name}`" for each in names for name in each)


def default_file() -> str:
    """configs/default.yaml: every setting with its default, and what it is in a comment."""
    lines = ["# Every setting with its default, made by docs/make_reference.py.",
             "# Copy what you change into a file of your own and name it: --config mine.yaml"]  # fmt: skip
    section = ""
    for each in SETTINGS.values():
        if each.section != section:
            section = each.section
            lines += ["", f"{section}:"]
        what = f"{each.info.sentences(each.info.help)} {each.info.more}".strip()
        lines += textwrap.wrap(what, 118, initial_indent="  # ", subsequent_indent="  # ")
        lines.append(f"  {each.key}: {_default_text(each)}")
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "packet.md": packet_page,
    "commands.md": commands_page,
    "settings.md": settings_page,
}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
    DEFAULT_FILE.write_text(default_file(), encoding="utf-8")
