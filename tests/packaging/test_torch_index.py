"""docker/torch_index.sh: which package index torch is installed from, with stand-ins for the machine's programs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CPU = "https://download.pytorch.org/whl/cpu"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no sh")


@pytest.fixture
def index_of(tmp_path):
    """What the script prints on a machine where these programs do this."""

    def ask(*arguments, torch_index="", **programs):
        machine = {"uname": "echo Linux", "nvidia-smi": "exit 9", "python3": "exit 0"} | programs
        for name, does in machine.items():
            (tmp_path / name.replace("_", "-")).write_text(f"#!/bin/sh\n{does}\n")
            (tmp_path / name.replace("_", "-")).chmod(0o755)
        for name in ("sh", "timeout", "sleep"):
            if found := shutil.which(name):
                (tmp_path / name).unlink(missing_ok=True)
                (tmp_path / name).symlink_to(found)
        done = subprocess.run(
            ["sh", str(ROOT / "docker" / "torch_index.sh"), *arguments],
            env={"PATH": str(tmp_path), "TORCH_INDEX": torch_index},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    return ask


needs_timeout = pytest.mark.skipif(not shutil.which("timeout"), reason="the command timeout is Linux's")


@needs_timeout
def test_linux_without_a_card_takes_the_cpu_build(index_of):
    assert index_of() == CPU


@pytest.mark.parametrize("answer", ["exit 1", "exec sleep 50"])
def test_an_index_that_does_not_answer_is_not_used(index_of, answer):
    assert index_of(python3=answer) == ""


def test_a_card_takes_the_usual_index(index_of):
    assert index_of(nvidia_smi="exit 0") == ""


@needs_timeout
def test_the_cpu_image_takes_the_cpu_build_whatever_the_card(index_of):
    assert index_of("cpu", nvidia_smi="exit 0") == CPU


def test_other_systems_take_the_usual_index(index_of):
    assert index_of(uname="echo Darwin") == ""


@pytest.mark.parametrize("programs", [{}, {"uname": "echo Darwin"}, {"nvidia_smi": "exit 0"}, {"python3": "exit 1"}])
def test_torch_index_decides(index_of, programs):
    assert index_of(torch_index="https://mirror.example/torch", **programs) == "https://mirror.example/torch"


def test_make_and_the_image_ask_it():
    assert os.access(ROOT / "docker" / "torch_index.sh", os.R_OK)
    assert "docker/torch_index.sh" in (ROOT / "Makefile").read_text("utf-8")
    assert "torch_index.sh" in (ROOT / "docker" / "packages.sh").read_text("utf-8")
    assert (ROOT / "docker" / "Dockerfile").read_text("utf-8").count("docker/torch_index.sh") == 2
