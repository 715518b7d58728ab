"""Layouts and skeletons are data, and this is what the data must be."""

import numpy as np
import pytest

from realtime_pose.axes import mirrored_positions
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, LAYOUTS, REST_HEIGHT_M, SKELETONS
from realtime_pose.utils import rotations as rot

# The COCO person category's keypoints, in its order.
COCO_ORDER = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
# VRM 1.0, humanoid bones: every required one, and the optional ones that a body drives.
VRM_REQUIRED = {"hips", "spine", "head"} | {
    f"{side}{bone}"
    for side in ("left", "right")
    for bone in ("UpperLeg", "LowerLeg", "Foot", "UpperArm", "LowerArm", "Hand")
}
VRM_OPTIONAL = {"chest", "neck"}
VRM_PARENTS = {
    "spine": "hips", "chest": "spine", "neck": "chest", "head": "neck",
    "leftUpperArm": "chest", "leftLowerArm": "leftUpperArm", "leftHand": "leftLowerArm",
    "leftUpperLeg": "hips", "leftLowerLeg": "leftUpperLeg", "leftFoot": "leftLowerLeg",
}  # fmt: skip

every_layout = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
everything = pytest.mark.parametrize(
    ("names", "mirror"),
    [*((x.names, x.mirror) for x in LAYOUTS.values()), *((x.joints, x.mirror) for x in SKELETONS.values())],
    ids=[*LAYOUTS, *SKELETONS],
)


def place(name):
    """Where a joint is at rest."""
    row, at = HUMANOID.index[name], np.zeros(3)
    while row >= 0:
        at = at + HUMANOID.rest_offset_m[row]
        row = HUMANOID.parents[row]
    return at


# --- names --------------------------------------------------------------------------------------------------------


@everything
def test_names_are_unique(names, mirror):
    assert len(set(names)) == len(names)


@everything
def test_mirroring_twice_is_nothing_and_changes_just_the_side(names, mirror):
    assert [mirror[mirror[row]] for row in range(len(names))] == list(range(len(names)))
    swap = {"left": "right", "righ": "left"}
    for name, partner in zip(names, mirror, strict=True):
        wanted = swap[name[:4]] + name.removeprefix("left").removeprefix("right") if name[:4] in swap else name
        assert names[partner] == wanted


@everything
def test_both_sides_are_there(names, mirror):
    sided = [row for row, name in enumerate(names) if name.startswith(("left", "right"))]
    assert sided
    assert all(mirror[row] != row for row in sided)
    assert all(mirror[row] == row for row in range(len(names)) if row not in sided)


def test_tables_are_keyed_by_the_names_that_data_carries():
    assert all(name == layout.name for name, layout in LAYOUTS.items())
    assert all(name == skeleton.name for name, skeleton in SKELETONS.items())


# --- layouts ------------------------------------------------------------------------------------------------------


def test_coco17_is_cocos_order():
    assert COCO17.names == COCO_ORDER


def test_the_longer_layout_begins_with_coco17():
    assert COCO17_FEET_HANDS.names[:17] == COCO17.names
    assert len(COCO17_FEET_HANDS.names) == 27


@every_layout
def test_rows_and_names_agree(layout):
    assert [layout.names[row] for row in layout.rows(layout.names[::-1])] == list(layout.names[::-1])
    assert layout.index["left_shoulder"] == layout.names.index("left_shoulder")
    with pytest.raises(KeyError):
        layout.rows(["left_shoulder", "tail"])


@every_layout
def test_links_join_different_existing_keypoints_once_and_on_both_sides(layout):
    count = len(layout.names)
    assert all(0 <= a < count and 0 <= b < count and a != b for a, b in layout.links)
    links = {frozenset(link) for link in layout.links}
    assert len(links) == len(layout.links)
    assert {frozenset((layout.mirror[a], layout.mirror[b])) for a, b in layout.links} == links


