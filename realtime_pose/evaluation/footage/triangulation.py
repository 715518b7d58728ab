"""Triangulation of people seen by several calibrated cameras: who is who in the views, and where their joints are."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

MIN_SCORE = 0.3
"""Score of a keypoint from which on it counts."""
_MIN_SHARED = 6  # joints that two views of one person share
_SAME_PERSON_M = 0.08  # median distance between the rays of two views of one person
_OUTLIER_RAD = 0.015  # a ray that misses its joint by more than this is an outlier: 25 px of a full HD image
_ITERATIONS = 5
_GROUPS = ([0, 1, 6, 7], [2, 3, 4, 5], [8, 9, 10, 11])  # of LIMB_NAMES: trunk, arms, legs
_SWAP_RAD = 0.001  # costs of exchanging the sides of a view, against the rays' mean angle off the joints,
_MOVED_RAD_PER_M = 0.005  # and of joints that move away from where they were
_SAME_PLACE_M = 0.5  # a person moves less than this between two frames, and two people are farther apart


@dataclass(frozen=True, eq=False)
class Sighting:
    """One person in one view and frame.

    Attributes:
        view: Which camera.
        person: Which of the people that it found.
        origin_m: (3,) the camera's place.
        rays: (J, 3) unit directions to the joints, in the world.
        score: (J,) of the keypoints.
    """

    view: int
    person: int
    origin_m: Float64
    rays: Float64
    score: Float64

    @property
    def seen(self) -> Bool:
        """(J,) which joints count."""
        return self.score >= MIN_SCORE


def epipolar_distance_m(a: Sighting, b: Sighting) -> float:
    """Median distance between the rays of two sightings; infinite where they share too few joints.

    Left and right count as exchanged where that fits better: an estimator's swap makes nobody somebody else.
    """
    straight_m, crossed_m = (
        _between_rays_m(a, b, order).reshape(-1, 2) for order in (slice(None), _swapped(len(a.rays)))
    )
    if np.isfinite(straight_m).sum() < _MIN_SHARED:
        return float("inf")
    crossed = crossed_m.sum(axis=1) < straight_m.sum(axis=1)  # false for NaN
    return float(np.nanmedian(np.where(crossed[:, None], crossed_m, straight_m)))


def _between_rays_m(a: Sighting, b: Sighting, order: slice | list[int]) -> Float64:
    """Distances (J,) between the lines of a's joints and of b's in this order; NaN where one is not seen."""
    normal = rot.unit(rot.cross(a.rays, b.rays[order]))
    return np.where(a.seen & b.seen[order], np.abs(normal @ (b.origin_m - a.origin_m)), np.nan)


def _swapped(joints: int) -> list[int]:
    """Rows with left and right exchanged; they alternate, as in LIMB_NAMES."""
    return [row ^ 1 for row in range(joints)]


def grouped(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    """The sightings of one frame by person, at least two views each, most views first; close pairs are joined first."""
    group_of = {i: [i] for i in range(len(sightings))}
    pairs = [
        (epipolar_distance_m(sightings[i], sightings[j]), i, j)
        for i, j in combinations(range(len(sightings)), 2)
        if sightings[i].view != sightings[j].view
    ]
    for distance_m, i, j in sorted(pairs):
        first, second = group_of[i], group_of[j]
        views = [sightings[k].view for k in (*first, *second)]
        if distance_m > _SAME_PERSON_M or first is second or len(set(views)) < len(views):
            continue
        first += second
        for k in second:
            group_of[k] = first
    groups = {id(group): group for group in group_of.values() if len(group) > 1}
    return sorted(([sightings[k] for k in group] for group in groups.values()), key=len, reverse=True)


def triangulated(sightings: Sequence[Sighting], last_m: Float64 | None = None) -> tuple[Float64, Float64]:
    """Joints (12, 3) nearest to the rays of all views, and their mean angle off these in rad; NaN with fewer than two.

    Linear least squares of the distances from a point to rays, weighted by scores and by the inverse square of the
    distance to the camera, so that angles count; repeated with outliers weighted down, then without them. Before that,
    left and right of trunk, arms and legs are exchanged in the views that do not fit the others.

    Args:
        sightings: One person, a view each; the joints are LIMB_NAMES.
        last_m: (12, 3) their joints in an earlier frame, which decides between sides where as many views say either.

    Source: Hartley and Sturm, "Triangulation" (1997), for the reweighting.
    """
    origin_m = np.array([sighting.origin_m for sighting in sightings])[:, None]
    rays = np.array([sighting.rays for sighting in sightings])
    score = np.array([sighting.score * sighting.seen for sighting in sightings])
    for rows in _GROUPS:
        order = _sides(origin_m, rays[:, rows], score[:, rows], None if last_m is None else last_m[rows])
        for view, swapped in enumerate(order):
            if swapped:
                others = [rows[row] for row in _swapped(len(rows))]
                rays[view, rows], score[view, rows] = rays[view, others], score[view, others]
    projector = _across(rays)
    weight = score
    joints_m, off_rad = _solved(projector, origin_m, weight), np.zeros_like(score)
    for _ in range(_ITERATIONS):
        off_rad, distance_m = _off_rad(joints_m, origin_m, rays)
        weight = score / distance_m**2 / (1 + (off_rad / (_OUTLIER_RAD / 2)) ** 2)
        joints_m = _solved(projector, origin_m, weight)
    fits = (score > 0) & (off_rad < _OUTLIER_RAD)
    enough = fits.sum(axis=0) >= 2
    joints_m = _solved(projector, origin_m, np.where(fits & enough, weight, 0))
    mean_rad = (off_rad * fits).sum(axis=0) / np.maximum(fits.sum(axis=0), 1)
    return np.where(enough[:, None], joints_m, np.nan), np.where(enough, mean_rad, np.nan)


def _sides(origin_m: Float64, rays: Float64, score: Float64, last_m: Float64 | None) -> tuple[bool, ...]:
    """For each view, whether its left and right (2, 2 ... alternating) are exchanged so that all views fit best."""
    swapped_rays, swapped_score = (x[:, _swapped(x.shape[1])] for x in (rays, score))
    best: tuple[float, tuple[bool, ...]] | None = None
    for choice in product((False, True), repeat=len(rays)):
        pick = np.array(choice)
        its_rays = np.where(pick[:, None, None], swapped_rays, rays)
        its_score = np.where(pick[:, None], swapped_score, score)
        joints_m = _solved(_across(its_rays), origin_m, its_score)
        off_rad = np.minimum(_off_rad(joints_m, origin_m, its_rays)[0], 2 * _OUTLIER_RAD)
        cost = float((off_rad * its_score).sum() / max(its_score.sum(), 1e-6)) + _SWAP_RAD * sum(choice) / len(choice)
        if last_m is not None and np.isfinite(last_m).any():
            cost += _MOVED_RAD_PER_M * float(np.nanmean(np.linalg.norm(joints_m - last_m, axis=-1)))
        if best is None or cost < best[0]:
            best = cost, choice
    return best[1] if best is not None else ()


def _across(rays: Float64) -> Float64:
    """Projections (..., 3, 3) onto the planes across rays (..., 3)."""
    return np.eye(3) - rays[..., :, None] * rays[..., None, :]


def _off_rad(joints_m: Float64, origin_m: Float64, rays: Float64) -> tuple[Float64, Float64]:
    """Angles (V, J) between rays and the directions to the joints, and the distances (V, J) to these."""
    from_camera = joints_m - origin_m
    distance_m = np.maximum(np.linalg.norm(from_camera, axis=-1), 1e-6)
    return np.arccos(np.clip((from_camera * rays).sum(axis=-1) / distance_m, -1, 1)), distance_m


def _solved(projector: Float64, origin_m: Float64, weight: Float64) -> Float64:
    """Points (J, 3) of least weighted squared distance to the rays of V views."""
    normal = (weight[..., None, None] * projector).sum(axis=0) + 1e-9 * np.eye(3)
    right = (weight[..., None] * (projector @ origin_m[..., None])[..., 0]).sum(axis=0)
    return np.linalg.solve(normal, right[..., None])[..., 0]


@dataclass(eq=False)
class TriangulatedPerson:
    """One person over time.

    Attributes:
        joints_m: Frame -> (J, 3) in the calibration's world, NaN where unknown.
        off_rad: Frame -> (J,) mean angle of their rays off them.
        seen_as: Frame -> view -> which of the people of this view it is.
    """

    joints_m: dict[int, Float64]
    off_rad: dict[int, Float64]
    seen_as: dict[int, dict[int, int]]


def follow(frames: Sequence[Sequence[Sighting]]) -> list[TriangulatedPerson]:
    """The people seen by two views or more, longest first.

    Args:
        frames: All sightings of each frame.
    """
    people: list[TriangulatedPerson] = []
    last_m: list[Float64] = []
    for frame, sightings in enumerate(frames):
        taken: set[int] = set()
        for group in grouped(sightings):
            joints_m, off_rad = triangulated(group)
            if np.isfinite(joints_m).all(axis=1).sum() < _MIN_SHARED:
                continue
            place_m = np.nanmedian(joints_m, axis=0)
            away_m = [float(np.linalg.norm(place_m - at)) for at in last_m]
            nearest = min(range(len(people)), key=away_m.__getitem__, default=-1)
            if nearest < 0 or away_m[nearest] > _SAME_PLACE_M:
                nearest = len(people)
                people.append(TriangulatedPerson({}, {}, {}))
                last_m.append(place_m)
            elif nearest in taken:
                continue  # a pair of views that shows them too, and does not fit the other views
            taken.add(nearest)
            last_m[nearest] = place_m
            person = people[nearest]
            if person.joints_m:
                joints_m, off_rad = triangulated(group, next(reversed(person.joints_m.values())))
            person.joints_m[frame], person.off_rad[frame] = joints_m, off_rad
            person.seen_as[frame] = {sighting.view: sighting.person for sighting in group}
    return sorted(people, key=lambda person: len(person.joints_m), reverse=True)
