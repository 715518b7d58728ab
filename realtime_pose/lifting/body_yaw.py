"""Which way the body faces, from 2D keypoints: a vote of everything that depends on it.

Widths of shoulders and hips fix the cosine of the yaw, what sticks out in front (nose, toes, bent knees) its sine,
and the side that the body hides scores lower. Each gives a cost over a grid of yaws; the lowest sum wins.
"""

from dataclasses import dataclass, field

import numpy as np

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.utils.arrays import Float64

_GRID_RAD = np.radians(np.arange(-180.0, 180.0, 5.0))
_COS, _SIN = np.cos(_GRID_RAD), np.sin(_GRID_RAD)
_NOSE_AHEAD_OF_EARS = 0.11
_NOSE_AHEAD_OF_SHOULDERS = 0.12
_TOE_AHEAD_OF_HEEL = 0.20
_WIDTH_SIGMA_M = 0.05
_NARROWEST, _WIDEST, _LEARNING = 0.88, 1.08, 0.03  # shares of the average width; share of the excess learnt a frame
_TURN_RATE_RAD_S = np.radians(250.0)


@dataclass
class Points:
    """Seen keypoints by name: metres in a plane at the body's depth, x right in the picture, y up.

    A name that is missing was not seen.
    """

    xy_m: dict[str, Float64] = field(default_factory=dict)
    score: dict[str, float] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        """Whether all of them were seen."""
        return all(name in self.xy_m for name in names)

    def across(self, a: str, b: str) -> float:
        """How far a lies to the right of b in the picture."""
        return float(self.xy_m[a][0] - self.xy_m[b][0])

    def middle(self, a: str, b: str) -> Float64:
        """The point half-way."""
        return (self.xy_m[a] + self.xy_m[b]) / 2


class FrontalWidths:
    """How wide this person's shoulders and hips show when they face the camera, learnt while they turn.

    The yaw's cosine is the shown width over the full one, so a wrong full width looks like a turn. It starts below the
    average and grows to the widest that is seen.
    """

    def __init__(self, body: BodyDimensions) -> None:
        self._average_m = {"shoulder": body.shoulder_width, "hip": body.hip_width}
        self.full_m = {part: _NARROWEST * average for part, average in self._average_m.items()}

    def see(self, part: str, shown_m: float) -> None:
        """Take a width into account."""
        excess = min(abs(shown_m), _WIDEST * self._average_m[part]) - self.full_m[part]
        self.full_m[part] += _LEARNING * max(excess, 0.0)


def yaw_costs(points: Points, widths: FrontalWidths) -> Float64:
    """Cost of each yaw of the grid by this frame alone; yaw 0 faces the camera, positive turns to picture right."""
    cost = np.zeros_like(_GRID_RAD)
    for part in ("shoulder", "hip"):
        left, right = f"left_{part}", f"right_{part}"
        if points.has(left, right):
            shown_m = points.across(left, right)
            widths.see(part, shown_m)
            cost += ((shown_m - widths.full_m[part] * _COS) / _WIDTH_SIGMA_M) ** 2
    if points.has("nose", "left_ear", "right_ear"):
        ahead = float(points.xy_m["nose"][0] - points.middle("left_ear", "right_ear")[0])
        cost += ((ahead - _NOSE_AHEAD_OF_EARS * _SIN) / 0.08) ** 2
    if points.has("nose", "left_shoulder", "right_shoulder"):
        ahead = float(points.xy_m["nose"][0] - points.middle("left_shoulder", "right_shoulder")[0])
        cost += np.minimum(((ahead - _NOSE_AHEAD_OF_SHOULDERS * _SIN) / 0.12) ** 2, 4.0)  # a leaning body misleads
    for side in ("left", "right"):
        hip, knee, ankle, heel, toe = (f"{side}_{p}" for p in ("hip", "knee", "ankle", "heel", "toe"))
        if points.has(heel, toe):
            cost += 0.5 * ((points.across(toe, heel) - _TOE_AHEAD_OF_HEEL * _SIN) / 0.08) ** 2
        if points.has(hip, knee, ankle):
            bent_forward = float(points.xy_m[knee][0] - points.middle(hip, ankle)[0])
            cost -= np.clip(bent_forward / 0.08, -2.0, 2.0) * _SIN  # knees bend to the front
    pairs = [(f"left_{p}", f"right_{p}") for p in ("eye", "ear", "shoulder", "elbow", "hip", "knee")]
    gaps = [points.score[a] - points.score[b] for a, b in pairs if a in points.score and b in points.score]
    if gaps:
        cost += 2.0 * (float(np.mean(gaps)) / 0.3 + _SIN) ** 2 * min(1.0, abs(float(np.mean(gaps))) / 0.15)
    return cost


def choose_yaw_rad(cost: Float64, before_rad: float | None, dt_s: float) -> float:
    """The yaw of least cost, near to the one before unless the evidence is strong."""
    total = cost
    if before_rad is not None:
        away = np.angle(np.exp(1j * (_GRID_RAD - before_rad)))
        reach = np.radians(8.0) + _TURN_RATE_RAD_S * max(dt_s, 0.0)
        total = cost + np.minimum(
            (away / reach) ** 2, 9.0
        )  # capped, so that a wrong side is left when all speak for it
    best = int(np.argmin(total))
    low, mid, high = total[best - 1], total[best], total[(best + 1) % len(total)]
    bend = low - 2 * mid + high  # vertex of the parabola through the three points
    shift = 0.5 * (low - high) / bend if bend > 1e-9 else 0.0
    return float(_GRID_RAD[best] + np.clip(shift, -0.5, 0.5) * (_GRID_RAD[1] - _GRID_RAD[0]))
