"""Every program in examples/, run on the actor's clip."""

import importlib.util
import json
import sys
from contextlib import closing
from pathlib import Path

import cv2
import pytest
from support.actor_frames import FACING, actor_frame, actor_truth
from support.sockets import Ear

from realtime_pose.communication.packets.pose_packet import PosePacket, decode
from realtime_pose.skeletons import COCO17

EXAMPLES = Path(__file__).parents[2] / "examples"
TESTED_HERE = {"video_to_poses", "single_images", "with_supervision", "custom_sink", "custom_estimator"}


@pytest.fixture(autouse=True)
def _offline_in_its_own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def run_example(name, *arguments):
    """The module, after its `main` ran with these arguments."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.main([str(argument) for argument in arguments])
    return module


def images_in(folder, count=3):
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:03}.png"), actor_frame(FACING + number).image_bgr)
    return folder


def test_no_example_is_left_out():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == TESTED_HERE


def test_a_video_becomes_poses(capsys):
    run_example("video_to_poses", "actor", "--frames", 4, "--smoothing", "smooth", "--height", "1.8")
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "Running blazepose with openvino fp32 on cpu."
    assert len(lines) == 4
    assert all("person 1  hand at (" in line for line in lines)
    assert lines[0].startswith("  0.00 s")
    assert lines[3].startswith("  0.10 s")


def test_single_images_become_overlays_and_coco(tmp_path, capsys):
    folder = images_in(tmp_path / "in", 2)
    run_example("single_images", *sorted(folder.iterdir()), "--out", tmp_path / "out")
    assert capsys.readouterr().out.count("1 found") == 2
    found = json.loads((tmp_path / "out" / "coco.json").read_text())
    assert [entry["image_id"] for entry in found] == [0, 1]
    truth = actor_truth().keypoints_px[FACING][COCO17.index["left_shoulder"]]
    at = 3 * COCO17.index["left_shoulder"]
    assert found[0]["keypoints"][at : at + 2] == pytest.approx(truth.tolist(), abs=15)
    overlay = cv2.imread(str(tmp_path / "out" / "001-people.png"))
    assert overlay.shape == (480, 640, 3)
    assert (overlay != actor_frame(FACING + 1).image_bgr).any()


def test_supervision_draws(tmp_path, capsys):
    pytest.importorskip("supervision", reason="supervision is not installed")
    run_example("with_supervision", "--frames", 2, "--out", tmp_path / "annotated.png")
    image = cv2.imread(str(tmp_path / "annotated.png"))
    assert (image != actor_frame(1).image_bgr).any(axis=2).sum() > 1000
    assert "1 people" in capsys.readouterr().out


def test_a_custom_sink_gets_every_frame_beside_udp(tmp_path):
    with closing(Ear()) as ear:
        run_example("custom_sink", "--frames", 5, "--out", tmp_path / "a.jsonl", "--udp", ear.address)
        poses = []
        while len(poses) < 5:  # between them come hello and the parts of feet and hands
            packet = decode(*ear.datagrams(1))
            poses += [packet] * isinstance(packet, PosePacket)
    assert [pose.seq for pose in poses] == [0, 1, 2, 3, 4]
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [round(line["time_s"], 2) for line in lines] == [0.0, 0.03, 0.07, 0.1, 0.13]
    assert all(set(line["1"]) == {"left", "right"} for line in lines)
    assert all(0 <= angle <= 160 for line in lines for angle in line["1"].values())


def test_keypoints_of_a_custom_estimator_are_lifted(tmp_path, capsys):
    folder = images_in(tmp_path / "in")
    run_example("single_images", *sorted(folder.iterdir()), "--out", tmp_path / "out")
    capsys.readouterr()
    run_example("custom_estimator", folder, tmp_path / "out" / "coco.json")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["0", "1", "2"]
    _, height_m, _ = json.loads(lines[0].split(maxsplit=1)[1])
    assert 0.7 < height_m < 1.1  # the hips over the floor
