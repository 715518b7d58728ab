"""Floor estimation: the camera's height and attitude over the floor from feet that stand, and poses in world axes.

A standing ankle's ray `r` and its distance `d` satisfy `n . (d r) = -H`: n is the vertical in camera axes, H the height
of the camera over the ankles. Divided by d and H, that is linear in n / H. Rays are precise and distances are not, so
the inverse distance is fitted to the ray: noise of the distance then leaves the attitude unbiased. What the lifter says
of the vertical (`body.camera_attitude`) is the prior, which decides where people stay in one place.
"""

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field, replace
from operator import itemgetter

import numpy as np

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, JointRotations, SceneCamera, SkeletonPose
from realtime_pose.filters.ankle_rays import Ray, ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.leg_ik import FOOT, LOWER, legs_of
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Vec3

_LEG_M = float(-HUMANOID.rest_offset_m[[LOWER[0], FOOT[0]], 1].sum())
_ANKLE_M = float(HUMANOID.rest_offset_m[0, 1]) - _LEG_M

_SAMPLE_S = 0.1  # a standing foot gives one sample for each such interval: the mean of its frames
_FIT_S = 0.25  # interval of fits
_MAX_SAMPLES = 600  # the last minute of standing
_REACH_NS = 30_000_000_000  # to each side: half a minute, likewise, of a whole clip
_PLACE = 0.03  # samples whose rays differ by less are from one place, and share their error
_DISTANCE_ERROR = 0.08  # standard deviation of a lifted distance, as a share
_ANKLE_ERROR_M = 0.05  # of a standing ankle's height: keypoint, heel, and contacts that are none
_FEW_SAMPLES = 3  # so many samples of a place have half the weight of many
_OUTLIER = 0.15  # a distance that is wrong by this share has half its weight: a foot on a block, or a bad lift
_LOW_PERCENTILE = 60  # of camera heights: starts the fit at the lower of two floors
_GIVEN_ERROR = 0.02  # standard deviation of a camera height that the user gives, as a share
_EASE_TAU_S = 0.7  # time constant with which the height moves to a new estimate
_MIN_CAMERA_M = 0.2  # with the camera nearer to the ankles' height, it says nothing about distances
_LIFTED_ERROR = 0.10  # standard deviation of one person's lifted distance, as a share
_RAY_ERROR_RAD = math.radians(0.3)  # of a ray's angle to the floor
_DISAGREEMENT = 0.7  # difference of floor and lifted distance, in logarithms, at which the floor is half trusted
_TINY = 0.01
_FARTHEST_M = 20.0  # a person farther away is so small in the image that their feet tell nothing of the floor
_NEW_TAKE_NS = 500_000_000  # time that runs back by more than this is another take


@dataclass
class _Stance:
    """The current sample of one standing foot: number of frames, and the sums of ray and inverse distance."""

    seconds: float = 0.0
    frames: int = 0
    sums: Float64 = field(default_factory=lambda: np.zeros(3))

    def add(self, ray: tuple[float, float], depth_m: float, dt_s: float) -> Float64 | None:
        """Add a frame; returns the mean ray and inverse distance (3,) when the sample is complete."""
        self.seconds, self.frames = self.seconds + dt_s, self.frames + 1
        self.sums = self.sums + np.array((*ray, 1.0 / max(depth_m, 0.1)))
        if self.seconds < _SAMPLE_S:
            return None
        sample = self.sums / self.frames
        self.seconds, self.frames, self.sums = 0.0, 0, np.zeros(3)
        return sample


