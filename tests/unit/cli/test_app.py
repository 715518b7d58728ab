"""The command line: exit codes, one plain sentence on stderr, and an interruption that leaves whole files."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import bvh
import cv2
import pytest

from realtime_pose import __version__
from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
from realtime_pose.capture.cameras import BACKENDS
from realtime_pose.checkpoints import read_manifest
from realtime_pose.cli import app as cli
from realtime_pose.cli.commands import process
from realtime_pose.cli.commands import run as run_command
from realtime_pose.communication.packets.pose_packet import PosePacket, decode
from realtime_pose.errors import CaptureError, StageFailedError
from realtime_pose.exporters.table import DEFAULT_FORMATS, EXPORTERS, parse_formats
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.estimators import ESTIMATORS
from realtime_pose.inference.landmarks.blazepose import BlazePoseEstimator
from realtime_pose.session.reader import read_session
from realtime_pose.utils.paths import data_path

FILES_OF_A_TAKE = {"session.rtpose", *(EXPORTERS[name].file for name in parse_formats(DEFAULT_FORMATS))}
PATIENCE_S = 60.0  # bounds a test that hangs; a passing one never waits it out
ACTOR = ("run", "--source", "actor", "--estimator", "blazepose")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("VITPOSE_CONFIG", "VITPOSE_CHECKPOINT", "VITPOSE_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def started_blazepose():
    """MediaPipe's first start in a process writes to Python's stderr, which in a terminal is silenced with fd 2."""
    BlazePoseEstimator(InferenceConfig()).close()


def only_sentence(stderr):
    """The sentence of an error, which must be all of stderr."""
    lines = stderr.strip().splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error ")
    return lines[0].removeprefix("error ")


# --- help ---------------------------------------------------------------------------------------------------------


def test_help_names_every_command(call):
    code, out, _ = call("--help")
    assert code == 0
    for command in ("run", "process", "models", "listen", "selftest", "doctor"):
        assert re.search(rf"\b{command}\b", out)


@pytest.mark.parametrize("command", ["run", "process", "listen", "selftest", "doctor"])
def test_every_command_has_help(call, command):
    code, out, _ = call(command, "--help")
    assert code == 0
    assert f"realtime-pose {command}" in out


def test_help_lists_the_choices_there_are(call):
    _, out, _ = call("run", "--help")
    shown = set(re.findall(r"[\w-]+", out))
    assert {"auto", *ESTIMATORS, *SMOOTHING_PRESETS, *BACKENDS} <= shown


def test_the_version(call):
    assert call("--version") == (0, f"{__version__}\n", "")


def test_no_command_at_all_shows_help_as_wrong_usage(call):
    code, out, err = call()
    assert code == 2
    assert "Usage: realtime-pose" in out + err


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "realtime_pose", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


# --- wrong usage is 2 ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("run", "--source", "actor", "--estimator", "vitpos"),
            "--estimator 'vitpos' is not one of: auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h, mmpose; "
            "did you mean vitpose-s?",
        ),
        (
            (*ACTOR, "--smoothing", "soft"),
            "--smoothing 'soft' is not one of: none, crisp, balanced, smooth; did you mean smooth?",
        ),
        ((*ACTOR, "--rotate", "45"), "--rotate 45 is not one of: 0, 90, 180, 270"),
        ((*ACTOR, "--size", "1280"), "--size '1280' is not a size; write it like 1280x720"),
        ((*ACTOR, "--size", "1280x"), "--size '1280x' is not a size; write it like 1280x720"),
        ((*ACTOR, "--size", "-1x-1"), "--size '-1x-1' is not a size; write it like 1280x720"),
        ((*ACTOR, "--size", "x"), "--size 'x' is not a size; write it like 1280x720"),
        (
            (*ACTOR, "--udp", "127.0.0.1:99999"),
            "address '127.0.0.1:99999' has port '99999'; a port is a number from 1 to 65535",
        ),
        (
            (*ACTOR, "--udp", "127.0.0.1:0"),
            "address '127.0.0.1:0' has port '0'; a port is a number from 1 to 65535",
        ),
        ((*ACTOR, "--udp", "5005"), "address '5005' has no port; write it like 127.0.0.1:5005"),
        (
            (*ACTOR, "--config", "none.yaml"),
            "cannot read the settings file none.yaml (No such file or directory); see "
            f"{data_path('configs/default.yaml')}",
        ),
        (
            ("run", "--source", "actor", "--estimator", "mmpose", "--checkpoint", "x.pth"),
            "estimator mmpose needs --model-config FILE.py and --checkpoint FILE; --model-config is missing",
        ),
        (
            ("listen", "127.0.0.1:99999"),
            "address '127.0.0.1:99999' has port '99999'; a port is a number from 0 to 65535",
        ),
    ],
    ids=lambda x: " ".join(x[-2:]) if isinstance(x, tuple) else "",
)  # fmt: skip
def test_a_wrong_value_is_one_plain_sentence_and_2(call, arguments, said):
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert only_sentence(err) == said


@pytest.mark.parametrize(
    "arguments",
    [
        ("dance",),
        ("run", "--sauce", "actor"),
        ("run", "--persons", "0"),
        ("run", "--persons", "many"),
        ("run", "--height", "17"),
        ("run", "--fov", "180"),
        ("run", "--max-frames", "0"),
        ("process", "clip.mp4"),  # --out is missing
        ("process", "--out", "x"),
    ],
    ids=" ".join,
)
def test_usage_errors_exit_with_2_without_a_traceback(call, arguments):
    code, out, err = call(*arguments)
    assert code == 2
    assert "Error" in err
    assert "Traceback" not in out + err


# --- what fails is 1 ----------------------------------------------------------------------------------------------


def test_a_missing_file_is_one_plain_sentence_and_1(call):
    code, out, err = call("run", "--source", "missing.mp4")
    assert (code, out) == (1, "")
    assert only_sentence(err).startswith("there is no file, folder or camera 'missing.mp4'; ")


def test_process_names_a_missing_file_too_and_makes_no_folder(call, tmp_path):
    code, _, err = call("process", "missing.mp4", "--out", tmp_path / "out", "--estimator", "blazepose")
    assert code == 1
    assert "'missing.mp4'" in only_sentence(err)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_no_video_is_named(call, tmp_path):
    (tmp_path / "notes.mp4").write_text("[bold]no video[/]")
    code, _, err = call("run", "--source", "notes.mp4")
    assert code == 1
    assert only_sentence(err).startswith("notes.mp4 is text, not a video")


def test_brackets_in_a_name_are_shown_as_they_are(call):
    code, _, err = call("run", "--source", "[red]take[/].mp4")
    assert code == 1
    assert "'[red]take[/].mp4'" in only_sentence(err)


def test_a_bug_is_one_sentence_that_mentions_debug(call, monkeypatch):
    monkeypatch.setattr(run_command, "play", lambda settings, **_: 1 / 0)
    code, _, err = call(*ACTOR)
    assert code == 1
    assert only_sentence(err).startswith("ZeroDivisionError: division by zero; ")
    assert "--debug" in err


def test_debug_shows_the_traceback():
    command = [sys.executable, "-m", "realtime_pose", "run", "--source", "missing.mp4", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert "realtime_pose.errors.CaptureError: there is no file" in done.stderr


def test_debug_may_stand_before_the_command_too(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["realtime-pose", "--debug", "run", "--source", "missing.mp4"])
    with pytest.raises(CaptureError):
        cli.main()


# --- a run that goes well is 0 ------------------------------------------------------------------------------------


def test_a_short_run_reports_what_it_did(call, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{receiver.getsockname()[1]}"
        code, out, err = call(*ACTOR, "--max-frames", 3, "--udp", target, "--report", "r.json")
    assert (code, err) == (0, "")
    assert "blazepose on openvino fp32, cpu" in out
    report = json.loads((tmp_path / "r.json").read_text())
    assert list(report) == [
        "estimator", "runtime", "precision", "device", "source", "frames", "frames_dropped", "persons_max", "seconds",
        "fps", "model_fps", "latency_ms", "stages_ms", "camera", "packets_sent", "sinks", "warnings",
    ]  # fmt: skip
    assert (report["frames"], report["packets_sent"], report["frames_dropped"]) == (3, 3, 0)
    assert report["latency_ms"]["p50"] > 0
    assert report["warnings"] == []


def test_process_writes_a_take_and_has_no_latency(call, tmp_path):
    code, _, err = call(
        "process", "actor", "--out", "out", "--estimator", "blazepose", "--max-frames", 3, "--report", "r.json"
    )
    assert (code, err) == (0, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES_OF_A_TAKE
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["frames"], report["latency_ms"]) == (3, None)


def test_names_are_checked_before_anything_is_opened(call):
    """A wrong name is reported first, even if the source is missing."""
    code, _, err = call("run", "--source", "missing.mp4", "--estimator", "blazepose", "--smoothing", "soft")
    assert code == 2
    assert "none, crisp, balanced, smooth" in err


def test_two_inputs_of_one_name_do_not_overwrite_each_other(call, tmp_path, monkeypatch):
    taken = []
    monkeypatch.setattr(
        process, "play", lambda settings, **_: (taken.append(settings.output.record) or {"frames": 1}, None)
    )
    monkeypatch.setattr(process, "print_run", lambda *_: None)
    call("process", "monday/clip.mp4", "tuesday/clip.mp4", "--out", "out")
    assert len(set(taken)) == 2


def test_one_bad_file_of_several_does_not_stop_the_others(call, tmp_path):
    code, _, err = call(
        "process", "missing.mp4", "actor", "--out", "out", "--estimator", "blazepose", "--max-frames", 2,
        "--report", "r.json",
    )  # fmt: skip
    assert code == 1
    assert "'missing.mp4'" in err
    assert err.splitlines()[-1].startswith("error 1 of 2 inputs failed")
    assert (tmp_path / "out" / "actor" / "motion.bvh").is_file()
    bad, good = json.loads((tmp_path / "r.json").read_text())["files"]
    assert (bad["source"], bad["frames"], good["source"], good["frames"]) == ("missing.mp4", 0, "actor", 2)


def test_a_failure_is_raised_after_the_report_is_written(call, tmp_path, monkeypatch):
    broken = StageFailedError("pose stopped: the camera was unplugged")
    monkeypatch.setattr(run_command, "play", lambda settings, **_: ({"frames": 7}, broken))
    monkeypatch.setattr(run_command, "print_run", lambda *_: None)
    code, _, err = call(*ACTOR, "--report", "r.json")
    assert (code, only_sentence(err)) == (1, "pose stopped: the camera was unplugged")
    assert json.loads((tmp_path / "r.json").read_text()) == {"frames": 7}


def test_models_are_listed_and_downloaded_by_name(call, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    code, out, _ = call("models", "list", "--all")
    assert code == 0
    assert all(name in out for name in read_manifest())
    code, _, err = call("models", "download", "vitpose-x")
    assert (code, only_sentence(err).split(":")[0]) == (2, "checkpoint='vitpose-x' is not one of")


def test_a_missing_download_offline_reports_where_to_put_it(call, monkeypatch, tmp_path):
    monkeypatch.setattr("realtime_pose.checkpoints.manifest.folders", lambda: (tmp_path,))
    monkeypatch.setattr("realtime_pose.checkpoints.hub.folders", lambda: (tmp_path,))
    code, _, err = call("models", "download", "vitpose-s")
    assert code == 1
    assert only_sentence(err).startswith("HF_HUB_OFFLINE is set, so vitpose-s is not downloaded; put ")
    assert str(tmp_path / "vitpose-s.safetensors") in err


# --- interrupted is 130 -------------------------------------------------------------------------------------------

# A shell makes background programs ignore Ctrl-C, and child processes inherit that.
REACTS_TO_CTRL_C = """
import signal
from realtime_pose.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("SIGTERM", "SIGHUP"):  # nohup has SIGHUP ignored
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
main()
"""


SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.fixture(scope="module", params=SIGNALS, ids=lambda number: number.name)
def interrupted(tmp_path_factory, request):
    """A recording run that got a signal after its tenth pose: (exit code, stdout, stderr, its folder, the signal)."""
    folder = tmp_path_factory.mktemp("interrupted")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE_S)
        command = [
            *ACTOR, "--record", folder / "take", "--udp", f"127.0.0.1:{receiver.getsockname()[1]}",
            "--report", folder / "r.json",
        ]  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", REACTS_TO_CTRL_C, *map(str, command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            poses = 0
            while poses < 10:
                poses += isinstance(decode(receiver.recv(65_535)), PosePacket)
            process.send_signal(request.param)
            out, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
            process.wait()
    return process.returncode, out, err, folder, request.param


posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C in another way")


@posix
def test_an_interrupted_run_ends_with_whole_files_and_reports_the_signal(interrupted):
    """130, 143 and 129: as a shell counts a program that a signal ended."""
    code, out, err, folder, number = interrupted
    video = cv2.VideoCapture(str(folder / "take" / "overlay.mp4"))
    frames = 0
    while video.read()[0]:
        frames += 1
    video.release()
    assert frames >= 10
    motion = bvh.Bvh((folder / "take" / "motion.bvh").read_text())
    assert motion.nframes == len(motion.frames) == frames
    assert len(list(read_session(folder / "take" / "session.rtpose").frames())) == frames
    json.loads((folder / "take" / "keypoints.json").read_text())
    assert code == 128 + number, err
    assert "Traceback" not in out + err
    assert f"Stopped at {frames} of 510 frames." in " ".join(out.split())
    assert "blazepose on openvino fp32, cpu" in out  # the table of what it did so far


@posix
def test_an_interrupted_run_has_a_report(interrupted):
    assert json.loads((interrupted[3] / "r.json").read_text())["frames"] >= 10


@posix
def test_ctrl_c_while_the_program_is_loaded_ends_without_a_traceback():
    """The import of the commands takes a second, in which a user may change their mind."""
    interrupted_import = """
