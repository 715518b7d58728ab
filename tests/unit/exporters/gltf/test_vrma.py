"""motion.vrma: a VRM animation as its specification requires."""

import json
import struct

import pytest
from support.gltf_player import Player
from support.people import make_clip

from realtime_pose.exporters.table import TakeInfo, open_exporters
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot


def test_a_vrm_animation_is_as_its_specification_wants_it(tmp_path):
    clip = make_clip(5, seed=3)
    (sink,) = open_exporters(["vrma"], tmp_path, TakeInfo())
    for result in clip:
        sink.send(result)
    sink.close()
    data = (tmp_path / "motion.vrma").read_bytes()
    document = json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])
    extension = document["extensions"]["VRMC_vrm_animation"]
    assert document["extensionsUsed"] == ["VRMC_vrm_animation"]
    assert extension["specVersion"] == "1.0"
    bones = {bone: entry["node"] for bone, entry in extension["humanoid"]["humanBones"].items()}
    required = {"hips", "spine", "head"} | {
        f"{side}{bone}"
        for side in ("left", "right")
        for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
    }
    assert required <= set(bones)
    assert len(set(bones.values())) == len(bones)
    nodes = document["nodes"]
    assert all("rotation" not in node and "scale" not in node for node in nodes)  # VRM's T-pose without rotations
    player = Player(tmp_path / "motion.vrma")
    rest = player.places(None)
    assert rest["leftHand"][0] > rest["leftLowerArm"][0] > rest["leftUpperArm"][0] > 0.1
    assert rest["leftHand"][1] == pytest.approx(rest["leftUpperArm"][1], abs=1e-6)
    assert 0.02 < rest["leftFoot"][1] < 0.12
    assert rest["hips"][1] > 0.7
    for joint in ("leftUpperArm", "rightFoot", "chest"):  # the pose itself, unchanged
        values = player.channels[bones[joint], "rotation"][2]
        wanted = clip[2].people[0].pose.rotations.local_xyzw[HUMANOID.index[joint]]
        assert rot.angle_between_rad(values, wanted) < 1e-6
