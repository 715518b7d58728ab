"""The base install: in an environment with nothing else, the demo runs and sends packets."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NO_INDEX = ("from versions: none", "Failed to establish a new connection", "NewConnectionError", "ConnectTimeoutError")
FOREIGN = ("torch", "transformers", "mmpose", "onnxruntime", "streamlit", "plotly", "gradio", "pyarrow")
PATHS_OF_A_CHECKOUT = ("PYTHONPATH", "VIRTUAL_ENV", "VITPOSE_CONFIG", "VITPOSE_CHECKPOINT", "VITPOSE_DEVICE")


def run(*command, cwd, env, timeout=120):
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=timeout, check=False)


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Python of a fresh environment with the wheel's base and MediaPipe's files, and the variables to start it with."""
    folder = tmp_path_factory.mktemp("base")
    env = {name: value for name, value in os.environ.items() if name not in PATHS_OF_A_CHECKOUT}
    env |= {"XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data")}
    made = run(sys.executable, "-m", "venv", folder / "venv", cwd=folder, env=env)
    assert made.returncode == 0, made.stderr
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    pip_env = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    for arguments in ((wheel,), ("--no-deps", mediapipe())):
        done = run(python, "-m", "pip", "install", "-q", *arguments, cwd=folder, env=pip_env, timeout=900)
        if done.returncode and any(sign in done.stderr for sign in NO_INDEX):
            pytest.skip("no package index can be reached, so the base cannot be installed")
        assert done.returncode == 0, done.stderr
    return python, env


def mediapipe():
    lines = (ROOT / "requirements-nodeps.txt").read_text("utf-8").splitlines()
    return next(line.split()[0] for line in lines if line.startswith("mediapipe=="))


@pytest.mark.slow
def test_the_base_alone_runs_the_demo(environment, tmp_path):
    python, env = environment
    found = f"import importlib.util as u; print([name for name in {FOREIGN} if u.find_spec(name)])"
    assert run(python, "-c", found, cwd=tmp_path, env=env).stdout.strip() == "[]"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        command = ["run", "--source", "actor", "--no-download", "--max-frames", "10", "--udp", address]
        done = run(
            python, "-m", "realtime_pose", *command, "--record", "take", "--report", "r.json", cwd=tmp_path, env=env
        )
        assert done.returncode == 0, done.stdout + done.stderr
        received = {json.loads(receiver.recv(2048))["type"] for _ in range(10)}
    assert "pose" in received
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert (report["estimator"], report["frames"], report["persons_max"]) == ("blazepose", 10, 1)
    assert report["packets_sent"] == 10
    assert report["warnings"] == [
        "Using BlazePose instead of ViTPose: ViTPose needs torch; "
        'install it with: pip install "realtime-pose[vitpose]".'
    ]
    for name in ("overlay.mp4", "motion.bvh", "motion.glb", "joints.csv", "keypoints.json", "session.rtpose"):
        assert (tmp_path / "take" / name).stat().st_size > 0, name


@pytest.mark.slow
def test_the_base_alone_has_all_that_it_asks_for(environment, tmp_path):
    """Only MediaPipe 0.10.21 declares more, none of which is used."""
    python, env = environment
    checked = run(python, "-m", "pip", "check", cwd=tmp_path, env=env)
    assert [line for line in checked.stdout.splitlines() if not line.startswith(("mediapipe ", "No broken"))] == []
