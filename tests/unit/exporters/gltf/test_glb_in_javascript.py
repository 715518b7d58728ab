"""GLB and VRMA files in other programs: Khronos' validator reports nothing, and three.js plays them as recorded."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.people import make_camera, make_clip
from support.rigs import NAMES, make_rig

from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID

NODE = Path(__file__).parents[3] / "node"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        shutil.which("node") is None or not (NODE / "node_modules" / "three").is_dir(),
        reason="needs Node.js, and `npm ci` in tests/node",
    ),
]
CLIP = make_clip(31, seed=6)
SEEN = [replace(result, camera=make_camera(pitch_deg=5 + i / 3)) for i, result in enumerate(CLIP)]
"""The same, seen by a camera that moves while it is estimated."""
JOINTS_M = np.array([forward_kinematics(result.people[0].pose) for result in CLIP])


def node(script, *arguments):
    done = subprocess.run(
        ["node", script, *map(str, arguments)], cwd=NODE, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(folder, kind, character=None, clip=CLIP):
    folder.mkdir(exist_ok=True)
    (sink,) = open_exporters([kind], folder, TakeInfo(character=character))
    for result in clip:
        sink.send(result)
    sink.close()
    return folder / f"motion.{kind}"


def test_khronos_validator_finds_no_error_and_warns_of_nothing(tmp_path):
    rigs = {
        "plain": {},
        "mixamo": {"names": NAMES["mixamo"], "turn_seed": 1, "arms_down_deg": 45, "scene": (0.01, (0, 0, 0, 1))},
        "pieces": {"loose": ("leftUpperArm", "rightUpperLeg"), "posed_seed": 1},
    }
    files = [write(tmp_path / "own", "glb"), write(tmp_path / "own", "vrma")]
    files.append(write(tmp_path / "camera", "glb", clip=[replace(result, camera=make_camera()) for result in CLIP]))
    for name, rig in rigs.items():
        files.append(write(tmp_path / name, "glb", make_rig(tmp_path / f"{name}.glb", **rig), SEEN))
    for path, issues in node("validate.mjs", *files).items():
        grave = [message for message in issues["messages"] if message["severity"] < 2]
        assert (issues["numErrors"], issues["numWarnings"], grave) == (0, 0, []), path


def test_the_validator_finds_an_error(tmp_path):
    path = write(tmp_path, "glb")
    data = bytearray(path.read_bytes())
    at = data.index(b'"max":[1.0]', data.index(b'"accessors"'))
    data[at : at + 11] = b'"max":[0.5]'
    path.write_bytes(data)
    assert node("validate.mjs", path)[str(path)]["numErrors"] > 0


RIGS = {
    "our own": (None, HUMANOID.joints),
    "a user's": (
        {"names": NAMES["mixamo"], "turn_seed": 2, "arms_down_deg": 45, "scene": (0.01, (0.5, 0.5, 0.5, 0.5))},
        [NAMES["mixamo"][joint] for joint in HUMANOID.joints],
    ),
}


@pytest.mark.parametrize(("rig", "names"), RIGS.values(), ids=RIGS.keys())
def test_three_js_plays_it_with_the_joints_where_they_were(tmp_path, rig, names):
    bone_m = CLIP[0].people[0].pose.bone_m.astype(float)
    character = make_rig(tmp_path / "rig.glb", bone_m=bone_m, **rig) if rig else None
    path = write(tmp_path / "out", "glb", character)
    keys = [0, 7, 15, 30]
    played = node("play.mjs", path, ",".join(str(key / 30) for key in keys))
    assert played["duration"] == pytest.approx(1.0, abs=1e-6)
    assert played["tracks"] == 1 + len(HUMANOID.joints)
    for key, places in zip(keys, played["joints"], strict=True):
        got = np.array([places[re.sub(r"[\[\].:/]", "", name)] for name in names])  # three.js removes these characters
        assert np.linalg.norm(got - JOINTS_M[key], axis=1).max() < 0.005


def test_between_two_keys_three_js_rotates_the_short_way(tmp_path):
    path = write(tmp_path, "glb")
    (places,) = node("play.mjs", path, str(10.5 / 30))["joints"]
    got = np.array([places[joint] for joint in HUMANOID.joints])
    between = (JOINTS_M[10] + JOINTS_M[11]) / 2
    assert np.linalg.norm(got - between, axis=1).max() < 0.005


def vrm1(nodes):
    bones = {joint: {"node": nodes[joint]} for joint in HUMANOID.joints}
    meta = {"name": "test", "authors": ["us"], "licenseUrl": "https://vrm.dev/licenses/1.0/"}  # the only licence
    return {"VRMC_vrm": {"specVersion": "1.0", "meta": meta, "humanoid": {"humanBones": bones}}}


@pytest.mark.parametrize("share", [1.0, 0.5], ids=["as tall as the performer", "half as tall"])
def test_vrms_own_library_plays_the_vrm_animation_on_an_avatar(tmp_path, share):
    bone_m = share * CLIP[0].people[0].pose.bone_m.astype(float)
    avatar = make_rig(tmp_path / "avatar.vrm", bone_m=bone_m, turn_seed=1, extensions=vrm1)
    played = node("avatar.mjs", write(tmp_path, "vrma"), avatar, "0,0.5,1.0")
    assert played["duration"] == pytest.approx(1.0, abs=1e-6)
    assert set(played["bones"]) == set(HUMANOID.joints)
    for key, places in zip((0, 15, 30), played["joints"], strict=True):
        got = np.array([places[joint] for joint in HUMANOID.joints])
        assert np.linalg.norm(got - share * JOINTS_M[key], axis=1).max() < 0.005


def test_threes_camera_sees_the_joints_at_the_pixels_of_the_takes_camera(tmp_path):
    times_s = [result.frame.time_ns / 1e9 for result in SEEN]
    played = node("play.mjs", write(tmp_path, "glb", clip=SEEN), ",".join(map(str, times_s)))
    for seen, result, joints_m in zip(played["seen"], SEEN, JOINTS_M, strict=True):
        ndc = np.array([seen[joint] for joint in HUMANOID.joints])
        px = (ndc * (1, -1) + 1) / 2 * (result.camera.width, result.camera.height)
        assert px == pytest.approx(result.camera.project(joints_m), abs=0.1)
