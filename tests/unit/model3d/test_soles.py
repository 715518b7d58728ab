"""Soles: the lowest points of a character's feet, from its mesh or its nodes."""

import numpy as np
import pytest
from support.rigs import make_rig, write_glb

from realtime_pose.model3d.character import load_character
from realtime_pose.model3d.glb import read_glb
from realtime_pose.model3d.retarget import ANKLE_PER_LEG
from realtime_pose.model3d.soles import feet_points
from realtime_pose.skeletons import HUMANOID

LEG_M = float(HUMANOID.rest_bone_m[[HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]]].sum())
BACK = (-np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5))


def soles(character):
    return feet_points(character.glb, character.tree, character.bones, LEG_M, ANKLE_PER_LEG)


def with_feet(path, depth_m, **options):
    """A rig whose feet's vertices lie this far below the ankle and 0.2 m before it; 0.1 m to each side by half."""
    glb = read_glb(make_rig(path, **options))
    data = bytearray(path.read_bytes()[glb.bin_start : glb.bin_start + glb.bin_bytes])
    view = glb.document["bufferViews"][0]
    points = np.frombuffer(data, "<f4", view["byteLength"] // 4, view["byteOffset"]).reshape(-1, 3, 3).copy()
    character = load_character(path)
    for side in ("left", "right"):
        node = character.bones[f"{side}Foot"] - 1  # joints come after the scene's node
        ankle = points[node, 0] - [0, 0, 0.02]
        points[node] = ankle + np.array([[0, -depth_m, 0.2], [0.05, -depth_m, -0.05], [-0.05, -depth_m, 0]])
    data[view["byteOffset"] : view["byteOffset"] + view["byteLength"]] = points.astype("<f4").tobytes()
    write_glb(path, glb.document, bytes(data))
    return load_character(path)


@pytest.mark.parametrize("depth_m", [0.06, 0.35])
def test_they_are_the_lowest_vertices_that_follow_the_feet(tmp_path, depth_m):
    for points in soles(with_feet(tmp_path / "rig.glb", depth_m)):
        assert points[:, 1].min() == pytest.approx(-depth_m, abs=1e-5)
        assert points[:, 2].max() == pytest.approx(0.2, abs=1e-5)


def test_a_mesh_without_feet_stands_on_the_scenes_floor(tmp_path):
    for points in soles(with_feet(tmp_path / "rig.glb", 0.01)):
        assert points == pytest.approx(np.array([[0.0, -ANKLE_PER_LEG * LEG_M, 0.0]]), abs=1e-6)


def test_a_rig_that_is_far_from_the_floor_has_a_persons_ankles(tmp_path):
    def raise_it(document):
        document["nodes"][0]["translation"] = [0.0, 3.0, 0.0]

    for points in soles(load_character(make_rig(tmp_path / "rig.glb", change=raise_it))):
        assert points == pytest.approx(np.array([[0.0, -ANKLE_PER_LEG * LEG_M, 0.0]]), abs=1e-6)


def test_ankles_as_high_as_a_chibis_are_over_its_floor(tmp_path):
    """The nodes of the toes are near to the floor, the ankles are not."""
    height_m = 0.4 * LEG_M

    def with_toes(document):
        document["nodes"][0]["translation"] = [0.0, height_m - ANKLE_PER_LEG * LEG_M, 0.0]
        for name in ("leftFoot", "rightFoot"):
            (foot,) = (node for node in document["nodes"] if node["name"] == name)
            foot["children"] = [len(document["nodes"])]
            document["nodes"].append({"name": f"{name} toes", "translation": [0.0, 0.02 - height_m, 0.1]})

    for points in soles(load_character(make_rig(tmp_path / "rig.glb", change=with_toes))):
        assert points[:, 1] == pytest.approx(-height_m, abs=1e-6)
        assert points[:, 2].tolist() == pytest.approx([0.0, 0.1], abs=1e-6)


def test_damaged_values_are_as_good_as_none(tmp_path):
    def damage(document):
        document["accessors"][0]["count"] = 10**9

    character = load_character(make_rig(tmp_path / "rig.glb", change=damage))
    assert [len(points) for points in soles(character)] == [1, 1]
