"""Docker files, checked without an engine; docker/verify.sh builds and starts the image."""

import ast
import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import typer.main
import yaml

from realtime_pose.cli.app import app
from realtime_pose.interface.dashboard.web.server import HOST_NAMES, host_names_of
from realtime_pose.interface.gradio_app import _parser as gradio_parser

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text("utf-8"))
SERVICES = COMPOSE["services"]
PAGES = ("cpu", "gpu", "gradio")
WHERE = {"dashboard": "127.0.0.1:8501:8501", "camera": "127.0.0.1:8501:8501", "gpu": "127.0.0.1:8501:8501",
         "gradio": "127.0.0.1:7860:7860"}  # fmt: skip
NOT_FOR_AN_IMAGE = (".git/config", ".venv/bin/python", "outputs/demo/report.json", "takes/1/session.rtpose",
                    "dist/x.whl", "shared/DESIGN.md", "tests/conftest.py", "viewer/node_modules/three/x.js",
                    "docs/dashboard.png", "checkpoints/vitpose-s.safetensors",
                    "realtime_pose/__pycache__/errors.cpython-311.pyc",
                    ".env", "id_rsa", ".pip.conf")  # fmt: skip


def _stages():
    """{name: (base, [(instruction, rest)])} of the Dockerfile's stages."""
    text = re.sub(r"^#.*\n", "", (DOCKER / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found, steps = {}, []
    for line in filter(None, map(str.strip, text.splitlines())):
        instruction, _, rest = line.partition(" ")
        rest = " ".join(rest.split())
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            steps = []
            found[name or "by default"] = (base, steps)
        else:
            steps.append((instruction, rest))
    return found


STAGES = _stages()
ARGUMENTS = dict(re.findall(r"^ARG (\w+)=(\S*)$", (DOCKER / "Dockerfile").read_text("utf-8"), re.MULTILINE))


def of(stage, instruction):
    """The arguments of an instruction in a stage and its bases; the last one counts."""
    out = []
    while stage in STAGES:
        stage, steps = STAGES[stage]
        out = [rest for name, rest in steps if name == instruction] + out
    return out


def words(stage):
    """The command of a container of this target."""
    return [word for name in ("ENTRYPOINT", "CMD") for word in ast.literal_eval((of(stage, name) or ["[]"])[-1])]


def let_in(path):
    """True if a file is in the build context: the last pattern that matches it, or a folder above it, decides."""
    answer = True
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        places = [path, *(str(above) for above in Path(path).parents)]
        if any(fnmatch(place, pattern) or fnmatch(f"/{place}", pattern.replace("**", "*")) for place in places):
            answer = line.startswith("!")
    return answer


# --- the image --------------------------------------------------------------------------------------------------------


def test_it_is_built_on_a_slim_python_or_on_cuda():
    assert STAGES["cpu-base"][0] == "${BASE}"
    assert STAGES["gpu-python"][0] == "${GPU_BASE}"
    assert re.fullmatch(r"python:3\.11-slim-\w+", ARGUMENTS["BASE"])
    assert re.fullmatch(r"nvidia/cuda:13\.[\d.]+-cudnn-runtime-ubuntu\d\d\.04", ARGUMENTS["GPU_BASE"])
    assert STAGES["by default"] == ("cpu", [])


def test_no_registry_is_named():
    assert ARGUMENTS["TORCH_INDEX"] == ""
    for file in DOCKER.iterdir():
        named = set(re.findall(r"https?://([^/:\s'\"$]+)", file.read_text("utf-8")))
        assert named <= {"127.0.0.1", "localhost", "host.docker.internal", "download.pytorch.org"}, file


@pytest.mark.parametrize("target", PAGES)
def test_it_does_not_run_as_root(target):
    assert of(target, "USER") == ["1000"]
    last = STAGES[target][1][-1][0]
    assert last in ("CMD", "ENTRYPOINT")
    assert "--uid 1000" in (DOCKER / "user.sh").read_text("utf-8")


@pytest.mark.parametrize("target", PAGES)
def test_build_tools_are_left_out_and_the_program_comes_last(target):
    steps = [rest for name, rest in STAGES[target][1] if name == "COPY" and "/opt/venv" in rest]
    assert steps[-1] in ("--from=cpu-program /opt/venv /opt/venv", "--from=gpu-program /opt/venv /opt/venv")
    below = "\n".join(of(target, "RUN"))
    assert "gcc" not in below
    assert "build-essential" not in below
    assert "python3-venv" not in below
    assert "libgl" not in below.lower()


@pytest.mark.parametrize("packages", ["cpu-packages", "gpu-packages"])
def test_a_change_of_code_leaves_the_packages_as_they_are(packages):
    copied = " ".join(of(packages, "COPY"))
    assert "requirements.txt" in copied
    assert "realtime_pose" not in copied
    assert "--from" not in copied


def test_a_target_is_built_from_stages_above_it():
    """So that a builder that builds every stage up to the target needs no later one."""
    names = list(STAGES)
    for name, (base, steps) in STAGES.items():
        used = [base] + [source for _, rest in steps for source in re.findall(r"--from=([\w-]+)", rest)]
        assert all(names.index(one) < names.index(name) for one in used if one in names), name
        assert all(one in names or one.startswith("${") for one in used), name
    assert names.index("cpu") < names.index("gpu-python")


def test_everything_that_is_copied_is_there_and_let_in():
    seen = 0
    for _, steps in STAGES.values():
        for name, rest in steps:
            if name != "COPY" or rest.startswith("--from"):
                continue
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                inner = "checkpoints/manifest.json" if source == "checkpoints" else source
                assert let_in(inner), source
                seen += 1
    assert seen > 10


@pytest.mark.parametrize("path", NOT_FOR_AN_IMAGE)
def test_nothing_else_goes_into_a_build(path):
    assert not let_in(path)


def test_all_that_the_wheel_needs_goes_into_a_build():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so nobody can say what belongs to it")
    command = ["git", "ls-files", "realtime_pose", "configs", "resources", "schema"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=True).stdout.split(
        "\n"
    )
    assert len(tracked) > 100
    assert [name for name in tracked if name and not let_in(name)] == []


# --- what is started --------------------------------------------------------------------------------------------------


def started():
    """(place, words) of every command that a container runs."""
    for target in PAGES:
        yield target, words(target)
    for name, service in SERVICES.items():
        if "command" in service:
            yield name, [*ast.literal_eval(of(service["build"]["target"], "ENTRYPOINT")[-1]), *service["command"]]


STARTED = dict(started())


@pytest.mark.parametrize("place", STARTED)
def test_the_command_line_takes_what_is_started(place):
    command = STARTED[place]
    if command[0] == "realtime-pose":
        name, inner, rest = typer.main.get_command(app).resolve_command(_context(), command[1:])
        assert name == "ui"
        assert inner.make_context(name, rest).params["no_browser"] is True
    else:
        assert command[:3] == ["python3", "-m", "realtime_pose.interface.gradio_app"]
        options = gradio_parser().parse_args(command[3:])
        assert options.no_download  # nothing is downloaded unless chosen
        assert options.port == 7860


def _context():
    return typer.main.get_command(app).make_context("realtime-pose", ["ui"])


@pytest.mark.parametrize("target", PAGES)
def test_the_page_is_reached_from_outside_by_the_name_localhost_only(target):
    environment = dict(pair.split("=", 1) for pair in shlex.split(" ".join(of(target, "ENV"))))
    assert host_names_of(environment) == ("localhost",)
    assert HOST_NAMES in environment
    assert environment["XDG_CACHE_HOME"].startswith("/data/")
    assert of(target, "WORKDIR") == ["/data"]  # takes are below it


def test_the_health_check_of_image_and_compose_is_one_program_that_compiles():
    for service in SERVICES.values():
        image = of(service["build"]["target"], "HEALTHCHECK")[-1]
        check = service["healthcheck"]
        assert check["test"][0] == "CMD"
        assert ast.literal_eval(image.split("CMD ", 1)[1]) == check["test"][1:]
        assert f"--interval={check['interval']} --timeout={check['timeout']}" in image
        assert f"--start-period={check['start_period']}" in image
        assert check["test"][1:3] == ["python3", "-c"]
        compile(check["test"][3], "check", "exec")
        port = service["ports"][0].rsplit(":", 1)[1]
        assert f"http://127.0.0.1:{port}/" in check["test"][3]
        assert of(service["build"]["target"], "EXPOSE") == [port]


# --- compose ----------------------------------------------------------------------------------------------------------


def test_only_the_dashboard_starts_when_nothing_is_asked_for():
    assert {name for name, service in SERVICES.items() if not service.get("profiles")} == {"dashboard"}
    assert all(service.get("profiles", [name]) == [name] for name, service in SERVICES.items())
    assert set(SERVICES) == set(WHERE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_for_this_computer_limited_and_without_rights(name):
    service = SERVICES[name]
    assert service["ports"] == [WHERE[name]]
    assert re.fullmatch(r"\$\{MEMORY:-\d+g\}", service["mem_limit"])
    assert service["init"] is True
    assert service["platform"] == "linux/amd64"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "network_mode", "pid"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_weights_takes_and_profiles_outlive_a_container(name):
    service = SERVICES[name]
    mounted = dict(volume.split(":") for volume in service["volumes"])
    assert set(mounted) == set(COMPOSE["volumes"])
    environment = dict(
        pair.split("=", 1) for pair in shlex.split(" ".join(of(service["build"]["target"], "ENV"))) if "=" in pair
    )
    assert mounted["checkpoints"] == environment["XDG_CACHE_HOME"]
    assert mounted["profiles"] == environment["XDG_DATA_HOME"]
    assert mounted["outputs"] == "/data/takes"
    made = re.search(r"-o pose .*", (DOCKER / "user.sh").read_text("utf-8"))[0]  # otherwise root would own it
    assert all(folder in made for folder in mounted.values())


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_built_by_the_dockerfile(name):
    build = SERVICES[name]["build"]
    assert (DOCKER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()
    assert build["target"] in STAGES
    assert set(build["args"]) <= set(ARGUMENTS)
    assert SERVICES[name]["image"] == f"realtime-pose:{build['target']}"


def test_the_camera_and_the_card_are_handed_in_where_they_are_asked_for_only():
    assert SERVICES["camera"]["devices"] == ["/dev/video0:/dev/video0"]
    assert SERVICES["gpu"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert not any("devices" in SERVICES[name] or "deploy" in SERVICES[name] for name in ("dashboard", "gradio"))


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_parses(script):
    shell = script.read_text("utf-8").splitlines()[0].split("/")[-1].split()[-1]
    checked = subprocess.run([shell, "-n", script], capture_output=True, text=True, timeout=30, check=False)
    assert checked.returncode == 0, checked.stderr
