"""Options made from the settings: their names, where `--help` shows them, what they give, and what they refuse."""

import json
import re
from pathlib import Path

import pytest
import typer.main

from realtime_pose.body.settings import BodyConfig
from realtime_pose.capture.cameras import BACKENDS
from realtime_pose.cli import app as cli
from realtime_pose.cli.options import OPTIONS, GivenOptions, parse_given, with_setting_options
from realtime_pose.config import DEFAULTS, SETTINGS, AppConfig
from realtime_pose.errors import ConfigError

NAMES = json.loads(Path(__file__).with_name("option_names.json").read_text("utf-8"))
"""Every argument and option of each command with its kind and default, as users know them from version 1 on."""
ROOT = typer.main.get_command(cli.app)


def commands(command=ROOT, name=()):
    for key, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*name, key))
    if not hasattr(command, "commands"):
        yield " ".join(name), command


COMMANDS = dict(commands())


def kind_of(parameter):
    kind = "argument"
    if parameter.opts[0].startswith("-"):
        kind = "switch" if parameter.is_flag else "several" if parameter.multiple else "value"
    if parameter.required:
        return f"{kind}, required"
    return f"{kind}, {parameter.default}" if str(parameter.default) not in ("None", "False", "") else kind


# --- names --------------------------------------------------------------------------------------------------------


def test_every_command_is_known():
    assert COMMANDS.keys() == NAMES.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_option_has_the_name_kind_and_default_that_users_know(name):
    found = {"/".join([*p.opts, *p.secondary_opts]): kind_of(p) for p in COMMANDS[name].params}
    assert found == NAMES[name]


def test_no_two_settings_have_one_option_by_mistake():
    shared = {option.names[0] for option in OPTIONS if len(option.settings) > 1 and not option.shortcut}
    assert shared == {"--size"}
    assert len({option.parameter for option in OPTIONS}) == len(OPTIONS)


# --- help ---------------------------------------------------------------------------------------------------------


def panels(shown):
    """The option names in each panel of `--help`."""
    found, panel = {}, ""
    for line in shown.splitlines():
        if heading := re.match(r"╭─ ([\w ]+?) ─", line):
            panel = found.setdefault(heading[1], [])
        elif option := re.match(r"│ +(--[\w-]+)", line):
            panel.append(option[1])
    return found


def test_run_shows_at_most_15_options_first_and_the_rest_under_headings(call):
    _, shown, _ = call("run", "--help")
    found = panels(shown)
    first, *others = found.items()
    assert first[0] == "Options"
    assert len(first[1]) <= 15
    assert {"--source", "--estimator", "--persons", "--udp", "--vmc", "--record"} <= {*first[1]}
    assert [name for name, _ in others] == [
        "Camera", "Pose model", "Person detection", "Body and motion", "Sending", "Files of a take", "This run"
    ]  # fmt: skip
    assert sum(map(len, found.values())) == len(NAMES["run"]) + 1  # and --help itself


@pytest.mark.parametrize("name", NAMES)
def test_every_option_and_argument_has_a_sentence(name):
    for parameter in COMMANDS[name].params:
        assert re.fullmatch(r"\S.{8,}\.", parameter.help or ""), parameter.opts
        assert "{" not in parameter.help


def test_h_is_help(call):
    assert call("run", "-h") == call("run", "--help")


# --- choices ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, each in SETTINGS.items() if each.info.choices])
def test_the_default_is_one_of_the_choices(name):
    assert str(SETTINGS[name].default) in SETTINGS[name].info.names()


