"""No command asks the network for anything but weights that are wanted: names and addresses are watched from inside."""

import json
import os
import subprocess
import sys

import pytest

# Python imports a module of this name at start-up, in the program and in every Python that it starts.
WATCH = """
import os, socket

def record(what):
    with open(os.environ["ASKED"], "a") as log:
        log.write(what + "\\n")

def resolve(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"):
        return original(host, *args, **kwargs)
    record(name)
    raise socket.gaierror(socket.EAI_NONAME, "names are not resolved in this test")

original, socket.getaddrinfo = socket.getaddrinfo, resolve
socket.gethostbyname = socket.gethostbyname_ex = resolve
connected = socket.socket.connect

def connect(self, address):
    if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
        record(str(address[0]))
        raise OSError("no connections in this test")
    return connected(self, address)

socket.socket.connect = connect
"""
BLAZEPOSE = ["--estimator", "blazepose"]


@pytest.fixture
def asked(tmp_path):
    """Runs a command; returns the hosts that it asked for, and its exit code."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "asked"

    def run(*arguments, module="realtime_pose", env=None):
        log.write_text("")
        path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
        env = {**os.environ, **(env or {}), "ASKED": str(log), "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        return {*log.read_text().split()}, done

    return run


def test_the_network_watch_records_requests(asked, tmp_path):
    (tmp_path / "asks.py").write_text("import urllib.request; urllib.request.urlopen('https://example.invalid/a')")
    hosts, done = asked(module="asks")
    assert hosts == {"example.invalid"}
    assert done.returncode == 1


@pytest.mark.slow
def test_recording_replaying_exporting_and_measuring_contact_no_host(asked, tmp_path):
    commands = [
        ["run", "--source", "actor", *BLAZEPOSE, "--max-frames", "12", "--record", "take", "--udp", "127.0.0.1:9"],
        ["replay", "take", "--recompute", "--udp", "127.0.0.1:9"],
        ["export", "take", "--format", "csv", "--out", "files"],
        ["bench", *BLAZEPOSE, "--max-frames", "12"],
        ["plot", "take"],
        ["models", "list"],
    ]
    for command in commands:
        hosts, done = asked(*command)
        assert (hosts, done.returncode) == (set(), 0), (command, done.stderr)
    assert (tmp_path / "take" / "session.rtpose").is_file()


def test_wanted_weights_are_asked_of_the_hub_alone(asked):
    hosts, done = asked(
        "run", "--source", "actor", "--max-frames", "3", "--report", "r.json", env={"HF_HUB_OFFLINE": "0"}
    )
    assert done.returncode == 0, done.stderr
    assert hosts <= {"huggingface.co"}


def test_refused_downloads_contact_no_host(asked, tmp_path):
    hosts, done = asked("run", "--source", "actor", "--max-frames", "3", "--no-download", "--report", "r.json")
    assert (hosts, done.returncode) == (set(), 0), done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["estimator"] == "blazepose"


@pytest.mark.slow
@pytest.mark.parametrize(
    "library", ["ikpy.chain", "openvino", "onnxruntime", "nncf", "transformers", "mediapipe", "streamlit", "gradio"]
)
def test_a_library_that_the_program_imports_contacts_no_host(asked, tmp_path, library):
    pytest.importorskip(library.partition(".")[0], reason=f"{library} is not installed")
    code = (
        "import realtime_pose.inference, threading\n"
        "from realtime_pose.ik.ikpy_fallback import _skip_ikpys_init\n_skip_ikpys_init()\n"
        f"import {library}\n"
        "for thread in threading.enumerate():\n"
        "    if thread is not threading.main_thread(): thread.join(3)\n"
    )
    (tmp_path / "imports_it.py").write_text(code)
    hosts, done = asked(module="imports_it")
    assert (hosts, done.returncode) == (set(), 0), done.stderr
