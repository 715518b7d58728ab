"""The built-in character fitted to a person's bone lengths."""

import numpy as np
import pytest
from support.rigs import make_rig

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import default_character_path, load_character
from realtime_pose.model3d.fit_to_person import fit_to_person
from realtime_pose.skeletons import HUMANOID

LONG_LEGS = HUMANOID.rest_bone_m * np.where([("Leg" in j or "Foot" in j) for j in HUMANOID.joints], 1.2, 0.95)


def test_each_bone_has_the_persons_length():
    character = load_character(default_character_path())
    fitted = fit_to_person(character, LONG_LEGS)
    nodes = dict(fitted.bones) | dict(zip(("spine", "chest"), fitted.trunk.torso, strict=True))
    for row, joint in enumerate(HUMANOID.joints[1:], 1):
        assert np.linalg.norm(fitted.tree.translation[nodes[joint]]) == pytest.approx(LONG_LEGS[row], abs=1e-6)
    feet = fitted.tree.world.position[[nodes["leftFoot"], nodes["rightFoot"]], 1]
    assert np.all((feet > 0.0) & (feet < 0.2))  # it stands on the floor
    assert fitted.patches


def test_another_rig_is_refused(tmp_path):
    rig = load_character(make_rig(tmp_path / "rig.glb", turn_seed=1))
    with pytest.raises(CharacterError, match="has other bones than HUMANOID, so it cannot be fitted to a person"):
        fit_to_person(rig, HUMANOID.rest_bone_m)
