"""Feet that stay where they stand: contacts, feet pinned by two-bone IK, and the pelvis that follows softly.

A lifter's depth is noisy, but where a foot is seen is not, and a foot that stands is on the floor: contact is judged
by the point of the floor that its ray meets. A pinned foot keeps its place to the millimetre; what that asks of the
body is shared: the slow part moves the pelvis, the quick part bends the leg.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.ankle_rays import ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.floor import FloorFilter, ankle_height_m, ankle_over_sole_m
from realtime_pose.filters.foot_contact import FootContact
from realtime_pose.filters.leg_ik import FOOT, LOWER, UPPER, Leg, legs_of, local_turns, reach, turn_foot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Quat, Vec3

_HEEL, _TOE = (0.0, -1.0, -0.7), (0.0, -1.0, 2.1)  # of a foot at rest, from the ankle, in ankle heights
_PLANT_TAU_S = 0.05  # a foot that comes to stand goes flat and down
_YAW_TAU_S = 0.4  # a foot that stands turns no quicker
_BLEND_HZ = 4.0  # of the spring by which a foot leaves its pin, and gives way to one
_FOLLOW_HZ, _LET_GO_HZ = 2.5, 0.3  # of the spring that moves the pelvis
_HURRY_HZ_M = 12.0  # the farther off it is, the quicker
_LIFT_M = 0.03  # an ankle that stands this much too high is noise; more is a heel off the floor
_NEAR_M, _FARTHEST_M = 0.02, 0.2  # a pin farther than the one from where its foot is seen creeps there, slower than
_CREEP_M_S = 0.01  # anybody can see; farther than the other it is wrong
_GRAZING_M, _GRAZING = 0.3, 0.08  # a camera so little above the ankles, and a ray so little downwards, see no depth
_SMOOTHING = OneEuroParameters(min_cutoff_hz=4.0, beta=4.0)  # of where a foot is seen on the floor
_UNTOUCHED_M = 1e-4  # a leg that is so near to its place stays as it is
_GAP_S = 0.5
_HIDDEN_S = 0.2


@dataclass
class _Foot:
    """What is remembered of one foot; places are in the world, of the ankle."""

    contact: FootContact = field(default_factory=FootContact)
    smooth: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_SMOOTHING, joint=True))
    hidden_s: float = 0.0
    pin_m: Vec3 | None = None
    pinned: bool = False  # whether it was in the last pose
    free_m: Vec3 | None = None  # where it was when nothing held it
    put_m: Vec3 | None = None  # where it was put
    away_m: Vec3 = vec.ZERO  # from where it should be to where it is put, springing back
    away_m_s: Vec3 = vec.ZERO
    planted: float = 0.0  # 0 free, 1 flat and down
    turn: Quat | None = None  # flat on the floor


@dataclass
class _Person:
    time_ns: int
    shift_m: Vec3 = vec.ZERO  # of the pelvis
    shift_m_s: Vec3 = vec.ZERO
    feet: tuple[_Foot, _Foot] = field(default_factory=lambda: (_Foot(), _Foot()))


class FootLockFilter:
    """Pins feet that stand, and keeps soles above the floor; for poses in the world that `ground` made."""

    def __init__(self, config: BodyConfig, floor: FloorFilter) -> None:
        self._always, self._floor = config.feet == "always", floor
        self._ankle_m = ankle_height_m(config.height_m)
        self._people: PerTrack[_Person] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with its feet where they stand."""
        person = self._people.get(pose.track_id)
        dt_s = 0.0 if person is None else (pose.time_ns - person.time_ns) / 1e9
        fresh = person is None or not 0 <= dt_s <= _GAP_S
        if person is None or fresh:
            person, dt_s = self._people.put(pose.track_id, _Person(pose.time_ns)), 0.0
        person.time_ns = pose.time_ns

        x, y, z = pose.root_m.tolist()
        legs = legs_of(pose)
        below = [leg.ankle_m for leg in legs]
        seen = [float(pose.score[row]) > 0 for row in FOOT]
        if self._always and any(seen):
            y = self._ankle_m - min(ankle[1] for ankle, s in zip(below, seen, strict=True) if s)
        root = (x, y, z)
        ankles = [vec.add(root, ankle) for ankle in below]
        on_floor = self._on_floor(pose, observation, ankles, person)
        if fresh:
            person.shift_m = self._first_shift(ankles, on_floor, seen)
        for side in (0, 1):
            self._judge(person, side, ankles[side], on_floor[side], seen[side], dt_s)
        self._follow(person, ankles, on_floor, dt_s, fresh=fresh)
        root = vec.add(root, person.shift_m)

        local = pose.rotations.local_xyzw.copy()
        for side, (foot, leg) in enumerate(zip(person.feet, legs, strict=True)):
            ankle = self._placed(foot, vec.add(ankles[side], person.shift_m), dt_s)
            done = self._on_or_above_floor(leg, side, root, ankle, self._turned(foot, leg.foot, ankle, dt_s))
            for row, new in zip((UPPER[side], LOWER[side], FOOT[side]), local_turns(done), strict=True):
                local[row] = new if np.dot(local[row], new) >= 0 else [-v for v in new]
        rotations = JointRotations(pose.rotations.skeleton, local)
        contact = np.array([foot.pinned for foot in person.feet])
        return replace(pose, rotations=rotations, root_m=as_float32(root), foot_contact=contact)

    def _on_floor(
        self, pose: SkeletonPose, observation: Observation | None, ankles_m: list[Vec3], person: _Person
    ) -> list[Vec3 | None]:
        """Where the ankles' rays meet the height that ankles have on the floor; None where they say too little."""
        x, y, z = camera = tuple(self._floor.camera_m.tolist())
        turn = tuple(self._floor.world_from_camera_xyzw.tolist())
        back = vec.inverse(turn)
        rays = ankle_rays(pose, observation, [vec.rotate(back, vec.sub(ankle, camera)) for ankle in ankles_m])
        places: list[Vec3 | None] = []
        for (ray, seen), foot in zip(rays, person.feet, strict=True):
            way = vec.rotate(turn, (*ray, -1.0))
            over = y - self._ankle_m
            if over < _GRAZING_M or way[1] > -_GRAZING:
                places.append(None)
                continue
            on_floor = np.array([x + over / -way[1] * way[0], z + over / -way[1] * way[2]])
            if seen:  # what the pose has was smoothed before
                on_floor = foot.smooth.apply(on_floor, pose.time_ns)
            places.append((float(on_floor[0]), self._ankle_m, float(on_floor[1])))
        return places

    def _first_shift(self, ankles_m: list[Vec3], on_floor_m: list[Vec3 | None], seen: list[bool]) -> Vec3:
        """The way over the floor to where the low feet are seen, one way for both: they stay as they were lifted."""
        ways = [
            vec.sub(place, ankle)
            for place, ankle, s in zip(on_floor_m, ankles_m, seen, strict=True)
            if s and place is not None and ankle[1] < self._ankle_m + _LIFT_M
        ]
        x, _, z = vec.midpoint(ways[0], ways[-1]) if ways else vec.ZERO
        return (x, 0.0, z)

    def _judge(
        self, person: _Person, side: int, ankle_m: Vec3, on_floor_m: Vec3 | None, seen: bool, dt_s: float
    ) -> None:
        """Settle whether the foot stands, and where."""
        foot, other = person.feet[side], person.feet[1 - side]
        foot.hidden_s = 0.0 if seen else foot.hidden_s + dt_s
        if not seen:
            if foot.hidden_s > _HIDDEN_S or foot.pin_m is None:
                foot.contact, foot.pin_m = FootContact(stands=False), None
            return
        ankle = vec.add(ankle_m, person.shift_m)
        stands = foot.contact.update(
            on_floor_m or ankle_m,
            ankle_m,
            ankle[1] - self._ankle_m,
            dt_s,
            other_stands=other.pin_m is not None,
            sharp=on_floor_m is not None,
        )
        if not stands:
            foot.pin_m = None
            return
        # It stops where it was put last: a contact is never found too early.
        pin = foot.pin_m or foot.put_m or ankle
        away = vec.sub(pin, on_floor_m or ankle)
        far = math.hypot(away[0], away[2])
        if far > _NEAR_M:
            nearer = min(max(far - _CREEP_M_S * dt_s, _NEAR_M), _FARTHEST_M)
            pin = vec.add_scaled(pin, away, nearer / far - 1.0)
        foot.pin_m = (pin[0], self._ankle_m, pin[2])

    def _follow(
        self, person: _Person, ankles_m: list[Vec3], on_floor_m: list[Vec3 | None], dt_s: float, *, fresh: bool
    ) -> None:
        """Move the pelvis softly to where its standing feet want it; at once where it was not there before.

        Where they are seen is right in the room, where they are pinned spares the legs: it goes half-way.
        """
        wanted = [
            vec.sub(vec.midpoint(place or foot.pin_m, foot.pin_m), ankle)
            for foot, place, ankle in zip(person.feet, on_floor_m, ankles_m, strict=True)
            if foot.pin_m is not None
        ]
        goal = vec.midpoint(wanted[0], wanted[-1]) if wanted else vec.ZERO
        if fresh:
            person.shift_m = goal
        away = vec.sub(person.shift_m, goal)
        hz = _FOLLOW_HZ + _HURRY_HZ_M * vec.norm(away) if wanted else _LET_GO_HZ
        away, person.shift_m_s = _sprung(away, person.shift_m_s, hz, dt_s)
        person.shift_m = vec.add(goal, away)

    def _placed(self, foot: _Foot, free_m: Vec3, dt_s: float) -> Vec3:
        """Where the ankle shall be: at its pin or where it is free, and on the way between the two."""
        before, foot.free_m = foot.free_m or free_m, free_m
        if (foot.pin_m is not None) != foot.pinned and foot.put_m is not None:
            speed = vec.scale(vec.sub(free_m, before), 1 / dt_s) if dt_s > 0 else vec.ZERO
            foot.away_m = vec.sub(foot.put_m, foot.pin_m or before)
            foot.away_m_s = vec.ZERO if foot.pin_m is not None else vec.scale(speed, -1.0)
        foot.pinned = foot.pin_m is not None
        foot.away_m, foot.away_m_s = _sprung(foot.away_m, foot.away_m_s, _BLEND_HZ, dt_s)
        goal = 1.0 if foot.pinned else 0.0
        foot.planted += (1.0 - math.exp(-dt_s / _PLANT_TAU_S) if dt_s > 0 else 1.0) * (goal - foot.planted)
        lift = free_m[1] - self._ankle_m
        lift -= foot.planted * min(lift, _LIFT_M)
        x, _, z = vec.add(foot.pin_m or free_m, foot.away_m)
        foot.put_m = (x, self._ankle_m + lift, z)
        return foot.put_m

    def _turned(self, foot: _Foot, seen: Quat, ankle_m: Vec3, dt_s: float) -> Quat:
        """How the foot shall be turned in the world."""
        flat = _flat(seen)
        if not foot.pinned or foot.turn is None:
            foot.turn = flat
        foot.turn = vec.slerp(foot.turn, flat, 1.0 - math.exp(-dt_s / _YAW_TAU_S))
        heel_off = min(max((ankle_m[1] - self._ankle_m) / _LIFT_M, 0.0), 1.0)
        return vec.slerp(seen, foot.turn, foot.planted * (1.0 - heel_off))

    def _on_or_above_floor(self, leg: Leg, side: int, root_m: Vec3, ankle_m: Vec3, turn: Quat) -> Leg:
        """The leg with its ankle and foot there; turned towards flat and raised as far as the sole would else sink."""
        x, y, z = ankle_m
        y = max(y, self._ankle_m)
        sunk = self._sunk_m(y, turn)
        if sunk > 0:
            turn = vec.slerp(turn, _flat(turn), sunk / (sunk + y - self._ankle_m))
        way = vec.sub((x, y, z), root_m)
        if vec.norm(vec.sub(way, leg.ankle_m)) > _UNTOUCHED_M:
            leg = reach(leg, side, way)
        leg = turn_foot(leg, side, turn)
        sunk = self._sunk_m(root_m[1] + leg.ankle_m[1], leg.foot)
        if sunk > _UNTOUCHED_M:  # the ankle does not turn so far, or the leg does not bend so far
            leg = turn_foot(reach(leg, side, vec.add_scaled(way, vec.Y, sunk)), side, leg.foot)
        return leg

    def _sunk_m(self, ankle_y_m: float, turn: Quat) -> float:
        """How deep the lowest point of a sole is below the floor."""
        return -ankle_y_m - self._ankle_m * min(vec.rotate(turn, _HEEL)[1], vec.rotate(turn, _TOE)[1])


