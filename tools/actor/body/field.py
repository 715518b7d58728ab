"""Signed distance fields with smooth union, intersection and difference; negative inside.

A field maps points (N, 3) in metres to their approximate distance (N,) from its surface.
Source, also of the polynomial smooth minimum: Inigo Quilez, "Smooth minimum" and "Distance functions".
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np

from realtime_pose.utils.arrays import Float64

Field: TypeAlias = Callable[[Float64], Float64]
Point: TypeAlias = tuple[float, float, float]

_MIRROR_X = np.array([-1.0, 1.0, 1.0])


def cone(start: Point, end: Point, start_radius: float, end_radius: float) -> Field:
    """A capsule from start to end with a changing radius; start = end is a ball."""
    a, axis = np.array(start), np.subtract(end, start)
    length_2 = max(float(axis @ axis), 1e-12)

    def field(points: Float64) -> Float64:
        t = np.clip((points - a) @ axis / length_2, 0.0, 1.0)
        radius = start_radius + t * (end_radius - start_radius)
        return np.linalg.norm(points - a - t[:, None] * axis, axis=1) - radius

    return field


def ball(center: Point, radius: float) -> Field:
    """A ball."""
    return cone(center, center, radius, radius)


def ellipsoid(center: Point, radii: Point) -> Field:
    """An ellipsoid with its axes along x, y and z; the distance is accurate near the surface only."""
    c, r = np.array(center), np.array(radii)

    def field(points: Float64) -> Float64:
        scaled = (points - c) / r
        k0 = np.linalg.norm(scaled, axis=1)
        k1 = np.linalg.norm(scaled / r, axis=1)
        return k0 * (k0 - 1.0) / np.maximum(k1, 1e-9)

    return field


def block(center: Point, half: Point, rounding: float) -> Field:
    """A box with rounded edges; `half` is half its size, rounding included."""
    c, h = np.array(center), np.array(half) - rounding

    def field(points: Float64) -> Float64:
        q = np.abs(points - c) - h
        outside = np.linalg.norm(np.maximum(q, 0.0), axis=1)
        return outside + np.minimum(q.max(axis=1), 0.0) - rounding

    return field


def half_space(through: Point, outward: Point) -> Field:
    """The half space behind the plane through a point with the normal `outward`."""
    normal = np.array(outward) / np.linalg.norm(outward)
    distance = float(np.array(through) @ normal)
    return lambda points: points @ normal - distance


def union(softness: float, *fields: Field) -> Field:
    """Union of the fields; seams are blended over about `softness` metres."""
    return lambda points: reduce(lambda a, b: _soft_minimum(a, b, softness), (f(points) for f in fields))


def intersection(softness: float, *fields: Field) -> Field:
    """Intersection of the fields; edges are rounded over about `softness` metres."""
    return lambda points: -reduce(lambda a, b: _soft_minimum(a, b, softness), (-f(points) for f in fields))


def difference(field: Field, tool: Field, softness: float) -> Field:
    """The field minus the tool."""
    return intersection(softness, field, lambda points: -tool(points))


def offset(field: Field, by_m: float) -> Field:
    """The field grown by `by_m` on all sides."""
    return lambda points: field(points) - by_m


def both_sides(field: Field, softness: float) -> Field:
    """The field and its mirror image across x = 0."""
    return union(softness, field, lambda points: field(points * _MIRROR_X))


def chain(points: Sequence[Point], radii: Sequence[float]) -> Field:
    """Cones end to end through the points."""
    pairs = zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True)
    return union(0.0, *(cone(a, b, ra, rb) for a, b, ra, rb in pairs))


def normals(field: Field, points: Float64, step_m: float = 1e-3) -> Float64:
    """Unit gradients (N, 3) of the field: the surface's normals."""
    steps = step_m * np.eye(3)
    slope = np.stack([field(points + s) - field(points - s) for s in steps], axis=1)
    return slope / np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)


def _soft_minimum(a: Float64, b: Float64, softness: float) -> Float64:
    if softness == 0.0:
        return np.minimum(a, b)
    overlap = np.maximum(softness - np.abs(a - b), 0.0) / softness
    return np.minimum(a, b) - overlap**2 * softness / 4.0
