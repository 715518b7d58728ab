"""The trained lifter: input window, prediction, root, and robustness to bad input."""

from typing import NamedTuple

import numpy as np
import pytest

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.evaluation.errors3d import aligned_by_similarity
from realtime_pose.lifting.network_input import LAYOUT, WINDOW_S
from realtime_pose.lifting.trained import TrainedLifter
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, LIMB_NAMES, KeypointLayout
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
    answers = _lift_clip(lifter, px[:300], camera)
    got = np.array([joints.xyz_m[rows] for joints in answers], dtype=np.float64)
    hips = places[:300, LAYOUT.rows(("left_hip", "right_hip"))].mean(axis=1)
    true = places[:300, rows] - hips[:, None]
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
        def _predict(self, xy: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return (places[7] - hips[7]) / height_m, np.full(len(LAYOUT.names), 0.02)

    lifter = TruePrediction(BodyConfig(height_m=height_m))
    np.testing.assert_allclose(lifter.lift(_seen(px[7], 0), camera).root_m, hips[7], atol=2e-3)
    strayed = px[7].copy()
    strayed[9] += 150.0  # an outlying wrist hardly moves the body
    lifter.forget(1)
    np.testing.assert_allclose(lifter.lift(_seen(strayed, 0), camera).root_m, hips[7], atol=0.05)


def test_a_pitch_that_is_known_makes_no_difference_to_the_body(actor: Actor) -> None:
    # The same scene from a camera pitched down by a known 20 degrees: the same body in that camera's axes.
    camera, _, places, _ = actor
    angle = np.radians(20.0)
    tilted_from_level = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    moved = (places[10:20] - (0.0, 1.0, 0.0)) @ tilted_from_level.T

    def pixels(points: np.ndarray) -> np.ndarray:
        return np.stack(
            (
                camera.cx - camera.fx * points[..., 0] / points[..., 2],
                camera.cy + camera.fy * points[..., 1] / points[..., 2],
            ),
            axis=-1,
        )

    level = _lift_clip(TrainedLifter(BodyConfig()), pixels(places[10:20] - (0.0, 1.0, 0.0)), camera)[-1]
    tilted = _lift_clip(TrainedLifter(BodyConfig(camera_pitch_deg=20.0)), pixels(moved), camera)[-1]
    np.testing.assert_allclose(tilted.xyz_m, level.xyz_m @ tilted_from_level.T, atol=2e-3)
    np.testing.assert_allclose(tilted.root_m, tilted_from_level @ level.root_m, atol=5e-3)


@pytest.mark.parametrize("rate_hz", [15, 24, 60, 120])
def test_the_window_is_of_time_not_of_frames(rate_hz: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Points that move evenly: the network's input does not depend on the frame rate.
    shown: list[tuple[np.ndarray, np.ndarray]] = []

    def record(self: TrainedLifter, xy: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shown.append((xy, score))
        return np.zeros((len(LAYOUT.names), 3)), np.full(len(LAYOUT.names), 0.05)

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

    def record(self: TrainedLifter, xy: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shown.append((xy, score))
        return np.zeros((len(LAYOUT.names), 3)), np.full(len(LAYOUT.names), 0.05)

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
    np.testing.assert_array_equal(after.root_m, before.root_m)
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


def test_only_points_of_the_layout_come_back(actor: Actor) -> None:
    camera, px, _, _ = actor
    joints = TrainedLifter(BodyConfig()).lift(_seen(px[0], 0, layout=COCO17), camera)
    assert joints.layout is COCO17
    assert joints.xyz_m.shape == (17, 3)
