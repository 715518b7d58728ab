"""Settings: layers over the defaults, and a plain message for every mistake."""

import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
import yaml

from realtime_pose.config import AppConfig, OutputConfig, load_config
from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.utils.paths import data_path

OUTPUT_KEYS = ", ".join(sorted(field.name for field in fields(OutputConfig)))

DEFAULT = AppConfig()


@pytest.fixture
def file(tmp_path):
    """Writes a settings file and returns its path."""

    def write(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def load(*files, environment=None, **overrides):
    return load_config(list(files), overrides, environment or {})


# --- layers -------------------------------------------------------------------------------------------------------


def test_nothing_given_is_the_defaults():
    assert load() == DEFAULT


def test_a_file_changes_what_it_names_and_nothing_else(file):
    got = load(file("body:\n  height_m: 1.85\n"))
    assert got == replace(DEFAULT, body=replace(DEFAULT.body, height_m=1.85))


def test_later_files_go_over_earlier_ones_key_by_key(file):
    first = file("body: {height_m: 1.5, fov_deg: 70}\noutput: {mirror: true}", "first.yaml")
    second = file("body: {height_m: 1.9}", "second.yaml")
    got = load(first, second)
    assert (got.body.height_m, got.body.fov_deg, got.output.mirror) == (1.9, 70.0, True)
    assert load(second, first).body.height_m == 1.5


def test_environment_goes_over_files_and_the_command_line_over_both(file):
    path = file("inference: {checkpoint: file.pth, device: cpu, model_config: file.py}")
    environment = {"VITPOSE_CHECKPOINT": "env.pth", "VITPOSE_DEVICE": "cuda", "VITPOSE_CONFIG": "env.py"}
    got = load(path, environment=environment).inference
    assert (got.checkpoint, got.device, got.model_config) == ("env.pth", "cuda", "env.py")
    got = load(path, environment=environment, inference={"device": "mps"}).inference
    assert (got.checkpoint, got.device, got.model_config) == ("env.pth", "mps", "env.py")


def test_an_empty_variable_and_unknown_ones_are_ignored(file):
    path = file("inference: {device: cpu}")
    got = load(path, environment={"VITPOSE_DEVICE": "", "VITPOSE_CHECKPOINTS": "x", "DEVICE": "x"})
    assert got.inference == replace(DEFAULT.inference, device="cpu")


def test_the_machines_environment_is_read(monkeypatch):
    monkeypatch.setenv("VITPOSE_DEVICE", "cpu")
    assert load_config([], {}).inference.device == "cpu"


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "{}", "body: {}\n"])
def test_a_file_may_be_empty(file, text):
    assert load(file(text)) == DEFAULT


def test_a_byte_order_mark_does_not_matter(file):
    assert load(file("\ufeffbody: {height_m: 1.8}\r\n")).body.height_m == 1.8


