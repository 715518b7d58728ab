"""Stage: off-screen rendering of an actor in its room."""

import numpy as np
import pyvista
from vtkmodules.vtkCommonCore import vtkLogger

from realtime_pose.utils.arrays import Float64, FloatArray, UInt8
from tools.actor.body.figure import Figure
from tools.actor.body.mesh import Mesh
from tools.actor.scene.film import FilmCamera
from tools.actor.scene.props import Stool, ball_mesh, stool_mesh
from tools.actor.scene.room import Room, floor_texture, wall_texture, with_shadow

_SAMPLES = 2  # supersampling factor, for smooth edges


class Stage:
    """Draws the actor in the room, one pose after another."""

    def __init__(self, figure: Figure, camera: FilmCamera, room: Room, seed: int, stool: Stool | None = None) -> None:
        self._figure, self._room, self._camera = figure, room, camera
        self._floor_rgb = floor_texture(room, np.random.default_rng(seed))
        size = (camera.intrinsics.width * _SAMPLES, camera.intrinsics.height * _SAMPLES)
        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)  # otherwise it warns that there is no display
        self._plotter = pyvista.Plotter(off_screen=True, window_size=size, lighting="none")
        self._plotter.set_background("#d5d4cf")
        for light in room.lights:
            self._plotter.add_light(
                pyvista.Light(
                    position=light.position_m, focal_point=(0, 1, 0), color=light.color, intensity=light.strength
                )
            )
        (x0, z0), (x1, z1), up = room.low_m, room.high_m, room.wall_height_m
        self._floor = self._add_rectangle([(x0, 0, z0), (x1, 0, z0), (x1, 0, z1), (x0, 0, z1)])
        wall = self._add_rectangle([(x0, 0, z0), (x1, 0, z0), (x1, up, z0), (x0, up, z0)])
        wall.texture = _texture(wall_texture(room))
        self._actor = self._add_mesh(figure.mesh)
        self._standing = np.zeros((0, 3))
        if stool is not None:
            mesh = stool_mesh(stool)
            self._add_mesh(mesh)
            self._standing = mesh.points_m
        self._ball: tuple[pyvista.PolyData, Float64] | None = None
        self._aim()

    def draw(self, local_xyzw: FloatArray, root_m: FloatArray, ball_m: FloatArray | None = None) -> UInt8:
        """(H, W, 3) RGB image of one pose: local rotations (J, 4), hips (3,), and the ball's centre (3,)."""
        points, normals = self._figure.posed(local_xyzw, root_m)
        self._actor.points = points.astype(np.float32)
        self._actor.point_data.active_normals = normals.astype(np.float32)
        shading = [points, self._standing]
        if ball_m is not None:
            shading.append(self._ball_at(ball_m))
        self._floor.texture = _texture(with_shadow(self._room, self._floor_rgb, np.concatenate(shading)))
        self._plotter.render()
        large = self._plotter.screenshot(return_img=True)[..., :3].astype(np.float64)
        rows, columns = self._camera.intrinsics.height, self._camera.intrinsics.width
        return np.round(large.reshape(rows, _SAMPLES, columns, _SAMPLES, 3).mean(axis=(1, 3))).astype(np.uint8)

    def close(self) -> None:
        """Close the renderer."""
        self._plotter.close()

    def _ball_at(self, centre_m: FloatArray) -> Float64:
        """Move the ball there; returns its points."""
        if self._ball is None:
            mesh = ball_mesh()
            self._ball = self._add_mesh(mesh), mesh.points_m
        drawn, points = self._ball
        drawn.points = (points + centre_m).astype(np.float32)
        return points + centre_m

    def _aim(self) -> None:
        """Set VTK's camera to the film camera."""
        from_world = self._camera.camera_from_world[:3, :3]
        position, lens = np.array(self._camera.position_m), self._camera.intrinsics
        camera = self._plotter.camera
        camera.position = tuple(position)
        camera.focal_point = tuple(position + from_world[2])
        camera.up = tuple(-from_world[1])
        camera.view_angle = 2.0 * np.degrees(np.arctan(lens.height / 2 / lens.fy))  # VTK's is vertical
        camera.clipping_range = (0.5, 12.0)

    def _add_mesh(self, mesh: Mesh) -> pyvista.PolyData:
        """Add a surface; its points may be changed later."""
        drawn = pyvista.PolyData.from_regular_faces(mesh.points_m.astype(np.float32), mesh.faces)
        drawn.point_data["rgb"] = np.round(mesh.rgb * 255).astype(np.uint8)
        drawn.point_data.active_normals = mesh.normals.astype(np.float32)
        self._plotter.add_mesh(
            drawn, scalars="rgb", rgb=True, smooth_shading=False, ambient=0.34, diffuse=0.9, specular=0.06,
            specular_power=12, show_scalar_bar=False,
        ).prop.interpolation = "Phong"  # fmt: skip
        return drawn

    def _add_rectangle(self, corners: list[tuple[float, float, float]]) -> pyvista.Actor:
        """Add an unlit rectangle; its texture's first row is along the first two corners."""
        quad = pyvista.PolyData(np.array(corners, dtype=np.float32), faces=[4, 0, 1, 2, 3])
        quad.active_texture_coordinates = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float32)
        return self._plotter.add_mesh(quad, lighting=False, color="white")


def _texture(image: UInt8) -> pyvista.Texture:
    """A VTK texture; VTK counts rows from the bottom."""
    texture = pyvista.Texture(np.ascontiguousarray(image[::-1]))
    texture.interpolate = True
    texture.mipmap = True
    return texture
