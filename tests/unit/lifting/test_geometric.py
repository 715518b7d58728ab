import numpy as np
import pytest
from support.bodies import human_local, keypoints_of, points_of, turned_about_vertical
from support.people import CAMERA

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.lifting.geometric import GeometricLifter
from realtime_pose.skeletons import COCO17, HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333
LIMBS = COCO17.rows(
    [n for n in COCO17.names if n.split("_")[-1] in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")]
)


def lift(local, root_m=(0.0, 0.0, -3.0), frames=10, **seen):
    """The last of some frames of one still pose, and the true points about the root."""
    lifter = GeometricLifter(BodyConfig())
    truth = points_of(local, root_m=root_m)
    for i in range(frames):
        joints = lifter.lift(keypoints_of(truth, time_ns=i * FRAME_NS, seed=i, **seen), CAMERA)
    return joints, truth - np.asarray(root_m)


@pytest.mark.parametrize("yaw_deg", [-150, -90, -45, 0, 30, 90, 135, 180])
@pytest.mark.parametrize("x_m", [-0.8, 0.0, 0.8])
def test_a_standing_body_is_placed_whichever_way_it_faces(yaw_deg, x_m):
    joints, truth = lift(turned_about_vertical(RELAXED_XYZW, yaw_deg), root_m=(x_m, 0.0, -3.0))
    away_m = np.linalg.norm(joints.xyz_m - truth, axis=-1)[LIMBS]
    assert away_m.mean() < 0.07
    assert joints.root_m == pytest.approx([x_m, 0.0, -3.0], abs=0.25)
    front = np.cross(joints.xyz_m[COCO17.index["left_hip"]] - joints.xyz_m[COCO17.index["right_hip"]], [0, 1, 0])
    true_front = rot.rotate(turned_about_vertical(RELAXED_XYZW, yaw_deg)[0], [0.0, 0.0, 1.0])
    assert rot.unit(front) @ true_front > np.cos(np.radians(25))


def test_drawn_poses_are_placed_within_what_one_view_allows():
    """A bound against regressions, not a claim: the self-test's figures are the claim."""
    away_m = []
    for seed in range(25):
        joints, truth = lift(human_local(seed), noise_px=1.5)
        away_m.append(np.linalg.norm(joints.xyz_m - truth, axis=-1)[LIMBS].mean())
    assert np.median(away_m) < 0.17


def test_points_stay_on_the_rays_they_were_seen_on():
    """Lifted points project to their pixels: in a plain pose bone lengths change before pixels do."""
    local = turned_about_vertical(RELAXED_XYZW, 20)
    joints, truth = lift(local)
    seen = keypoints_of(truth + np.array([0.0, 0.0, -3.0])).xy_px
    again = keypoints_of(joints.xyz_m + joints.root_m).xy_px
    assert np.linalg.norm(again - seen, axis=-1)[LIMBS].max() < 15


def test_limbs_have_the_bodys_own_lengths():
    joints, _ = lift(human_local(3))
    body = BodyDimensions.of_height(1.70)
    point = {n: joints.xyz_m[i] for n, i in COCO17.index.items()}
    for side in ("left", "right"):
        for a, b, length in (
            ("shoulder", "elbow", body.upper_arm), ("elbow", "wrist", body.forearm),
            ("hip", "knee", body.thigh), ("knee", "ankle", body.shank),
        ):  # fmt: skip
            assert np.linalg.norm(point[f"{side}_{a}"] - point[f"{side}_{b}"]) == pytest.approx(length, rel=1e-3)


def test_a_squat_does_not_look_like_a_step_back():
    """All bones foreshorten in a squat towards the camera; the standing feet keep the distance."""
    lifter, row = GeometricLifter(BodyConfig()), HUMANOID.index
    depths = []
    for i in range(60):
        bend = min(i / 40, 1.0) * np.radians(100)
        local = RELAXED_XYZW.copy()
        for side in ("left", "right"):
            local[row[f"{side}UpperLeg"]] = rot.from_axis_angle([1.0, 0, 0], np.array(-bend * 0.9))
            local[row[f"{side}LowerLeg"]] = rot.from_axis_angle([1.0, 0, 0], np.array(bend * 1.5))
        local[0] = rot.from_axis_angle([1.0, 0, 0], np.array(bend * 0.3))
        points = points_of(local, root_m=(0.0, 0.0, -3.0))
        points[:, 1] += -1.0 - points[COCO17.index["left_ankle"], 1]  # feet stay where they stand
        depths.append(-lifter.lift(keypoints_of(points, time_ns=i * FRAME_NS), CAMERA).root_m[2])
    assert max(depths) < 3.3


def test_occluded_points_keep_their_place_with_score_zero():
    lifter = GeometricLifter(BodyConfig())
    points = points_of(RELAXED_XYZW, root_m=(0.0, 0.0, -3.0))
    first = lifter.lift(keypoints_of(points), CAMERA)
    score = np.ones(17)
    hidden = COCO17.rows(["left_elbow", "left_wrist"])
    score[hidden] = 0.0
    then = lifter.lift(keypoints_of(points, time_ns=FRAME_NS, score=score), CAMERA)
    assert np.all(then.score[hidden] == 0)
    assert np.allclose(then.xyz_m[hidden], first.xyz_m[hidden])
    assert np.all(np.delete(then.score, hidden) > 0)


@pytest.mark.parametrize("part", ["shoulder", "hip"])
def test_an_occluded_shoulder_or_hip_is_placed_beside_the_other(part):
    """In a side view one of them is often occluded; the other limb must stay usable."""
    score = np.ones(17)
    score[COCO17.index[f"left_{part}"]] = 0
    joints, truth = lift(turned_about_vertical(RELAXED_XYZW, 60), score=score)
    assert joints.score[COCO17.index[f"left_{part}"]] == pytest.approx(0.5)
    assert joints.score[COCO17.index[f"right_{part}"]] == 1
    away_m = np.linalg.norm(joints.xyz_m - truth, axis=-1)
    assert away_m[COCO17.rows([f"left_{part}", f"right_{part}"])].max() < 0.12
    ends = ["elbow", "wrist"] if part == "shoulder" else ["knee", "ankle"]
    assert away_m[COCO17.rows([f"right_{end}" for end in ends])].max() < 0.2


@pytest.mark.parametrize("fault", ["nan", "infinite", "no score", "one point", "one spot", "tiny"])
def test_bad_input_gives_a_sane_body(fault):
    points = points_of(RELAXED_XYZW, root_m=(0.0, 0.0, -3.0))
    keypoints = keypoints_of(points)
    xy, score = keypoints.xy_px.copy(), keypoints.score.copy()
    if fault == "nan":
        xy[5:9] = np.nan
    elif fault == "infinite":
        xy[9] = np.inf
    elif fault == "no score":
        score[:] = 0
    elif fault == "one point":
        score[1:] = 0
    elif fault == "one spot":
        xy[:] = 100.0
    else:
        xy = xy * 0.02 + 200
    lifter = GeometricLifter(BodyConfig())
    for i in range(3):
        joints = lifter.lift(PersonKeypoints(COCO17, as_float32(xy), as_float32(score), 1, i * FRAME_NS), CAMERA)
    assert np.isfinite(joints.xyz_m).all()
    assert np.isfinite(joints.root_m).all()
    assert np.abs(joints.xyz_m).max() < 2.0


def test_an_upper_body_at_a_desk_is_placed_without_its_legs():
    score = np.ones(17)
    score[[i for n, i in COCO17.index.items() if n.split("_")[-1] in ("hip", "knee", "ankle")]] = 0
    joints, truth = lift(human_local(2, reach=0.3), score=score, root_m=(0.0, -0.2, -1.2))
    shoulders = COCO17.rows(["left_shoulder", "right_shoulder"])
    assert np.linalg.norm(joints.xyz_m[shoulders] - truth[shoulders], axis=-1).max() < 0.2
    assert np.all(joints.score[COCO17.rows(["left_hip", "right_hip", "left_ankle"])] == 0)