@every_layout
def test_links_reach_every_keypoint(layout):
    assert {end for link in layout.links for end in link} == set(range(len(layout.names)))


# --- the humanoid -------------------------------------------------------------------------------------------------


def test_joints_are_vrms():
    assert set(HUMANOID.joints) == VRM_REQUIRED | VRM_OPTIONAL
    assert len(HUMANOID.joints) == 17


def test_the_tree_is_vrms_and_parents_stand_before_their_children():
    assert HUMANOID.joints[0] == "hips"
    assert HUMANOID.parents[0] == -1
    for row, parent in enumerate(HUMANOID.parents[1:], start=1):
        assert 0 <= parent < row
        name, above = HUMANOID.joints[row], HUMANOID.joints[parent]
        if name in VRM_PARENTS:
            assert above == VRM_PARENTS[name]
        else:
            assert above.replace("right", "left") == VRM_PARENTS[name.replace("right", "left")]


def test_left_is_plus_x_and_the_body_is_symmetric():
    for name in HUMANOID.joints:
        if name.startswith("left"):
            assert place(name)[0] > 0
            assert np.allclose(place(name.replace("left", "right")), place(name) * [-1, 1, 1])
        elif not name.startswith("right"):
            assert place(name)[0] == 0


def test_it_stands_in_a_t_pose_with_its_soles_on_the_floor():
    ankle_m = 0.039 * REST_HEIGHT_M  # Winter's table: an ankle's height over the sole
    assert place("leftFoot")[1] == pytest.approx(ankle_m, abs=0.01)
    assert place("leftFoot")[0] == place("leftUpperLeg")[0]  # legs straight down
    arm = [place(f"left{joint}") for joint in ("UpperArm", "LowerArm", "Hand")]
    assert all(joint[1:] == pytest.approx(arm[0][1:]) for joint in arm)  # arms straight out
    assert arm[0][0] < arm[1][0] < arm[2][0]
    spine = [place(joint)[1] for joint in ("hips", "spine", "chest", "neck", "head")]
    assert spine == sorted(spine)
    assert all(place(name)[2] == 0 for name in HUMANOID.joints)


def test_it_is_as_tall_as_it_says_and_its_toes_point_to_the_front():
    crown = place("head") + HUMANOID.tip_offset_m["head"]
    assert crown[1] == pytest.approx(REST_HEIGHT_M)
    for side in ("left", "right"):
        toe = place(f"{side}Foot") + HUMANOID.tip_offset_m[f"{side}Foot"]
        assert toe[2] > 0.1  # +Z is the front
        assert 0 <= toe[1] < 0.05
        fingers = HUMANOID.tip_offset_m[f"{side}Hand"]
        assert np.sign(fingers[0]) == (1 if side == "left" else -1)


def test_tips_belong_to_the_joints_without_children():
    assert set(HUMANOID.tip_offset_m) == {
        name for row, name in enumerate(HUMANOID.joints) if row not in HUMANOID.parents
    }


def test_rest_directions_are_unit_and_give_the_offsets_back():
    length = np.linalg.norm(HUMANOID.rest_direction, axis=-1)
    assert length[0] == 0
    assert np.allclose(length[1:], 1)
    assert HUMANOID.rest_bone_m[0] == 0
    assert (HUMANOID.rest_bone_m[1:] > 0.05).all()
    back = HUMANOID.rest_direction * HUMANOID.rest_bone_m[:, None]
    assert np.allclose(back[1:], HUMANOID.rest_offset_m[1:])


def test_identity_rotations_are_the_rest_pose():
    identity = np.tile(rot.IDENTITY_XYZW, (17, 1))
    joints = joint_positions(HUMANOID, identity, HUMANOID.rest_offset_m[0], HUMANOID.rest_bone_m)
    assert np.allclose(joints, [place(name) for name in HUMANOID.joints])
    assert np.allclose(mirrored_positions(HUMANOID, joints), joints)


def test_the_rest_offsets_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        HUMANOID.rest_offset_m[0, 0] = 1
