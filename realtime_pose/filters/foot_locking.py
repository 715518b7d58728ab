"""Foot locking: feet that stand are pinned by two-bone IK, and the pelvis follows.

A lifter's distance is noisy, but the image position of a foot is not, and a foot that stands is on the floor
(`FloorFilter.standing_place`). A pinned foot keeps its place to the millimetre. The pelvis makes up for the slow part
of the difference, the bend of the leg for the fast part.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.ankle_rays import ankle_rays
from realtime_pose.filters.base import Observation
from realtime_pose.filters.floor import FloorFilter, ankle_height_m
from realtime_pose.filters.leg_ik import FOOT, LOWER, UPPER, Leg, legs_of, local_rotations, reach, rotate_foot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Quat, Vec3

_HEEL, _TOE = (0.0, -1.0, -0.7), (0.0, -1.0, 2.1)  # of a foot at rest, from the ankle, in ankle heights
_FLATTEN_TAU_S = 0.05  # time constant with which a foot in contact goes flat and down
_YAW_TAU_S = 0.4  # time constant with which a pinned foot follows the yaw of the pose
_BLEND_HZ = 4.0  # frequency of the spring that blends a foot to its pin, and away from it
_FOLLOW_HZ = 2.5  # frequency of the spring that moves the pelvis to its pinned feet,
_FOLLOW_HZ_PER_M = 12.0  # plus this for each metre it is away, as far as pins may be
_HEEL_LIFT_M = 0.03  # a pinned ankle that is higher by less is noise; by more, its heel is off the floor
_PIN_TOLERANCE_M = 0.02  # a pin farther than this from where its foot is seen drifts there,
_PIN_DRIFT_M_S = 0.01  # at this speed, too slow to notice,
_MAX_PIN_ERROR_M = 0.2  # and farther than this it is given up: the foot is dragged
_LONGEST_FLIGHT_S = 0.6  # after this time without contact
_LAND_TAU_S = 0.5  # the lower foot comes to the floor, with this time constant
_STILL_M_S = 0.3  # a foot that was dragged stands again when it is slower than this
_FLOOR_SMOOTHING = OneEuroParameters(min_cutoff_hz=4.0, beta=4.0)  # of the points where rays meet the floor
_TOLERANCE_M = 1e-4  # a leg this close to its target is not changed
_GAP_S = 0.5  # after a longer gap a person's feet start from scratch


@dataclass
class _Foot:
    """State of one foot; positions are the ankle's, in world axes."""

    smooth: OneEuroFilter = field(default_factory=lambda: OneEuroFilter(_FLOOR_SMOOTHING, joint=True))
    place_m: Vec3 | None = None  # where it would stand, in the last frame
    dragged: bool = False  # it moved while it should have stood
    pin_m: Vec3 | None = None
    pinned: bool = False  # in the last pose
    unpinned_m: Vec3 | None = None  # in the last pose, without its pin
    result_m: Vec3 | None = None  # in the last result
    offset_m: Vec3 = vec.ZERO  # from target to result, while blending
    offset_m_s: Vec3 = vec.ZERO
    flatness: float = 0.0  # 0 as in the pose, 1 flat and down
    flat_xyzw: Quat | None = None  # global rotation of the foot, flat on the floor


@dataclass
class _Person:
    """State of one person; `shift_m` is from the pose's pelvis to the result's, `goal_m` where it goes."""

    time_ns: int
    goal_m: Vec3 = vec.ZERO
    shift_m: Vec3 = vec.ZERO
    shift_m_s: Vec3 = vec.ZERO
    in_air_s: float = 0.0
    feet: tuple[_Foot, _Foot] = field(default_factory=lambda: (_Foot(), _Foot()))


