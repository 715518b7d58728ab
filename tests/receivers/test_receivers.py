"""Every receiver that can run here reads the golden packets to the same numbers, and puts a rig where it belongs."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import receiver_cases as cases
from receiver_cases import Rig

from realtime_pose.utils import rotations as rot

HERE = Path(__file__).parent
RECEIVERS = HERE.parents[1] / "receivers"

COMMANDS = {
    "python": [sys.executable, "-W", "error", HERE / "run_python.py"],
    "javascript": ["node", HERE / "run_node.mjs"],
    "blender": ["blender", "-b", "--factory-startup", "--python-exit-code", "1", "-P", HERE / "run_blender.py", "--"],
    "unity": ["mono", "{folder}/RunUnity.exe"],  # beside a stand-in for Unity itself
    "godot3": ["godot3-server", "--path", "{folder}", "-s", HERE / "run_godot3.gd"],
}
COMMANDS["godot4"] = COMMANDS[
    "godot3"
]  # Godot 4 itself is in no package registry; its script is put in Godot 3's words
READS = ("stream", "seq", "person", "timestamp", "keypoints", "scores", "joints_3d", "rotations", "root")


GODOT_4_TO_3 = {
    r"@export var (\w+) := (.*)": r"export var \1 = \2",
    r"@export var (\w+): NodePath": r"export(NodePath) var \1",
    r"\bQuaternion\b": "Quat",
    r"get_rotation_quaternion": "get_rotation_quat",
    r"to_utf8_buffer": "to_utf8",
    r"_udp\.bind\(": "_udp.listen(",
    r"Time\.get_ticks_msec": "OS.get_ticks_msec",
    r"moved\.emit\(": 'emit_signal("moved", ',
    r"\tvar json = JSON\.new\(\)\n": "",
    r"\tif json\.parse\((.*?)\) != OK": r"\tvar json = JSON.parse(\1)\n\tif json.error != OK",
    r"json\.data": "json.result",
    r"\[TYPE_FLOAT, TYPE_INT\]": "[TYPE_REAL]",
    r'", "\.join\(missing\)': 'PoolStringArray(missing).join(", ")',
    r"facing \* limb\[3\]": "facing.xform(limb[3])",
    r"facing \* moved": "facing.xform(moved)",
    r"affine_inverse\(\) \* hips": "affine_inverse().xform(hips)",
}


def in_the_words_of_godot3(script: str) -> str:
    """The Godot 4 receiver as Godot 3 understands it: other names for the same things, no line of logic touched."""
    for pattern, words in GODOT_4_TO_3.items():
        script, count = re.subn(pattern, words, script)
        assert count, pattern
    return script


_PARAMS = [pytest.param(name, marks=[pytest.mark.blender] if name == "blender" else []) for name in COMMANDS]


@pytest.fixture(scope="module", params=_PARAMS)
def answers(request, tmp_path_factory):
    """What one receiver made of the cases."""
    name = request.param
    folder, receiver = tmp_path_factory.mktemp(name), RECEIVERS / name
    if name == "godot4":
        script = (receiver / "pose_receiver.gd").read_text()
        receiver = folder
        (folder / "pose_receiver.gd").write_text(in_the_words_of_godot3(script))
    command = [str(word).format(folder=folder) for word in COMMANDS[name]]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    if name == "unity":
        if shutil.which("mcs") is None:
            pytest.skip("mcs is not installed")
        sources = [*receiver.glob("*.cs"), *(HERE / "unity").glob("*.cs")]
        compiler = ["mcs", "-langversion:7", "-warnaserror", f"-out:{folder}/RunUnity.exe", *sources]
        subprocess.run(compiler, check=True, timeout=60)
    (folder / "cases.json").write_text(json.dumps(cases.cases()))
    done = subprocess.run(
        [*command, receiver, folder / "cases.json", folder / "answers.json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "answers.json").read_bytes().decode(errors="replace"))


def test_golden_poses_are_read_to_the_same_numbers(answers):
    lines = cases.valid_lines()
    poses = 0
    for line, got in zip(lines, answers["decoded"][: len(lines)], strict=True):
        sent = json.loads(line)
        if sent["type"] != "pose":
            assert got is None  # these receivers need neither the parts nor the hello
            continue
        poses += 1
        assert {key: got[key] for key in READS} == {key: sent[key] for key in READS}
    assert poses >= 7


def test_malformed_packets_are_refused(answers):
    lines = cases.malformed_lines()
    taken = {
        case["name"] for case, got in zip(lines, answers["decoded"][-len(lines) :], strict=True) if got is not None
    }
    assert taken <= cases.NOT_SEEN_BY_A_PLAIN_PARSER


@pytest.mark.parametrize("index", range(len(cases.rigs())), ids=lambda i: cases.rigs()[i].title)
def test_each_bone_is_where_forward_kinematics_puts_it(answers, index):
    rig = cases.rigs()[index]
    for datagram, placed in zip(cases.poses(), answers["placed"][index], strict=True):
        wanted, got = cases.expected(rig, json.loads(datagram)), np.array(placed)
        np.testing.assert_allclose(got[:, :3], wanted[:, :3], atol=2e-5 * rig.scale)
        assert rot.angle_between_rad(got[:, 3:], wanted[:, 3:]).max() < 2e-3  # engines keep float32


@pytest.mark.parametrize("index", [0, 1], ids=["identity", "any angle"])
def test_a_rig_of_the_same_proportions_has_its_joints_where_the_packet_says(answers, index):
    rig: Rig = cases.rigs()[index]
    rows = list(rig.bone_of.values())
    for datagram, placed in zip(cases.poses(), answers["placed"][index], strict=True):
        np.testing.assert_allclose(np.array(placed)[rows, :3], json.loads(datagram)["joints_3d"], atol=3e-3)


@pytest.mark.parametrize("index", range(len(cases.followed())), ids=["anybody", "one person", "a flood of streams"])
def test_old_packets_are_dropped_and_a_new_stream_is_taken_up(answers, index):
    wanted = [[taken, lost] for *_, taken, lost in cases.followed()[index]["events"]]
    assert answers["followed"][index] == wanted


def test_blender_reads_packets_with_the_very_lines_of_the_python_receiver():
    lines = (RECEIVERS / "python" / "pose_receiver.py").read_text()
    packets = lines[lines.index("# ---- packets") : lines.index("# ---- retargeting")].rstrip()
    assert packets in (RECEIVERS / "blender" / "realtime_pose_receiver.py").read_text()
