"""Rest pose: facing direction, distance from the T-pose, and the bind pose of posed files."""

import numpy as np
import pytest
from support.rigs import make_rig

from realtime_pose.model3d.character import load_character
from realtime_pose.model3d.rest_pose import canonical_from_scene, distance_from_tpose_rad, weighted_joints
from realtime_pose.utils import rotations as rot


@pytest.mark.parametrize("facing_deg", [0, 90, 180])
def test_the_character_is_turned_to_face_plus_z(tmp_path, facing_deg):
    turn = rot.from_axis_angle([0, 1, 0], np.radians(facing_deg))
    character = load_character(make_rig(tmp_path / "rig.glb", facing=tuple(turn)))
    canonical = canonical_from_scene(character.tree, character.bones)
    assert np.allclose(rot.rotate(canonical, rot.rotate(turn, [0.0, 0.0, 1.0])), [0, 0, 1], atol=1e-6)


def test_an_a_pose_is_as_far_from_the_t_pose_as_its_arms_hang(tmp_path):
    straight = load_character(make_rig(tmp_path / "t.glb"))
    assert distance_from_tpose_rad(straight.tree, straight.bones) == pytest.approx(0.0, abs=1e-5)
    hanging = load_character(make_rig(tmp_path / "a.glb", arms_down_deg=45))
    wanted = 4 * np.pi / 4  # upper and lower arms of both sides
    assert distance_from_tpose_rad(hanging.tree, hanging.bones) == pytest.approx(wanted, abs=1e-5)


def test_nodes_in_the_middle_of_an_animation_give_way_to_the_bind_pose(tmp_path):
    posed = load_character(make_rig(tmp_path / "posed.glb", posed_seed=4))
    assert distance_from_tpose_rad(posed.tree, posed.bones) == pytest.approx(0.0, abs=1e-4)


def test_the_joints_with_weights_are_joints_of_the_skin(tmp_path):
    glb = load_character(make_rig(tmp_path / "rig.glb")).glb
    assert weighted_joints(glb)
    assert weighted_joints(glb) <= set(glb.document["skins"][0]["joints"])
