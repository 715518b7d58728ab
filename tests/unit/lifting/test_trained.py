"""The trained lifter: input window, prediction, root, and robustness to bad input."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.evaluation.errors3d import aligned_by_similarity
from realtime_pose.lifting.network_input import LAYOUT, WINDOW_S
from realtime_pose.lifting.trained import TrainedLifter, _towards_image
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, LIMB_NAMES, KeypointLayout
from realtime_pose.training.bodies import body_points, draw_proportions
from realtime_pose.training.poses import draw_poses
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

_CAMERA = CameraIntrinsics(600.0, 600.0, 320.0, 240.0, 640, 480)
_STEP_NS = 33_333_333


class Actor(NamedTuple):
    """The actor's camera, true keypoints (T, 27, 2), their positions from the camera in canonical axes, and height."""

    camera: CameraIntrinsics
    px: np.ndarray
    places: np.ndarray
    height_m: float


@pytest.fixture(scope="module")
def actor() -> Actor:
    truth = load_truth("actor")
    turn, shift = truth.camera_from_world[:3, :3], truth.camera_from_world[:3, 3]
    places = (truth.keypoints_m @ turn.T + shift) * (1.0, -1.0, -1.0)
    return Actor(truth.intrinsics, truth.keypoints_px, places, truth.height_m)


def _seen(
    xy_px: np.ndarray, time_ns: int, score: float = 0.9, layout: KeypointLayout = COCO17_FEET_HANDS
) -> PersonKeypoints:
    scores = np.full(len(layout.names), score, dtype=np.float32)
    return PersonKeypoints(layout, as_float32(xy_px[: len(layout.names)]), scores, 1, time_ns)


def _lift_clip(lifter: TrainedLifter, xy_px: np.ndarray, camera: CameraIntrinsics) -> list[Joints3D]:
    return [lifter.lift(_seen(xy, i * _STEP_NS), camera) for i, xy in enumerate(xy_px)]


def test_the_actor_is_lifted_within_centimetres(actor: Actor) -> None:
    camera, px, places, height_m = actor
    lifter = TrainedLifter(BodyConfig(height_m=height_m))
    rows = LAYOUT.rows(LIMB_NAMES)
    answers = _lift_clip(lifter, px[:150], camera)
    got = np.array([joints.xyz_m[rows] for joints in answers], dtype=np.float64)
    hips = places[:150, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=1)
    true = places[:150, rows] - hips[:, None]
    error_mm = np.linalg.norm(got - true, axis=-1).mean() * 1e3
    aligned_mm = np.linalg.norm(aligned_by_similarity(got, true) - true, axis=-1).mean() * 1e3
    assert error_mm < 75
    assert aligned_mm < 55
    root = np.array([joints.root_m for joints in answers])
    assert np.abs(root - hips)[:, :2].mean() < 0.06
    assert np.abs(root - hips)[:, 2].mean() < 0.35


def test_a_mirrored_image_gives_the_mirrored_body(actor: Actor) -> None:
    camera, px, _, _ = actor
    mirrored = px[:20, LAYOUT.mirror].copy()
    mirrored[..., 0] = 2 * camera.cx - mirrored[..., 0]
    plain = _lift_clip(TrainedLifter(BodyConfig()), px[:20], camera)[-1]
    mirror = _lift_clip(TrainedLifter(BodyConfig()), mirrored, camera)[-1]
    np.testing.assert_allclose(mirror.xyz_m, plain.xyz_m[list(LAYOUT.mirror)] * (-1, 1, 1), atol=2e-3)
    np.testing.assert_allclose(mirror.root_m, plain.root_m * (-1, 1, 1), atol=5e-3)


def test_the_root_is_where_places_and_rays_agree(actor: Actor) -> None:
    # With true predictions only the error of the root estimate is left.
    camera, px, places, height_m = actor
    hips = places[:, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=1)

    class TruePrediction(TrainedLifter):
        def _predict(self, xy: np.ndarray, score: np.ndarray, time_ns: int) -> tuple[np.ndarray, ...]:
            return (places[7] - hips[7]) / height_m, np.full(len(LAYOUT.names), 0.02), np.zeros((2, 2))

    lifter = TruePrediction(BodyConfig(height_m=height_m))
    np.testing.assert_allclose(lifter.lift(_seen(px[7], 0), camera).root_m, hips[7], atol=2e-3)
    strayed = px[7].copy()
    strayed[9] += 150.0  # an outlying wrist hardly moves the body
    lifter.forget(1)
    np.testing.assert_allclose(lifter.lift(_seen(strayed, 0), camera).root_m, hips[7], atol=0.05)


