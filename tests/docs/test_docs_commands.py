"""Commands on the pages: the parser accepts each, the files that it names exist, and the quick ones are run."""

import re
import shutil
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import cv2
import pytest
import typer.main
from support.actor_frames import actor_frame
from support.pages import MADE, PAGES, ROOT, commands, named
from support.rigs import make_rig
from typer.exceptions import TyperException

from realtime_pose.body.profile import BodyProfile, profile_path
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.cli import app as cli
from realtime_pose.cli import options as opt
from realtime_pose.exporters.table import parse_formats
from realtime_pose.model3d.character import default_character_path
from realtime_pose.pipeline import check_names

COMMAND_LINE = typer.main.get_command(cli.app)
FOREIGN_OPTIONS = {
    "--no-deps": "pip", "--prefix": "npm", "--port": "the Gradio page",
}  # fmt: skip
"""Options of other programs than `realtime-pose` that pages mention without a command."""
ONLY_PARSED = {
    "ui": "runs until it is stopped: tests/browser/test_dashboard.py starts it",
    "listen": "waits for packets: tests/unit/cli/test_options_outputs.py",
    "doctor": "tests/unit/cli/test_app.py runs it",
    "bench": "takes seconds on an idle machine: tests/unit/evaluation/test_bench.py",
    "selftest": "plays a whole clip: tests/e2e/test_main_job.py",
    "eval lift": "needs cases: tests/unit/cli/commands/test_eval.py",
    "eval views": "needs calibrated clips of people: tests/unit/cli/commands/test_eval.py",
    "eval footage": "needs clips of people: tests/unit/cli/commands/test_eval.py",
    "train lifter": "takes hours: tests/unit/training/test_lifter.py",
    "calibrate": "takes three seconds of standing still: tests/unit/cli/commands/test_calibrate.py",
    "models download": "needs a network: tests/unit/cli/commands/test_models.py",
    "models convert": "needs weights: tests/unit/cli/commands/test_models.py",
    "models export": "needs weights: tests/unit/cli/commands/test_models.py",
    "models quantize": "needs weights and footage: tests/unit/cli/commands/test_models.py",
}
"""Commands that are not run here, why, and the test that runs them."""
OWN_SETTINGS = ("calibrate", "models quantize")
"""Commands that have options with the names of settings, which are not settings."""
ONLY_IN_A_WHEEL = ("realtime_pose/_data",)
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - {
    "outputs",
    "dist",
}
FOLDERS -= {"build", "takes", "site"}  # generated
CLIPS = ("clip.mp4", "a.mp4", "b.mp4", "monday.mp4", "footage/one.mp4")
TAKES = ("take", "takes/1", "outputs/take")


# --- commands on the pages --------------------------------------------------------------------------------------------


def of_every_page():
    """(page, words) of each command on any page."""
    return [(named(page), words) for page in PAGES if page not in MADE for words in commands(page)]


EVERY = of_every_page()


def _ours(words):
    """The arguments of a `realtime-pose` command; None for other commands."""
    if words[:3] == ["python", "-m", "realtime_pose"]:
        return words[3:]
    return words[1:] if words[0] == "realtime-pose" else None


def _plain(arguments):
    """The arguments without ellipses and the brackets of optional parts."""
    out = []
    for word in arguments:
        if word in ("...", "…", "[options]"):
            if out and out[-1].startswith("--"):
                out.pop()  # an option whose value is left open
            continue
        out.append(word.strip("[]").removesuffix("...") or word)
    return out


OURS = {}
"""The `realtime-pose` commands: arguments as text -> (first page with them, words)."""
for page, command in EVERY:
    if (arguments := _ours(command)) and not arguments[0].startswith("--"):
        OURS.setdefault(" ".join(_plain(arguments)), (page, _plain(arguments)))


