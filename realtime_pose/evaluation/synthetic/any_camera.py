"""The motion of lifting cases before random cameras: any pitch, roll, distance and field of view, near and cut off."""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.errors import ConfigError
from realtime_pose.evaluation.lifting_cases import LiftingCase
from realtime_pose.evaluation.synthetic import bodies
from realtime_pose.evaluation.synthetic.views import View, pixels_of, project, simulate_keypoints
from realtime_pose.skeletons import COCO17, HUMANOID, LIMB_NAMES
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

_CAMERAS = 3  # of each case
_PITCH_DEG, _ROLL_DEG, _FOV_DEG, _DISTANCE_M = (-30.0, 60.0), (-20.0, 20.0), (35.0, 110.0), (0.5, 12.0)
_HEAD_DEG = (35.0, 16.0, 10.0)  # yaw, pitch and roll of the head on the chest, at most
_SIZES = ((640, 480), (1280, 720), (1920, 1080), (720, 1280))
_IN_VIEW = 0.5  # share of the points that must be inside the image
_LOWEST_M = 0.1  # of a camera over the floor
_LIMBS = COCO17.rows(LIMB_NAMES)
_SHOULDERS, _HIPS, _ANKLES = (
    [LIMB_NAMES.index(f"{side}_{name}") for side in ("left", "right")] for name in ("shoulder", "hip", "ankle")
)
_REST_LEGS_M = 2 * sum(HUMANOID.rest_bone_m[HUMANOID.joints.index(name)] for name in ("leftLowerLeg", "leftFoot"))
_UP = np.array([0.0, 1.0, 0.0])


def before_any_camera(cases: Sequence[LiftingCase], cameras: int = _CAMERAS) -> list[LiftingCase]:
    """The motion of these cases, each before `cameras` random cameras; the same for a name on every call and machine.

    The cases' own keypoints are not used: an estimator is simulated. Cases do not have the points of the face, so a
    head is put on the shoulders that looks around.

    Raises:
        ConfigError: A case does not tell where up is.
    """
    return [_before(case, number) for case in cases for number in range(cameras)]


def _before(case: LiftingCase, number: int) -> LiftingCase:
    if case.up is None:
        raise ConfigError(
            f"the case {case.name} does not tell where up is; give cases with ground_camera (docs/accuracy.md)"
        )
    rng = np.random.default_rng([zlib.crc32(case.name.encode()), number])
    limbs = rot.rotate(rot.shortest_arc(case.up, _UP), case.limbs_m)
    points = np.zeros((len(case), len(COCO17.names), 3))
    points[:, _LIMBS] = limbs
    points[:, COCO17.rows(bodies.FACE_NAMES)] = _faces(rng, limbs, case.fps)
    camera = _random_camera(rng, points, limbs)
    xy, score = simulate_keypoints(rng, camera.view, camera.lens, case.fps)
    return LiftingCase(
        f"{case.name} {number}",
        COCO17,
        as_float32(xy),
        as_float32(score),
        camera.points_m[:, _LIMBS],
        camera.view.inside[:, _LIMBS],
        camera.lens,
        case.fps,
        camera.up,
    )


def _faces(rng: bodies.Rng, limbs: Float64, fps: float) -> Float64:
    """Face points (T, 5, 3) of a head over the shoulders of limbs (T, 12, 3) that looks around."""
    shoulders, hips = limbs[:, _SHOULDERS], limbs[:, _HIPS]
    neck = shoulders.mean(axis=1)
    up = rot.unit(neck - hips.mean(axis=1))
    across = shoulders[:, 0] - shoulders[:, 1]
    x = rot.unit(across - (across * up).sum(-1, keepdims=True) * up)
    chest = rot.from_matrix(np.stack((x, up, rot.cross(x, up)), axis=-1))
    looks = bodies.rotations(*(bodies.sway(rng, len(limbs), fps, most) for most in _HEAD_DEG))
    return bodies.face_points(neck, chest, rot.multiply(chest, looks), _size(limbs))


def _size(limbs: Float64) -> float:
    """Body height relative to HUMANOID's, from the length of thighs and shanks."""
    legs = [
        np.linalg.norm(limbs[:, LIMB_NAMES.index(f"{side}_{a}")] - limbs[:, LIMB_NAMES.index(f"{side}_{b}")], axis=-1)
        for side in ("left", "right")
        for a, b in (("hip", "knee"), ("knee", "ankle"))
    ]
    return float(np.median(legs, axis=1).sum()) / _REST_LEGS_M


class _Camera(NamedTuple):
    """A camera and what it sees.

    Attributes:
        lens: Its intrinsics.
        points_m: (T, 17, 3) points relative to it, canonical axes.
        view: Their projection.
        up: (3,) unit vector against gravity in its axes.
    """

    lens: CameraIntrinsics
    points_m: Float64
    view: View
    up: Float64


def _random_camera(rng: bodies.Rng, points: Float64, limbs: Float64) -> _Camera:
    """The first random camera that is above the floor and has enough of the body in view."""
    centre = limbs[:, _HIPS].mean(axis=(0, 1))
    floor = limbs[:, _ANKLES, 1].min() - 0.07 * _size(limbs)
    while True:
        lens = CameraIntrinsics.from_field_of_view(rng.uniform(*_FOV_DEG), *_SIZES[rng.integers(len(_SIZES))])
        pitch_deg, roll_deg, yaw_deg = rng.uniform(*_PITCH_DEG), rng.uniform(*_ROLL_DEG), rng.uniform(-180, 180)
        distance_m = np.exp(rng.uniform(*np.log(_DISTANCE_M)))
        aim_px = rng.uniform(0.15, 0.85, 2) * (lens.width, lens.height)
        facing = rot.from_axis_angle(_UP, np.radians(yaw_deg))
        world_from_camera = rot.multiply(facing, rot.from_pitch_roll(np.radians(pitch_deg), np.radians(roll_deg)))
        ray = np.array([(aim_px[0] - lens.cx) / lens.fx, (lens.cy - aim_px[1]) / lens.fy, -1.0])
        camera_m = centre - rot.rotate(world_from_camera, distance_m * rot.unit(ray))
        if camera_m[1] < floor + _LOWEST_M:
            continue
        seen_m = rot.rotate(rot.inverse(world_from_camera), points - camera_m)
        if pixels_of(seen_m, lens)[1].mean() >= _IN_VIEW:
            return _Camera(lens, seen_m, project(seen_m, lens), rot.rotate(rot.inverse(world_from_camera), _UP))
