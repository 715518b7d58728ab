"""`process`, `replay` and `export` on the command line: resuming, not overwriting, and plain sentences."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from support.people import make_clip

from realtime_pose.app.take import SESSION, TakeRecorder
from realtime_pose.cli import app as cli
from realtime_pose.errors import RecordingError
from realtime_pose.exporters.table import EXPORTERS, TakeInfo
from realtime_pose.session.format import MAGIC
from realtime_pose.session.reader import read_session

PATIENCE_S = 90.0  # bounds a test that hangs; a passing one never waits it out
PROCESS = ("process", "--estimator", "blazepose", "--max-frames", "3", "--format", "bvh")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def take(tmp_path):
    """A take of five frames of a synthetic person."""
    recorder = TakeRecorder(tmp_path / "take", TakeInfo(30.0, {"fps": 30.0, "config": {}}), ())
    for result in make_clip(5):
        recorder.send(result)
    recorder.close()
    return tmp_path / "take"


# --- process ------------------------------------------------------------------------------------------------------


def test_finished_inputs_are_skipped_and_force_processes_them_again(call, tmp_path):
    assert call(*PROCESS, "actor", "--out", "out")[0] == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["motion.bvh", SESSION]
    assert read_session(tmp_path / "out" / SESSION).total_frames == 3
    before = (tmp_path / "out" / SESSION).stat().st_mtime_ns
    code, out, err = call(*PROCESS, "actor", "--out", "out", "--report", "r.json")
    assert (code, err) == (0, "")
    assert "is finished already" in out
    assert (tmp_path / "out" / SESSION).stat().st_mtime_ns == before
    assert json.loads((tmp_path / "r.json").read_text())["frames"] == 3
    assert call(*PROCESS, "actor", "--out", "out", "--force")[0] == 0
    assert (tmp_path / "out" / SESSION).stat().st_mtime_ns > before


def test_other_settings_in_the_same_folder_are_refused(call, tmp_path):
    call(*PROCESS, "actor", "--out", "out")
    before = (tmp_path / "out" / "motion.bvh").read_bytes()
    code, _, err = call(*PROCESS, "actor", "--out", "out", "--smoothing", "none")
    assert code == 2
    assert "other settings" in err
    assert "--force" in err
    assert (tmp_path / "out" / "motion.bvh").read_bytes() == before


def test_the_inputs_that_failed_are_named_at_the_end(call, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"\0" * 4000)
    code, _, err = call(*PROCESS, "missing.mp4", "actor", "bad.mp4", "--out", "out")
    assert code == 1
    assert err.splitlines()[-1].startswith("error 2 of 3 inputs failed: missing.mp4, bad.mp4; ")
    assert (tmp_path / "out" / "actor" / "motion.bvh").is_file()


def test_workers_and_one_receiver_do_not_go_together(call):
    code, _, err = call(*PROCESS, "actor", "--out", "out", "--workers", "2", "--udp", "127.0.0.1:5005")
    assert code == 2
    assert "--workers 2" in err


REACTS_TO_CTRL_C = """
import signal
from realtime_pose.cli import main
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):  # nohup has SIGHUP ignored
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in another way")
@pytest.mark.parametrize(
    ("number", "everyone"), [pytest.param(signal.SIGINT, False, marks=pytest.mark.slow), (signal.SIGTERM, True)]
)
def test_interrupted_workers_leave_whole_files_and_can_be_resumed(tmp_path, call, number, everyone):
    """SIGTERM goes to the whole process group, as `timeout` sends it."""
    (tmp_path / "main.py").write_text(REACTS_TO_CTRL_C)
    clip = os.path.join(os.path.dirname(cli.__file__), "../../resources/videos/default.mp4")
    for name in ("a.mp4", "b.mp4"):
        os.symlink(os.path.realpath(clip), tmp_path / name)
    arguments = [
        "process",
        "a.mp4",
        "b.mp4",
        "--out",
        "out",
        "--estimator",
        "blazepose",
        "--format",
        "",
        "--no-look-ahead",
    ]
    command = [sys.executable, "main.py", *arguments, "--workers", "2"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    session, deadline = tmp_path / "out" / "b" / SESSION, time.monotonic() + PATIENCE_S
    try:
        while not (session.exists() and session.stat().st_size > 10_000) and time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                pytest.fail(f"it ended before it was interrupted: {process.communicate()}")
        os.killpg(process.pid, number) if everyone else process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 128 + number, err
    assert "Traceback" not in out + err
    stopped = read_session(session)
    frames = len(list(stopped.frames()))
    assert frames > 2
    assert not stopped.truncated
    assert not stopped.finished
    from realtime_pose.app.batch import plan
    from realtime_pose.config import AppConfig

    settings = {"inference": {"estimator": "blazepose"}, "output": {"formats": ""}, "body": {"look_ahead": False}}
    config = AppConfig().with_values(settings, "test")
    assert [job.done for job in plan(["a.mp4", "b.mp4"], tmp_path / "out", config, None, force=False)] == [None, None]


# --- replay -------------------------------------------------------------------------------------------------------


def test_a_session_is_sent_again_and_reported(call, take, tmp_path):
    code, out, err = call("replay", take, "--udp", "127.0.0.1:9", "--speed", "1000", "--report", "r.json")
    assert (code, err) == (0, "")
    assert "5 frames" in out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["frames"], report["packets_sent"]) == (5, 5)
    assert report["sinks"][0]["sink"] == "udp"


