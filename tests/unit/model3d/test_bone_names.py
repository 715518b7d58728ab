"""Bone names: the naming schemes of many programs."""

import pytest

from realtime_pose.model3d.bone_names import REQUIRED, find_bones
from realtime_pose.skeletons import HUMANOID

SIDES = ("Left", "Right")
_UNITY = ("UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot")
_BIPED = ("UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot")
_RIGIFY = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
_MIXAMO = ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "Shoulder", "HandThumb1", "HandMiddle1", "ToeBase")
_MANNY = (
    *("upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "clavicle", "ball", "index_01"),
    *("upperarm_twist_01", "lowerarm_twist_01", "ik_hand", "ik_foot"),
)


def sided(pattern, bones, sides=SIDES):
    return [pattern.format(side=side, bone=bone) for side in sides for bone in bones]


MIXAMO = ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "HeadTop_End", *sided("{side}{bone}", _MIXAMO)]
MANNY = ["root", "pelvis", "spine_01", "spine_05", "neck_01", "neck_02", "head", "ik_foot_root", "ik_hand_gun"]
RIGIFY = ["DEF-spine", "DEF-spine.004", "DEF-spine.006", "DEF-upper_arm.L.001", "DEF-pelvis.L", "hips", "head"]
# the names of a whole rig, and what hips, left upper arm and right lower leg are among them
CONVENTIONS = {
    "VRM": (HUMANOID.joints, "hips leftUpperArm rightLowerLeg"),
    "VRoid": (
        ["J_Bip_C_Hips", "J_Bip_C_Head", "J_Sec_Hair1", *sided("J_Bip_{side}_{bone}", _UNITY, "LR")],
        "J_Bip_C_Hips J_Bip_L_UpperArm J_Bip_R_LowerLeg",
    ),
    "Unity": (["Hips", "Head", *sided("{side}{bone}", _UNITY)], "Hips LeftUpperArm RightLowerLeg"),
    "Unity, side last": (["Hips", "Head", *sided("{bone}{side}", _UNITY)], "Hips UpperArmLeft LowerLegRight"),
    "small letters": (
        ["hips", "head", *(name.lower() for name in sided("{side}{bone}", _UNITY))],
        "hips leftupperarm rightlowerleg",
    ),
    "Ready Player Me": (MIXAMO, "Hips LeftArm RightLeg"),
    "Mixamo": ([f"mixamorig:{n}" for n in MIXAMO], "mixamorig:Hips mixamorig:LeftArm mixamorig:RightLeg"),
    "Mixamo, in browsers": ([f"mixamorig{n}" for n in MIXAMO], "mixamorigHips mixamorigLeftArm mixamorigRightLeg"),
    "Mixamo, numbered": ([f"mixamorig7:{n}" for n in MIXAMO], "mixamorig7:Hips mixamorig7:LeftArm mixamorig7:RightLeg"),
    "a name before every bone": ([f"Bob_{n}" for n in MIXAMO], "Bob_Hips Bob_LeftArm Bob_RightLeg"),
    "Unreal's Manny": ([*MANNY, *sided("{bone}_{side}", _MANNY, "lr")], "pelvis upperarm_l calf_r"),
    "Rigify": (
        [*RIGIFY, *(name for kind in ("ORG-{bone}.{side}", "{bone}_fk.{side}", "DEF-{bone}.{side}")
                    for name in sided(kind, _RIGIFY, "LR"))],
        "DEF-spine DEF-upper_arm.L DEF-shin.R",
    ),
    "Rigify's ORG bones": (
        ["ORG-spine", "ORG-spine.006", *sided("ORG-{bone}.{side}", _RIGIFY, "LR")],
        "ORG-spine ORG-upper_arm.L ORG-shin.R",
    ),
    "Rigify's metarig": (
        ["spine", "spine.001", "spine.006", *sided("{bone}.{side}", _RIGIFY, "LR")],
        "spine upper_arm.L shin.R",
    ),
    "Biped": (["Bip01 Pelvis", "Bip01 Head", *sided("Bip01 {side} {bone}", _BIPED, "LR")], None),
}  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS.keys())
def test_bones_are_found_by_the_names_of_many_programs(convention):
    names, expected = convention
    found = {bone: names[node] for bone, node in find_bones(names, range(len(names))).items()}
    assert [bone for bone in REQUIRED if bone not in found] == []
    got = [found[bone] for bone in ("hips", "leftUpperArm", "rightLowerLeg")]
    assert got == (expected.split() if expected else ["Bip01 Pelvis", "Bip01 L UpperArm", "Bip01 R Calf"])
    assert len(set(found.values())) == len(found)


def test_names_that_only_sound_alike_are_no_bones():
    names = ["ik_hand_l", "upperarm_twist_01_l", "HandThumb1", "Head_end", "heads_up_display", "football_r", "pelvis.L"]
    assert find_bones(names, range(len(names))) == {}
