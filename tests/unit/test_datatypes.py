"""The data types refuse wrong arrays, and make the right ones read-only."""

import json
import re
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from support.people import make_camera, make_person, make_pose

from realtime_pose.datatypes import (
    CameraIntrinsics,
    Frame,
    FrameResult,
    JointRotations,
    Joints3D,
    PersonBox,
    PersonKeypoints,
    SceneCamera,
    SkeletonPose,
)
from realtime_pose.errors import ArrayShapeError, ConfigError
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32


def zeros(*shape):
    return np.zeros(shape, np.float32)


def make_arguments(datatype):
    """Right arguments, arrays fresh."""
    named = {"track_id": 1, "time_ns": 2}
    return {
        Frame: {"image_bgr": np.zeros((4, 6, 3), np.uint8), "index": 0, "time_ns": 0, "captured_ns": 0},
        PersonBox: {"bbox_xyxy_px": zeros(4), "score": 0.5},
        PersonKeypoints: {"layout": COCO17, "xy_px": zeros(17, 2), "score": zeros(17), **named},
        Joints3D: {"layout": COCO17, "xyz_m": zeros(17, 3), "root_m": zeros(3), "score": zeros(17), **named},
        JointRotations: {"skeleton": HUMANOID, "local_xyzw": zeros(17, 4)},
        SkeletonPose: {
            "rotations": JointRotations(HUMANOID, zeros(17, 4)),
            "root_m": zeros(3),
            "bone_m": zeros(17),
            "score": zeros(17),
            **named,
        },
    }[datatype]


DATATYPES = [Frame, PersonBox, PersonKeypoints, Joints3D, JointRotations, SkeletonPose]
ARRAYS = [
    (datatype, name)
    for datatype in DATATYPES
    for name, value in make_arguments(datatype).items()
    if isinstance(value, np.ndarray)
]
every_array = pytest.mark.parametrize(
    ("datatype", "name"), ARRAYS, ids=lambda x: x if isinstance(x, str) else x.__name__
)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_it_is_frozen_and_has_slots(datatype):
    made = datatype(**make_arguments(datatype))
    with pytest.raises(FrozenInstanceError):
        setattr(made, fields(made)[0].name, None)
    assert not hasattr(made, "__dict__")


@every_array
def test_arrays_are_read_only_and_not_copied(datatype, name):
    given = make_arguments(datatype)
    array = getattr(datatype(**given), name)
    assert array is given[name]
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 1


@every_array
@pytest.mark.parametrize("change", ["longer", "another dimension", "one less"])
def test_wrong_shapes_are_refused_by_name(datatype, name, change):
    given = make_arguments(datatype)
    shape = given[name].shape
    # the last dimension is always fixed
    wrong = {"longer": (*shape[:-1], shape[-1] + 1), "another dimension": (1, *shape), "one less": shape[:-1]}[change]
    given[name] = np.zeros(wrong, given[name].dtype)
    with pytest.raises(ArrayShapeError, match=f"^{name} has shape"):
        datatype(**given)


@every_array
def test_wrong_element_types_are_refused_by_name(datatype, name):
    given = make_arguments(datatype)
    given[name] = given[name].astype(np.float64)
    with pytest.raises(TypeError, match=f"^{name} must be an array of .*, got float64"):
        datatype(**given)
    given[name] = given[name].tolist()
    with pytest.raises(TypeError, match=f"^{name} must be an array of .*, got list"):
        datatype(**given)


def test_arrays_must_have_their_layouts_length():
    with pytest.raises(ArrayShapeError, match=r"xy_px has shape \(17, 2\), wanted \(27, 2\)"):
        PersonKeypoints(COCO17_FEET_HANDS, zeros(17, 2), zeros(17), 0, 0)
    with pytest.raises(ArrayShapeError, match=r"xyz_m has shape \(27, 3\), wanted \(17, 3\)"):
        Joints3D(COCO17, zeros(27, 3), zeros(3), zeros(27), 0, 0)


