"""Random poses and short motions within joint limits, of the kinds that people do in front of a camera."""

from dataclasses import dataclass

import numpy as np

from realtime_pose.training.motions import Motion
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

# Angles of one pose, in radians. Arms and legs have a row per side, written for the left and mirrored for the right.
#   arm: azimuth (0 = sideways, + = forward), elevation (0 = level, -90 degrees = hanging), twist, elbow bend,
#        forearm twist, wrist bend
#   leg: raised forward, spread outward, twist outward, knee bend, ankle bend, foot twist
_TRUNK, _LIMB = 9, 6  # pelvis pitch, roll, yaw; chest pitch, roll, yaw; head pitch, roll, yaw
_STANCES = {
    # name: relative frequency
    "stand": 0.48,
    "sit": 0.16,
    "squat": 0.08,
    "kick": 0.07,
    "lunge": 0.07,
    "lie": 0.03,
    "bow": 0.05,
    "any": 0.06,
}
_GESTURES = {
    "hang": 0.24,
    "raise": 0.20,
    "bend": 0.20,
    "cross": 0.08,
    "hips": 0.06,
    "desk": 0.10,
    "any": 0.12,
}


@dataclass
class _Angles:
    """Angles of N poses."""

    trunk: Float64  # (N, 9)
    arms: Float64  # (N, 2, 6)
    legs: Float64  # (N, 2, 6)

    def towards(self, other: "_Angles", share: Float64) -> "_Angles":
        """Interpolated angles (N, W, ...) at `share` (N, W) of the way to the other pose."""

        def between(a: Float64, b: Float64) -> Float64:
            part = share.reshape(*share.shape, *([1] * (a.ndim - 1)))
            return a[:, None] * (1 - part) + b[:, None] * part

        return _Angles(between(self.trunk, other.trunk), between(self.arms, other.arms), between(self.legs, other.legs))


def draw_poses(rng: np.random.Generator, moments_s: Float64, count: int) -> Motion:
    """Random short motions, each a part of the way between two random poses of the same stance.

    Args:
        rng: Random generator.
        moments_s: (W,) times in seconds, any origin.
        count: N.

    Returns:
        A motion (N, W). Yaw of the pelvis is around 0; the root moves at a constant velocity.
    """
    stances, first_legs, second_legs = _draw_legs(rng, count)
    first_trunk, second_trunk = (_draw_trunk(rng, stances) for _ in range(2))
    # The trunk mostly keeps its attitude and sways; a lying person does not get up within a second.
    second_trunk = first_trunk + 0.4 * (second_trunk - first_trunk)
    arms = [_draw_arms(rng, count) for _ in range(2)]
    still = rng.random((count, 2)) < 0.4
    arms[1] = np.where(still[..., None], arms[0] + rng.normal(0, 0.12, arms[0].shape), arms[1])
    lasts_s = rng.uniform(0.3, 1.6, count)
    start_s = rng.uniform(-0.3, 1.0, count) * lasts_s
    passed = np.clip((moments_s[None] - moments_s[0] + start_s[:, None]) / lasts_s[:, None], 0.0, 1.0)
    share = passed * passed * (3 - 2 * passed)
    angles = _Angles(first_trunk, arms[0], first_legs).towards(_Angles(second_trunk, arms[1], second_legs), share)
    pace = rng.normal(0, 0.25, (count, 1, 3)) * (rng.random((count, 1, 1)) < 0.5) * (1.0, 0.2, 1.0)
    return _motion(angles, pace * moments_s[None, :, None])


def _choose(rng: np.random.Generator, table: dict[str, float], shape: tuple[int, ...]) -> np.ndarray:
    shares = np.array(list(table.values()))
    return rng.choice(list(table), size=shape, p=shares / shares.sum())


def _normal(rng: np.random.Generator, shape: tuple[int, ...], *mean_and_spread_deg: tuple[float, float]) -> Float64:
    """(…, A) angles in rad, each around its mean."""
    mean, spread = np.radians(np.array(mean_and_spread_deg)).T
    return mean + spread * rng.standard_normal((*shape, len(mean)))


