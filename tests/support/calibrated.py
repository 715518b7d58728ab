"""Calibrated cameras around the origin, their file, and people that they see."""

import numpy as np
from support.footage import HEIGHT, WIDTH

from realtime_pose.datatypes import CameraIntrinsics
from realtime_pose.evaluation.footage.calibration import CalibratedCamera
from realtime_pose.evaluation.footage.triangulation import Sighting
from realtime_pose.skeletons import HUMANOID, LIMB_ROWS

LENS = CameraIntrinsics(900.0, 900.0, 640.0, 360.0, 1280, 720)


def calibrated(name, position_m, target_m=(0.0, 0.0, 0.9), lens=LENS):
    """A level camera there that looks at the target; the world has +Z up."""
    back = np.array(position_m, float) - target_m
    back /= np.linalg.norm(back)
    right = np.cross((0.0, 0.0, 1.0), back)
    right /= np.linalg.norm(right)
    rotation = np.stack((right, np.cross(back, right), back))
    return CalibratedCamera(name, lens, np.zeros(5), rotation, np.array(position_m, float))


_PLACES_M = {"cam1": (-3, -3, 1.8), "cam2": (3, -3, 1.6), "cam3": (3, 3, 1.7), "cam4": (-3, 3, 1.9)}
FOUR = [calibrated(name, at) for name, at in _PLACES_M.items()]
SMALL_LENS = CameraIntrinsics(45.0, 45.0, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT)
FOUR_SMALL = [calibrated(name, at, lens=SMALL_LENS) for name, at in _PLACES_M.items()]
"""The same for the small clips of `support.footage`."""


def qualisys_text(cameras):
    """The cameras as a Qualisys file."""
    entries = []
    for camera in cameras:
        lens = camera.intrinsics
        turn = " ".join(
            f'r{i + 1}{j + 1}="{float(camera.camera_from_world[i, j])!r}"' for i in range(3) for j in range(3)
        )
        place = " ".join(f'{axis}="{float(v) * 1000!r}"' for axis, v in zip("xyz", camera.position_m, strict=True))
        entries.append(
            f'<camera serial="{camera.name}">'
            f'<fov_video left="0" top="0" right="{lens.width - 1}" bottom="{lens.height - 1}"/>'
            f"<transform {turn} {place}/>"
            f'<intrinsic focalLengthU="{lens.fx * 64}" focalLengthV="{lens.fy * 64}" centerPointU="{lens.cx * 64}" '
            f'centerPointV="{lens.cy * 64}" radialDistortion1="0" radialDistortion2="0" radialDistortion3="0" '
            'tangentalDistortion1="0" tangentalDistortion2="0"/></camera>'
        )
    return f"<calibration><cameras>{''.join(entries)}</cameras></calibration>"


def limbs_at(x_m=0.0, y_m=0.0):
    """(12, 3) limbs of a person at rest at this place, in the world of the cameras: turned so that +Z is up."""
    rest = np.zeros((len(HUMANOID.joints), 3))
    for row, parent in enumerate(HUMANOID.parents):
        rest[row] = HUMANOID.rest_offset_m[row] + (rest[parent] if parent >= 0 else 0)
    x, y, z = rest[LIMB_ROWS].T
    return np.stack((x + x_m, -z + y_m, y), axis=-1)


def sighting(view, limbs_m, person=0, noise_px=0.0, seed=0, score=0.9):
    """What one of FOUR sees of these limbs (12, 3)."""
    camera = FOUR[view]
    px = camera.project(limbs_m) + np.random.default_rng(seed).normal(0, noise_px, (12, 2))
    return Sighting(view, person, camera.position_m, camera.rays(px), np.full(12, score))