class FootLockFilter:
    """Pins feet that stand, and keeps soles above the floor; for the floor filter's poses with contacts."""

    def __init__(self, config: BodyConfig, floor: FloorFilter) -> None:
        self._always, self._floor = config.feet == "always", floor
        self._ankle_m = ankle_height_m(config.height_m)
        self._people: PerTrack[_Person] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with its feet locked; `foot_contact` says which are pinned."""
        person = self._people.get(pose.track_id)
        dt_s = 0.0 if person is None else (pose.time_ns - person.time_ns) / 1e9
        is_new = person is None or not 0 <= dt_s <= _GAP_S
        if person is None or is_new:
            person, dt_s = self._people.put(pose.track_id, _Person(pose.time_ns)), 0.0
        person.time_ns = pose.time_ns

        x, y, z = pose.root_m.tolist()
        legs = legs_of(pose)
        ankles_from_root = [leg.ankle_m for leg in legs]
        visible = [float(pose.score[row]) > 0 for row in FOOT]
        if self._always and any(visible):
            y = self._ankle_m - min(ankle[1] for ankle, s in zip(ankles_from_root, visible, strict=True) if s)
        root = (x, y, z)
        ankles = [vec.add(root, ankle) for ankle in ankles_from_root]
        stands = [False, False] if pose.foot_contact is None else pose.foot_contact.tolist()
        on_floor = self._on_floor(pose, observation, ankles, person)
        self._move_pelvis(person, ankles, on_floor, visible, stands, dt_s, is_new=is_new)
        for side, (foot, place, s) in enumerate(zip(person.feet, on_floor, stands, strict=True)):
            ankle = vec.add(ankles[side], person.shift_m)
            place = place if visible[side] else ankle  # an occluded foot has no ray of its own
            foot.pin_m = self._pin_m(foot, ankle, place, dt_s) if s else None
            foot.dragged &= s
            foot.place_m = place
        root = vec.add(root, person.shift_m)

        local = pose.rotations.local_xyzw.copy()
        for side, (foot, leg) in enumerate(zip(person.feet, legs, strict=True)):
            ankle = self._ankle_target_m(foot, vec.add(ankles[side], person.shift_m), dt_s)
            solved = self._on_or_above_floor(leg, side, root, ankle, self._foot_target(foot, leg.foot, ankle, dt_s))
            for row, new in zip((UPPER[side], LOWER[side], FOOT[side]), local_rotations(solved), strict=True):
                local[row] = new if np.dot(local[row], new) >= 0 else [-v for v in new]
        rotations = JointRotations(pose.rotations.skeleton, local)
        contact = np.array([foot.pinned for foot in person.feet])
        return replace(pose, rotations=rotations, root_m=as_float32(root), foot_contact=contact)

    def _on_floor(
        self, pose: SkeletonPose, observation: Observation | None, ankles_m: list[Vec3], person: _Person
    ) -> list[Vec3]:
        """Where each ankle would stand."""
        camera = tuple(self._floor.camera_m.tolist())
        camera_from_world = vec.inverse(tuple(self._floor.world_from_camera_xyzw.tolist()))
        rays = ankle_rays(
            pose, observation, [vec.rotate(camera_from_world, vec.sub(ankle, camera)) for ankle in ankles_m]
        )
        points: list[Vec3] = []
        for (ray, from_image), ankle, foot in zip(rays, ankles_m, person.feet, strict=True):
            place = np.array(self._floor.standing_place(ray, vec.sub(ankle, camera)))
            if from_image:  # rays of the pose are smooth already
                place = foot.smooth.apply(place, pose.time_ns)
            points.append((float(place[0]), self._ankle_m, float(place[1])))
        return points

    def _move_pelvis(
        self,
        person: _Person,
        ankles_m: list[Vec3],
        on_floor_m: list[Vec3],
        visible: list[bool],
        stands: list[bool],
        dt_s: float,
        *,
        is_new: bool,
    ) -> None:
        """Move the pelvis towards its standing feet by a spring; at once for a new person.

        In the air the difference stays as it is: it is an error of the distance or of the floor, which lasts. The
        height follows the lower foot, whatever it stands on: a block or a stair is the floor there. Nobody flies for
        long, so the lower foot is then on the floor, too, and so is that of a person whose feet are occluded.
        """
        seen = visible if any(visible) else [True, True]
        lower = min((ankle[1], side) for side, ankle in enumerate(ankles_m) if seen[side])[1]
        to_floor_m = self._ankle_m - ankles_m[lower][1]
        support = [foot for foot in (0, 1) if seen[foot] and stands[foot]] or ([lower] if is_new else [])
        x, y, z = person.goal_m
        if support and (is_new or any(visible)):
            wanted = [
                vec.sub(vec.midpoint(on_floor_m[side], person.feet[side].pin_m or on_floor_m[side]), ankles_m[side])
                for side in support
            ]
            x, _, z = vec.midpoint(wanted[0], wanted[-1])
            y = max(shift[1] for shift in wanted)
            person.in_air_s = 0.0
        else:
            person.in_air_s += dt_s
            flies = person.in_air_s < _LONGEST_FLIGHT_S and any(visible)
            y = max(y, to_floor_m) if flies else y + (1.0 - math.exp(-dt_s / _LAND_TAU_S)) * (to_floor_m - y)
        person.goal_m = (x, y, z)
        if is_new:
            person.shift_m = person.goal_m
        away = vec.sub(person.shift_m, person.goal_m)
        hz = _FOLLOW_HZ + _FOLLOW_HZ_PER_M * min(vec.norm(away), _MAX_PIN_ERROR_M)
        away, person.shift_m_s = _spring(away, person.shift_m_s, hz, dt_s)
        person.shift_m = vec.add(person.goal_m, away)

    def _pin_m(self, foot: _Foot, ankle_m: Vec3, place_m: Vec3, dt_s: float) -> Vec3 | None:
        """The pin of a foot that stands, near where it is seen; None while it is dragged: then it does not stand.

        A new pin is where the foot was in the last result: contacts are found late, never early.
        """
        if foot.dragged:
            moved = vec.sub(place_m, foot.place_m or place_m)
            if dt_s <= 0 or math.hypot(moved[0], moved[2]) > _STILL_M_S * dt_s:
                return None
            foot.dragged = False
        late = vec.sub(ankle_m, place_m)
        if foot.pin_m is None and math.hypot(late[0], late[2]) > _MAX_PIN_ERROR_M:  # the pelvis is still on its way
            return None
        pin = foot.pin_m or foot.result_m or ankle_m
        away = vec.sub(pin, place_m)
        distance = math.hypot(away[0], away[2])
        if foot.pin_m is not None and distance > _MAX_PIN_ERROR_M:
            foot.dragged = True
            return None
        if distance > _PIN_TOLERANCE_M:
            allowed = min(max(distance - _PIN_DRIFT_M_S * dt_s, _PIN_TOLERANCE_M), _MAX_PIN_ERROR_M)
            pin = vec.add_scaled(pin, away, allowed / distance - 1.0)
        return (pin[0], self._ankle_m, pin[2])

    def _ankle_target_m(self, foot: _Foot, unpinned_m: Vec3, dt_s: float) -> Vec3:
        """Target of the ankle: its pin, or the pose's position, blended after a change."""
        before, foot.unpinned_m = foot.unpinned_m or unpinned_m, unpinned_m
        if (foot.pin_m is not None) != foot.pinned and foot.result_m is not None:
            speed = vec.scale(vec.sub(unpinned_m, before), 1 / dt_s) if dt_s > 0 else vec.ZERO
            foot.offset_m = vec.sub(foot.result_m, foot.pin_m or before)
            foot.offset_m_s = vec.ZERO if foot.pin_m is not None else vec.scale(speed, -1.0)
        foot.pinned = foot.pin_m is not None
        foot.offset_m, foot.offset_m_s = _spring(foot.offset_m, foot.offset_m_s, _BLEND_HZ, dt_s)
        goal = 1.0 if foot.pinned else 0.0
        foot.flatness += (1.0 - math.exp(-dt_s / _FLATTEN_TAU_S) if dt_s > 0 else 1.0) * (goal - foot.flatness)
        lift = unpinned_m[1] - self._ankle_m
        lift -= foot.flatness * min(lift, _HEEL_LIFT_M)
        x, _, z = vec.add(foot.pin_m or unpinned_m, foot.offset_m)
        foot.result_m = (x, self._ankle_m + lift, z)
        return foot.result_m

    def _foot_target(self, foot: _Foot, pose_xyzw: Quat, ankle_m: Vec3, dt_s: float) -> Quat:
        """Target rotation of the foot, global: flat while it is pinned and the heel is down."""
        flat = _flat(pose_xyzw)
        if not foot.pinned or foot.flat_xyzw is None:
            foot.flat_xyzw = flat
        foot.flat_xyzw = vec.slerp(foot.flat_xyzw, flat, 1.0 - math.exp(-dt_s / _YAW_TAU_S))
        heel_off = min(max((ankle_m[1] - self._ankle_m) / _HEEL_LIFT_M, 0.0), 1.0)
        return vec.slerp(pose_xyzw, foot.flat_xyzw, foot.flatness * (1.0 - heel_off))

    def _on_or_above_floor(self, leg: Leg, side: int, root_m: Vec3, ankle_m: Vec3, foot_xyzw: Quat) -> Leg:
        """The leg with ankle and foot at their targets; the foot flattened and the leg raised where the sole sinks."""
        x, y, z = ankle_m
        y = max(y, self._ankle_m)
        depth_m = self._sole_depth_m(y, foot_xyzw)
        if depth_m > 0:
            foot_xyzw = vec.slerp(foot_xyzw, _flat(foot_xyzw), depth_m / (depth_m + y - self._ankle_m))
        target_m = vec.sub((x, y, z), root_m)
        if vec.norm(vec.sub(target_m, leg.ankle_m)) > _TOLERANCE_M:
            leg = reach(leg, side, target_m)
        leg = rotate_foot(leg, side, foot_xyzw)
        depth_m = self._sole_depth_m(root_m[1] + leg.ankle_m[1], leg.foot)
        if depth_m > _TOLERANCE_M:  # at a limit of the ankle or the leg
            leg = rotate_foot(reach(leg, side, vec.add_scaled(target_m, vec.Y, depth_m)), side, leg.foot)
        return leg

    def _sole_depth_m(self, ankle_y_m: float, foot_xyzw: Quat) -> float:
        """Depth of the lowest point of the sole below the floor."""
        return -ankle_y_m - self._ankle_m * min(vec.rotate(foot_xyzw, _HEEL)[1], vec.rotate(foot_xyzw, _TOE)[1])


def _flat(foot: Quat) -> Quat:
    """The foot rotated by the shortest arc so that its sole is level."""
    return vec.multiply(vec.shortest_arc(vec.rotate(foot, vec.Y), vec.Y, vec.rotate(foot, vec.X)), foot)


def _spring(offset_m: Vec3, offset_m_s: Vec3, hz: float, dt_s: float) -> tuple[Vec3, Vec3]:
    """Offset and velocity of a critically damped spring towards zero, after `dt_s`."""
    omega = 2 * math.pi * hz
    impulse = vec.add_scaled(offset_m_s, offset_m, omega)
    decay = math.exp(-omega * dt_s)
    offset = vec.scale(vec.add_scaled(offset_m, impulse, dt_s), decay)
    return offset, vec.scale(vec.add_scaled(offset_m_s, impulse, -omega * dt_s), decay)
