"""The room's surfaces as pictures: a floor of boards with the actor's soft shadow, and a plain wall."""

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from realtime_pose.utils.arrays import Float64, UInt8

FLOOR_LOW_M, FLOOR_HIGH_M = np.array([-4.0, -2.0]), np.array([4.0, 3.0])  # x and z of its corners
WALL_HEIGHT_M = 3.2
_TEXELS_PER_M = 128
_SHADOW_TEXELS_PER_M = 32
_SUN = np.array([0.45, 1.6, 0.55])  # toward the light whose shadow shows


def floor_picture(rng: np.random.Generator) -> Float64:
    """(H, W, 3) in 0..1; rows run along z from low to high, columns along x."""
    wide, deep = np.round((FLOOR_HIGH_M - FLOOR_LOW_M) * _TEXELS_PER_M).astype(int)
    board = round(0.16 * _TEXELS_PER_M)
    rows, columns = np.arange(deep), np.arange(wide)
    which = rows // board
    tone = rng.normal(0.0, 0.018, which.max() + 1)[which][:, None]
    grain = gaussian_filter(rng.normal(0.0, 1.0, (deep, wide)), (0.8, 40.0))
    joints = rng.integers(0, wide, which.max() + 1)[which][:, None]
    long = round(1.9 * _TEXELS_PER_M)
    seam = (rows % board == 0)[:, None] | ((columns[None, :] - joints) % long == 0)
    light = 0.93 + 0.07 * rows[:, None] / deep  # a little darker toward the wall
    bright = (tone + 0.014 * grain / grain.std() - 0.07 * gaussian_filter(seam.astype(float), 0.7) + 1.0) * light
    return np.clip(bright[..., None] * np.array([0.71, 0.62, 0.52]), 0.0, 1.0)


def wall_picture() -> UInt8:
    """(H, W, 3); rows run upward from the floor, columns along x."""
    wide = round((FLOOR_HIGH_M - FLOOR_LOW_M)[0] * _TEXELS_PER_M)
    up = np.arange(round(WALL_HEIGHT_M * _TEXELS_PER_M)) / _TEXELS_PER_M
    x = FLOOR_LOW_M[0] + (np.arange(wide) + 0.5) / _TEXELS_PER_M
    light = 0.86 + 0.10 * np.exp(-(((x[None, :] - 0.3) / 2.6) ** 2) - ((up[:, None] - 1.7) / 1.6) ** 2)
    wall = light[..., None] * np.array([0.83, 0.83, 0.80])
    wall[up < 0.10] = wall[up < 0.10] * 0.4 + 0.55 * np.array([0.97, 0.96, 0.94])
    wall[(up >= 0.10) & (up < 0.112)] *= 0.80
    for inside, rgb in ((0.04, (0.30, 0.24, 0.19)), (0.0, (0.90, 0.88, 0.83)), (-0.07, (0.62, 0.70, 0.72))):
        framed = np.outer(np.abs(up - 1.62) < 0.36 + inside, np.abs(x + 1.55) < 0.27 + inside)
        wall[framed] = rgb
    hill = np.outer(up, np.ones(wide)) < 1.56 + 0.10 * np.sin(7.0 * x)[None, :]
    wall[np.outer(np.abs(up - 1.62) < 0.29, np.abs(x + 1.55) < 0.20) & hill] = (0.52, 0.58, 0.47)
    return np.round(np.clip(wall, 0.0, 1.0) * 255).astype(np.uint8)


def with_shadow(floor_rgb: Float64, points_m: Float64) -> UInt8:
    """The floor's picture with the soft shadow of the points (V, 3): one of the light, one of what stands close."""
    cast = points_m - _SUN * (points_m[:, 1:2] / _SUN[1])
    near = points_m[points_m[:, 1] < 0.14]
    shade = 0.34 * _blot(cast, 0.05) + 0.40 * _blot(near, 0.025)
    fine = zoom(np.clip(shade, 0.0, 0.75), _TEXELS_PER_M / _SHADOW_TEXELS_PER_M, order=1)
    return np.round(floor_rgb * (1.0 - fine[..., None]) * 255).astype(np.uint8)


def _blot(points_m: Float64, soft_m: float) -> Float64:
    wide, deep = np.round((FLOOR_HIGH_M - FLOOR_LOW_M) * _SHADOW_TEXELS_PER_M).astype(int)
    column, row = ((points_m[:, [0, 2]] - FLOOR_LOW_M) * _SHADOW_TEXELS_PER_M).astype(int).T
    hit = np.zeros((deep, wide))
    inside = (row >= 0) & (row < deep) & (column >= 0) & (column < wide)
    hit[row[inside], column[inside]] = 1.0
    return gaussian_filter(hit, soft_m * _SHADOW_TEXELS_PER_M)
