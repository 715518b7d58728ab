"""Body yaw estimation from 2D keypoints.

The projected widths of shoulders and hips give the cosine of the yaw; the points in front of the body (nose, toes, bent
knees) give its sine; the far side has lower scores. Each cue adds a cost over a grid of yaws; the lowest sum wins.
"""

from dataclasses import dataclass, field

import numpy as np

from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.utils.arrays import Float64

_GRID_RAD = np.radians(np.arange(-180.0, 180.0, 5.0))
_COS, _SIN = np.cos(_GRID_RAD), np.sin(_GRID_RAD)
# Metres of a body 1.70 m tall; these and the weights below were chosen on the actor's clip.
_NOSE_AHEAD_OF_EARS_M = 0.11
_NOSE_AHEAD_OF_SHOULDERS_M = 0.12
_TOE_AHEAD_OF_HEEL_M = 0.20
_WIDTH_SIGMA_M = 0.05
_MIN_WIDTH, _MAX_WIDTH = 0.88, 1.08  # shares of the average width: where learning starts and where it ends
_WIDTH_GAIN = 0.03  # share of the excess width that is learnt per frame
_TURN_RATE_RAD_S = np.radians(250.0)


@dataclass
class Points:
    """Visible keypoints by name.

    Attributes:
        xy_m: (2,) metres in a plane at the body's depth, x to the image's right, y up.
        score: Score in 0..1.
    """

    xy_m: dict[str, Float64] = field(default_factory=dict)
    score: dict[str, float] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        """Whether all of them are visible."""
        return all(name in self.xy_m for name in names)

    def offset_x(self, a: str, b: str) -> float:
        """Horizontal distance of a to the right of b in the image."""
        return float(self.xy_m[a][0] - self.xy_m[b][0])

    def middle(self, a: str, b: str) -> Float64:
        """The midpoint of a and b."""
        return (self.xy_m[a] + self.xy_m[b]) / 2


class FrontalWidths:
    """Learnt widths of one person's shoulders and hips as they face the camera.

    The yaw's cosine is the projected width over the frontal one, so a wrong frontal width looks like a turn. It starts
    below the average and grows towards the widest projection seen.

    Attributes:
        frontal_m: Width of "shoulder" and "hip" in metres.
    """

    def __init__(self, body: BodyDimensions) -> None:
        self._average_m = {"shoulder": body.shoulder_width, "hip": body.hip_width}
        self.frontal_m = {part: _MIN_WIDTH * average for part, average in self._average_m.items()}

    def update(self, part: str, projected_m: float) -> None:
        """Learn from a projected width."""
        excess = min(abs(projected_m), _MAX_WIDTH * self._average_m[part]) - self.frontal_m[part]
        self.frontal_m[part] += _WIDTH_GAIN * max(excess, 0.0)


def yaw_costs(points: Points, widths: FrontalWidths) -> Float64:
    """Cost of each yaw of the grid, by this frame alone.

    Yaw 0 faces the camera; positive yaw turns to the image's right.
    """
    cost = np.zeros_like(_GRID_RAD)
    for part in ("shoulder", "hip"):
        left, right = f"left_{part}", f"right_{part}"
        if points.has(left, right):
            projected_m = points.offset_x(left, right)
            widths.update(part, projected_m)
            cost += ((projected_m - widths.frontal_m[part] * _COS) / _WIDTH_SIGMA_M) ** 2
    if points.has("nose", "left_ear", "right_ear"):
        ahead = float(points.xy_m["nose"][0] - points.middle("left_ear", "right_ear")[0])
        cost += ((ahead - _NOSE_AHEAD_OF_EARS_M * _SIN) / 0.08) ** 2
    if points.has("nose", "left_shoulder", "right_shoulder"):
        ahead = float(points.xy_m["nose"][0] - points.middle("left_shoulder", "right_shoulder")[0])
        cost += np.minimum(
            ((ahead - _NOSE_AHEAD_OF_SHOULDERS_M * _SIN) / 0.12) ** 2, 4.0
        )  # capped, as a leaning body misleads
    for side in ("left", "right"):
        hip, knee, ankle, heel, toe = (f"{side}_{p}" for p in ("hip", "knee", "ankle", "heel", "toe"))
        if points.has(heel, toe):
            cost += 0.5 * ((points.offset_x(toe, heel) - _TOE_AHEAD_OF_HEEL_M * _SIN) / 0.08) ** 2
        if points.has(hip, knee, ankle):
            bent_forward = float(points.xy_m[knee][0] - points.middle(hip, ankle)[0])
            cost -= np.clip(bent_forward / 0.08, -2.0, 2.0) * _SIN  # knees bend to the front
    pairs = [(f"left_{p}", f"right_{p}") for p in ("eye", "ear", "shoulder", "elbow", "hip", "knee")]
    gaps = [points.score[a] - points.score[b] for a, b in pairs if a in points.score and b in points.score]
    if gaps:
        cost += 2.0 * (float(np.mean(gaps)) / 0.3 + _SIN) ** 2 * min(1.0, abs(float(np.mean(gaps))) / 0.15)
    return cost


def choose_yaw_rad(cost: Float64, before_rad: float | None, dt_s: float) -> float:
    """The yaw of lowest cost, with a penalty for the distance to the previous one.

    Args:
        cost: Costs from `yaw_costs`.
        before_rad: The previous yaw; None without one.
        dt_s: Time since then.
    """
    total = cost
    if before_rad is not None:
        change = np.angle(np.exp(1j * (_GRID_RAD - before_rad)))
        scale = np.radians(8.0) + _TURN_RATE_RAD_S * max(dt_s, 0.0)
        # Capped, so that strong evidence can correct a wrong yaw.
        total = cost + np.minimum((change / scale) ** 2, 9.0)
    best = int(np.argmin(total))
    low, mid, high = total[best - 1], total[best], total[(best + 1) % len(total)]
    curvature = low - 2 * mid + high  # refine: vertex of the parabola through the three points
    shift = 0.5 * (low - high) / curvature if curvature > 1e-9 else 0.0
    return float(_GRID_RAD[best] + np.clip(shift, -0.5, 0.5) * (_GRID_RAD[1] - _GRID_RAD[0]))
