"""Floor and camera estimation: camera height and pitch from standing feet, and poses in world axes.

A foot that stands still is on the floor, so its ray and its distance say where the floor is: with the camera `H` over
the ankles and pitched down by `p`, 1 / distance = (cos p * s + sin p) / H, where `s` is how far below the optical axis
the ray falls per metre. Rays are precise and distances are not, so the inverse distance is fitted to the ray: noise of
the distance, which moves a point along its ray and looks like a slope in space, then leaves the pitch unbiased. Where
people stay in one place, the pitch comes from their upright posture (`filters.camera_pitch`); the two are weighted by
their standard errors.
"""

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.body.profile import body_of
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, JointRotations, SceneCamera, SkeletonPose
from realtime_pose.filters.ankle_rays import Ray, ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.camera_pitch import PosturePitch
from realtime_pose.filters.leg_ik import FOOT, LOWER, Leg, legs_of
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Vec3

_LEG_M = float(-HUMANOID.rest_offset_m[[LOWER[0], FOOT[0]], 1].sum())
_ANKLE_M = float(HUMANOID.rest_offset_m[0, 1]) - _LEG_M

_STILL_M_S = 0.2  # a foot that moves slower than this across the line of sight stands
_SPEED_TAU_S = 0.06  # time constant of the foot's speed
_SAMPLE_S = 0.25  # a stance gives one sample for each such interval: the mean of its frames
_MAX_SAMPLES = 240  # the last minute of standing
_MIN_STRAIGHT_SAMPLES = 8  # with fewer of straight legs, those of bent legs are used too
_SAME_FLOOR_M = 0.06  # stances whose heights differ by less are on one floor
_LOW_PERCENTILE = 60  # of camera heights: chooses the lower of two floors, but no single outlier
_EASE_TAU_S = 0.7  # time constant with which height and pitch move to new estimates
_PLACE_SLOPE = 0.02  # samples whose slopes differ by less are from one place
_MIN_PLACES = 5  # places that a fit of the pitch needs
_PRIOR_PITCH_RAD = math.radians(10.0)  # standard deviation of the pitch of cameras: about level
_SLOPE_ERROR_RAD = math.radians(1.0)  # systematic error of the slope's pitch, added to its standard error
_MIN_PITCH_RAD = math.radians(4.0)  # a smaller pitch counts as level,
_LEVEL_RAD = math.radians(2.0)  # once one is in use only below this,
_MAX_PITCH_RAD = math.radians(50.0)  # and a larger one is ignored
_MIN_CAMERA_M = 0.2  # with the camera lower over the ankles, its height says nothing about distances
_MAX_DISTANCE_RATIO = 2.0  # limit of the correction of lifted distances, up and down
_NEW_TAKE_NS = 500_000_000  # time that runs back by more than this is another take


@dataclass
class _FootStance:
    """One foot: its speed, and the current sample of its stance."""

    pose_ray: Float64 | None = None
    speed_m_s: Float64 = field(default_factory=lambda: np.zeros(2))
    still_s: float = 0.0
    sums: Float64 = field(default_factory=lambda: np.zeros(3))  # frames, slopes, inverse distances

    def add(self, ray: Ray, place_m: Vec3, dt_s: float) -> tuple[float, float] | None:
        """Add a frame; returns the mean slope and inverse distance (1/m) when a sample is complete.

        Args:
            ray: The ankle's ray, at distance 1 along the camera's axis.
            place_m: The pose's ankle: smoother than the ray, so stillness is judged by it.
            dt_s: Time since the last call.
        """
        distance = max(-place_m[2], 0.1)
        pose_ray = np.array(place_m[:2]) / distance
        if self.pose_ray is None or dt_s <= 0:
            self.pose_ray, self.still_s = pose_ray, 0.0
            return None
        gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
        self.speed_m_s = self.speed_m_s + gain * ((pose_ray - self.pose_ray) * distance / dt_s - self.speed_m_s)
        self.pose_ray = pose_ray
        if math.hypot(*self.speed_m_s) > _STILL_M_S:
            self.still_s, self.sums = 0.0, np.zeros(3)
            return None
        self.still_s += dt_s
        self.sums = self.sums + np.array((1.0, -ray[1], 1.0 / distance))
        if self.still_s < _SAMPLE_S:
            return None
        frames, slopes, inverses = self.sums
        self.still_s, self.sums = 0.0, np.zeros(3)
        return float(slopes / frames), float(inverses / frames)