def _draw_trunk(rng: np.random.Generator, stances: np.ndarray) -> Float64:
    n = len(stances)
    # In relaxed standing, shoulder, hip and knee are above each other, and the ankle a little behind: the plumb line of
    # Kendall et al., "Muscles: Testing and Function, with Posture and Pain" (5th ed., 2005), chapter 2.
    chest_and_head = (2, 12), (0, 8), (0, 16), (4, 15), (0, 9), (0, 24)
    trunk = _normal(rng, (n,), (0, 6), (0, 4), (0, 10), *chest_and_head)
    trunk[stances == "bow", 0] += rng.uniform(0.3, 1.3, (stances == "bow").sum())
    trunk[stances == "squat", 0] += rng.uniform(0.0, 0.7, (stances == "squat").sum())
    trunk[stances == "kick", 1] += rng.normal(0, 0.3, (stances == "kick").sum())
    trunk[stances == "any", :2] += rng.normal(0, 0.5, ((stances == "any").sum(), 2))
    lying = stances == "lie"
    on_back = np.where(rng.random(lying.sum()) < 0.5, -1.0, 1.0)
    trunk[lying, 0] = on_back * np.pi / 2 + rng.normal(0, 0.2, lying.sum())
    trunk[lying, 1] = rng.normal(0, 0.6, lying.sum())
    limits = np.radians([120, 100, 360, 60, 35, 50, 60, 40, 80])
    return np.clip(trunk, -limits, limits)


def _draw_legs(rng: np.random.Generator, n: int) -> tuple[np.ndarray, Float64, Float64]:
    """Stances (N,) and the angles (N, 2, 6) of two poses of each."""
    stances = _choose(rng, _STANCES, (n,))
    return stances, _legs_of(rng, stances), _legs_of(rng, stances)


def _legs_of(rng: np.random.Generator, stances: np.ndarray) -> Float64:
    n = len(stances)
    legs = _normal(rng, (n, 2), (1, 9), (4, 6), (8, 10), (5, 9), (0, 9), (0, 7))
    deep = rng.uniform(0, 1, (n, 1)) + rng.normal(0, 0.06, (n, 2))
    squat = stances == "squat"
    legs[squat, :, 0] = np.radians(20 + 95 * deep[squat]) + rng.normal(0, 0.12, (squat.sum(), 2))
    legs[squat, :, 3] = np.radians(30 + 105 * deep[squat]) + rng.normal(0, 0.12, (squat.sum(), 2))
    legs[squat, :, 1] += rng.uniform(0, 0.6, (squat.sum(), 1))
    sit = stances == "sit"
    legs[sit] += _normal(rng, (int(sit.sum()), 2), (80, 8), (6, 10), (0, 12), (70, 18), (0, 8), (0, 5))
    one = np.arange(n), rng.integers(0, 2, n)
    kick, lunge = stances == "kick", stances == "lunge"
    raised = _normal(rng, (n,), (60, 30), (12, 22), (8, 15), (45, 40), (0, 15), (0, 8))
    legs[one[0][kick], one[1][kick]] = raised[kick]
    legs[one[0][lunge], one[1][lunge]] = _normal(rng, (n,), (70, 18), (6, 9), (6, 9), (80, 20), (0, 9), (0, 6))[lunge]
    other = 1 - one[1]
    legs[one[0][lunge], other[lunge]] = _normal(rng, (n,), (-18, 12), (4, 8), (4, 8), (30, 22), (0, 9), (0, 6))[lunge]
    free = stances == "any"
    legs[free] = _normal(rng, (int(free.sum()), 2), (40, 45), (14, 20), (8, 18), (55, 40), (0, 15), (0, 9))
    lying = stances == "lie"
    legs[lying] += np.abs(_normal(rng, (int(lying.sum()), 2), (0, 25), (0, 10), (0, 10), (0, 40), (0, 10), (0, 5)))
    # A standing foot is level: the ankle compensates for hip and knee.
    stands = ~(lying | free)[:, None] & (rng.random((n, 2)) < 0.75)
    legs[..., 4] += np.where(stands, legs[..., 0] - legs[..., 3], 0.0)
    low, high = np.radians(np.array([(-30, 125), (-25, 60), (-40, 50), (0, 150), (-55, 45), (-25, 25)])).T
    return np.clip(legs, low, high)