def parsed(arguments):
    """(name, context) from the program's own parser; exits or raises as it does."""
    command, name, context = COMMAND_LINE, [], None
    rest = list(arguments)
    while hasattr(command, "commands") and rest:
        head, command, rest = command.resolve_command(context or COMMAND_LINE.make_context("x", rest), rest)
        name.append(head)
    if not name:
        return "", None
    try:
        return " ".join(name), command.make_context(" ".join(name), rest)
    except TyperException:
        if rest:
            raise
        return " ".join(name), None  # named, not called


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working folder, without a network, with the profiles that the pages name."""
    for name in ("VITPOSE_CONFIG", "VITPOSE_CHECKPOINT", "VITPOSE_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    body = BodyDimensions.of_height(1.75)
    profile = BodyProfile(1.75, {name: round(getattr(body, name), 4) for name in LENGTHS})
    for _, arguments in OURS.values():
        if "--profile" in arguments:
            path = profile_path(arguments[arguments.index("--profile") + 1])
            path.parent.mkdir(parents=True, exist_ok=True)
            profile.save(path)
    return work


def test_there_are_commands_on_the_pages():
    assert len(OURS) > 40
    assert {page for page, _ in EVERY} > {"README.md", "docs/takes.md", "docs/feeds.md"}


@pytest.mark.parametrize("text", OURS)
def test_the_command_line_takes_every_command_of_the_pages(text, home):
    page, arguments = OURS[text]
    try:
        name, context = parsed(arguments)
    except TyperException as exc:
        pytest.fail(f"{page}: realtime-pose {text}: {getattr(exc, 'message', exc)}")
    if context is None or not set(context.params) & {"smoothing", "estimator", "format"} or name in OWN_SETTINGS:
        return
    _write_settings(arguments)
    settings = opt.parse_given(context.params, context.params["config"]).settings()
    check_names(settings)
    parse_formats(settings.output.formats)


def _write_settings(arguments):
    """Create the settings files that a command names, which are otherwise missing."""
    for option, file in pairwise(arguments):
        if option == "--config" and not (ROOT / file).is_file():
            Path(file).write_text("", encoding="utf-8")


def test_every_option_that_a_page_mentions_is_one():
    known = {name for _, command in walk(COMMAND_LINE) for p in command.params for name in (*p.opts, *p.secondary_opts)}
    known |= {"--help", "--debug", "--version"}
    for page, words in EVERY:
        if words[0].startswith("--"):
            option = words[0].split("=")[0].rstrip(",")
            assert option in known or option in FOREIGN_OPTIONS, f"{page} mentions {option}"


def test_options_in_prose_exist_on_their_command():
    """Such as `run --record`: an incomplete command, but with its own options."""
    options = {}
    for name, command in walk(COMMAND_LINE):
        options[name] = {word for p in command.params for word in (*p.opts, *p.secondary_opts)}
    seen = 0
    for page, words in EVERY:
        name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in options), None)
        if name and any(word.startswith("--") for word in words):
            wrong = {word.split("=")[0] for word in words if word.startswith("--")} - options[name] - {"--help"}
            assert not wrong, f"{page}: `{' '.join(words)}` is not {name}'s: {wrong}"
            seen += 1
    assert seen > 10


def walk(command, name=()):
    for key, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, (*name, key))
    if not hasattr(command, "commands"):
        yield " ".join(name), command


# --- other programs ---------------------------------------------------------------------------------------------------


def test_every_target_of_make_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) *[?:]?=", makefile, re.MULTILINE))
    named_here = [(page, words[1:]) for page, words in EVERY if words[0] == "make" and len(words) > 1]
    assert len(named_here) > 8
    for page, words in named_here:
        given = [word for word in words if re.match(r"[A-Z_]+=", word)]
        asked = [word for word in words[: words.index(given[0]) if given else None] if re.fullmatch(r"[a-z-]+", word)]
        assert set(asked) <= targets, f"{page}: make {' '.join(words)}"
        assert {word.split("=")[0] for word in given} <= variables, f"{page}: make {' '.join(words)}"


PROGRAMS = {"python", "python3", "pytest", "pip", "npm", "docker", "realtime-pose", "streamlit", "node", "bash", "make"}


def test_every_file_of_the_project_that_a_command_names_is_there():
    seen = 0
    for page, words in EVERY:
        inner = [words[0], *words[1:]] if words[0] in PROGRAMS or "/" in words[0] else []
        for word in inner:
            path = re.sub(r"^\./|=.*$", "", word).split("::")[0]
            if (
                path.split("/")[0] in FOLDERS
                and "/" in path
                and path not in ONLY_IN_A_WHEEL
                and not re.search(r"[*<>{}]|\.\.\.", path)
            ):
                near = (ROOT / path, (ROOT / page).parent / path)
                assert any(place.exists() for place in near), f"{page}: {' '.join(words)} names {path}"
                seen += 1
            elif re.fullmatch(r"requirements[\w-]*\.txt", path):
                assert (ROOT / path).is_file(), f"{page}: {' '.join(words)}"
    assert seen > 10


def test_every_script_takes_the_options_that_pages_give_it():
    seen = 0
    for page, words in EVERY:
        if words[0] not in ("python", "python3") or len(words) < 2:
            continue
        if words[1] == "-m" and words[2].startswith("realtime_pose."):
            script = ROOT / (words[2].replace(".", "/") + ".py")
            options = words[3:]
        elif words[1].endswith(".py") and (ROOT / words[1]).is_file():
            script, options = ROOT / words[1], words[2:]
        else:
            continue
        source = script.read_text(encoding="utf-8")
        seen += 1
        for option in (word.strip("[]").split("=")[0] for word in options if word.strip("[").startswith("--")):
            assert f'"{option}"' in source, f"{page}: {' '.join(words)}"
    assert seen > 5


def test_pip_commands_have_the_projects_requirements():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *(line for lines in extras.values() for line in lines)]
    asked += [line.split("#")[0].strip() for file in ROOT.glob("requirements*.txt")
              for line in file.read_text(encoding="utf-8").splitlines()]  # fmt: skip
    for page, words in EVERY:
        if words[:2] != ["pip", "install"]:
            continue
        for word in words[2:]:
            if match := re.match(r"(?:realtime-pose|\.)\[([\w,-]+)\]", word):
                assert set(match[1].split(",")) <= {*extras}, f"{page}: {' '.join(words)}"
            elif "==" in word:
                name, _, version = word.partition("==")
                pins = {f"{name}=={version}", f"{name.removesuffix('-gpu')}=={version}"}
                assert pins & set(asked), f"{page}: {' '.join(words)} is not what the project pins"


def test_tests_that_pages_name_by_a_marker_have_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = {line.split(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    for page, words in EVERY:
        if words[0] == "pytest" and "-m" in words:
            asked = set(re.findall(r"\w+", words[words.index("-m") + 1])) - {"or", "and", "not"}
            assert asked <= markers, f"{page}: {' '.join(words)}"


# --- run --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Input of the pages' commands: clips, takes, characters; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("material")
    (folder / "footage").mkdir()
    height, width = actor_frame(0).image_bgr.shape[:2]
    writer = cv2.VideoWriter(str(folder / CLIPS[0]), cv2.VideoWriter_fourcc(*"mp4v"), 30, (width, height))
    for index in range(4):
        writer.write(actor_frame(index).image_bgr)
    writer.release()
    for name in CLIPS[1:]:
        shutil.copy(folder / CLIPS[0], folder / name)
    shutil.copy(default_character_path(), folder / "mine.glb")
    make_rig(folder / "mine.vrm")
    (folder / "bones.yaml").write_text("hips: hips\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def take(material):
    """The material with takes of the clip, under the names that pages use."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(material)
        assert (
            called(patch, ["process", "clip.mp4", "--out", "take", "--estimator", "blazepose", "--format", "frames"])
            == 0
        )
    for name in TAKES[1:]:
        shutil.copytree(material / "take", material / name)
    return material


