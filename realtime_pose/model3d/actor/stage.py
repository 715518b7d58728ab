"""The stage: the actor in its room, drawn off-screen by the camera of `film`."""

import numpy as np
import pyvista
from vtkmodules.vtkCommonCore import vtkLogger

from realtime_pose.model3d.actor.film import CAMERA_POSITION_M, INTRINSICS
from realtime_pose.model3d.actor.measures import BONE_M, REST_JOINTS_M
from realtime_pose.model3d.actor.mesh import Mesh
from realtime_pose.model3d.actor.room import (
    FLOOR_HIGH_M,
    FLOOR_LOW_M,
    WALL_HEIGHT_M,
    floor_picture,
    wall_picture,
    with_shadow,
)
from realtime_pose.model3d.actor.weights import joint_weights
from realtime_pose.model3d.skinning import skin, skin_matrices
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils.arrays import FloatArray, UInt8

_SAMPLES = 2  # pictures are drawn this many times larger and averaged down: smooth edges
# position, colour, strength: a main light from the front left, a wide fill, and one from behind for the outline
_LIGHTS = (
    ((-1.8, 3.2, 3.0), "#fff4e6", 0.62),
    ((2.6, 1.6, 3.2), "#e8f0ff", 0.30),
    ((0.5, 3.5, -1.5), "#ffffff", 0.28),
)


class Stage:
    """Draws the actor in the room, one pose after another."""

    def __init__(self, body: Mesh, seed: int) -> None:
        self._body, self._weights = body, joint_weights(body.points_m)
        self._floor_rgb = floor_picture(np.random.default_rng(seed))
        self._actor = pyvista.PolyData.from_regular_faces(body.points_m.astype(np.float32), body.faces)
        self._actor.point_data["rgb"] = np.round(body.rgb * 255).astype(np.uint8)
        size = (INTRINSICS.width * _SAMPLES, INTRINSICS.height * _SAMPLES)
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)  # else it warns that there is no display
        self._plotter = pyvista.Plotter(off_screen=True, window_size=size, lighting="none")
        self._plotter.set_background("#d5d4cf")
        for position, color, strength in _LIGHTS:
            self._plotter.add_light(
                pyvista.Light(position=position, focal_point=(0, 1, 0), color=color, intensity=strength)
            )
        x0, z0 = FLOOR_LOW_M
        x1, z1 = FLOOR_HIGH_M
        self._floor = self._add_picture([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)])
        wall = self._add_picture([(x0, 0, z0), (x1, 0, z0), (x1, WALL_HEIGHT_M, z0), (x0, WALL_HEIGHT_M, z0)])
        wall.texture = _texture(wall_picture())
        self._plotter.add_mesh(
            self._actor, scalars="rgb", rgb=True, smooth_shading=False, ambient=0.34, diffuse=0.9, specular=0.06,
            specular_power=12, show_scalar_bar=False,
        ).prop.interpolation = "Phong"  # fmt: skip
        camera = self._plotter.camera
        camera.position = tuple(CAMERA_POSITION_M)
        camera.focal_point = tuple(CAMERA_POSITION_M - np.array([0.0, 0.0, 1.0]))
        camera.up = (0.0, 1.0, 0.0)
        camera.view_angle = 2.0 * np.degrees(np.arctan(INTRINSICS.height / 2 / INTRINSICS.fy))  # VTK's is vertical
        camera.clipping_range = (0.5, 12.0)

    def draw(self, local_xyzw: FloatArray, root_m: FloatArray) -> UInt8:
        """(480, 640, 3) RGB picture of one pose: local rotations (J, 4) and hips (3,)."""
        matrices = skin_matrices(HUMANOID, local_xyzw, root_m, BONE_M, REST_JOINTS_M)
        points, normals = skin(self._body.points_m, self._body.normals, self._weights, matrices)
        self._actor.points = points.astype(np.float32)
        self._actor.point_data.active_normals = normals.astype(np.float32)
        self._floor.texture = _texture(with_shadow(self._floor_rgb, points))
        self._plotter.render()
        large = self._plotter.screenshot(return_img=True)[..., :3].astype(np.float64)
        rows, columns = INTRINSICS.height, INTRINSICS.width
        return np.round(large.reshape(rows, _SAMPLES, columns, _SAMPLES, 3).mean(axis=(1, 3))).astype(np.uint8)

    def close(self) -> None:
        """Free the window."""
        self._plotter.close()

    def _add_picture(self, corners: list[tuple[float, float, float]]) -> pyvista.Actor:
        """An unlit rectangle; the picture's first row lies along its first two corners."""
        quad = pyvista.PolyData(np.array(corners, dtype=np.float32), faces=[4, 0, 1, 2, 3])
        quad.active_texture_coordinates = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32)
        return self._plotter.add_mesh(quad, lighting=False, color="white")


def _texture(picture: UInt8) -> pyvista.Texture:
    """VTK counts rows from below, so the first row goes last."""
    texture = pyvista.Texture(np.ascontiguousarray(picture[::-1]))
    texture.interpolate = True
    texture.mipmap = True
    return texture