def test_a_frame_has_its_size():
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0, 0)
    assert (frame.width, frame.height) == (6, 4)
    assert type(frame.width) is int
    with pytest.raises(ArrayShapeError, match="image_bgr"):
        Frame(np.zeros((4, 6), np.uint8), 0, 0, 0)
    with pytest.raises(ArrayShapeError, match="image_bgr"):
        Frame(np.zeros((4, 6, 4), np.uint8), 0, 0, 0)


def test_a_box_has_no_id_by_default():
    assert PersonBox(zeros(4), 1.0).track_id == -1


def test_datatypes_compare_by_identity():
    one, other = make_pose(1), make_pose(1)
    assert one != other
    assert one in [other, one]
    assert len({one, other}) == 2


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (500, 500)])
def test_the_field_of_view_is_that_of_the_longer_side(width, height):
    camera = CameraIntrinsics.from_field_of_view(90.0, width, height)
    longer = max(width, height)
    assert camera.fx == camera.fy == pytest.approx(longer / 2)  # at 90 degrees the edge is as far out as it is deep
    assert (camera.cx, camera.cy, camera.width, camera.height) == (width / 2, height / 2, width, height)
    narrow = CameraIntrinsics.from_field_of_view(30.0, width, height)
    assert np.degrees(2 * np.arctan(longer / 2 / narrow.fx)) == pytest.approx(30.0)


def test_a_result_may_be_empty_and_a_person_without_pose():
    frame = Frame(np.zeros((4, 6, 3), np.uint8), 0, 0, 0)
    assert FrameResult(frame, ()).people == ()
    person = make_person(with_pose=False)
    assert FrameResult(frame, (person,)).people[0].pose is None


def test_valid_keypoints_are_not_changed_and_invalid_ones_get_score_zero():
    fine = PersonKeypoints(COCO17, as_float32(np.full((17, 2), 3.0)), as_float32(np.full(17, 0.5)), 1, 0)
    assert fine.sane() is fine
    xy, score = fine.xy_px.copy(), fine.score.copy()
    xy[0], xy[1, 1], xy[2, 0], xy[3, 0] = np.nan, np.inf, -np.inf, 3e38
    score[4], score[5], score[6] = np.nan, -1.0, 7.0
    sane = PersonKeypoints(COCO17, xy, score, 1, 0).sane()
    assert np.isfinite(sane.xy_px).all()
    assert sane.score[:6].tolist() == [0.0] * 6
    assert sane.score[6] == 1.0
    assert np.array_equal(sane.xy_px[4:], fine.xy_px[4:])
    assert np.array_equal(sane.score[7:], fine.score[7:])


def test_points_below_the_threshold_count_as_occluded():
    score = np.full(17, 0.5)
    score[COCO17.index["nose"]] = 0.2
    keypoints = PersonKeypoints(COCO17, as_float32(np.full((17, 2), 3.0)), as_float32(score), 1, 0)
    lifted = keypoints.for_lifting(0.3)
    assert lifted.score[COCO17.index["nose"]] == 0
    assert np.count_nonzero(lifted.score) == 16


def test_a_known_point_has_a_known_pixel():
    camera = SceneCamera(90.0, 800, 600, np.array((0.0, 1.0, 2.0)), rot.IDENTITY_XYZW.copy())
    assert camera.project((0, 1, 0)) == pytest.approx((400, 300))  # straight ahead
    assert camera.project([(1, 1, 0), (0, 2, 0)]) == pytest.approx(np.array([(600, 300), (400, 100)]))  # right, and up
    assert np.isnan(camera.project([(0, 1, 2), (0, 1, 3)])).all()  # in its plane, and behind it
    assert camera.ray((400, 300)) == pytest.approx((0, 0, -1))
    assert (camera.pitch_deg, camera.roll_deg) == (0, 0)
    assert camera.yfov_deg == pytest.approx(2 * np.degrees(np.arctan(0.75)))
    assert camera.intrinsics.fov_deg == pytest.approx(90)