def _draw_arms(rng: np.random.Generator, n: int) -> Float64:
    gestures = _choose(rng, _GESTURES, (n, 1)).repeat(2, axis=1)
    alone = rng.random(n) < 0.5  # each arm on its own
    gestures[alone] = _choose(rng, _GESTURES, (int(alone.sum()), 2))
    # azimuth, elevation, spin, bend, forearm, wrist
    around = {
        "hang": ((10, 40), (-76, 9), (0, 22), (18, 16), (0, 35), (0, 12)),
        "raise": ((25, 40), (35, 38), (-25, 40), (35, 35), (0, 45), (0, 18)),
        "bend": ((35, 30), (-50, 22), (10, 32), (80, 32), (0, 45), (0, 20)),
        "cross": ((75, 15), (-45, 15), (45, 15), (95, 15), (0, 25), (0, 12)),
        "hips": ((-15, 15), (-50, 10), (35, 18), (90, 14), (0, 25), (20, 20)),
        "desk": ((70, 20), (-55, 14), (15, 18), (70, 22), (0, 20), (0, 12)),
        "any": ((45, 60), (-15, 50), (0, 50), (60, 45), (0, 45), (0, 25)),
    }
    arms = np.zeros((n, 2, _LIMB))
    for name, angles in around.items():
        chosen = gestures == name
        arms[chosen] = _normal(rng, (int(chosen.sum()),), *angles)
    low, high = np.radians(np.array([(-60, 140), (-90, 90), (-100, 80), (0, 150), (-85, 85), (-60, 60)])).T
    return np.clip(arms, low, high)


_X, _Y, _Z = np.eye(3)


def _turn(axis: Float64, angle_rad: Float64) -> Float64:
    return rot.from_axis_angle(axis, angle_rad)


def _yaw_pitch_roll(angles: Float64) -> Float64:
    """Rotation (..., 4) from pitch, roll, yaw (..., 3)."""
    pitch, roll, yaw = _turn(_X, angles[..., 0]), _turn(_Z, angles[..., 1]), _turn(_Y, angles[..., 2])
    return rot.multiply(yaw, rot.multiply(pitch, roll))


def _motion(angles: _Angles, root: Float64) -> Motion:
    """The motion (...) with these angles (..., A)."""
    left, right = (_arm(angles.arms[..., i, :]) for i in range(2))
    left_leg, right_leg = (_leg(angles.legs[..., i, :]) for i in range(2))
    across, mirror = np.array([-1.0, 1.0, 1.0]), np.array([1.0, -1.0, -1.0, 1.0])
    trunk = angles.trunk
    return Motion(
        _yaw_pitch_roll(trunk[..., :3]),
        _yaw_pitch_roll(trunk[..., 3:6]),
        _yaw_pitch_roll(trunk[..., 6:]),
        np.stack((left[0], right[0] * across), axis=-3),
        np.stack((left_leg[0], right_leg[0] * across), axis=-3),
        np.stack((left[1], right[1] * mirror), axis=-2),
        np.stack((left_leg[1], right_leg[1] * mirror), axis=-2),
        root,
        np.full((*root.shape[:-1], 2, 2), np.nan),
    )


def _arm(angles: Float64) -> tuple[Float64, Float64]:
    """Directions (..., 2, 3) of a left arm's bones and the rotation (..., 4) of its hand, in the chest's axes."""
    azimuth, elevation, spin, bend, forearm, wrist = np.moveaxis(angles, -1, 0)
    level = np.cos(elevation)
    upper = np.stack((level * np.cos(azimuth), np.sin(elevation), level * np.sin(azimuth)), axis=-1)
    upper_turn = rot.multiply(rot.shortest_arc(_X, upper), _turn(_X, spin))
    lower_turn = rot.multiply(upper_turn, _turn(-_Y, bend))
    hand = rot.multiply(lower_turn, rot.multiply(_turn(_X, forearm), _turn(_Z, wrist)))
    return np.stack((upper, rot.rotate(lower_turn, _X)), axis=-2), hand


def _leg(angles: Float64) -> tuple[Float64, Float64]:
    """Directions (..., 2, 3) of a left leg's bones and the rotation (..., 4) of its foot, in the pelvis's axes."""
    raised, spread, spin, bend, ankle, foot = np.moveaxis(angles, -1, 0)
    thigh = rot.multiply(_turn(_Z, spread), rot.multiply(_turn(-_X, raised), _turn(_Y, spin)))
    shank = rot.multiply(thigh, _turn(_X, bend))
    foot_turn = rot.multiply(shank, rot.multiply(_turn(_X, ankle), _turn(_Y, foot)))
    return np.stack((rot.rotate(thigh, -_Y), rot.rotate(shank, -_Y)), axis=-2), foot_turn
