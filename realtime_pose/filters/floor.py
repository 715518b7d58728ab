"""The floor under the people that one camera sees, and the world that stands on it.

A foot that stands still is on the floor, so its ray and its distance say where the floor is: with the camera `H` over
the ankles and pitched down by `p`, 1 / distance = (cos p * s + sin p) / H, where `s` is how far below the optical axis
the ray falls per metre. Rays are sharp and distances are not, so the inverse distance is fitted to the ray: noise of
the distance, which moves a point along its ray and looks like a slope in space, then leaves the pitch unbiased. Where
people stay in one place they tell the pitch by standing upright (`ik.upright`); the two count by their standard errors.
"""

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.body.profile import body_of
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.ankle_rays import Ray, ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.camera_pitch import Upright
from realtime_pose.filters.leg_ik import FOOT, LOWER, Leg, legs_of
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Vec3

_LEG_M = float(-HUMANOID.rest_offset_m[[LOWER[0], FOOT[0]], 1].sum())
_ANKLE_M = float(HUMANOID.rest_offset_m[0, 1]) - _LEG_M

_STILL_M_S = 0.2  # slower across the line of sight, a foot stands
_SPEED_TAU_S = 0.06
_PIECE_S = 0.25  # a stance is counted in pieces of this length, each the mean of its frames
_PIECES = 240  # the last minute of standing
_STRAIGHT, _ENOUGH = 0.9, 8  # a leg that shows so much of its length stands upright; so many pieces of it will do
_SAME_FLOOR_M = 0.06  # stances that differ by less are on one floor
_LOW = 60  # percentile of camera heights: the lower floor of two, and not one stance's error
_EASE_TAU_S = 0.7
_PLACE, _FIT_PLACES = 0.02, 5  # slopes that differ by less are one place; a pitch needs so many
_EXPECTED_RAD = math.radians(10.0)  # how far cameras look up or down that nobody speaks of
_SLOPE_RAD = math.radians(1.0)  # what a slope's own standard error does not know
_LEAST_RAD, _LEVEL_RAD, _MOST_RAD = (
    math.radians(d) for d in (4.0, 2.0, 50.0)
)  # counts beyond the first, until below the second
_LEAST_OVER_M = 0.2  # a camera lower over the ankles does not say by its height how far away they are
_FARTHER = 2.0  # nobody is that many times as far away as they were lifted, or as near
_NEW_TAKE_NS = 500_000_000


@dataclass
class _Standing:
    """One foot's stillness, and what its stance says so far."""

    posed: Float64 | None = None
    speed_m_s: Float64 = field(default_factory=lambda: np.zeros(2))
    lasted_s: float = 0.0
    sums: Float64 = field(default_factory=lambda: np.zeros(3))  # frames, slopes, inverse distances

    def see(self, ray: Ray, place_m: Vec3, dt_s: float) -> tuple[float, float] | None:
        """The mean slope and inverse distance of a piece of stance, when one is full.

        Args:
            ray: Where the ankle is seen at distance 1 along the camera's axis.
            place_m: Where the pose has it: smoother, so that is what must be still.
            dt_s: Since the last call, in seconds.
        """
        distance = max(-place_m[2], 0.1)
        posed = np.array(place_m[:2]) / distance
        if self.posed is None or dt_s <= 0:
            self.posed, self.lasted_s = posed, 0.0
            return None
        gain = 1.0 - math.exp(-dt_s / _SPEED_TAU_S)
        self.speed_m_s = self.speed_m_s + gain * ((posed - self.posed) * distance / dt_s - self.speed_m_s)
        self.posed = posed
        if math.hypot(*self.speed_m_s) > _STILL_M_S:
            self.lasted_s, self.sums = 0.0, np.zeros(3)
            return None
        self.lasted_s += dt_s
        self.sums = self.sums + np.array((1.0, -ray[1], 1.0 / distance))
        if self.lasted_s < _PIECE_S:
            return None
        frames, slopes, inverses = self.sums
        self.lasted_s, self.sums = 0.0, np.zeros(3)
        return float(slopes / frames), float(inverses / frames)


@dataclass
class _Person:
    """One person's feet and the pieces of stance, newest last: (slope, 1 / distance in 1/m); apart where knees bent."""

    time_ns: int
    feet: tuple[_Standing, _Standing] = field(default_factory=lambda: (_Standing(), _Standing()))
    pieces: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_PIECES))
    bent: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_PIECES))
    upright: Upright = field(default_factory=Upright)
    looked_s: float = 0.0  # since the pitch was last asked for


