"""Room textures: a floor of boards with soft shadows, and a plain wall with a picture."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from realtime_pose.utils.arrays import Float64, UInt8
from tools.actor.body.looks import Rgb

_TEXELS_PER_M = 128
_SHADOW_TEXELS_PER_M = 32


@dataclass(frozen=True)
class Light:
    """A light of the stage, aimed at the middle of the room."""

    position_m: tuple[float, float, float]
    color: str
    strength: float


@dataclass(frozen=True)
class Room:
    """One room: colours sRGB in 0..1, metres.

    Attributes:
        low_m, high_m: x and z of the floor's corners; the wall is at the low z.
        wall_height_m: Height of the wall.
        floor_rgb: Colour of the floor.
        board_m: Width of its boards.
        wall_rgb: Colour of the wall.
        picture_x_m: Position of the picture on the wall.
        paper_rgb, sky_rgb, hill_rgb: Colours in the picture.
        sun: Direction towards the light that casts the shadow.
        lights: The lights on the actor.
    """

    low_m: tuple[float, float]
    high_m: tuple[float, float]
    wall_height_m: float
    floor_rgb: Rgb
    board_m: float
    wall_rgb: Rgb
    picture_x_m: float
    paper_rgb: Rgb
    sky_rgb: Rgb
    hill_rgb: Rgb
    sun: tuple[float, float, float]
    lights: tuple[Light, ...]

    @property
    def size_m(self) -> Float64:
        """(2,) width and depth of the floor."""
        return np.array(self.high_m) - np.array(self.low_m)


FIRST_ROOM = Room(
    low_m=(-4.0, -2.0),
    high_m=(4.0, 3.0),
    wall_height_m=3.2,
    floor_rgb=(0.71, 0.62, 0.52),
    board_m=0.16,
    wall_rgb=(0.83, 0.83, 0.80),
    picture_x_m=-1.55,
    paper_rgb=(0.90, 0.88, 0.83),
    sky_rgb=(0.62, 0.70, 0.72),
    hill_rgb=(0.52, 0.58, 0.47),
    sun=(0.45, 1.6, 0.55),
    # A main light from the front left, a wide fill, and one from behind for the outline.
    lights=(
        Light((-1.8, 3.2, 3.0), "#fff4e6", 0.62),
        Light((2.6, 1.6, 3.2), "#e8f0ff", 0.30),
        Light((0.5, 3.5, -1.5), "#ffffff", 0.28),
    ),
)

SECOND_ROOM = Room(
    low_m=(-4.6, -2.5),
    high_m=(4.6, 3.2),
    wall_height_m=3.2,
    floor_rgb=(0.47, 0.49, 0.51),
    board_m=0.6,
    wall_rgb=(0.58, 0.68, 0.70),
    picture_x_m=1.35,
    paper_rgb=(0.93, 0.92, 0.90),
    sky_rgb=(0.90, 0.72, 0.52),
    hill_rgb=(0.35, 0.33, 0.42),
    sun=(-0.7, 1.7, 0.35),
    # A window to the right, and the ceiling.
    lights=(
        Light((2.8, 2.4, 2.2), "#eef4ff", 0.66),
        Light((-2.4, 1.8, 3.0), "#fff1dc", 0.26),
        Light((-0.6, 3.6, -1.2), "#ffffff", 0.26),
    ),
)


def floor_texture(room: Room, rng: np.random.Generator) -> Float64:
    """(H, W, 3) in 0..1; rows run along z from low to high, columns along x."""
    wide, deep = np.round(room.size_m * _TEXELS_PER_M).astype(int)
    board = round(room.board_m * _TEXELS_PER_M)
    rows, columns = np.arange(deep), np.arange(wide)
    board_of_row = rows // board
    tone = rng.normal(0.0, 0.018, board_of_row.max() + 1)[board_of_row][:, None]
    grain = gaussian_filter(rng.normal(0.0, 1.0, (deep, wide)), (0.8, 40.0))
    joints = rng.integers(0, wide, board_of_row.max() + 1)[board_of_row][:, None]
    long = round(1.9 * _TEXELS_PER_M)
    seam = (rows % board == 0)[:, None] | ((columns[None, :] - joints) % long == 0)
    light = 0.93 + 0.07 * rows[:, None] / deep  # slightly darker towards the wall
    bright = (tone + 0.014 * grain / grain.std() - 0.07 * gaussian_filter(seam.astype(float), 0.7) + 1.0) * light
    return np.clip(bright[..., None] * np.array(room.floor_rgb), 0.0, 1.0)


def wall_texture(room: Room) -> UInt8:
    """(H, W, 3); rows run upward from the floor, columns along x."""
    wide = round(room.size_m[0] * _TEXELS_PER_M)
    up = np.arange(round(room.wall_height_m * _TEXELS_PER_M)) / _TEXELS_PER_M
    x = room.low_m[0] + (np.arange(wide) + 0.5) / _TEXELS_PER_M
    light = 0.86 + 0.10 * np.exp(-(((x[None, :] - 0.3) / 2.6) ** 2) - ((up[:, None] - 1.7) / 1.6) ** 2)
    wall = light[..., None] * np.array(room.wall_rgb)
    wall[up < 0.10] = wall[up < 0.10] * 0.4 + 0.55 * np.array([0.97, 0.96, 0.94])
    wall[(up >= 0.10) & (up < 0.112)] *= 0.80
    from_picture = np.abs(x - room.picture_x_m)
    for inside, rgb in ((0.04, (0.30, 0.24, 0.19)), (0.0, room.paper_rgb), (-0.07, room.sky_rgb)):
        framed = np.outer(np.abs(up - 1.62) < 0.36 + inside, from_picture < 0.27 + inside)
        wall[framed] = rgb
    hill = np.outer(up, np.ones(wide)) < 1.56 + 0.10 * np.sin(7.0 * x)[None, :]
    wall[np.outer(np.abs(up - 1.62) < 0.29, from_picture < 0.20) & hill] = room.hill_rgb
    return np.round(np.clip(wall, 0.0, 1.0) * 255).astype(np.uint8)


def with_shadow(room: Room, floor_rgb: Float64, points_m: Float64) -> UInt8:
    """The floor texture with the soft shadows of the points (V, 3): cast by the light, and contact shadows."""
    cast = points_m - np.array(room.sun) * (points_m[:, 1:2] / room.sun[1])
    near = points_m[points_m[:, 1] < 0.14]
    shade = 0.34 * _blurred_mask(room, cast, 0.05) + 0.40 * _blurred_mask(room, near, 0.025)
    fine = zoom(np.clip(shade, 0.0, 0.75), np.array(floor_rgb.shape[:2]) / shade.shape, order=1)
    return np.round(floor_rgb * (1.0 - fine[..., None]) * 255).astype(np.uint8)


def _blurred_mask(room: Room, points_m: Float64, soft_m: float) -> Float64:
    wide, deep = np.round(room.size_m * _SHADOW_TEXELS_PER_M).astype(int)
    column, row = ((points_m[:, [0, 2]] - np.array(room.low_m)) * _SHADOW_TEXELS_PER_M).astype(int).T
    hit = np.zeros((deep, wide))
    inside = (row >= 0) & (row < deep) & (column >= 0) & (column < wide)
    hit[row[inside], column[inside]] = 1.0
    return gaussian_filter(hit, soft_m * _SHADOW_TEXELS_PER_M)