class StandingTrack:
    """Where feet stood in a whole clip, for a floor at each of its moments from the frames before and after it."""

    def __init__(self) -> None:
        self._samples: dict[int, list[tuple[int, Float64]]] = {}  # by person: time in ns, sample
        self._lifted_m: dict[int, list[tuple[int, Float64]]] = {}  # by person: time in ns, lower ankle
        self.first_ns: int | None = None

    def add(self, track_id: int, time_ns: int, sample: Float64) -> None:
        """Add a sample of a standing foot (3,): its ray and its inverse distance."""
        self._samples.setdefault(track_id, []).append((time_ns, sample))

    def add_lifted(self, track_id: int, time_ns: int, ankle_m: Float64) -> None:
        """Add a lower ankle (3,) in camera axes, of someone without samples."""
        self._lifted_m.setdefault(track_id, []).append((time_ns, ankle_m))

    def samples_around(self, time_ns: int) -> Float64:
        """(N, 3) the samples next to this time of whoever has most of them there."""
        return _nearest(self._samples, time_ns)

    def lifted_around(self, time_ns: int) -> Float64:
        """(N, 3) likewise the lower ankles."""
        return _nearest(self._lifted_m, time_ns)


def _nearest(people: dict[int, list[tuple[int, Float64]]], time_ns: int) -> Float64:
    if not people:
        return np.zeros((0, 3))

    def before(rows: list[tuple[int, Float64]], end_ns: int) -> int:
        return bisect_left(rows, end_ns, key=itemgetter(0))

    def count(rows: list[tuple[int, Float64]]) -> int:
        return before(rows, time_ns + _REACH_NS + 1) - before(rows, time_ns - _REACH_NS)

    rows = max(people.values(), key=count)
    at = before(rows, time_ns)
    first = before(rows, rows[max(at - _MAX_SAMPLES, 0)][0])  # of those at the same time
    near = rows[first : at + _MAX_SAMPLES]  # in order of time, so the nearest are among these
    nearest = sorted(sorted(near, key=lambda row: abs(row[0] - time_ns))[:_MAX_SAMPLES], key=itemgetter(0))
    return np.array([sample for _, sample in nearest])


@dataclass
class _Person:
    """One person's standing feet, and samples (x and y of the ray, 1 / distance along the optical axis in 1/m).

    While there are none, as with legs that are never seen, the lifted lower ankles (3,) in camera axes count.
    """

    time_ns: int
    feet: list[_Stance] = field(default_factory=lambda: [_Stance(), _Stance()])
    samples: deque[Float64] = field(default_factory=lambda: deque(maxlen=_MAX_SAMPLES))
    lifted_m: deque[Float64] = field(default_factory=lambda: deque(maxlen=_MAX_SAMPLES))
    since_fit_s: float = 0.0