class FloorFilter:
    """Turns poses upright and measures their roots from the floor; one floor for everybody that the camera sees.

    The origin lies on the floor below the first position of the first person, and stays there: people keep their
    distances, and who leaves and returns is where they are. Time that runs backwards is another take: everything is
    forgotten. A floor that is not given is the first person's at once (the lower ankle stands on it; when feet are not
    seen, a standing body is assumed), then that of the lowest stances, eased; so is the camera's pitch, by the slope
    of the stances and by how upright people are.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._ankle_m = ankle_height_m(config.height_m)
        self._hips_m = body_of(config).hip_height
        self._feet_place = config.feet != "never"
        self._given_m = config.camera_height_m
        self._given_rad = math.radians(config.camera_pitch_deg)
        self._restart()

    def _restart(self) -> None:
        self._people: PerTrack[_Person] = PerTrack()
        self._remembered: _Person | None = None  # who was known best, and is gone: the floor stays where it is
        self._first_m: Float64 | None = None  # the first position, camera's axes
        self._time_ns = -1
        self._pitch_rad = self._pitch_goal_rad = self._given_rad
        self._height_m = self._height_goal_m = self._given_m
        self._first_ankle_m: Float64 | None = None  # of the lower ankle then

    @property
    def world_from_camera_xyzw(self) -> Float64:
        """(4,) the turn that poses were given: world from camera. Its inverse undoes it."""
        return rot.from_axis_angle((1.0, 0.0, 0.0), np.array(-self._pitch_rad))

    @property
    def camera_m(self) -> Float64:
        """(3,) where the camera is in the world; its y is its height over the floor.

        Where feet say how far away people are, a camera that turns out to be higher is farther away as well, so that
        who stands where the first position was stays at the origin.
        """
        first = np.zeros(3) if self._first_m is None else self._first_m
        x, _, z = -rot.rotate(self.world_from_camera_xyzw, first) * self._farther
        return np.array([x, self._height_m, z])

    @property
    def _farther(self) -> float:
        """How many times as far as it was lifted the first position is, by where its ankle's ray meets the floor."""
        if self._first_ankle_m is None or not self._feet_place:
            return 1.0
        below = -float(rot.rotate(self.world_from_camera_xyzw, self._first_ankle_m)[1])
        over = self._height_m - self._ankle_m
        return 1.0 if min(below, over) < _LEAST_OVER_M else min(max(over / below, 1 / _FARTHER), _FARTHER)

    def forget(self, track_id: int) -> None:
        """Drop one person's state; the floor stays, also if it was found by their feet."""
        best = self._best_known() if len(self._people) else None
        if self._people.forget(track_id) is best:
            self._remembered = best

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with its root measured from the floor, and upright."""
        if pose.time_ns < self._time_ns - _NEW_TAKE_NS:
            self._restart()
        dt_s, self._time_ns = max(pose.time_ns - self._time_ns, 0) / 1e9, max(pose.time_ns, self._time_ns)
        legs = legs_of(pose)
        ankles = pose.root_m + np.array([leg.ankle_m for leg in legs])
        seen = pose.score[FOOT] > 0
        if self._first_m is None:
            self._first_m, dt_s = pose.root_m.astype(np.float64), 0.0
            if not self._given_m:
                self._height_m = self._height_goal_m = self._first_height_m(ankles[seen], self._first_m)
            if seen.any():
                self._first_ankle_m = min(
                    ankles[seen], key=lambda ankle: float(rot.rotate(self.world_from_camera_xyzw, ankle)[1])
                )
        self._learn(pose, observation, legs, ankles, seen)
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
        """The camera over the floor by the first pose alone; ankles (N, 3) that are seen, camera's axes."""
        if len(ankles_m):
            return self._ankle_m - float(rot.rotate(self.world_from_camera_xyzw, ankles_m)[:, 1].min())
        return self._hips_m - float(rot.rotate(self.world_from_camera_xyzw, root_m)[1])

    def _learn(
        self,
        pose: SkeletonPose,
        observation: Observation | None,
        legs: tuple[Leg, Leg],
        ankles_m: Float64,
        seen: Bool,
    ) -> None:
        """Add the frame's still feet and upright body to what is known of the floor."""
        person = self._people.get_or_make(pose.track_id, lambda: _Person(pose.time_ns))
        dt_s, person.time_ns = (pose.time_ns - person.time_ns) / 1e9, pose.time_ns
        if dt_s > _PIECE_S:  # a gap: nobody knows whether the foot stood through it
            person.feet, dt_s = (_Standing(), _Standing()), 0.0
        places: list[Vec3] = [(x, y, z) for x, y, z in ankles_m.tolist()]
        rays = ankle_rays(pose, observation, places)
        fresh = [
            foot.see(ray, place, dt_s)
            for foot, (ray, _), place, s in zip(person.feet, rays, places, seen, strict=True)
            if s
        ]
        straight = any(vec.norm(vec.sub(leg.ankle_m, leg.hip_m)) > _STRAIGHT * leg.longest_m for leg in legs)
        (person.pieces if straight else person.bent).extend(piece for piece in fresh if piece is not None)
        if seen.all():
            person.upright.see(pose, legs, dt_s)
        person.looked_s += dt_s
        if person.looked_s >= _PIECE_S and self._best_known() is person:
            person.looked_s = 0.0
            self._fit(person)

    def _best_known(self) -> _Person:
        """The person with the most stances. Sizes are guesses: a floor between two people's would be wrong for both."""
        people = [*([self._remembered] if self._remembered else []), *self._people]
        return max(people, key=lambda person: (len(person.pieces), len(person.bent)))

    def _fit(self, person: _Person) -> None:
        """Pitch and height by what the person's feet and body say, as far as they are not given."""
        if self._given_m:
            return
        # Squats are where lifters err most in distance; who never stands up is measured by what there is.
        pieces = np.array(person.pieces if len(person.pieces) >= _ENOUGH else [*person.pieces, *person.bent])
        if not self._given_rad:
            pitch_rad = _likeliest(_pitch_of(pieces), person.upright.pitch)
            if abs(pitch_rad) < _MOST_RAD:
                least = _LEVEL_RAD if self._pitch_goal_rad else _LEAST_RAD
                self._pitch_goal_rad = pitch_rad if abs(pitch_rad) > least else 0.0
        if not len(pieces):
            if self._first_ankle_m is None:
                return
            _, y, z = self._first_ankle_m  # until a foot has stood, the first is the floor whatever the pitch
            pieces = np.array([(-y, 1.0)]) / max(-z, 0.1)
        pitch = self._pitch_goal_rad
        heights = (math.cos(pitch) * pieces[:, 0] + math.sin(pitch)) / pieces[:, 1] + self._ankle_m
        low = np.percentile(heights, _LOW, method="nearest")  # a stance there was, so that one at least is near
        self._height_goal_m = float(np.median(heights[np.abs(heights - low) < _SAME_FLOOR_M]))


