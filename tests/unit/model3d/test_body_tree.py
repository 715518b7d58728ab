"""Humanoid tree: trunk and neck, and re-attached limbs and mesh parts."""

import numpy as np
import pytest
from support.rigs import NAMES, make_rig

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import load_character


def test_a_long_spine_and_neck_are_split_where_the_arms_branch_off(tmp_path):
    between = {("hips", "spine"): ["waist"], ("neck", "head"): ["neck2"]}
    character = load_character(make_rig(tmp_path / "rig.glb", between=between))
    name = [node.get("name") for node in character.glb.nodes]
    assert [name[node] for node in character.trunk.torso] == ["waist", "spine", "chest"]
    assert [name[node] for node in character.trunk.neck] == ["neck", "neck2"]


def test_a_detached_arm_is_attached_to_the_chest_and_stays_where_it_was(tmp_path):
    character = load_character(make_rig(tmp_path / "rig.glb", loose=("leftUpperArm",), turn_seed=2))
    tree, arm = character.tree, character.bones["leftUpperArm"]
    assert character.trunk.torso[-1] not in ancestors_in(character.glb.parents, arm)
    assert character.trunk.torso[-1] in tree.ancestors(arm)
    whole = load_character(make_rig(tmp_path / "whole.glb", turn_seed=2))
    hand, same_hand = character.bones["leftHand"], whole.bones["leftHand"]
    np.testing.assert_allclose(tree.world.position[hand], whole.tree.world.position[same_hand], atol=1e-6)


def ancestors_in(parents, node):
    out = []
    while (node := parents[node]) >= 0:
        out.append(node)
    return out


def test_a_head_that_is_not_above_the_hips_is_refused(tmp_path):
    with pytest.raises(CharacterError, match=r"its head Head is not below its hips Hips in the node tree.*--bones"):
        load_character(make_rig(tmp_path / "rig.glb", names=NAMES["unity"], loose=("head",)))