def _flat(foot: Quat) -> Quat:
    """The foot turned the shortest way so that its sole is level."""
    return vec.multiply(vec.shortest_arc(vec.rotate(foot, vec.Y), vec.Y, vec.rotate(foot, vec.X)), foot)


def contacts_of(poses: Sequence[SkeletonPose]) -> Bool:
    """Whether the left and the right foot stand (T, 2), by the poses of one person in order of time alone.

    For poses that are measured from the floor, such as a session's. Feet that were pinned stand exactly still, so this
    finds the same contacts as the filter did, but for a frame here and there; nothing else of the run is needed.
    """
    out = np.zeros((len(poses), 2), dtype=np.bool_)
    feet = [FootContact(), FootContact()]
    before_ns = poses[0].time_ns if poses else 0
    for row, pose in enumerate(poses):
        dt_s, before_ns = (pose.time_ns - before_ns) / 1e9, pose.time_ns
        x, y, z = pose.root_m.tolist()
        for side, leg in enumerate(legs_of(pose)):
            if pose.score[FOOT[side]] <= 0 or not 0 <= dt_s <= _GAP_S:
                feet[side] = FootContact(stands=pose.score[FOOT[side]] > 0)
            ankle = vec.add((x, y, z), leg.ankle_m)
            height = ankle[1] - ankle_over_sole_m(leg.upper_m + leg.lower_m)
            other = bool(out[max(row - 1, 0), 1 - side])
            out[row, side] = pose.score[FOOT[side]] > 0 and feet[side].update(
                ankle, ankle, height, dt_s, other_stands=other, sharp=False
            )
    return out


def _sprung(away_m: Vec3, away_m_s: Vec3, hz: float, dt_s: float) -> tuple[Vec3, Vec3]:
    """A critically damped spring's way to zero: place and speed after `dt_s`."""
    stiff = 2 * math.pi * hz
    push = vec.add_scaled(away_m_s, away_m, stiff)
    fade = math.exp(-stiff * dt_s)
    place = vec.scale(vec.add_scaled(away_m, push, dt_s), fade)
    return place, vec.scale(vec.add_scaled(away_m_s, push, -stiff * dt_s), fade)