def _likeliest(slope: tuple[float, float], upright: tuple[float, float]) -> float:
    """The camera's pitch in rad by what each says, a pitch and its standard error; level as far as they do not know."""
    weights = [1.0 / math.hypot(slope[1], _SLOPE_RAD) ** 2, 1.0 / upright[1] ** 2, 1.0 / _EXPECTED_RAD**2]
    return (weights[0] * slope[0] + weights[1] * upright[0]) / sum(weights)


def ankle_height_m(height_m: float) -> float:
    """The ankle's height over the sole of a body that is `height_m` tall."""
    return _ANKLE_M * height_m / REST_HEIGHT_M


def ankle_over_sole_m(leg_m: float) -> float:
    """The same of a body whose thigh and shank are `leg_m` long together."""
    return _ANKLE_M * leg_m / _LEG_M


def _pitch_of(pieces: Float64) -> tuple[float, float]:
    """The camera's pitch in rad and its standard error, by least squares over places nearer and farther.

    Pieces at one place err alike, so each place counts once, however long somebody stood there.
    """
    if len(pieces) < _FIT_PLACES:
        return 0.0, math.inf
    place = np.round(pieces[:, 0] / _PLACE).astype(np.int64)
    places = np.unique(place)
    if len(places) < _FIT_PLACES:
        return 0.0, math.inf
    slope, inverse = np.array([np.median(pieces[place == p], axis=0) for p in places]).T
    design = np.column_stack((slope, np.ones_like(slope)))
    normal = np.linalg.inv(design.T @ design)
    cosine, sine = normal @ design.T @ inverse
    variance = float(((inverse - design @ (cosine, sine)) ** 2).sum()) / (len(places) - 2)
    by = np.array([-sine, cosine]) / (sine**2 + cosine**2)  # how the angle follows the two
    return math.atan2(sine, cosine), math.sqrt(variance * float(by @ normal @ by))
