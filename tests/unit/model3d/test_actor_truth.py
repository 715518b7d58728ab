"""Ground truth of the shipped clips: consistent, physically plausible, and other files are refused."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.datatypes import SceneCamera
from realtime_pose.errors import ArrayShapeError, RecordingError, UnknownChoiceError
from realtime_pose.kinematics import joint_positions
from realtime_pose.model3d.actor_truth import ActorTruth, load_truth, project, save_truth
from realtime_pose.skeletons import COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.paths import data_path
from tools.actor.motion.second_script import SECOND_SCRIPT

SIDES = ("left", "right")


@pytest.fixture(scope="module", params=["actor", "actor-2"])
def truth(request) -> ActorTruth:
    return load_truth(request.param)


@pytest.fixture(scope="module")
def first() -> ActorTruth:
    return load_truth("actor")


@pytest.fixture(scope="module")
def second() -> ActorTruth:
    return load_truth("actor-2")


def joint(truth: ActorTruth, name: str) -> np.ndarray:
    return truth.joints_m[:, HUMANOID.index[name]].astype(np.float64)


def test_it_lasts_15_to_20_seconds(truth):
    assert 15.0 <= len(truth.joints_m) / truth.fps <= 20.0


def test_every_activity_is_shown(first, second):
    assert set(first.activity) == {"stand", "wave", "walk", "turn", "squat", "kick", "reach"}
    assert set(second.activity) == {
        "side step", "wave", "turn", "lunge", "pick up", "throw", "walk", "sit down", "sit", "sit with crossed arms",
        "stand up", "stand",
    }  # fmt: skip


def test_forward_kinematics_meets_the_joints(truth):
    posed = joint_positions(HUMANOID, truth.local_xyzw, truth.root_m, truth.bone_m)
    np.testing.assert_allclose(posed, truth.joints_m, atol=1e-6)


def test_rotations_are_unit_and_never_jump(truth):
    np.testing.assert_allclose(np.linalg.norm(truth.local_xyzw, axis=-1), 1.0, atol=1e-6)
    assert np.degrees(rot.angle_between_rad(truth.local_xyzw[:-1], truth.local_xyzw[1:])).max() < 18.0
    assert np.sum(truth.local_xyzw[:-1] * truth.local_xyzw[1:], axis=-1).min() > 0.0  # no flips of sign


def test_bones_keep_the_actors_own_lengths(truth):
    for row, parent in enumerate(HUMANOID.parents):
        if parent >= 0:
            length = np.linalg.norm(truth.joints_m[:, row] - truth.joints_m[:, parent], axis=-1)
            np.testing.assert_allclose(length, truth.bone_m[row], atol=1e-5)


@pytest.mark.parametrize("side", SIDES)
def test_a_foot_in_contact_is_still_and_flat(truth, side):
    held = truth.foot_contact[:, SIDES.index(side)]
    assert 0.5 < held.mean() < 0.9
    both = held[1:] & held[:-1]
    for point in (f"{side}_ankle", f"{side}_heel", f"{side}_toe"):
        place = truth.keypoints_m[:, COCO17_FEET_HANDS.index[point]].astype(np.float64)
        assert np.linalg.norm(np.diff(place, axis=0), axis=-1)[both].max() < 0.001
        assert np.ptp(place[held, 1]) < 0.001
        assert place[:, 1].min() > -0.005  # nothing sinks into the floor


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("above", "hinge", "below"), [("UpperLeg", "LowerLeg", "Foot"), ("UpperArm", "LowerArm", "Hand")]
)
def test_knees_and_elbows_bend_one_way(truth, side, above, hinge, below):
    limb = joint(truth, side + hinge) - joint(truth, side + above)
    past = joint(truth, side + below) - joint(truth, side + hinge)
    # A hinge rotates about one axis: x for knees (shank backward), y for elbows (forearm forward at rest).
    turn = rot.to_rotvec(truth.local_xyzw[:, HUMANOID.index[side + hinge]])
    axis = 0 if hinge == "LowerLeg" else 1
    bend = turn[:, axis] * (-1.0 if (side, axis) == ("left", 1) else 1.0)
    assert np.abs(np.delete(turn, axis, axis=1)).max() < 1e-4
    assert np.degrees(bend.min()) > 0.0
    assert np.degrees(bend.max()) < 135.0
    cosine = np.sum(rot.unit(limb) * rot.unit(past), axis=-1)
    np.testing.assert_allclose(np.arccos(np.clip(cosine, -1, 1)), bend, atol=2e-3)


def test_knees_point_where_the_body_does(truth):
    forward = rot.rotate(truth.local_xyzw[:, 0], [0.0, 0.0, 1.0])
    for side in SIDES:
        middle = (joint(truth, f"{side}UpperLeg") + joint(truth, f"{side}Foot")) / 2
        assert np.sum((joint(truth, f"{side}LowerLeg") - middle) * forward, axis=-1).min() > 0.02


def test_the_keypoints_are_the_joints_projected_and_inside_the_image(truth):
    at = COCO17_FEET_HANDS.index
    for keypoint, name in (("shoulder", "UpperArm"), ("wrist", "Hand"), ("hip", "UpperLeg"), ("ankle", "Foot")):
        for side in SIDES:
            np.testing.assert_allclose(
                truth.keypoints_m[:, at[f"{side}_{keypoint}"]], joint(truth, side + name), atol=1e-6
            )
    seen = project(truth.keypoints_m, truth.camera_from_world, truth.intrinsics)
    np.testing.assert_allclose(seen, truth.keypoints_px, atol=1e-3)


def inside(truth: ActorTruth, margin_px: float) -> np.ndarray:
    """(T, K) whether a keypoint is inside the image."""
    size = np.array([truth.intrinsics.width, truth.intrinsics.height])
    return ((truth.keypoints_px > margin_px) & (truth.keypoints_px < size - margin_px)).all(axis=-1)


def test_the_first_actor_is_whole_in_every_frame(first):
    assert inside(first, 5).all()


def test_the_second_is_whole_at_first_and_only_above_the_knees_when_seated(second):
    at = COCO17_FEET_HANDS.index
    activity = np.array(second.activity)
    assert inside(second, 5)[np.arange(len(activity)) < 10.1 * second.fps].all()
    seated = np.isin(activity, ("sit", "sit with crossed arms"))
    assert seated.sum() > 4 * second.fps
    for point in ("nose", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_hip", "right_hip"):
        assert inside(second, 5)[seated][:, at[point]].all()
    below = [at[f"{side}_{point}"] for side in SIDES for point in ("knee", "ankle", "heel", "toe")]
    assert not inside(second, 0)[seated][:, below].any()


def test_the_second_sits_still_on_the_stool_with_level_thighs_and_bent_knees(second):
    stool = SECOND_SCRIPT.stool
    activity = np.array(second.activity)
    seated = np.isin(activity, ("sit", "sit with crossed arms"))
    hips = joint(second, "hips")[seated]
    assert np.hypot(hips[:, 0] - stool.x_m, hips[:, 2] - stool.z_m).max() < 0.03
    assert np.ptp(hips, axis=0).max() < 0.002
    np.testing.assert_allclose(hips[:, 1] - stool.height_m, 0.123, atol=0.005)  # the seat of the trousers
    for side in SIDES:
        hip, knee, ankle = (joint(second, side + name)[seated] for name in ("UpperLeg", "LowerLeg", "Foot"))
        assert np.degrees(np.arcsin(np.abs(rot.unit(knee - hip)[:, 1]))).max() < 20.0
        assert np.degrees(np.arccos(rot.unit(knee - ankle)[:, 1])).max() < 20.0
    assert second.foot_contact[seated].all()
    assert second.root_m[activity == "stand", 1].min() > 0.8  # and gets up again


def test_the_second_crosses_the_arms_one_before_the_other(second):
    crossed = np.array(second.activity) == "sit with crossed arms"
    middle = np.flatnonzero(crossed)[crossed.sum() // 2]
    left, right = second.joints_m[middle, [HUMANOID.index["leftHand"], HUMANOID.index["rightHand"]]].astype(float)
    assert left[0] < right[0] - 0.08  # each wrist on the other side
    assert right[2] > left[2] + 0.06


def test_the_second_steps_aside_reaches_over_its_head_lunges_and_touches_the_floor(second):
    activity, fps = np.array(second.activity), second.fps
    hips, wrist = joint(second, "hips"), joint(second, "leftHand")
    assert hips[0, 0] - hips[round(2.2 * fps), 0] > 0.6
    assert (wrist - joint(second, "head"))[activity == "wave", 1].max() > 0.35
    apart = (joint(second, "leftFoot") - joint(second, "rightFoot"))[activity == "lunge"]
    assert np.linalg.norm(apart[:, [0, 2]], axis=1).max() > 0.6
    assert second.keypoints_m[activity == "pick up"][:, COCO17_FEET_HANDS.index["right_index"], 1].min() < 0.12


def test_the_image_is_not_mirrored_and_the_back_is_seen(truth):
    at = COCO17_FEET_HANDS.index
    across = truth.keypoints_px[:, at["left_shoulder"], 0] - truth.keypoints_px[:, at["right_shoulder"], 0]
    assert across[0] > 40.0
    assert across[np.array(truth.activity) == "turn"].min() < -40.0


def test_a_saved_truth_is_loaded_unchanged(truth, tmp_path):
    save_truth(tmp_path / "a.npz", truth)
    save_truth(tmp_path / "b.npz", truth)
    again = load_truth(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    for field in dataclasses.fields(ActorTruth):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(truth, field.name))


def test_a_clip_that_there_is_not_is_refused_with_those_there_are():
    with pytest.raises(UnknownChoiceError, match=r"clip='actor-3' is not one of: actor, actor-2"):
        load_truth("actor-3")


def _text(path: Path) -> None:
    path.write_text("not a truth")


def _other_npz(path: Path) -> None:
    np.savez(path, joints_m=np.zeros(3))


def _pickled(path: Path) -> None:
    with np.load(data_path("resources/videos/default_truth.npz")) as file:
        arrays = dict(file)
    np.savez(path, **(arrays | {"joint_names": arrays["joint_names"].astype(object)}))


def _cut(path: Path) -> None:
    whole = data_path("resources/videos/default_truth.npz").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _damaged(path: Path) -> None:
    whole = bytearray(data_path("resources/videos/default_truth.npz").read_bytes())
    whole[50_000:50_040] = bytes(40)
    path.write_bytes(whole)


@pytest.mark.parametrize("make", [lambda path: None, _text, _other_npz, _pickled, _cut, _damaged])
def test_a_foreign_file_is_refused_by_name(tmp_path, make):
    path = tmp_path / "foreign.npz"
    make(path)
    with pytest.raises(RecordingError, match=r"foreign\.npz is not the ground truth of an actor's clip"):
        load_truth(path)


def test_a_scene_camera_projects_the_joints_to_the_same_pixels(truth):
    opencv_from_world = truth.camera_from_world
    world_from_camera = rot.from_matrix(opencv_from_world[:3, :3].T * [1, -1, -1])  # its axes are x, y up and z back
    place_m = -opencv_from_world[:3, :3].T @ opencv_from_world[:3, 3]
    lens = truth.intrinsics
    camera = SceneCamera(lens.fov_deg, lens.width, lens.height, place_m, world_from_camera)
    assert camera.project(truth.keypoints_m) == pytest.approx(truth.keypoints_px, abs=0.01)
    assert camera.rounded().project(truth.keypoints_m) == pytest.approx(truth.keypoints_px, abs=0.3)


def test_rows_of_another_count_are_refused(truth):
    with pytest.raises(ArrayShapeError):
        dataclasses.replace(truth, activity=truth.activity[1:])
