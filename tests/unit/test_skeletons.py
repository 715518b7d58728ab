"""Keypoint layouts and skeletons: names, order, links, mirror pairs, rest pose."""

import runpy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.axes import mirrored_positions
from realtime_pose.kinematics import joint_positions
from realtime_pose.skeletons import (
    AIC14,
    AP10K17,
    BLAZE_BODY_HANDS63,
    COCO17,
    COCO17_FEET_HANDS,
    COCO25,
    COCO_WHOLEBODY133,
    HUMANOID,
    LAYOUTS,
    LIMB_NAMES,
    MPII16,
    REST_HEIGHT_M,
    SKELETONS,
)
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
    """Position of a joint at rest."""
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
def test_mirroring_changes_only_the_side_and_twice_nothing(names, mirror):
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


def test_the_longer_layout_starts_with_coco17():
    assert COCO17_FEET_HANDS.names[:17] == COCO17.names
    assert len(COCO17_FEET_HANDS.names) == 27


def mmpose_dataset(name):
    """A data set's keypoints from mmpose's wheel; the file is read, mmpose is not imported."""
    (folder,) = find_spec("mmpose").submodule_search_locations
    info = runpy.run_path(str(Path(folder) / ".mim/configs/_base_/datasets" / f"{name}.py"))["dataset_info"]
    points = sorted(info["keypoint_info"].values(), key=lambda point: point["id"])
    names = [point["name"] for point in points]
    swaps = [names.index(point["swap"]) if point["swap"] else row for row, point in enumerate(points)]
    links = {frozenset(map(names.index, link["link"])) for link in info["skeleton_info"].values()}
    return names, swaps, links


def our_name(theirs):
    """Our name of one of mmpose's points; its face points have only numbers."""
    animal = {"Root of tail": "tail_root", "Nose": "nose", "Neck": "neck"}
    if theirs in animal:
        return animal[theirs]
    if theirs.startswith(("L_", "R_")):
        point = theirs[2:].lower().replace("f_paw", "front_paw").replace("b_paw", "back_paw")
        return {"L": "left_", "R": "right_"}[theirs[0]] + point
    side, _, point = theirs.partition("_")
    for finger, ours in (("thumb", "thumb"), ("forefinger", "index"), ("middle_finger", "middle"),
                         ("ring_finger", "ring"), ("pinky_finger", "pinky")):  # fmt: skip
        if point[:-1] == finger:
            number = point[-1]
            plain = "2" if finger == "thumb" else "1"  # BlazePose's knuckle
            return f"{side}_{ours}" if number == plain else f"{side}_{ours}_{'tip' if number == '4' else number}"
    return theirs


of_mmpose = pytest.mark.parametrize(
    ("layout", "dataset"),
    [(COCO17, "coco"), (COCO_WHOLEBODY133, "coco_wholebody"), (AIC14, "aic"), (MPII16, "mpii"), (AP10K17, "ap10k")],
    ids=lambda value: getattr(value, "name", value),
)
# Drawn by mmpose and not by us: they would cross the face and the neck.
NOT_OURS = [("left_eye", "right_eye"), ("left_ear", "left_shoulder"), ("right_ear", "right_shoulder")]


@of_mmpose
def test_names_order_and_pairs_are_mmposes(layout, dataset):
    names, swaps, _ = mmpose_dataset(dataset)
    assert [our_name(name) for name in names if not name.startswith("face-")] == [
        name for name, part in zip(layout.names, layout.parts, strict=True) if part != "face"
    ]
    assert [row for row, name in enumerate(names) if name.startswith("face-")] == [
        row for row, part in enumerate(layout.parts) if part == "face"
    ]
    assert list(layout.mirror) == swaps


@of_mmpose
def test_links_are_mmposes(layout, dataset):
    _, _, theirs = mmpose_dataset(dataset)
    ours = {frozenset(link) for link in layout.links}
    if layout in (COCO17, COCO_WHOLEBODY133):
        theirs -= {frozenset(layout.rows(link)) for link in NOT_OURS}
    if layout is COCO_WHOLEBODY133:  # which draws no lines in the face, and leaves a gap between wrist and hand
        contours = {link for link in ours if all(layout.parts[row] == "face" for row in link)}
        assert len(contours) == 64
        ours -= contours
        ours -= {frozenset(layout.rows([f"{side}_wrist", f"{side}_hand_root"])) for side in ("left", "right")}
    assert ours == theirs


