"""Bone names: the naming schemes of many programs."""

import json
import shutil
import subprocess
from pathlib import Path

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
_GENESIS_8 = (
    "Collar",
    "ShldrBend",
    "ShldrTwist",
    "ForearmBend",
    "ForearmTwist",
    "Hand",
    "ThighBend",
    "ThighTwist",
    "Shin",
    "Foot",
    "Metatarsals",
    "Toe",
)
_GENESIS_9 = (
    "shoulder",
    "upperarm",
    "upperarmtwist1",
    "forearm",
    "hand",
    "thigh",
    "thightwist1",
    "shin",
    "foot",
    "toes",
)
_POSER = ("Collar", "Shldr", "ForeArm", "Hand", "Thigh", "Shin", "Foot", "Toe", "Thumb1")
_SMPL = ("Collar", "Shoulder", "Elbow", "Wrist", "Hand", "Hip", "Knee", "Ankle", "Foot")
_MAKEHUMAN = (
    "clavicle",
    "shoulder01",
    "upperarm01",
    "upperarm02",
    "lowerarm01",
    "lowerarm02",
    "wrist",
    "pelvis",
    "upperleg01",
    "upperleg02",
    "lowerleg01",
    "lowerleg02",
    "foot",
    "toe1-1",
)
_AUTO_RIG = (
    "shoulder",
    "arm_stretch",
    "arm_twist",
    "forearm_stretch",
    "forearm_twist",
    "hand",
    "thigh_stretch",
    "thigh_twist",
    "leg_stretch",
    "leg_twist",
    "foot",
    "toes_01",
)
_MMD = ("肩", "腕", "腕捩", "ひじ", "手捩", "手首", "足", "ひざ", "足首", "つま先", "足ＩＫ")


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
    "Sketchfab's numbers": ([f"{n}_0{i}" for i, n in enumerate(MIXAMO)], "Hips_00 LeftArm_07 RightLeg_021"),
    "a word after every bone": ([f"{n}_Armature" for n in MIXAMO], "Hips_Armature LeftArm_Armature RightLeg_Armature"),
    "VRChat, by CATS": (
        ["Hips", "Head", *sided("{side} {bone}", ("shoulder", "arm", "elbow", "wrist", "leg", "knee", "ankle", "toe"))],
        ["Hips", "Left arm", "Right knee"],
    ),
    "Daz Genesis 8": (
        ["hip", "pelvis", "abdomenLower", "neckLower", "neckUpper", "head", *sided("{side}{bone}", _GENESIS_8, "lr")],
        ["pelvis", "lShldrBend", "rShin"],
    ),
    "Daz Genesis 9": (
        ["hip", "pelvis", "spine1", "neck1", "head", *sided("{side}_{bone}", _GENESIS_9, "lr")],
        "pelvis l_upperarm r_shin",
    ),
    "Poser": (
        ["hip", "abdomen", "neck", "head", *sided("{side}{bone}", _POSER, "lr")],
        "hip lShldr rShin",
    ),
    "SMPL": (
        [f"m_avg_{n}" for n in ("root", "Pelvis", "Spine1", "Neck", "Head", *sided("{side}_{bone}", _SMPL, "LR"))],
        "m_avg_Pelvis m_avg_L_Shoulder m_avg_R_Knee",
    ),
    "MakeHuman": (
        ["spine05", "spine01", "neck01", "neck02", "head", *sided("{bone}.{side}", _MAKEHUMAN, "LR")],
        "spine05 upperarm01.L lowerleg01.R",
    ),
    "Auto-Rig Pro": (
        ["root.x", "spine_01.x", "neck.x", "head.x", *sided("{bone}.{side}", _AUTO_RIG, "lr")],
        "spine_01.x arm_stretch.l leg_stretch.r",
    ),
    "Source's ValveBiped": (
        [f"ValveBiped.Bip01_{n}" for n in ("Pelvis", "Neck1", "Head1", *sided("{side}_{bone}", _BIPED, "LR"))],
        "ValveBiped.Bip01_Pelvis ValveBiped.Bip01_L_UpperArm ValveBiped.Bip01_R_Calf",
    ),
    "Roblox": (
        ["LowerTorso", "UpperTorso", "Head", *sided("{side}{bone}", _UNITY)],
        "LowerTorso LeftUpperArm RightLowerLeg",
    ),
    "MMD": (
        ["センター", "上半身", "下半身", "首", "頭", "両目", *sided("{side}{bone}", _MMD, "左右")],
        "下半身 左腕 右ひざ",
    ),
    "MMD, in Blender": (["下半身", "首", "頭", *sided("{bone}.{side}", _MMD, "LR")], "下半身 腕.L ひざ.R"),
    "MMD with bones that deform": (
        ["下半身", "首", "頭", *sided("{side}{bone}", (*_MMD, "足D", "ひざD", "足首D"), "左右")],
        "下半身 左腕 右ひざD",
    ),
    "Biped": (
        ["Bip01 Pelvis", "Bip01 Head", *sided("Bip01 {side} {bone}", _BIPED, "LR")],
        ["Bip01 Pelvis", "Bip01 L UpperArm", "Bip01 R Calf"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("convention", CONVENTIONS.values(), ids=CONVENTIONS.keys())
def test_bones_are_found_by_the_names_of_many_programs(convention):
    names, expected = convention
    found = {bone: names[node] for bone, node in find_bones(names, range(len(names))).items()}
    assert [bone for bone in REQUIRED if bone not in found] == []
    got = [found[bone] for bone in ("hips", "leftUpperArm", "rightLowerLeg")]
    assert got == (expected.split() if isinstance(expected, str) else expected)
    assert len(set(found.values())) == len(found)


def test_names_that_only_sound_alike_are_no_bones():
    names = ["ik_hand_l", "upperarm_twist_01_l", "HandThumb1", "Head_end", "heads_up_display", "football_r", "pelvis.L"]
    assert find_bones(names, range(len(names))) == {}


def test_the_joint_of_a_hand_or_foot_is_the_one_nearest_to_the_limb():
    """SMPL's foot is the ball of the foot, and KayKit's hand is beyond its wrist; `preferred` begins at the root."""
    names = ["L_Knee", "L_Ankle", "L_Foot", "lowerarm.l", "wrist.l", "hand.l"]
    found = find_bones(names, range(len(names)))
    assert (names[found["leftFoot"]], names[found["leftHand"]]) == ("L_Ankle", "wrist.l")


@pytest.mark.node
@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_the_javascript_receiver_knows_the_same_names():
    receiver = Path(__file__).parents[3] / "receivers" / "javascript" / "bone_names.mjs"
    rigs = [list(names) for names, _ in CONVENTIONS.values()]
    program = f"""import {{ findBones }} from "{receiver.as_uri()}";
        const nodes = (names) => names.map((name) => ({{ name, parent: -1, position: [0, 0, 0] }}));
        console.log(JSON.stringify({json.dumps(rigs)}.map((names) => findBones(nodes(names)))));"""
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == [find_bones(names, range(len(names))) for names in rigs]