@dataclass
class _Person:
    """One person's feet and stance samples, newest last: (slope, 1 / distance in 1/m); bent legs apart."""

    time_ns: int
    feet: tuple[_FootStance, _FootStance] = field(default_factory=lambda: (_FootStance(), _FootStance()))
    samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MAX_SAMPLES))
    bent_samples: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MAX_SAMPLES))
    posture: PosturePitch = field(default_factory=PosturePitch)
    since_fit_s: float = 0.0  # since the last fit


class FloorFilter:
    """Brings poses into world axes, with their roots measured from the floor; one floor for everyone.

    The origin is on the floor below the first position of the first person, and stays there: distances between people
    are kept, also when one leaves and returns. Time that runs backwards is another take and resets everything. A
    camera height that is not given is at first the one that puts the first person's lower ankle on the floor (with
    occluded feet, a standing body is assumed), then that of the lowest stances, eased; likewise the camera's pitch,
    from the slope of the stances and from upright postures.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._ankle_m = ankle_height_m(config.height_m)
        self._hips_m = body_of(config).hip_height
        self._feet_are_locked = config.feet != "never"
        self._given_height_m = config.camera_height_m
        self._given_pitch_rad = math.radians(config.camera_pitch_deg)
        self._restart()

    def _restart(self) -> None:
        self._people: PerTrack[_Person] = PerTrack()
        self._best_forgotten: _Person | None = None  # the best known of those forgotten: their floor stays
        self._first_root_m: Float64 | None = None  # the first position, in camera axes
        self._time_ns = -1
        self._pitch_rad = self._pitch_goal_rad = self._given_pitch_rad
        self._height_m = self._height_goal_m = self._given_height_m
        self._first_ankle_m: Float64 | None = None  # the lower ankle at that time
        self._pitch_sigma_rad = _PRIOR_PITCH_RAD

    @property
    def world_from_camera_xyzw(self) -> Float64:
        """(4,) the rotation applied to poses: world from camera."""
        return rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-self._pitch_rad))

    @property
    def camera_m(self) -> Float64:
        """(3,) the camera's position in the world; its y is its height over the floor.

        When feet are locked, distances come from the floor: a higher camera is then also farther away, so that a
        person at the first position stays at the origin.
        """
        first = np.zeros(3) if self._first_root_m is None else self._first_root_m
        x, _, z = -rot.rotate(self.world_from_camera_xyzw, first) * self._distance_ratio
        return np.array([x, self._height_m, z])

    def camera(self, intrinsics: CameraIntrinsics) -> SceneCamera | None:
        """The camera with this lens, as poses are placed now; None before the first pose, and if that is not finite."""
        place_m, rotation = self.camera_m, np.array(self.world_from_camera_xyzw)
        if self._first_root_m is None or not np.isfinite(place_m).all():
            return None
        source = "assumed" if self._pitch_sigma_rad == _PRIOR_PITCH_RAD else "estimated"
        if self._given_height_m or self._given_pitch_rad:
            source = "given"
        sigma_deg = 0.0 if source == "given" else math.degrees(self._pitch_sigma_rad)
        width, height = intrinsics.width, intrinsics.height
        return SceneCamera(intrinsics.fov_deg, width, height, place_m, rotation, source, sigma_deg)

    @property
    def _distance_ratio(self) -> float:
        """True over lifted distance of the first position, by where its ankle's ray meets the floor."""
        if self._first_ankle_m is None or not self._feet_are_locked:
            return 1.0
        lifted_m = -float(rot.rotate(self.world_from_camera_xyzw, self._first_ankle_m)[1])
        over_ankle_m = self._height_m - self._ankle_m
        if min(lifted_m, over_ankle_m) < _MIN_CAMERA_M:
            return 1.0
        return min(max(over_ankle_m / lifted_m, 1 / _MAX_DISTANCE_RATIO), _MAX_DISTANCE_RATIO)

    def forget(self, track_id: int) -> None:
        """Drop one person's state; a floor that was found from their feet stays."""
        best = self._best_known() if len(self._people) else None
        forgotten = self._people.forget(track_id)
        if forgotten is not None and forgotten is best:
            self._best_forgotten = best

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose in world axes, its root measured from the floor."""
        if pose.time_ns < self._time_ns - _NEW_TAKE_NS:
            self._restart()
        dt_s, self._time_ns = max(pose.time_ns - self._time_ns, 0) / 1e9, max(pose.time_ns, self._time_ns)
        legs = legs_of(pose)
        ankles = pose.root_m + np.array([leg.ankle_m for leg in legs])
        visible = pose.score[FOOT] > 0
        if self._first_root_m is None:
            self._first_root_m, dt_s = pose.root_m.astype(np.float64), 0.0
            if not self._given_height_m:
                self._height_m = self._height_goal_m = self._first_height_m(ankles[visible], self._first_root_m)
            if visible.any():
                self._first_ankle_m = min(
                    ankles[visible], key=lambda ankle: float(rot.rotate(self.world_from_camera_xyzw, ankle)[1])
                )
        self._update_estimate(pose, observation, legs, ankles, visible)
        share = 1.0 - math.exp(-dt_s / _EASE_TAU_S)
        self._height_m += share * (self._height_goal_m - self._height_m)
        self._pitch_rad += share * (self._pitch_goal_rad - self._pitch_rad)

        root = self.camera_m + rot.rotate(self.world_from_camera_xyzw, pose.root_m)
        if self._pitch_rad == 0:
            return replace(pose, root_m=as_float32(root))
        local = pose.rotations.local_xyzw.astype(np.float64)
        local[0] = rot.multiply(self.world_from_camera_xyzw, local[0])
        return replace(
            pose, rotations=JointRotations(pose.rotations.skeleton, as_float32(local)), root_m=as_float32(root)
        )

    def _first_height_m(self, ankles_m: Float64, root_m: Float64) -> float:
        """The camera's height by the first pose alone; `ankles_m` (N, 3) are the visible ones, in camera axes."""
        if len(ankles_m):
            return self._ankle_m - float(rot.rotate(self.world_from_camera_xyzw, ankles_m)[:, 1].min())
        return self._hips_m - float(rot.rotate(self.world_from_camera_xyzw, root_m)[1])

    def _update_estimate(
        self,
        pose: SkeletonPose,
        observation: Observation | None,
        legs: tuple[Leg, Leg],
        ankles_m: Float64,
        visible: Bool,
    ) -> None:
        """Update the person's samples with this frame, and fit the floor to them when it is time."""
        person = self._people.get_or_make(pose.track_id, lambda: _Person(pose.time_ns))
        dt_s, person.time_ns = (pose.time_ns - person.time_ns) / 1e9, pose.time_ns
        if dt_s > _SAMPLE_S:  # a gap: the foot may have moved in it
            person.feet, dt_s = (_FootStance(), _FootStance()), 0.0
        places: list[Vec3] = [(x, y, z) for x, y, z in ankles_m.tolist()]
        rays = ankle_rays(pose, observation, places)
        new_samples = [
            foot.add(ray, place, dt_s)
            for foot, (ray, _), place, s in zip(person.feet, rays, places, visible, strict=True)
            if s
        ]
        straight = any(leg.is_straight for leg in legs)
        (person.samples if straight else person.bent_samples).extend(
            sample for sample in new_samples if sample is not None
        )
        if visible.all():
            person.posture.add(pose, legs, dt_s)
        person.since_fit_s += dt_s
        if person.since_fit_s >= _SAMPLE_S and self._best_known() is person:
            person.since_fit_s = 0.0
            self._fit(person)

    def _best_known(self) -> _Person:
        """The person with the most samples; body sizes are guesses, so a mean over people fits none of them."""
        people = [*([self._best_forgotten] if self._best_forgotten else []), *self._people]
        return max(people, key=lambda person: (len(person.samples), len(person.bent_samples)))

    def _fit(self, person: _Person) -> None:
        """Estimate pitch and height from the person's samples and posture, unless they are given."""
        if self._given_height_m:
            return
        # A lifter's distance is worst in squats: bent legs are used only while there are few samples of straight ones.
        samples = np.array(
            person.samples if len(person.samples) >= _MIN_STRAIGHT_SAMPLES else [*person.samples, *person.bent_samples]
        )
        if not self._given_pitch_rad:
            slope, posture = _pitch_from_slope(samples), person.posture.pitch
            pitch_rad, sigma_rad = _combined_pitch_rad(slope, posture)
            if math.isfinite(slope[1]) or math.isfinite(posture[1]):
                self._pitch_sigma_rad = sigma_rad
            if abs(pitch_rad) < _MAX_PITCH_RAD:
                smallest = _LEVEL_RAD if self._pitch_goal_rad else _MIN_PITCH_RAD
                self._pitch_goal_rad = pitch_rad if abs(pitch_rad) > smallest else 0.0
        if not len(samples):
            if self._first_ankle_m is None:
                return
            _, y, z = self._first_ankle_m  # no stance yet: keep the first ankle on the floor
            samples = np.array([(-y, 1.0)]) / max(-z, 0.1)
        pitch = self._pitch_goal_rad
        heights_m = (math.cos(pitch) * samples[:, 0] + math.sin(pitch)) / samples[:, 1] + self._ankle_m
        low_m = np.percentile(heights_m, _LOW_PERCENTILE, method="nearest")  # one of the samples: never far from all
        self._height_goal_m = float(np.median(heights_m[np.abs(heights_m - low_m) < _SAME_FLOOR_M]))