import sys
class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == "realtime_pose.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from realtime_pose.cli import main
main()
"""
    command = [sys.executable, "-c", interrupted_import]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["--version", "--help", "models list"])
def test_a_full_disk_behind_stdout_is_one_sentence(command):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "realtime_pose", *command.split()],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
        )
    assert only_sentence(done.stderr) == (
        "cannot write the output: No space left on device; free some space, or send it elsewhere"
    )
    assert done.returncode == 1


@posix
def test_listening_ends_with_130_too():
    command = [sys.executable, "-u", "-c", REACTS_TO_CTRL_C, "listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline().startswith("listening on 127.0.0.1:")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err


# --- files of the user stay -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["run --source actor", "selftest", "bench", "eval lift x.npz"])
def test_a_report_replaces_no_other_file_and_is_refused_before_the_run(call, tmp_path, command):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"a film")
    code, _, err = call(*command.split(), "--report", clip)
    assert code == 2
    assert "clip.mp4 exists and is not a report; give another path for the report" in only_sentence(err)
    assert clip.read_bytes() == b"a film"


def test_training_writes_weights_files_only(call):
    pytest.importorskip("torch", reason="training needs torch")
    code, _, err = call("train", "lifter", "--out", "clip.mp4")
    assert (code, only_sentence(err)[:40]) == (2, "--out clip.mp4 is not a weights file; gi")
