"""Foot contact: a foot that is low and slow stands, with hysteresis; times are media time."""

import math
from dataclasses import dataclass, field

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Vec3

_SPEED_TAU_S = 0.06  # time constant of the low-passed speeds
_SLOW_M_S = 0.5  # contact starts below this speed on the floor,
_FAST_M_S = 0.9  # and ends above this one
_FRAME_SPEED_RATIO = 0.8  # contact also starts where the speed of one frame is below this share of `_SLOW_M_S`
_SWINGING_M_S = 1.0  # a faster foot in space swings, though its ray may be slow on the floor while it rises
_ONLY_FOOT_RATIO = 1.6  # speed limits are this much higher where the other foot is up: walking keeps one foot down
_LOW_M = 0.03  # contact starts below this height of the ankle over its height in a flat stance,
_HIGH_M = 0.06  # and ends above this one
_RISING_M_S = 0.15  # a foot that goes up faster than this rises
_MOVED_M = 0.05  # a rise ends contact only if the foot is this far from its anchor on the floor
_MAX_DRIFT_M = 0.10  # contact ends where the foot is this far from its anchor, its place on the floor
_MAX_DRIFT_AT_START_M = 0.07  # in the first `_START_S` contact ends at this distance: it started too early
_START_S = 0.15  # see `_MAX_DRIFT_AT_START_M`
_ANCHOR_TAU_S = 0.5  # time constant with which the anchor follows the foot
_STEP_M = 0.2  # a foot that is this far from its last anchor is in a step,
_MIN_STEP_S = 0.25  # and contact does not start again before this time
_STILL_M_S = 0.3  # a foot slower than this is still
_STILL_S = 0.4  # a foot that is still for this long stands up to `_MAX_STILL_HEIGHT_M`: its height is a lifting error
_ONLY_STILL_S = 0.15  # the same where the other foot is up
_MAX_STILL_HEIGHT_M = 0.15  # see `_STILL_S`


@dataclass
class _Speed:
    """A place and its velocity: in this frame and low-passed."""

    place_m: Vec3 | None = None
    frame_m_s: Vec3 = vec.ZERO
    m_s: Vec3 = vec.ZERO

    def update(self, place_m: Vec3, dt_s: float) -> None:
        if self.place_m is not None and dt_s > 0:
            self.frame_m_s = vec.scale(vec.sub(place_m, self.place_m), 1.0 / dt_s)
            self.m_s = vec.add_scaled(self.m_s, vec.sub(self.frame_m_s, self.m_s), 1.0 - math.exp(-dt_s / _SPEED_TAU_S))
        self.place_m = place_m


@dataclass
class FootContact:
    """Contact of one foot over time; `stands` is the last result. In its first frame a low foot stands."""

    stands: bool = True
    _on_floor: _Speed = field(default_factory=_Speed)
    _in_space: _Speed = field(default_factory=_Speed)
    _anchor_m: Vec3 | None = None
    _still_s: float = 0.0
    _since_change_s: float = 1.0  # since contact started or ended

    def update(
        self, on_floor_m: Vec3, ankle_m: Vec3, height_m: float, dt_s: float, *, other_stands: bool, from_ray: bool
    ) -> bool:
        """Whether the foot stands in this frame.

        Args:
            on_floor_m: The point where the ankle's ray meets the floor, +Y up.
            ankle_m: The ankle in space.
            height_m: The ankle over its height in a flat stance.
            dt_s: Time since the last call.
            other_stands: Whether the person's other foot stands.
            from_ray: Whether `on_floor_m` comes from a ray, so that a rising foot also moves on the floor.
        """
        self._on_floor.update(on_floor_m, dt_s)
        self._in_space.update(ankle_m, dt_s)
        speed_m_s = _horizontal(self._on_floor.m_s)
        rising = self._in_space.m_s[1] > _RISING_M_S
        self._still_s = self._still_s + dt_s if speed_m_s < _STILL_M_S and not rising else 0.0
        speed_ratio = 1.0 if other_stands else _ONLY_FOOT_RATIO
        self._since_change_s += dt_s
        if self.stands and self._anchor_m is None:
            self.stands, self._anchor_m = height_m < _HIGH_M, on_floor_m
        elif self.stands:
            anchor_m = self._anchor_m or on_floor_m
            self._anchor_m = anchor_m = vec.add_scaled(
                anchor_m, vec.sub(on_floor_m, anchor_m), 1.0 - math.exp(-dt_s / _ANCHOR_TAU_S)
            )
            moved_m = _horizontal(vec.sub(on_floor_m, anchor_m))
            raised = (rising or height_m > _HIGH_M) and (moved_m > _MOVED_M or not from_ray)
            drifted = moved_m > (_MAX_DRIFT_AT_START_M if self._since_change_s < _START_S else _MAX_DRIFT_M)
            self.stands = speed_m_s < _FAST_M_S * speed_ratio and not drifted and not raised
            if not self.stands:
                self._since_change_s = 0.0
        else:
            slow = min(speed_m_s, _horizontal(self._on_floor.frame_m_s) / _FRAME_SPEED_RATIO) < _SLOW_M_S * speed_ratio
            swinging = rising or _horizontal(self._in_space.m_s) > _SWINGING_M_S
            stepped = self._anchor_m is not None and _horizontal(vec.sub(on_floor_m, self._anchor_m)) > _STEP_M
            swinging = swinging or (stepped and self._since_change_s < _MIN_STEP_S)
            still = height_m < _MAX_STILL_HEIGHT_M and self._still_s > (_STILL_S if other_stands else _ONLY_STILL_S)
            self.stands = (slow and not swinging and height_m < _LOW_M) or still
            if self.stands:
                self._anchor_m, self._since_change_s = on_floor_m, 0.0
        return self.stands


def _horizontal(v: Vec3) -> float:
    return math.hypot(v[0], v[2])