def test_the_camera_interfaces_are_those_there_are():
    assert SETTINGS["capture.backend"].info.names() == tuple(BACKENDS)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"estimator": "vitpose"}, r"--estimator 'vitpose' is not one of: .*; did you mean vitpose-s\?"),
        ({"estimator": "blazepos"}, r"--estimator 'blazepos' is not one of: .*; did you mean blazepose\?"),
        (
            {"smoothing": "soft"},
            r"--smoothing 'soft' is not one of: none, .*, smooth; did you mean smooth\?",
        ),
        ({"rotate": 45}, "--rotate 45 is not one of: 0, 90, 180, 270"),
        ({"device": ""}, "--device '' is not one of: auto, cpu, cuda, mps, gpu"),
        ({"size": "1280"}, "--size '1280' is not a size; write it like 1280x720"),
        ({"size": "70000x10"}, "--size '70000x10' is out of range, wanted 0 to 65535 px"),
        ({"size": "9" * 5000 + "x1"}, "--size '9{40}' is out of range, wanted 0 to 65535 px"),
        (
            {"camera_height": "250"},
            "--camera-height: 250 is out of range, wanted 0.01 to 10 or auto; .* in metres: 2.5",
        ),
        ({"camera_height": "0"}, "--camera-height: 0 is out of range, wanted 0.01 to 10 or auto"),
        ({"camera_pitch": "nan"}, "--camera-pitch: nan is out of range, wanted -60 to 60 or auto"),
        ({"camera_pitch": "level"}, "--camera-pitch 'level' is not a number; write -60 to 60 or auto"),
        ({"persons": 3, "single": True}, "--single means --persons 1, and --persons 3 was given too; leave one of .*"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, dict) else "",
)
def test_a_wrong_value_is_reported_by_the_option_that_was_typed(typed, said):
    with pytest.raises(ConfigError) as caught:
        parse_given(typed)
    assert re.fullmatch(said, str(caught.value))


def test_names_may_be_typed_in_any_case():
    given = parse_given({"estimator": "BlazePose", "device": "CUDA:1", "precision": "FP32", "rotate": 90})
    assert {*given.values.values()} == {"blazepose", "cuda:1", "fp32", 90}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--height", "182"), "182 is out of range, wanted 0.5 to 2.5; height is in metres: 1.82"),
        (("--height", "17"), "17 is out of range, wanted 0.5 to 2.5"),
        (("--height", "nan"), "nan is out of range, wanted 0.5 to 2.5"),
        (("--persons", "101"), "101 is out of range, wanted 1 to 100"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_range_names_its_option(call, arguments, said):
    code, _, err = call("run", *arguments)
    assert code == 2
    assert f"Invalid value for '{arguments[0]}'" in err
    assert said in " ".join(err.split())


# --- values -------------------------------------------------------------------------------------------------------


def test_options_go_over_the_settings_to_start_from():
    given = parse_given({
        "source": "a.mp4", "size": "1280x720", "mjpg": False, "no_download": True, "single": True, "flip_test": True,
        "height": 1.8, "look_ahead": False, "udp": ["a:1", "b:2"], "record": Path("take"), "mirror": None,
        "of another command": 1,
    })  # fmt: skip
    base = AppConfig().with_values({"output": {"mirror": True}, "body": {"look_ahead": True}}, "test")
    settings = given.settings(base)
    assert (settings.capture.source, settings.capture.width, settings.capture.height) == ("a.mp4", 1280, 720)
    assert (settings.capture.mjpg, settings.inference.download, settings.inference.flip_test) == (False, False, True)
    assert (settings.inference.persons, settings.body.height_m, settings.body.look_ahead) == (1, 1.8, False)
    assert (settings.output.udp, settings.output.record, settings.output.mirror) == ("a:1 b:2", "take", True)
    assert given.typed["inference.download"] == "--no-download"


def test_a_level_camera_is_not_an_unknown_one():
    pitched = AppConfig(body=BodyConfig(camera_pitch_deg=12.0))
    for typed, pitch_deg in (("0", 0.0), ("-7.5", -7.5), ("auto", None), ("Auto", None)):
        assert parse_given({"camera_pitch": typed}).settings(pitched).body.camera_pitch_deg == pitch_deg


def test_options_that_are_not_given_change_nothing():
    assert parse_given({option.parameter: None for option in OPTIONS}) == GivenOptions()
    assert GivenOptions().settings() == DEFAULTS


def test_fixed_settings_override_given_options():
    assert parse_given({"profile": "me"}).settings(fixed={"body.profile": ""}).body.profile == ""


def test_a_command_gets_its_own_parameters_as_they_are():
    got = []

    @with_setting_options("body.height_m")
    def command(name: str, given: GivenOptions, much: int = 3) -> None:
        got.append((name, given, much))

    command(name="x", height=1.8, config=None, much=4)
    ((name, given, much),) = got
    assert (name, dict(given.values), given.files, much) == ("x", {"body.height_m": 1.8}, (), 4)
