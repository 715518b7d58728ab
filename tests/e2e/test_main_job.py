"""The main job, from a file to packets and files, as a user runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import bvh
import cv2
import jsonschema
import numpy as np
import pytest

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.communication.packets.pose_packet import MAX_DATAGRAM_BYTES, HelloPacket, PosePacket, decode
from realtime_pose.communication.udp_receiver import UdpReceiver
from realtime_pose.config import AppConfig
from realtime_pose.evaluation.selftest import run_selftest
from realtime_pose.exporters.table import DEFAULT_FORMATS, EXPORTERS, parse_formats
from realtime_pose.session.reader import read_session
from realtime_pose.utils.paths import data_path

ROOT = Path(__file__).parents[2]
FRAMES = 75
FILES_OF_A_TAKE = {"session.rtpose", *(EXPORTERS[name].file for name in parse_formats(DEFAULT_FORMATS))}
PATIENCE_S = 120.0


def command(*arguments):
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    return [sys.executable, "-m", "realtime_pose", *arguments], environment


@pytest.fixture(scope="module")
def live_run(tmp_path_factory):
    """A live run of the packaged clip's first seconds in a process of its own; its packets and files."""
    folder = tmp_path_factory.mktemp("run")
    receiver = UdpReceiver("127.0.0.1:0")
    words, environment = command(
        "run", "--source", "resources/videos/default.mp4", "--udp", receiver.address, "--estimator", "blazepose",
        "--record", str(folder / "take"), "--report", str(folder / "r.json"), "--max-frames", str(FRAMES),
    )  # fmt: skip
    process = subprocess.Popen(words, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    datagrams = []
    receiver._socket.settimeout(PATIENCE_S)
    while True:
        datagrams.append(receiver._socket.recv(65_535))
        packet = decode(datagrams[-1])
        if isinstance(packet, HelloPacket) and packet.sent and packet.seq >= FRAMES:
            break  # the closing packet
    output, errors = process.communicate(timeout=PATIENCE_S)
    receiver.close()
    assert process.returncode == 0, errors.decode()
    return folder, datagrams, json.loads((folder / "r.json").read_text()), output.decode(), errors.decode()


def test_nearly_every_frame_has_a_small_and_valid_packet(live_run):
    _, datagrams, report, _, _ = live_run
    schema = json.loads((ROOT / "schema" / "pose-packet-v1.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for datagram in datagrams:
        assert len(datagram) <= MAX_DATAGRAM_BYTES == 1472
        validator.validate(json.loads(datagram))
    poses = [p for p in map(decode, datagrams) if isinstance(p, PosePacket)]
    assert len(poses) >= 0.95 * FRAMES
    assert report["packets_sent"] == len(poses)
    assert all(p.joints_3d is not None and p.rotations is not None for p in poses)


def test_the_report_has_every_key(live_run):
    report = live_run[2]
    assert set(report) == {
        "estimator", "runtime", "precision", "device", "source", "frames", "frames_dropped", "persons_max", "seconds",
        "fps", "model_fps", "latency_ms", "stages_ms", "camera", "packets_sent", "sinks", "warnings",
    }  # fmt: skip
    assert (report["estimator"], report["runtime"], report["device"]) == ("blazepose", "openvino", "cpu")
    assert (report["frames"], report["frames_dropped"], report["persons_max"]) == (FRAMES, 0, 1)
    assert set(report["latency_ms"]) == {"p50", "p95"}
    assert list(report["stages_ms"]) == ["capture", "detect", "estimate", "lift", "solve", "filter", "send"]


def test_the_files_are_complete(live_run):
    take = live_run[0] / "take"
    capture = cv2.VideoCapture(str(take / "overlay.mp4"))
    frames = 0
    while capture.read()[0]:
        frames += 1
    assert frames == FRAMES
    keypoints = json.loads((take / "keypoints.json").read_text())
    assert len(keypoints["keypoints"]) == FRAMES
    assert len(list(read_session(take / "session.rtpose").frames())) == FRAMES
    motion = bvh.Bvh((take / "motion.bvh").read_text())
    assert motion.nframes == FRAMES
    height_cm = [float(motion.frame_joint_channel(i, "hips", "Yposition")) for i in range(FRAMES)]
    assert 80 < np.median(height_cm) < 105  # a standing adult's hips


def test_the_terminal_reports_the_result_and_what_to_try(live_run):
    output = live_run[3]
    for words in ("frames", "latency", "people", "blazepose", "packets sent", "overlay.mp4", "try next"):
        assert words in output
    assert "Traceback" not in live_run[4]


def test_process_writes_the_same_kinds_of_files_without_pacing(tmp_path):
    words, environment = command(
        "process", "resources/videos/default.mp4", "--out", str(tmp_path / "out"), "--estimator", "blazepose",
        "--max-frames", "12", "--report", str(tmp_path / "r.json"),
    )  # fmt: skip
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["frames"], report["latency_ms"], report["packets_sent"]) == (12, None, 0)
    assert {p.name for p in (tmp_path / "out").iterdir()} == FILES_OF_A_TAKE


def test_the_selftest_compares_packets_with_the_truth():
    config = AppConfig().with_values({"inference": {"estimator": "blazepose"}}, "test")
    progress = []
    figures = run_selftest(config, 60, lambda done, total: progress.append((done, total)))
    assert (figures.frames, figures.packets, figures.packets_lost) == (60, 60, 0)
    assert progress[-1] == (60, 60)
    # Bounds against regressions, loose enough for another machine's arithmetic; docs/accuracy.md has the figures.
    assert figures.keypoint_error_px < 8
    assert figures.mpjpe_mm < 90
    assert figures.pa_mpjpe_mm < figures.mpjpe_mm
    assert figures.joint_angle_error_deg < 25
    assert figures.bone_drift_percent < 1
    assert figures.root_path_error_cm < 20


def test_forward_kinematics_meets_the_lifted_joints_on_the_actors_clip():
    """Within 2 cm at the median, as the bones have the right lengths."""
    from support.bodies import POINT_OF

    from realtime_pose.body.settings import BodyConfig
    from realtime_pose.capture.actor import open_actor
    from realtime_pose.ik.table import build_solver
    from realtime_pose.inference.base import InferenceConfig
    from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
    from realtime_pose.kinematics import forward_kinematics
    from realtime_pose.lifting.table import build_lifter
    from realtime_pose.model3d.actor_truth import load_truth
    from realtime_pose.skeletons import HUMANOID

    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    estimator, detector = BlazePoseEstimator(InferenceConfig()), BlazePoseDetector(InferenceConfig())
    source = open_actor(CaptureConfig())
    body = BodyConfig(height_m=truth.height_m)
    lifter, solver = build_lifter(body), build_solver(body)
    away_m = []
    for i in range(390):
        frame = source.read()
        if i % 6:
            continue
        (keypoints,) = estimator.estimate(frame, detector.detect(frame))
        joints = lifter.lift(keypoints, truth.intrinsics)
        pose = solver.solve(joints)
        found = forward_kinematics(pose) - pose.root_m
        rows = joints.layout.index
        away_m += [
            float(np.linalg.norm(found[HUMANOID.index[joint]] - joints.xyz_m[rows[point]]))
            for point, joint in POINT_OF.items()
        ]
    source.close()
    estimator.close()
    assert np.median(away_m) < 0.02
