"""The program's own character, made to a performer's measure."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from realtime_pose.errors import CharacterError
from realtime_pose.model3d.character import Character
from realtime_pose.model3d.retarget import ANKLE_PER_LEG
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot

_LEG = [HUMANOID.index["leftLowerLeg"], HUMANOID.index["leftFoot"]]


def to_measure(character: Character, bone_m: npt.ArrayLike) -> Character:
    """The character with the performer's bone lengths (17,), so that its joints are where the performer's are.

    As a whole it grows by the length of the legs; what is then left over moves its joints, and the skin stretches.

    Raises:
        CharacterError: The character's bones are not HUMANOID's, turned as HUMANOID's are.
    """
    length, tree = np.asarray(bone_m, dtype=np.float64), character.tree
    nodes = [node for node in character.moved if node != character.bones["hips"]]
    node_of = dict(character.bones) | dict(zip(("spine", "chest"), character.trunk.torso, strict=False))
    rows = {node_of.get(joint, -1): row for row, joint in enumerate(HUMANOID.joints)}
    alike = len(nodes) == len(HUMANOID.joints) - 1 and all(
        tree.parents[node] == node_of.get(HUMANOID.joints[HUMANOID.parents[rows[node]]]) if node in rows else False
        for node in nodes
    )
    if not alike or np.any(rot.angle_between_rad(tree.world.turn[nodes], rot.IDENTITY_XYZW) > 1e-6):
        raise CharacterError(f"{character.glb.path} has other bones than HUMANOID, so it cannot be made to measure")
    hips = character.bones["hips"]
    translation, scale = tree.translation.copy(), tree.scale.copy()
    leg_m = float(length[_LEG].sum())
    grown = leg_m / float(np.linalg.norm(translation[[node_of[HUMANOID.joints[row]] for row in _LEG]], axis=1).sum())
    translation[hips] = (0.0, leg_m * (1 + ANKLE_PER_LEG), 0.0)
    scale[hips] *= grown
    for node in nodes:
        translation[node] = HUMANOID.rest_direction[rows[node]] * length[rows[node]] / grown
    return replace(character, tree=replace(tree, translation=translation, scale=scale))
