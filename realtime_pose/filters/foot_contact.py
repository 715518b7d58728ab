"""Whether a foot stands: low and slow, with hysteresis; speeds are per second of media time."""

import math
from dataclasses import dataclass, field

from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.vec3 import Vec3

_SPEED_TAU_S = 0.06
_SLOW_M_S, _FAST_M_S = 0.5, 0.9  # a foot comes to stand below the one and leaves above the other
_AT_ONCE = 0.8  # of the slower: the speed of this frame alone that is enough
_SWINGING_M_S = 1.0  # in space; where a foot comes nearer and rises, its place on the floor can be slow for a moment
_BEARING = 1.6  # times as fast may the only foot be that stands: somebody who walks has one on the floor
_LOW_M, _HIGH_M = 0.03, 0.06  # of the ankle over where it is when the foot is flat
_RISING_M_S = 0.15
_MOVED_M, _GONE_M = 0.05, 0.10  # on the floor, from where it stood: what a rise must show, and what is no noise
_NEW_M, _NEW_S = 0.07, 0.15  # a foot that moves so far so soon had not come to stand
_SPOT_TAU_S = 0.5
_LEFT_M, _SWING_S = 0.2, 0.25  # a foot that has left its spot stands again no sooner
_STILL_M_S, _STILL_S, _ONLY_STILL_S = 0.3, 0.4, 0.15
_LOST_M = 0.15  # a foot may seem that high and yet stand: if it is still for so long, the second if no other stands


@dataclass
class _Speed:
    """A place and its velocity, in this frame and low-passed."""

    place_m: Vec3 | None = None
    now_m_s: Vec3 = vec.ZERO
    m_s: Vec3 = vec.ZERO

    def update(self, place_m: Vec3, dt_s: float) -> None:
        if self.place_m is not None and dt_s > 0:
            self.now_m_s = vec.scale(vec.sub(place_m, self.place_m), 1.0 / dt_s)
            self.m_s = vec.add_scaled(self.m_s, vec.sub(self.now_m_s, self.m_s), 1.0 - math.exp(-dt_s / _SPEED_TAU_S))
        self.place_m = place_m


@dataclass
class FootContact:
    """One foot over time; `stands` is the last answer. A foot that is new is taken to stand where it is low."""

    stands: bool = True
    _on_floor: _Speed = field(default_factory=_Speed)
    _in_space: _Speed = field(default_factory=_Speed)
    _spot_m: Vec3 | None = None
    _still_s: float = 0.0
    _since_s: float = 1.0  # it stands, or does not

    def update(
        self, on_floor_m: Vec3, ankle_m: Vec3, height_m: float, dt_s: float, *, other_stands: bool, sharp: bool
    ) -> bool:
        """Whether the foot stands now.

        Args:
            on_floor_m: Where on the floor the foot is seen, +Y up.
            ankle_m: Where it is in space.
            height_m: The ankle over where it is when the foot stands flat.
            dt_s: Time since the last call, in seconds.
            other_stands: Whether the person's other foot stands.
            sharp: Whether `on_floor_m` shows a foot that rises as one that moves.
        """
        self._on_floor.update(on_floor_m, dt_s)
        self._in_space.update(ankle_m, dt_s)
        speed = _flat(self._on_floor.m_s)
        rising = self._in_space.m_s[1] > _RISING_M_S
        self._still_s = self._still_s + dt_s if speed < _STILL_M_S and not rising else 0.0
        bearing = 1.0 if other_stands else _BEARING
        self._since_s += dt_s
        if self.stands and self._spot_m is None:
            self.stands, self._spot_m = height_m < _HIGH_M, on_floor_m
        elif self.stands:
            spot = self._spot_m or on_floor_m
            self._spot_m = spot = vec.add_scaled(spot, vec.sub(on_floor_m, spot), 1.0 - math.exp(-dt_s / _SPOT_TAU_S))
            moved = _flat(vec.sub(on_floor_m, spot))
            raised = (rising or height_m > _HIGH_M) and (moved > _MOVED_M or not sharp)
            gone = moved > (_NEW_M if self._since_s < _NEW_S else _GONE_M)
            self.stands = speed < _FAST_M_S * bearing and not gone and not raised
            if not self.stands:
                self._since_s = 0.0
        else:
            slow = min(speed, _flat(self._on_floor.now_m_s) / _AT_ONCE) < _SLOW_M_S * bearing
            swings = rising or _flat(self._in_space.m_s) > _SWINGING_M_S
            left = self._spot_m is not None and _flat(vec.sub(on_floor_m, self._spot_m)) > _LEFT_M
            swings = swings or (left and self._since_s < _SWING_S)
            lost = height_m < _LOST_M and self._still_s > (_STILL_S if other_stands else _ONLY_STILL_S)
            self.stands = (slow and not swings and height_m < _LOW_M) or lost
            if self.stands:
                self._spot_m, self._since_s = on_floor_m, 0.0
        return self.stands


def _flat(v: Vec3) -> float:
    return math.hypot(v[0], v[2])
