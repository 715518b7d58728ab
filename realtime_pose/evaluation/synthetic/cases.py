"""Synthetic lifting cases: cropped at a desk, seated, lying, squatting, near and far."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.evaluation.lifting_cases import LiftingCase
from realtime_pose.evaluation.synthetic import bodies as bodies
from realtime_pose.evaluation.synthetic.views import project, simulate_keypoints
from realtime_pose.skeletons import COCO17, LIMB_NAMES
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

_FPS, _FRAMES = 30.0, 120
_CLIPS = 6
_SIZES = ((640, 480), (1280, 720), (1280, 720), (1920, 1080))
_DESK_M = (0.74, 0.30)  # height of the tabletop, and distance of its edge in front of the hips


@dataclass(frozen=True)
class Scene:
    """A kind of motion and the camera that films it; ranges are (lowest, highest) in degrees and metres.

    Attributes:
        title: Its name in the table of figures.
        make_motion: Makes a random motion of this kind.
        distance_m: Horizontal distance of the camera from the body (below 2 m: from the face).
        height_m: Height of the camera above the floor.
        yaw_deg: Turn of the person away from facing the camera.
        fov_deg: Field of view along the image's longer side.
        desk: Whether a table hides what is below it.
    """

    title: str
    make_motion: Callable[[bodies.Rng, bodies.Build, int, float], bodies.SyntheticMotion]
    distance_m: tuple[float, float]
    height_m: tuple[float, float]
    yaw_deg: tuple[float, float]
    fov_deg: tuple[float, float] = (50.0, 75.0)
    desk: bool = False


SCENES: Mapping[str, Scene] = {
    "desk": Scene("upper body at a desk", bodies.at_a_desk, (0.6, 1.0), (1.0, 1.3), (-25, 25), desk=True),
    "seated": Scene("on a chair, in full", bodies.seated, (2.2, 3.6), (0.7, 1.6), (-75, 75)),
    "lying": Scene("on the floor", bodies.lying, (2.2, 3.6), (0.9, 1.9), (-180, 180)),
    "squat": Scene("down and up", bodies.squatting, (2.4, 4.0), (0.6, 1.6), (-90, 90)),
    "crossed": Scene("arms crossed, on hips, behind the head", bodies.arms_crossed, (2.2, 4.0), (0.8, 1.7), (-50, 50)),
    "close": Scene("0.7 m from a wide lens", bodies.near_the_lens, (0.6, 0.8), (1.1, 1.5), (-20, 20), (88, 105)),
    "far": Scene("walking round, 6 m away", bodies.walking, (5.6, 6.4), (0.8, 2.2), (-180, 180)),
}
"""The groups by name."""


def synthetic_cases(clips: int = _CLIPS) -> dict[str, list[LiftingCase]]:
    """`clips` clips of four seconds for each scene, the same on every call and machine."""
    return {name: [_case(name, clip) for clip in range(clips)] for name in SCENES}


def _case(name: str, clip: int) -> LiftingCase:
    scene, rng = SCENES[name], np.random.default_rng([zlib.crc32(name.encode()), clip])
    build = bodies.Build.random(rng)
    points = bodies.points_of(build, scene.make_motion(rng, build, _FRAMES, _FPS))
    width, height = _SIZES[rng.integers(len(_SIZES))]
    camera = CameraIntrinsics.from_field_of_view(rng.uniform(*scene.fov_deg), width, height)

    # The person turns on the spot, then the camera is placed in front of them and aimed at the face or the body.
    facing = bodies.rotations(*np.array([rng.uniform(*scene.yaw_deg), 0.0, 0.0]))
    world = rot.rotate(facing, points)
    camera_m = np.array([rng.uniform(-0.15, 0.15), rng.uniform(*scene.height_m), rng.uniform(*scene.distance_m)])
    near = scene.distance_m[1] < 2.0
    centre = (world[:, :7] if near else world[:, 5:]).mean(axis=(0, 1))  # of face and shoulders, or of the body
    camera_m[2] += centre[2]
    target = centre - (0.0, 0.04, 0.0) if near else centre
    camera_xyzw = _look_at(target + rng.normal(0, 0.05, 3) - camera_m, rng.normal(0, 1.5))
    seen_m = rot.rotate(rot.inverse(camera_xyzw), world - camera_m)
    desk = None
    if scene.desk:
        edge = [np.array([x, _DESK_M[0], _DESK_M[1]]) for x in (-1.0, 1.0)]
        left, right = (rot.rotate(rot.inverse(camera_xyzw), corner - camera_m) for corner in edge)
        desk = (right, left)
    view = project(seen_m, camera, desk)
    xy, score = simulate_keypoints(rng, view, camera, _FPS)
    limbs = COCO17.rows(LIMB_NAMES)
    return LiftingCase(
        f"{name} {clip}",
        COCO17,
        as_float32(xy),
        as_float32(score),
        seen_m[:, limbs],
        view.inside[:, limbs],
        camera,
        _FPS,
        rot.rotate(rot.inverse(camera_xyzw), (0.0, 1.0, 0.0)),
    )


def _look_at(direction: Float64, roll_deg: float) -> Float64:
    """The rotation (4,) of a camera whose -Z points in the given direction."""
    right = float(np.arctan2(direction[0], -direction[2]))
    up = float(np.arctan2(direction[1], np.hypot(direction[0], direction[2])))
    rotation = rot.multiply(
        rot.from_axis_angle((0.0, 1.0, 0.0), np.array(-right)), rot.from_axis_angle((1.0, 0.0, 0.0), np.array(up))
    )
    return rot.multiply(rotation, rot.from_axis_angle((0.0, 0.0, 1.0), np.radians(roll_deg)))