def test_steps_wait_for_a_line_each(call, take, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n"))
    code, out, _ = call("replay", take, "--step")
    assert code == 0
    assert [line.split("   ")[0] for line in out.splitlines() if line.startswith("frame")] == [
        "frame 0", "frame 1", "frame 2",
    ]  # fmt: skip


def test_recomputing_into_a_new_take(call, take, tmp_path):
    code, _, err = call("replay", take, "--recompute", "--record", "new", "--format", "csv", "--smoothing", "none")
    assert (code, err) == (0, "")
    assert {p.name for p in (tmp_path / "new").iterdir()} == {SESSION, "joints.csv"}
    assert read_session(tmp_path / "new" / SESSION).settings["config"]["body"]["smoothing"] == "none"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("replay", "TAKE", "--step", "--speed", "2"), 2, "--step waits for keys and --speed 2 follows the clock"),
        (("replay", "TAKE", "--speed", "0"), 2, "speed is 0, wanted 0.01 to 1000"),
        (("replay", "TAKE", "--height", "1.8"), 2, "--height changes a pose that is recorded already; add --recompute"),
        (("replay", "none.rtpose"), 1, "cannot read none.rtpose"),
        (("replay", "TAKE", "--record", "TAKE", "--force"), 2, "would be replaced"),
        (("replay", "TAKE", "--record", "x", "--format", "vbh"), 2, "format='vbh' is not one of: bvh, coco"),
        (("export", "TAKE", "--out", "x", "--format", "bvh,xls"), 2, "format='xls' is not one of: bvh, coco"),
        (("export", "none", "--out", "x"), 1, "cannot read none"),
        (("export", "newer.rtpose", "--out", "x"), 1, "is a session of version 2, this program reads 1; update it"),
        (("replay", "newer.rtpose"), 1, "is a session of version 2, this program reads 1; update it"),
        (("export", "text.rtpose", "--out", "x"), 1, "text.rtpose is not a session"),
        (("process", "actor", "--out", "x", "--format", "vbh"), 2, "format='vbh' is not one of: bvh, coco"),
        (("run", "--source", "actor", "--record", "x", "--format", "vbh"), 2, "format='vbh' is not one of: bvh, coco"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_failures_are_reported_in_one_sentence_and_leave_no_files(call, take, tmp_path, arguments, code, said):
    (tmp_path / "newer.rtpose").write_bytes(MAGIC + b"\x02\x00" + b"what is to come")
    (tmp_path / "text.rtpose").write_text("a letter")
    before = (take / SESSION).read_bytes()
    got, _, err = call(*(str(take) if word == "TAKE" else word for word in arguments))
    assert got == code
    assert err.count("\n") == 1
    assert said in err
    assert not (tmp_path / "x").exists()
    assert (take / SESSION).read_bytes() == before


# --- export -------------------------------------------------------------------------------------------------------


def test_a_session_becomes_files_that_are_named(call, take, tmp_path):
    code, out, err = call("export", take, "--out", "x", "--format", "bvh,csv,trc,mot,coco,easy-vitpose")
    assert (code, err) == (0, "")
    names = {"motion.bvh", "joints.csv", "markers.trc", "angles.mot", "coco.json", "keypoints.json"}
    assert {p.name for p in (tmp_path / "x").iterdir()} == names
    assert all(f"written: x/{name}" in out for name in names)
    code, _, err = call("export", take, "--out", "x", "--format", "bvh")
    assert (code, "already has motion.bvh" in err) == (2, True)
    assert call("export", take, "--out", "x", "--format", "bvh", "--force")[0] == 0


def test_without_a_choice_it_writes_what_it_can_and_reports_what_it_cannot(call, take, tmp_path):
    code, out, _ = call("export", take, "--out", "x")
    assert code == 0
    assert "overlay shows the session's images" in out
    assert "motion.bvh" in {p.name for p in (tmp_path / "x").iterdir()}


def test_one_file_that_fails_costs_no_other_and_the_exit_code_tells(call, take, tmp_path, monkeypatch):
    from realtime_pose.exporters.bvh import BvhRecorder

    def fails(self, result):
        raise RecordingError("cannot write motion.bvh: made to fail")

    monkeypatch.setattr(BvhRecorder, "send", fails)
    code, out, err = call("export", take, "--out", "x", "--format", "bvh,csv,easy-vitpose")
    assert code == 1
    assert err == "error cannot write motion.bvh: made to fail; the other files are complete\n"
    assert [name for name in ("motion.bvh", "joints.csv", "keypoints.json") if name in out] == [
        "joints.csv", "keypoints.json",
    ]  # fmt: skip
    assert len((tmp_path / "x" / "joints.csv").read_text().splitlines()) == 6


def test_a_damaged_session_is_reported_and_leaves_no_files(call, take, tmp_path):
    data = bytearray((take / SESSION).read_bytes())
    data[len(data) // 2] ^= 255
    (take / SESSION).write_bytes(data)
    code, out, err = call("export", take, "--out", "x", "--format", "bvh,csv")
    assert (code, "is damaged at byte" in err) == (1, True)
    assert "written" not in out
    assert list((tmp_path / "x").iterdir()) == []


def test_the_help_names_every_format(call):
    _, out, _ = call("export", "--help")
    assert all(f"{name}: {exporter.file}" in out for name, exporter in EXPORTERS.items())


def test_a_second_recording_goes_beside_the_first_and_reports_where(call, take):
    first = {path: path.read_bytes() for path in take.iterdir()}
    code, out, _ = call("replay", take, "--record", take, "--format", "csv")
    assert code == 0
    assert f"{take} has a take already; this one is written to {take}-2" in " ".join(out.split())
    assert {path: path.read_bytes() for path in take.iterdir()} == first
    assert (take.with_name(f"{take.name}-2") / SESSION).is_file()
    code, out, _ = call("replay", take, "--record", f"{take}-2", "--format", "csv", "--force")
    assert (code, "already" in out) == (0, False)