def test_the_world_leans_to_the_right_in_the_image_of_a_camera_with_positive_roll():
    camera = make_camera(pitch_deg=20, roll_deg=15)
    assert (camera.pitch_deg, camera.roll_deg) == pytest.approx((20, 15), abs=0.01)
    ahead = camera.position_m + 3 * camera.ray((camera.width / 2, camera.height / 2))
    (x, y), (x_above, y_above) = camera.project(ahead), camera.project(ahead + np.array((0, 0.01, 0)))
    assert np.degrees(np.arctan2(x_above - x, y - y_above)) == pytest.approx(15, abs=0.2)
    assert camera.ray((camera.width / 2, camera.height / 2))[1] == pytest.approx(-np.sin(np.radians(20)), abs=1e-4)


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280)])
def test_a_ray_meets_the_point_whose_pixel_it_goes_through(width, height):
    camera = make_camera(width=width, height=height)
    points_m = np.random.default_rng(1).normal(size=(2, 20, 3)) * 0.5
    rays = camera.ray(camera.project(points_m))
    assert np.linalg.norm(rays, axis=-1) == pytest.approx(np.ones((2, 20)))
    offset_m = points_m - camera.position_m
    assert rays * np.linalg.norm(offset_m, axis=-1, keepdims=True) == pytest.approx(offset_m, abs=1e-6)


def test_a_mirrored_camera_sees_the_mirrored_world_mirrored():
    camera = make_camera()
    points_m = np.random.default_rng(2).normal(size=(20, 3)) * 0.5
    seen = camera.project(points_m)
    mirrored = camera.mirrored().project(points_m * (-1, 1, 1))
    assert mirrored == pytest.approx(seen * (-1, 1) + (camera.width, 0))
    assert (camera.mirrored().pitch_deg, camera.mirrored().roll_deg) == pytest.approx((12.3456, 4.5678), abs=0.01)


def test_a_camera_as_json_is_read_back_and_written_the_same():
    camera = make_camera()
    fields = camera.to_dict()
    assert list(fields) == [
        "fov_deg", "width", "height", "pitch_deg", "roll_deg", "position_m", "rotation_xyzw", "source", "sigma_deg"
    ]  # fmt: skip
    assert (fields["fov_deg"], fields["position_m"], fields["source"]) == (
        61.23,
        [-0.1234, 1.6543, 3.2109],
        "estimated",
    )
    assert (fields["pitch_deg"], fields["roll_deg"]) == pytest.approx((12.35, -4.57), abs=0.011)
    read = SceneCamera.from_dict(json.loads(json.dumps(fields | {"lens": "unknown"})))
    assert read.to_dict() == read.rounded().to_dict() == fields
    assert np.array_equal(read.project((0, 1, 0)), camera.project((0, 1, 0)))
    level = SceneCamera(60.0, 4, 3, np.zeros(3), -rot.IDENTITY_XYZW).to_dict()
    assert (
        json.dumps([level["fov_deg"], level["position_m"], level["rotation_xyzw"]]) == "[60, [0, 0, 0], [0, 0, 0, -1]]"
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fov_deg": 180}, "an angle in fov_deg"),
        ({"fov_deg": True}, "fov_deg as 1 finite number, got True"),
        ({"width": 0}, "an image size"),
        ({"height": None}, "height as 1 finite number"),
        ({"position_m": [0, 1]}, "position_m as 3 finite numbers"),
        ({"position_m": [0, 1, float("nan")]}, "position_m as 3 finite numbers"),
        ({"position_m": [0, 1, 10**400]}, "position_m as 3 finite numbers"),
        ({"rotation_xyzw": [0, 0, 0, 2]}, "a unit rotation_xyzw"),
        ({"source": "guessed"}, "camera.source='guessed' is not one of: assumed, estimated, given"),
    ],
)
def test_a_camera_that_makes_no_sense_is_refused(change, says):
    with pytest.raises(ConfigError, match=re.escape(says)):
        SceneCamera.from_dict(make_camera().to_dict() | change)


def test_a_list_is_no_camera():
    with pytest.raises(ConfigError, match="width as 1 finite number, got None"):
        SceneCamera.from_dict([1, 2])