# --- unknown names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bodi: {height_m: 1.8}", "section='bodi' is not one of: body, capture, inference, output"),
        ("1: {}", "section=1 is not one of: body, capture, inference, output"),
        ("output: {udb: x}", f"output key='udb' is not one of: {OUTPUT_KEYS}"),
        ("output: {1: x}", f"output key=1 is not one of: {OUTPUT_KEYS}"),
        ("output: {__class__: x}", f"output key='__class__' is not one of: {OUTPUT_KEYS}"),
    ],
)
def test_an_unknown_name_lists_the_valid_ones_and_where_it_was(file, text, said):
    path = file(text)
    with pytest.raises(UnknownChoiceError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {said}"


def test_unknown_names_on_the_command_line_are_reported():
    with pytest.raises(UnknownChoiceError, match=r"^command line: body key='heigth'"):
        load(body={"heigth": 1.0})


# --- types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("body: {height_m: tall}", "body.height_m is 'tall', wanted a number"),
        ("body: {height_m: true}", "body.height_m is True, wanted a number"),
        ("body: {height_m: [1.8]}", "body.height_m is [1.8], wanted a number"),
        ("body: {height_m: }", "body.height_m is None, wanted a number"),
        ("inference: {persons: 1.5}", "inference.persons is 1.5, wanted a whole number"),
        ("inference: {persons: true}", "inference.persons is True, wanted a whole number"),
        ("inference: {persons: '2'}", "inference.persons is '2', wanted a whole number"),
        ("inference: {download: 1}", "inference.download is 1, wanted true or false"),
        ("inference: {download: 'false'}", "inference.download is 'false', wanted true or false"),
        ("output: {udp: 1.5}", "output.udp is 1.5, wanted text"),
        ("output: {udp: true}", "output.udp is True, wanted text"),
        ("capture: {source: [a.mp4]}", "capture.source is ['a.mp4'], wanted text"),
        ("capture: {source: 2024-01-01}", "capture.source is datetime.date(2024, 1, 1), wanted text"),
        ("body: tall", "body is 'tall', wanted a table of settings"),
        ("body: [height_m]", "body is ['height_m'], wanted a table of settings"),
    ],
)
def test_a_wrong_type_names_what_came_and_what_was_wanted(file, text, said):
    path = file(text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {said}"


def test_whole_numbers_are_accepted_as_numbers_and_a_cameras_index_as_text(file):
    got = load(file("capture: {source: 0, fps: 30}\nbody: {height_m: 2}"))
    assert (got.capture.source, got.capture.fps, got.body.height_m) == ("0", 30.0, 2.0)
    assert type(got.capture.fps) is type(got.body.height_m) is float


@pytest.mark.parametrize(
    ("height", "pitch", "read"),
    [
        ("0.0", "0.0", (None, None)),  # as files were written before
        ("0.0", "12", (None, 12.0)),
        ("1.4", "0.0", (1.4, 0.0)),
        ("auto", "0", (None, 0.0)),
        ("null", "auto", (None, None)),
        ("1.4", "null", (1.4, None)),
    ],
)
def test_a_level_camera_and_an_unknown_one_are_told_apart_in_old_files_too(file, height, pitch, read):
    body = load_config([file(f"body:\n  camera_height_m: {height}\n  camera_pitch_deg: {pitch}\n")], {}, {}).body
    assert (body.camera_height_m, body.camera_pitch_deg) == read


def test_no_smoothing_needs_no_quotes(file):
    """YAML reads an unquoted `off` as false, so the preset has another name."""
    assert load(file("body:\n  smoothing: none\n")).body.smoothing == "none"


@pytest.mark.parametrize(
    ("section", "key", "values"),
    [
        ("body", "height_m", [0, -1.7, 17, ".nan", ".inf"]),
        ("body", "fov_deg", [0, 180, -60, ".nan"]),
        ("body", "hold_s", [-1]),
        ("body", "ease_s", [0]),
        ("inference", "persons", [0, -3]),
        ("inference", "detect_every", [0]),
        ("inference", "score_threshold", [-0.1, 1.1, 7]),
        ("capture", "width", [-5]),
        ("capture", "height", [-5]),
        ("capture", "fps", [-30, ".inf"]),
    ],
)
def test_a_number_out_of_range_is_refused_with_the_range(file, section, key, values):
    for value in values:
        with pytest.raises(ConfigError, match=rf"{section}\.{key} is \S+, wanted \S+ to \S+$"):
            load(file(f"{section}: {{{key}: {value}}}"))


# Nine lines that stand for 10^9 words.
BOMB = "a0: &a0 [lol, lol]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))


# --- files that are no settings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- body\n- output\n", "holds a list, wanted sections as in .*configs.default.yaml$"),
        ("just words", "holds a str, wanted sections"),
        ("42", "holds a int, wanted sections"),
        ("body: {height_m: 1.8", "is not valid YAML .*line 1.*see .*configs.default.yaml$"),
        ("body:\n\theight_m: 1.8", "is not valid YAML .*cannot start any token"),
        ("body: *nobody", "is not valid YAML .*an alias such as .* is not supported"),
        (BOMB, "is not valid YAML .*an alias such as .* is not supported"),
        ("body: " + "[" * 3000, "is not valid YAML .*nested too deeply"),
        ("#" * 1_000_001, "is not valid YAML .*more than 1 MB"),
        ("body: {}\n---\nbody: {}", "is not valid YAML .*single document"),
        ("capture: {source: 2024-99-99}", "is not valid YAML .*month"),
        ("inference: {persons: !!int two}", "is not valid YAML"),
        (b"\x00\x01\x02\x03", "is not valid YAML"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "is not valid YAML .*can't decode"),
        ("body: {}".encode("utf-16"), "is not valid YAML .*can't decode"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_sentence(file, text, said):
    path = file(text)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))} {said}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_values_are_cut_in_messages(file):
    for text in ("body: {height_m: " + "[1," * 300 + "1" + "]" * 300 + "}", "body: {height_m: " + "x" * 100_000 + "}"):
        with pytest.raises(ConfigError, match=r"body\.height_m is .*, wanted a number") as caught:
            load(file(text))
        assert len(str(caught.value)) < 600