class FloorFilter:
    """Brings poses into world axes, with their roots measured from the floor; one floor for everyone.

    The origin is on the floor below the first position of the first person. Time that runs backwards is another take
    and resets everything. A camera height that is not given is at first the one that puts the first person's lower
    ankle on the floor, then that of standing feet, eased.

    Args:
        config: The settings.
        attitude: The camera's attitude, which this filter refines; by default one of its own.
        standing: Where feet stood in the first pass over the same frames; it counts instead of what is seen now.

    Attributes:
        attitude: The camera's attitude.
        is_empty: Whether nobody had a pose yet.
        standing: Where feet stood; kept with `look_ahead`, for a second pass.
    """

    def __init__(
        self, config: BodyConfig, attitude: CameraAttitude | None = None, standing: StandingTrack | None = None
    ) -> None:
        self.attitude = attitude or CameraAttitude(config)
        self._known = standing
        self.standing = standing or (StandingTrack() if config.look_ahead else None)
        self._ankle_m = ankle_height_m(config.height_m)
        self._given_m = config.camera_height_m - self._ankle_m if config.camera_height_m else 0.0
        self._restart()

    def _restart(self) -> None:
        self._people: PerTrack[_Person] = PerTrack()
        self._best_forgotten: _Person | None = None  # the best known of those forgotten: their floor stays
        self.is_empty = True
        self._time_ns = -1
        self._over_ankles_m = self._goal_m = self._given_m  # the camera over standing ankles
        self._camera_xz = (0.0, 0.0)
        # The best known person's lower ankle in the last frame, and its place: when the estimate of the camera changes,
        # the camera moves, not the person.
        self._reference: tuple[Ray, Float64] | None = None
        self._place_xz = (0.0, 0.0)
        if self._known is not None and self._known.first_ns is not None:
            self._fit_around(self._known, self._known.first_ns)
            self._over_ankles_m = self._goal_m
            self.attitude.settle()

    @property
    def world_from_camera_xyzw(self) -> Float64:
        """(4,) the rotation applied to poses: world from camera."""
        return self.attitude.world_from_camera_xyzw

    @property
    def camera_m(self) -> Float64:
        """(3,) the camera's position in the world; its y is its height over the floor."""
        x, z = self._camera_xz
        return np.array([x, self._over_ankles_m + self._ankle_m, z])

    def standing_place(self, ray: Ray, ankle_m: Vec3) -> tuple[float, float]:
        """Where an ankle would stand: x and z between its lifted place and where its ray meets standing ankles' plane.

        Both have errors, as shares of the distance; a far person's ray runs nearly along the floor and tells little.
        Where the two disagree by much, the foot stands on something else than the floor.

        Args:
            ray: The ankle's ray at distance 1 along the optical axis, in camera axes.
            ankle_m: Its lifted place from the camera, in world axes.
        """
        dx, dy, dz = vec.rotate(tuple(self.world_from_camera_xyzw.tolist()), (*ray, -1.0))
        x, z = self._camera_xz
        descent = -dy / max(math.hypot(dx, dz), _TINY)
        ratio = -self._over_ankles_m / ankle_m[1] if abs(ankle_m[1]) > _TINY else 0.0
        if ratio <= 0 or self._over_ankles_m * descent <= 0 or math.hypot(ankle_m[0], ankle_m[2]) > _FARTHEST_M:
            return x + ankle_m[0], z + ankle_m[2]
        floor_error = _RAY_ERROR_RAD * (1.0 + descent**2) / abs(descent)
        trust = _LIFTED_ERROR**2 / (_LIFTED_ERROR**2 + floor_error**2) / (1.0 + (math.log(ratio) / _DISAGREEMENT) ** 2)
        along = trust * self._over_ankles_m / -dy
        return x + (1 - trust) * ankle_m[0] + along * dx, z + (1 - trust) * ankle_m[2] + along * dz

    def camera(self, intrinsics: CameraIntrinsics) -> SceneCamera | None:
        """The camera with this lens, as poses are placed now; None before the first pose, and if that is not finite."""
        rotation, position_m = self.world_from_camera_xyzw, self.camera_m
        if self.is_empty or not np.isfinite([*position_m, *rotation]).all():
            return None
        source = "given" if self.attitude.is_given else "estimated" if self.attitude.is_known else "assumed"
        sigma_deg = 0.0 if source == "given" else math.degrees(self.attitude.measured[1])
        size = intrinsics.width, intrinsics.height
        return SceneCamera(intrinsics.fov_deg, *size, position_m, rotation, source, sigma_deg)

    def forget(self, track_id: int) -> None:
        """Drop one person's state; a floor that was found from their feet stays."""
        best = self._best_known() if len(self._people) else None
        forgotten = self._people.forget(track_id)
        if forgotten is not None and forgotten is best:
            self._best_forgotten = best

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose in world axes, its root measured from the floor; `foot_contact` says which feet stand."""
        if pose.time_ns < self._time_ns - _NEW_TAKE_NS:
            self._restart()
        dt_s, self._time_ns = max(pose.time_ns - self._time_ns, 0) / 1e9, max(pose.time_ns, self._time_ns)
        self.attitude.ease(pose.time_ns)
        ankles = pose.root_m + np.array([leg.ankle_m for leg in legs_of(pose)])
        world_from_camera = self.world_from_camera_xyzw
        if self.is_empty:
            self.is_empty, dt_s = False, 0.0
            x, _, z = rot.rotate(world_from_camera, pose.root_m).tolist()
            self._camera_xz = (-x, -z)
            if self.standing is not None and self.standing.first_ns is None:
                self.standing.first_ns = pose.time_ns
            if not self._goal_m:
                visible = pose.score[FOOT] > 0
                below_m = -rot.rotate(world_from_camera, ankles[visible] if visible.any() else ankles)[:, 1]
                self._over_ankles_m = self._goal_m = float(below_m.max())
        self._over_ankles_m += (1.0 - math.exp(-dt_s / _EASE_TAU_S)) * (self._goal_m - self._over_ankles_m)
        self._keep_place()
        root = self.camera_m + rot.rotate(world_from_camera, pose.root_m)
        local = pose.rotations.local_xyzw.astype(np.float64)
        local[0] = rot.multiply(world_from_camera, local[0])
        self._update_estimate(pose, observation, ankles)
        return replace(
            pose, rotations=JointRotations(pose.rotations.skeleton, as_float32(local)), root_m=as_float32(root)
        )

    def _update_estimate(self, pose: SkeletonPose, observation: Observation | None, ankles_m: Float64) -> None:
        """Update the person's samples with this frame, and fit the floor to them when it is time."""
        person = self._people.get_or_make(pose.track_id, lambda: _Person(pose.time_ns))
        dt_s, person.time_ns = (pose.time_ns - person.time_ns) / 1e9, pose.time_ns
        if not 0 <= dt_s <= _FIT_S:  # a gap: the foot may have moved in it
            person.feet, dt_s = [_Stance(), _Stance()], 0.0
        places: list[Vec3] = [(x, y, z) for x, y, z in ankles_m.tolist()]
        rays = ankle_rays(pose, observation, places)
        best = self._best_known() is person
        if best:
            lower = int(np.argmin(ankles_m @ self.attitude.up))
            self._reference = rays[lower][0], ankles_m[lower]
            self._place_xz = self._place_of(self._reference)
        stands = pose.foot_contact if pose.foot_contact is not None else (False, False)
        for side, (ray, _) in enumerate(rays):
            if not stands[side] or pose.score[FOOT[side]] <= 0 or -places[side][2] > _FARTHEST_M:
                person.feet[side] = _Stance()
                continue
            sample = person.feet[side].add(ray, -places[side][2], dt_s)
            if sample is not None:
                person.samples.append(sample)
                if self._known is None and self.standing is not None:
                    self.standing.add(pose.track_id, pose.time_ns, sample)
        person.since_fit_s += dt_s
        if person.since_fit_s >= _FIT_S and best:
            person.since_fit_s = 0.0
            if self._known is not None:
                self._fit_around(self._known, pose.time_ns)
            elif person.samples:
                self._fit(np.array(person.samples))
            elif float(np.linalg.norm(pose.root_m)) < _FARTHEST_M:
                lower_m = ankles_m[int(np.argmin(ankles_m @ self.attitude.up))]
                person.lifted_m.append(lower_m)
                if self.standing is not None:
                    self.standing.add_lifted(pose.track_id, pose.time_ns, lower_m)
                self._fit_lifted(np.array(person.lifted_m))

    def _keep_place(self) -> None:
        """Move the camera so that the last frame's reference is where it was before the estimate changed."""
        if self._reference is None:
            return
        (x, z), (was_x, was_z) = self._place_of(self._reference), self._place_xz
        self._camera_xz = (self._camera_xz[0] + was_x - x, self._camera_xz[1] + was_z - z)

    def _place_of(self, reference: tuple[Ray, Float64]) -> tuple[float, float]:
        ray, ankle_m = reference
        x, y, z = rot.rotate(self.world_from_camera_xyzw, ankle_m).tolist()
        return self.standing_place(ray, (x, y, z))

    def _best_known(self) -> _Person:
        """The person with the most samples; body sizes are guesses, so a mean over people fits none of them."""
        people = [*([self._best_forgotten] if self._best_forgotten else []), *self._people]
        return max(people, key=lambda person: len(person.samples))

    def _fit_around(self, known: StandingTrack, time_ns: int) -> None:
        """Estimate from the frames before and after this time."""
        if len(samples := known.samples_around(time_ns)):
            self._fit(samples)
        elif len(lifted_m := known.lifted_around(time_ns)):
            self._fit_lifted(lifted_m)

    def _fit_lifted(self, ankles_m: Float64) -> None:
        """Estimate the height from lower ankles (N, 3) that nothing says to stand, unless it is given."""
        if not self._given_m:
            self._goal_m = -float(np.median(ankles_m @ self.attitude.up))

    def _fit(self, samples: Float64) -> None:
        """Estimate height and attitude from samples (N, 3), unless they are given."""
        up, up_error_rad = self.attitude.measured
        normal, height_m = fit_floor(samples, up, up_error_rad, self._given_m or None)
        if not self._given_m:
            self._goal_m = height_m
        if not self.attitude.is_given:
            self.attitude.refine(normal)


