"""`process` on the command line: inputs without a person in them are named."""

import cv2
import numpy as np
import pytest


@pytest.fixture
def call(call, monkeypatch):
    """Run a command in this process: (exit code, what it printed)."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments):
        code, out, err = call(*arguments)
        return code, " ".join((out + err).split())

    return run


def empty_room(path, frames=6):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 30, (160, 120))
    for _ in range(frames):
        writer.write(np.full((120, 160, 3), 90, np.uint8))
    writer.release()


PROCESS = ("process", "--estimator", "blazepose", "--format", "bvh,csv", "--workers", "1")


def test_a_clip_without_a_person_reports_that_no_motion_was_written(call, tmp_path):
    empty_room(tmp_path / "nobody.mp4")
    code, said = call(*PROCESS, "nobody.mp4", "--out", "out")
    assert code == 0
    assert "No person was found in nobody.mp4, so no motion was written." in said
    assert not (tmp_path / "out" / "motion.bvh").exists()
    code, said = call("export", "out", "--out", "files", "--format", "bvh")
    assert code == 0
    assert "No person has a pose in out/session.rtpose, so no motion was written." in said


def test_a_summary_counts_the_inputs_without_a_person(call, tmp_path):
    for name in ("a.mp4", "b.mp4"):
        empty_room(tmp_path / name)
    code, said = call(*PROCESS, "a.mp4", "b.mp4", "--out", "out")
    assert code == 0
    assert "2 of 2 inputs have no person in them: a.mp4, b.mp4" in said


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("--mirror",), "--mirror: without effect, as nothing is sent; an output such as --udp 127.0.0.1:5005 sends."),
        (("--dataset", "aic"), "BlazePose brings its own model; without effect, as for ViTPose only: dataset."),
    ],
)
def test_an_option_without_effect_is_named(call, tmp_path, command, says):
    empty_room(tmp_path / "a.mp4")
    code, said = call(*PROCESS, "a.mp4", "--out", "out", *command)
    assert code == 0
    assert says in said


def test_options_of_files_need_a_folder_for_them(call):
    run = ("run", "--source", "actor", "--estimator", "blazepose", "--max-frames", "2")
    code, said = call(*run, "--format", "bvh", "--character", "me.glb")
    assert code == 0
    assert "--format, --character: without effect, as no take is written; --record FOLDER writes one." in said
    assert (
        "without effect" not in call(*run, "--format", "csv", "--record", "take", "--udp", "127.0.0.1:9", "--mirror")[1]
    )