def _combined_pitch_rad(slope: tuple[float, float], posture: tuple[float, float]) -> tuple[float, float]:
    """The pitch in rad and its standard error, from two such estimates and the prior of a level camera."""
    weights = [1.0 / math.hypot(slope[1], _SLOPE_ERROR_RAD) ** 2, 1.0 / posture[1] ** 2, 1.0 / _PRIOR_PITCH_RAD**2]
    return (weights[0] * slope[0] + weights[1] * posture[0]) / sum(weights), 1.0 / math.sqrt(sum(weights))


def ankle_height_m(height_m: float) -> float:
    """The ankle's height over the sole, for a body of this height."""
    return _ANKLE_M * height_m / REST_HEIGHT_M


def ankle_over_sole_m(leg_m: float) -> float:
    """The ankle's height over the sole, for a body whose thigh and shank are together this long."""
    return _ANKLE_M * leg_m / _LEG_M


def _pitch_from_slope(samples: Float64) -> tuple[float, float]:
    """The camera's pitch in rad and its standard error, by least squares over places at different distances.

    Samples at one place share their error, so each place counts once, however many samples it has.
    """
    if len(samples) < _MIN_PLACES:
        return 0.0, math.inf
    place = np.round(samples[:, 0] / _PLACE_SLOPE).astype(np.int64)
    places = np.unique(place)
    if len(places) < _MIN_PLACES:
        return 0.0, math.inf
    slope, inverse = np.array([np.median(samples[place == p], axis=0) for p in places]).T
    design = np.column_stack((slope, np.ones_like(slope)))
    normal = np.linalg.inv(design.T @ design)
    cosine, sine = normal @ design.T @ inverse
    variance = float(((inverse - design @ (cosine, sine)) ** 2).sum()) / (len(places) - 2)
    gradient = np.array([-sine, cosine]) / (sine**2 + cosine**2)  # derivative of the angle by sine and cosine
    return math.atan2(sine, cosine), math.sqrt(variance * float(gradient @ normal @ gradient))