def called(patch, arguments):
    """The exit code of the command line, run in this process."""
    patch.setattr(sys, "argv", ["realtime-pose", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return caught.value.code or 0


def to_run(arguments):
    """The command as it runs anywhere in a second: no camera, few frames, local outputs only; None if it cannot."""
    try:
        name, context = parsed(arguments)
    except TyperException:
        return None  # another test reports it
    if context is None or name in ONLY_PARSED:
        return None
    random_models = {"SESSION": "take", "DIR": "new", "NAME": "me", "INPUT": "clip.mp4", "VIDEO": "clip.mp4"}
    out = [name] if " " not in name else name.split()
    for before, word in pairwise(arguments[len(out) - 1 :]):
        if word == "--show":
            continue
        word = random_models.get(word, word)
        if before == "--source" and word not in ("actor", "actor-2", *CLIPS):
            word = "actor"  # cameras, streams and files that do not exist here
        if before == "--format":
            word = ",".join(name for name in word.split(",") if name != "fbx") or "bvh"  # Blender takes seconds
        if before == "--websocket":
            word = "127.0.0.1:0"  # any that is free
        if before in ("--udp", "--vmc", "--livelink", "--osc-trackers"):
            word = re.sub(r"^(?!127)[\w.-]+", "127.0.0.1", word)
        out.append(word)
    if name in ("run", "process"):
        out += ["--no-download"] * ("--no-download" not in out) + ["--max-frames", "4"]
        if not {"--estimator", "--checkpoint", "--detector", "--model-config"} & set(out):
            out += ["--estimator", "blazepose"]
        elif "blazepose" not in out:
            return None  # weights that are missing
    if name == "run" and "--source" not in out:
        out += ["--source", "actor"]
    if "--person" in out:
        out[out.index("--person") + 1] = "1"
        out[out.index("--frame") + 1] = "2"
    if name == "replay":
        out += ["--max-frames", "4"]
    return [word for word in out if word]


RUN = {}
for key, (_, arguments) in OURS.items():
    if (adapted := to_run(arguments)) is not None:
        RUN.setdefault(" ".join(adapted), (key, adapted))


def test_most_commands_that_make_something_are_run():
    assert len(RUN) >= 12
    assert {key.split()[0] for key in RUN} >= {"run", "process", "replay", "export", "plot", "models"}
    assert set(ONLY_PARSED) <= {name for name, _ in walk(COMMAND_LINE)}
    for why in ONLY_PARSED.values():
        (elsewhere,) = re.findall(r"tests/\S+\.py", f"{why} ")[:1] or [None]
        assert elsewhere is None or (ROOT / elsewhere).is_file()


@pytest.mark.parametrize("text", RUN)
def test_the_command_runs(text, home, take, monkeypatch, capfd):
    """In a folder with files under the names that pages use."""
    shutil.copytree(take, home, dirs_exist_ok=True)
    key, arguments = RUN[text]
    for option, file in pairwise(arguments):
        if option in ("--out", "--record") and arguments[0] in ("replay", "process") and file != "new":
            shutil.rmtree(home / file, ignore_errors=True)
    _write_settings(arguments)
    code = called(monkeypatch, arguments)
    said = capfd.readouterr()
    assert code == 0, f"realtime-pose {key}\n{said.out}{said.err}"
    for option, file in pairwise(arguments):
        if option in ("--out", "--record", "--report"):
            assert (home / file).exists(), f"realtime-pose {key} made no {file}"