def _tilted(places: np.ndarray, pitch_deg: float, roll_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Places in the axes of a camera that looks down at them from higher up, and the vertical in its axes."""
    pitch, roll = np.radians((pitch_deg, roll_deg))
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    tilt = about_z @ about_x
    hips = places[0, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=0)
    return (places - hips) @ tilt.T + (0.0, 0.0, -4.0), tilt[:, 1]


def _pixels(camera: CameraIntrinsics, places: np.ndarray) -> np.ndarray:
    return np.stack(
        (
            camera.cx - camera.fx * places[..., 0] / places[..., 2],
            camera.cy + camera.fy * places[..., 1] / places[..., 2],
        ),
        axis=-1,
    )


def _walker(frames: int) -> np.ndarray:
    """Points (T, 27, 3) of an upright body that swings its arms and shifts its weight, +Y up, facing +Z."""
    drawn = draw_poses(np.random.default_rng(0), np.zeros(1), 1)
    swing = 0.3 * np.sin(np.arange(frames) / 6.0)
    still, identity = np.zeros_like(swing), np.broadcast_to(rot.IDENTITY_XYZW, (1, frames, 4))
    sides = np.stack((swing, -swing), axis=1)
    down = np.stack((0.1 + 0 * sides, -np.cos(sides), np.sin(sides)), axis=-1)  # (T, 2, 3)
    down *= np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    down = rot.unit(down)
    motion = replace(
        drawn,
        pelvis_xyzw=identity,
        chest_xyzw=identity,
        head_xyzw=identity,
        arms=np.stack((down, down), axis=2)[None],
        legs=np.stack((down * (0.5, 1, -0.5), down * (0.5, 1, -0.5)), axis=2)[None],
        hands_xyzw=np.broadcast_to(rot.IDENTITY_XYZW, (1, frames, 2, 4)),
        feet_xyzw=np.broadcast_to(rot.IDENTITY_XYZW, (1, frames, 2, 4)),
        root=np.stack((0.02 * swing, still, still), axis=-1)[None],
        contacts=np.zeros((1, frames, 2, 2)),
    )
    body = draw_proportions(np.random.default_rng(3), 1)
    return 1.7 * body_points(motion, body)[0]


@pytest.mark.parametrize(("pitch_deg", "roll_deg"), [(30.0, 10.0), (20.0, 0.0), (0.0, 0.0)])
def test_the_vertical_is_found_and_the_body_is_upright_in_world_axes(pitch_deg: float, roll_deg: float) -> None:
    camera, attitude = CameraIntrinsics(1000.0, 1000.0, 640.0, 360.0, 1280, 720), CameraAttitude(BodyConfig())
    places, up = _tilted(_walker(40), pitch_deg, roll_deg)
    joints = _lift_clip(TrainedLifter(BodyConfig(), attitude), _pixels(camera, places), camera)[-1]
    assert attitude.is_known
    tilt_deg = np.degrees(np.arccos(up[1]))
    assert np.degrees(np.arccos(attitude.up @ up)) < 4 + 0.35 * tilt_deg
    hips, shoulders = (LAYOUT.rows((f"left_{part}", f"right_{part}")) for part in ("hip", "shoulder"))
    trunk = joints.xyz_m[shoulders].mean(axis=0) - joints.xyz_m[hips].mean(axis=0)
    in_world = rot.rotate(attitude.world_from_camera_xyzw, rot.unit(trunk.astype(np.float64)))
    assert np.degrees(np.arccos(in_world[1])) < 4 + 0.35 * tilt_deg
    np.testing.assert_allclose(joints.root_m[:2], 0, atol=0.1)
    assert joints.root_m[2] == pytest.approx(-4.0, abs=0.8)


def test_a_given_pitch_is_not_changed_by_what_is_seen(actor: Actor) -> None:
    camera, px, _, _ = actor
    attitude = CameraAttitude(BodyConfig(camera_pitch_deg=25.0))
    before = attitude.up
    joints = _lift_clip(TrainedLifter(BodyConfig(camera_pitch_deg=25.0), attitude), px[:10], camera)[-1]
    np.testing.assert_allclose(attitude.up, before, atol=1e-6)
    assert np.isfinite(joints.xyz_m).all()


def test_contacts_come_with_the_joints(actor: Actor) -> None:
    camera, px, _, _ = actor
    joints = _lift_clip(TrainedLifter(BodyConfig()), px[:10], camera)[-1]
    assert joints.contact is not None
    assert joints.contact.shape == (2, 2)
    assert ((joints.contact >= 0) & (joints.contact <= 1)).all()


def test_nobody_visible_says_nothing_of_the_vertical(actor: Actor) -> None:
    camera, px, _, _ = actor
    attitude = CameraAttitude(BodyConfig())
    TrainedLifter(BodyConfig(), attitude).lift(_seen(px[0], 0, score=0.0), camera)
    assert not attitude.is_known


@pytest.mark.parametrize("rate_hz", [15, 24, 60, 120])
def test_the_window_is_of_time_not_of_frames(rate_hz: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Points that move evenly: the network's input does not depend on the frame rate.
    shown: list[tuple[np.ndarray, np.ndarray]] = []

    def record(self: TrainedLifter, xy: np.ndarray, score: np.ndarray, time_ns: int) -> tuple[np.ndarray, ...]:
        shown.append((xy, score))
        return np.zeros((len(LAYOUT.names), 3)), np.full(len(LAYOUT.names), 0.05), np.zeros((2, 2))

    monkeypatch.setattr(TrainedLifter, "_predict", record)
    start = np.random.default_rng(0).uniform(100, 400, (len(LAYOUT.names), 2))
    for rate in (30, rate_hz):
        lifter = TrainedLifter(BodyConfig())
        for i in range(rate + 1):
            lifter.lift(_seen(start + 60.0 * i / rate, round(i * 1e9 / rate)), _CAMERA)
    half = len(shown) - rate_hz - 2
    (at_30, score_30), (other, score) = shown[half], shown[-1]
    np.testing.assert_allclose(other, at_30, atol=1e-6)
    np.testing.assert_allclose(score, score_30, atol=1e-6)
    assert len(at_30) == len(WINDOW_S)


def test_neither_gaps_nor_lost_points_are_interpolated(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[np.ndarray, np.ndarray]] = []

    def record(self: TrainedLifter, xy: np.ndarray, score: np.ndarray, time_ns: int) -> tuple[np.ndarray, ...]:
        shown.append((xy, score))
        return np.zeros((len(LAYOUT.names), 3)), np.full(len(LAYOUT.names), 0.05), np.zeros((2, 2))

    monkeypatch.setattr(TrainedLifter, "_predict", record)
    lifter, here = TrainedLifter(BodyConfig()), np.full((27, 2), 200.0)
    lifter.lift(_seen(here, 0), _CAMERA)
    lifter.lift(_seen(here + 100, 300_000_000), _CAMERA)  # after a gap of 0.3 s
    _, score = shown[-1]
    assert (score[0] > 0).all()
    assert (score[(WINDOW_S > 0.05) & (WINDOW_S < 0.25)] == 0).all()
    lost = _seen(here + 100, 320_000_000)
    lost.score.flags.writeable = True
    lost.score[9] = 0.0
    lifter.lift(lost, _CAMERA)
    xy, score = shown[-1]
    assert score[0, 9] == 0
    np.testing.assert_allclose(xy[1, 9], ((300 - 320) / 600, (240 - 300) / 600), atol=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_count_as_occluded(bad: float, actor: Actor) -> None:
    camera, px, _, _ = actor
    broken = px[0].copy()
    broken[9] = bad
    lost = _seen(px[0], 0)
    lost.score.flags.writeable = True
    lost.score[9] = 0.0
    got, wanted = (
        TrainedLifter(BodyConfig()).lift(_seen(broken, 0), camera),
        TrainedLifter(BodyConfig()).lift(lost, camera),
    )
    np.testing.assert_array_equal(got.xyz_m, wanted.xyz_m)
    np.testing.assert_array_equal(got.score, wanted.score)
    assert np.isfinite(got.xyz_m).all()


def test_without_visible_points_the_score_is_zero_and_the_root_is_kept(actor: Actor) -> None:
    camera, px, _, _ = actor
    lifter = TrainedLifter(BodyConfig())
    before = lifter.lift(_seen(px[0], 0), camera)
    after = lifter.lift(_seen(px[0], 500_000_000, score=0.0), camera)
    np.testing.assert_allclose(after.root_m, before.root_m, atol=0.1)
    assert np.isfinite(after.xyz_m).all()
    assert TrainedLifter(BodyConfig()).lift(_seen(px[0], 0, score=0.0), camera).score.max() == 0


def test_an_occluded_limb_scores_zero_unless_it_is_nearly_certain(actor: Actor) -> None:
    camera, px, _, _ = actor
    hidden = _seen(px[0], 0)
    hidden.score.flags.writeable = True
    hidden.score[13:] = 0.0  # a desk: knees, ankles, feet and hands
    joints = TrainedLifter(BodyConfig()).lift(hidden, camera)
    assert joints.score[LAYOUT.rows(("left_ankle", "right_ankle"))].max() == 0
    assert (joints.score[:13] > 0).all()


def test_lifted_points_are_drawn_to_their_keypoints_but_not_to_outliers() -> None:
    xyz = np.array([[0.1, 0.2, 0.0], [-0.1, 0.5, 0.1], [0.0, -0.4, 0.0], [0.3, 0.0, 0.0]])
    root, error = np.array([0.0, 0.0, -3.0]), np.full(4, 0.1)
    place = xyz + root
    rays = place[:, :2] / -place[:, 2:] + [[0.01, 0.0], [0.0, 0.0], [0.5, 0.0], [0.01, 0.0]]
    moved = _towards_image(xyz, root, rays, np.array([1.0, 1.0, 1.0, 0.0]), error) - xyz
    assert 0.02 < moved[0, 0] < 0.03  # the keypoint is 3 cm off
    np.testing.assert_allclose(moved[1], 0, atol=1e-12)
    assert moved[2, 0] < 0.1  # 1.5 m off
    np.testing.assert_array_equal(moved[3], 0)  # occluded
    np.testing.assert_array_equal(moved[:, 2], 0)


def test_only_points_of_the_layout_come_back(actor: Actor) -> None:
    camera, px, _, _ = actor
    joints = TrainedLifter(BodyConfig()).lift(_seen(px[0], 0, layout=COCO17), camera)
    assert joints.layout is COCO17
    assert joints.xyz_m.shape == (17, 3)