@pytest.mark.parametrize("name", ["missing.yaml", "missing/mine.yaml", "."])
def test_a_missing_file_is_named_with_what_to_do(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"cannot read the settings file {path} (")
    example = Path(str(caught.value).rpartition("); see ")[2])
    assert example.samefile(data_path("configs/default.yaml"))  # a path that exists, in a wheel and in a checkout


@pytest.mark.parametrize(
    "text",
    [
        "body: !!python/object/apply:os.mkdir [{marker}]",
        "body: !!python/object/new:os.mkdir [{marker}]",
        "!!python/object/apply:os.mkdir [{marker}]",
        "body: !!python/object/apply:subprocess.check_call [[mkdir, {marker}]]",
        "body: !!python/name:os.mkdir {{}}",
        "body: !!python/module:os {{}}",
    ],
)
def test_nothing_in_a_file_is_executed(file, tmp_path, text):
    marker = tmp_path / "executed"
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        load(file(text.format(marker=marker)))
    assert not marker.exists()
    # an unsafe loader does make the folder, so the test above can fail
    if "apply:os" in text:
        yaml.unsafe_load(text.format(marker=marker))
        assert marker.exists()


# --- configs/default.yaml -----------------------------------------------------------------------------------------


def test_the_default_file_is_the_defaults_and_holds_every_key_in_order():
    text = data_path("configs/default.yaml").read_text("utf-8")
    held = yaml.safe_load(text)
    assert [*held] == [*asdict(DEFAULT)]
    assert {section: [*keys] for section, keys in held.items()} == {
        section: [*keys] for section, keys in asdict(DEFAULT).items()
    }
    assert load(data_path("configs/default.yaml")) == DEFAULT


def comments_of_the_default_file():
    """The comment above each key of the default file, in order: (key, comment)."""
    comment, found = "", []
    for line in data_path("configs/default.yaml").read_text("utf-8").splitlines():
        if line.startswith("  # "):
            comment += line.removeprefix("  #")
        elif key := re.match(r"  (\w+):", line):
            found.append((key[1], comment.strip()))
            comment = ""
    return found


def test_every_key_of_the_default_file_has_a_comment():
    comments = comments_of_the_default_file()
    assert len(comments) == sum(len(section) for section in asdict(DEFAULT).values())
    assert [key for key, comment in comments if len(comment) < 10] == []


def test_the_default_files_comments_name_every_choice():
    from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
    from realtime_pose.capture.cameras import BACKENDS
    from realtime_pose.inference.estimators import ESTIMATORS

    comments = dict(comments_of_the_default_file())
    for key, choices in (("backend", BACKENDS), ("smoothing", SMOOTHING_PRESETS), ("estimator", ESTIMATORS)):
        assert set(choices) <= set(re.findall(r"[\w-]+", comments[key])), key