def test_the_face_is_ibugs():
    """Its 68 points: jaw 0-16, brows 17-26, nose 27-35, the person's right eye 36-41 and left 42-47, then the mouth."""
    face = COCO_WHOLEBODY133.names[23:91]
    for start, stop, word, side in (
        (0, 8, "jaw", "right"), (9, 17, "jaw", "left"), (17, 22, "brow", "right"), (22, 27, "brow", "left"),
        (27, 31, "nose", "middle"), (36, 42, "eye", "right"), (42, 48, "eye", "left"),
    ):  # fmt: skip
        rows = range(23 + start, 23 + stop)
        assert all(word in COCO_WHOLEBODY133.names[row] and COCO_WHOLEBODY133.sides[row] == side for row in rows)
    assert (face[8], face[30], face[33], face[48], face[54]) == (
        "chin", "nose_bridge_3", "nose_base", "right_lip_corner", "left_lip_corner"
    )  # fmt: skip


def test_coco25_is_easy_vitposes():
    """Order and links of "coco_25" in easy_ViTPose's vit_utils/visualization.py; its "hip" is our pelvis."""
    theirs = (
        "nose left_eye right_eye left_ear right_ear neck left_shoulder right_shoulder left_elbow right_elbow "
        "left_wrist right_wrist left_hip right_hip hip left_knee right_knee left_ankle right_ankle left_big_toe "
        "left_small_toe left_heel right_big_toe right_small_toe right_heel"
    )
    assert COCO25.names == tuple(theirs.replace(" hip ", " pelvis ").split())
    links = [
        (17, 15), (15, 12), (18, 16), (16, 13), (12, 14), (13, 14), (5, 14), (6, 5), (7, 5), (6, 8), (7, 9), (8, 10),
        (9, 11), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (17, 21), (18, 24), (19, 20), (22, 23), (19, 21), (22, 24),
        (5, 0),
    ]  # fmt: skip
    assert {frozenset(link) for link in COCO25.links} == {frozenset(link) for link in links}


def test_whole_bodies_start_with_coco17_and_share_blazeposes_names():
    assert COCO_WHOLEBODY133.names[:17] == COCO17.names
    shared = set(COCO17_FEET_HANDS.names) & set(COCO_WHOLEBODY133.names)
    assert set(COCO17_FEET_HANDS.names) - shared == {"left_toe", "right_toe"}  # the foot's tip is neither toe


@every_layout
def test_a_persons_body_is_distinguished_from_an_animals(layout):
    assert layout.has_body == (layout is not AP10K17)
    assert len(LIMB_NAMES) == 12


def test_the_rows_of_another_layout_are_minus_one_where_it_has_none():
    assert COCO17.rows_of(COCO17) == tuple(range(17))
    assert COCO_WHOLEBODY133.rows_of(COCO17) == tuple(range(17))
    assert COCO25.rows_of(COCO17) == (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18)
    assert AIC14.rows_of(COCO17) == (-1, -1, -1, -1, -1, 3, 0, 4, 1, 5, 2, 9, 6, 10, 7, 11, 8)
    assert MPII16.rows_of(COCO17) == (-1, -1, -1, -1, -1, 13, 12, 14, 11, 15, 10, 3, 2, 4, 1, 5, 0)


@every_layout
def test_parts_and_sides_follow_the_names(layout):
    for name, part, side in zip(layout.names, layout.parts, layout.sides, strict=True):
        assert side == (name.partition("_")[0] if name.startswith(("left", "right")) else "middle")
        assert part == "body" or layout in (COCO17_FEET_HANDS, BLAZE_BODY_HANDS63, COCO25, COCO_WHOLEBODY133)
    counts = {part: layout.parts.count(part) for part in ("body", "foot", "hand", "face")}
    if layout is COCO_WHOLEBODY133:
        assert counts == {"body": 17, "foot": 6, "hand": 42, "face": 68}
    if layout is COCO17_FEET_HANDS:
        assert counts == {"body": 17, "foot": 4, "hand": 6, "face": 0}


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


def test_it_has_its_height_and_its_toes_point_forwards():
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