def fit_floor(
    samples: Float64, up: Float64, up_error_rad: float, given_m: float | None = None
) -> tuple[Float64, float]:
    """The floor's normal (3,) in camera axes and the camera's height over the ankles, from standing feet.

    Maximum a posteriori for n / H of the plane n . p = -H: Gaussian prior of n about `up`, errors of inverse distances
    as shares, reweighted for outliers (Cauchy).

    Args:
        samples: (N, 3) x and y of an ankle's ray at distance 1 along the optical axis, and its inverse distance in 1/m.
        up: (3,) expected normal.
        up_error_rad: Its standard deviation in each direction.
        given_m: The height over the ankles, if the user gives it.

    Returns:
        The normal, and the height: negative for a camera below the floor that the person stands on.
    """
    cells = np.round(samples[:, :2] / _PLACE).astype(np.int64)
    _, place, count = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    place = place.reshape(-1)
    x, y, inverse = np.array([np.median(samples[place == p], axis=0) for p in range(place.max() + 1)]).T
    across = np.cross(up, (0.0, 0.0, 1.0))
    across /= max(float(np.linalg.norm(across)), 1e-9)
    axes = np.stack((up, across, np.cross(across, up)))  # n / H = first * up + the others, small
    design = -np.stack((x, y, -np.ones_like(x)), axis=1) @ axes.T
    heights_m = (design[:, 0] / inverse)[place]  # of each sample
    start_m = given_m or float(np.percentile(heights_m, _LOW_PERCENTILE, method="nearest"))
    if abs(start_m) < _MIN_CAMERA_M:
        return up, start_m
    scale = 1.0 / start_m
    solution = np.array([scale, 0.0, 0.0])
    # Of an inverse distance, as a share; a place where nobody stood for long may be none.
    error = math.hypot(_DISTANCE_ERROR, _ANKLE_ERROR_M * scale) * np.sqrt(1.0 + _FEW_SAMPLES / count)
    across_weight = 1.0 / (up_error_rad * abs(scale))
    prior = np.diag((1.0 / (_GIVEN_ERROR * scale) if given_m else 0.0, across_weight, across_weight))
    for _ in range(6):
        off = (design @ solution - inverse) / inverse
        weight = 1.0 / (error * inverse * np.sqrt(1.0 + (off / _OUTLIER) ** 2))
        rows = np.concatenate((design * weight[:, None], prior))
        wanted = np.concatenate((inverse * weight, prior @ (scale, 0.0, 0.0)))
        solution = np.linalg.lstsq(rows, wanted)[0]
    normal = solution @ axes
    inverse_m = math.copysign(float(np.linalg.norm(normal)), solution[0])
    return normal / inverse_m, 1.0 / inverse_m


def ankle_height_m(height_m: float) -> float:
    """The ankle's height over the sole, for a body of this height."""
    return _ANKLE_M * height_m / REST_HEIGHT_M


def ankle_over_sole_m(leg_m: float) -> float:
    """The ankle's height over the sole, for a body whose thigh and shank are together this long."""
    return _ANKLE_M * leg_m / _LEG_M
