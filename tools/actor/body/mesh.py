"""Meshes from distance fields: marching cubes, reduced, with the field's normals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from realtime_pose.utils.arrays import Float64
from tools.actor.body.field import Field, Point, normals

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh with a colour at each of its V vertices.

    Attributes:
        points_m: (V, 3).
        normals: (V, 3) unit.
        faces: (F, 3) rows of points, counter-clockwise seen from outside.
        rgb: (V, 3) sRGB in 0..1.
    """

    points_m: Float64
    normals: Float64
    faces: Int64
    rgb: Float64


def surface(field: Field, low: Point, high: Point, voxel_m: float, triangles: int) -> tuple[Float64, Float64, Int64]:
    """Points, normals and faces of the field's surface inside the box from low to high.

    Marching cubes on a grid, reduced to about `triangles`, with the points projected back to the surface.
    """
    import fast_simplification
    from skimage.measure import marching_cubes

    axes = [np.arange(a, b + voxel_m, voxel_m) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    values = np.concatenate([field(part) for part in np.array_split(grid, max(1, len(grid) // 200_000))])
    volume = values.reshape([len(a) for a in axes])
    points, faces, _, _ = marching_cubes(volume, 0.0, spacing=(voxel_m,) * 3, gradient_direction="descent")
    if len(faces) > triangles:
        points, faces = fast_simplification.simplify(
            points.astype(np.float32), faces.astype(np.int32), target_count=triangles
        )
    points = points.astype(np.float64) + np.array(low)
    for _ in range(2):  # the reduction moves points off the surface
        points = points - np.clip(field(points), -voxel_m, voxel_m)[:, None] * normals(field, points)
    corners = points[faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) / 2
    return points, normals(field, points), faces[area > 1e-10].astype(np.int64)


def merged(meshes: list[Mesh]) -> Mesh:
    """One mesh of many, without welding vertices."""
    starts = np.cumsum([0, *(len(m.points_m) for m in meshes[:-1])])
    return Mesh(
        np.concatenate([m.points_m for m in meshes]),
        np.concatenate([m.normals for m in meshes]),
        np.concatenate([m.faces + start for m, start in zip(meshes, starts, strict=True)]),
        np.concatenate([m.rgb for m in meshes]),
    )
