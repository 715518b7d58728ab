"""All receivers: the golden packets decode to the same numbers, and rigs get the right poses."""

import json

import numpy as np
import pytest
import receiver_cases as cases
from receiver_cases import Rig
from receiver_runs import COMMANDS, RECEIVERS, run_receiver

from realtime_pose.utils import rotations as rot

READS = ("stream", "seq", "person", "timestamp", "keypoints", "scores", "joints_3d", "rotations", "root")
_ALL = [pytest.param(name, marks=[pytest.mark.blender] if name == "blender" else []) for name in COMMANDS]


@pytest.fixture(scope="module")
def answers_of(tmp_path_factory):
    """Runs each receiver once."""
    known = {}

    def get(name):
        if name not in known:
            known[name] = run_receiver(name, tmp_path_factory.mktemp(name))
        return known[name]

    return get


@pytest.fixture(params=[param for param in _ALL if param.values != ("three.js",)])
def answers(request, answers_of):
    """One receiver's answers to the cases."""
    return answers_of(request.param)


@pytest.fixture(params=_ALL)
def placed(request, answers_of):
    """One receiver's bone poses: [rig][pose][bone]."""
    return answers_of(request.param)["placed"]


def test_golden_poses_are_read_to_the_same_numbers(answers):
    lines = cases.valid_lines()
    poses = 0
    for line, got in zip(lines, answers["decoded"][: len(lines)], strict=True):
        sent = json.loads(line)
        if sent["type"] != "pose":
            assert got is None  # receivers ignore `part` and `hello`
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
def test_each_bone_is_where_forward_kinematics_puts_it(placed, index):
    rig = cases.rigs()[index]
    for datagram, bones in zip(cases.poses(), placed[index], strict=True):
        wanted, got = cases.expected(rig, json.loads(datagram)), np.array(bones)
        np.testing.assert_allclose(got[:, :3], wanted[:, :3], atol=2e-5 * rig.scale)
        assert rot.angle_between_rad(got[:, 3:], wanted[:, 3:]).max() < 2e-3  # engines use float32


@pytest.mark.parametrize("index", [0, 1], ids=["identity", "any angle"])
def test_a_rig_of_the_same_proportions_has_its_joints_at_the_packets_positions(placed, index):
    rig: Rig = cases.rigs()[index]
    rows = list(rig.bone_of.values())
    for datagram, bones in zip(cases.poses(), placed[index], strict=True):
        np.testing.assert_allclose(np.array(bones)[rows, :3], json.loads(datagram)["joints_3d"], atol=3e-3)


@pytest.mark.parametrize("index", range(len(cases.followed())), ids=["anybody", "one person", "a flood of streams"])
def test_old_packets_are_dropped_and_a_new_stream_is_taken_up(answers, index):
    wanted = [[taken, lost] for *_, taken, lost in cases.followed()[index]["events"]]
    assert answers["followed"][index] == wanted


def test_blender_reads_packets_with_the_very_lines_of_the_python_receiver():
    lines = (RECEIVERS / "python" / "pose_receiver.py").read_text()
    packets = lines[lines.index("# ---- packets") : lines.index("# ---- retargeting")].rstrip()
    assert packets in (RECEIVERS / "blender" / "realtime_pose_receiver.py").read_text()
