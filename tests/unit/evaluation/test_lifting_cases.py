"""Lifting cases from files: arrays are matched by name, and other files are refused in one sentence."""

import re
from pathlib import Path

import numpy as np
import pytest
from support.lifting import CAMERA, case_arrays

from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.lifting_cases import load_case, load_cases
from realtime_pose.skeletons import COCO17, LIMB_JOINTS, LIMB_NAMES

DEV = Path(__file__).parents[3] / "../shared/data/lift/dev"


def write(path, **changed):
    arrays = case_arrays() | changed
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path


def test_limb_names_and_limb_joints_have_the_same_order():
    point_of = {
        "UpperArm": "shoulder", "LowerArm": "elbow", "Hand": "wrist", "UpperLeg": "hip", "LowerLeg": "knee",
        "Foot": "ankle",
    }  # fmt: skip
    named = [re.sub("(left|right)(.*)", lambda m: f"{m[1]}_{point_of[m[2]]}", joint) for joint in LIMB_JOINTS]
    assert tuple(named) == LIMB_NAMES


def test_a_case_is_read_as_it_was_written(tmp_path):
    case = load_case(write(tmp_path / "one.npz"))
    assert (case.name, len(case), case.fps, case.layout) == ("one", 20, 30.0, COCO17)
    assert case.intrinsics == CAMERA
    wrist = LIMB_NAMES.index("left_wrist")
    x, y, z = case_arrays()["joints_camera_m"][3, 1 + wrist]
    assert np.allclose(case.limbs_m[3, wrist], (x, -y, -z))  # canonical: y up, the camera looks along -z
    seen = case.keypoints(3, track_id=7)
    assert (seen.track_id, seen.time_ns) == (7, 100_000_000)
    assert np.array_equal(seen.xy_px, case_arrays()["keypoints_px"][3])


def test_arrays_are_matched_by_name(tmp_path):
    arrays = case_arrays()
    joints, points = np.random.default_rng(0).permutation(13), np.random.default_rng(1).permutation(17)
    other = write(
        tmp_path / "other.npz",
        joint_names=arrays["joint_names"][joints],
        joints_camera_m=arrays["joints_camera_m"][:, joints],
        keypoint_names=arrays["keypoint_names"][points].astype("S"),  # bytes are accepted as names
        keypoints_px=arrays["keypoints_px"][:, points],
        scores=arrays["scores"][:, points],
    )
    here, there = load_case(write(tmp_path / "plain.npz")), load_case(other)
    assert np.array_equal(here.limbs_m, there.limbs_m)
    assert np.array_equal(here.xy_px, there.xy_px)


def test_the_floors_normal_is_the_up_direction(tmp_path):
    ground = np.array([[0.0, 1.5, 3.0], [0.0, -0.98, -0.2]])
    up = load_case(write(tmp_path / "up.npz", ground_camera=ground)).up
    assert np.allclose(up, np.array([0.0, 0.98, 0.2]) / np.hypot(0.98, 0.2))
    assert load_case(write(tmp_path / "none.npz", ground_camera=None)).up is None
    assert load_case(write(tmp_path / "zero.npz", ground_camera=np.zeros((2, 3)))).up is None
    for wrong in (np.zeros(3), np.full((2, 3), np.nan)):
        with pytest.raises(RecordingError, match="is not a lifting case \\(ground_camera has"):
            load_case(write(tmp_path / "wrong.npz", ground_camera=wrong))


def test_a_folder_is_expanded_to_its_files(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.npz")
    (tmp_path / "readme.txt").write_text("no case")
    assert [case.name for case in load_cases([tmp_path, tmp_path / "b.npz"])] == ["a", "b", "b"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"scores": None, "fps": None}, "lacks scores, fps"),
        ({"joints_camera_m": np.zeros((20, 13, 2))}, "joints_camera_m has shape (20, 13, 2), wanted (20, 13, 3)"),
        ({"keypoints_px": np.zeros((19, 17, 2))}, "keypoints_px has shape (19, 17, 2), wanted (20, 17, 2)"),
        ({"joints_camera_m": np.full((20, 13, 3), np.nan)}, "joints_camera_m has NaN or infinite values"),
        ({"joint_names": np.array([f"joint {i}" for i in range(13)])}, "joint_names lacks left_shoulder"),
        ({"keypoint_names": np.arange(17)}, "keypoint_names must be a list of names"),
        ({"scores": np.full((20, 17), "high")}, "scores has type <U4, wanted numbers"),
        ({"fps": np.array(0.0)}, "must be positive"),
        ({"intrinsics": np.array([0.0, 500, 320, 240])}, "must be positive"),
        ({"fps": np.array([30.0, 30.0])}, "fps has shape (2,), wanted ()"),
        ({"joints_camera_m": np.array(1.0)}, "joints_camera_m has shape (), wanted (1, 13, 3)"),
        (
            {
                "joints_camera_m": np.zeros((0, 13, 3)),
                "keypoints_px": np.zeros((0, 17, 2)),
                "scores": np.zeros((0, 17)),
            },
            "it has no frames",
        ),
    ],
)
def test_invalid_cases_are_refused(tmp_path, changed, says):
    path = write(tmp_path / "bad.npz", **changed)
    with pytest.raises(RecordingError) as refused:
        load_case(path)
    assert str(refused.value).startswith(f"{path} is not a lifting case (")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_files_of_other_kinds_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("keypoints")
    (tmp_path / "cut.npz").write_bytes(write(tmp_path / "whole.npz").read_bytes()[:700])
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("text.npz", "cut.npz", "array.npy"):
        with pytest.raises(RecordingError, match="is not a lifting case"):
            load_case(tmp_path / name)
    with pytest.raises(RecordingError, match=r"cannot read the lifting case .*missing\.npz: No such file"):
        load_case(tmp_path / "missing.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordingError, match=r"has no \.npz file"):
        load_cases([tmp_path / "empty"])


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_executed(tmp_path):
    path = write(tmp_path / "trap.npz", joint_names=np.array([Trap(tmp_path / "sprung")] * 13, dtype=object))
    with pytest.raises(RecordingError, match="is not a lifting case"):
        load_case(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.skipif(not DEV.is_dir(), reason="the shared lifting cases are not here")
def test_the_shared_cases_are_cases():
    cases = load_cases([DEV])
    assert len(cases) == 38
    hips = [LIMB_NAMES.index("left_hip"), LIMB_NAMES.index("right_hip")]
    for case in cases:
        assert (case.limbs_m[..., 2] < 0).all()  # in front of the camera
        points = case.limbs_m * (1, -1, -1)
        k = case.intrinsics
        px = points[..., :2] / points[..., 2:] * (k.fx, k.fy) + (k.cx, k.cy)
        away = np.linalg.norm(px - case.xy_px[:, COCO17.rows(LIMB_NAMES)], axis=-1)
        assert np.median(away[:, hips]) < 20  # keypoints and joints belong to the same body and camera
