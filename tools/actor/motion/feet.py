"""Foot motion: steps between fixed footprints, so that a foot in contact cannot slide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64
from tools.actor.body.measures import FIRST, Measures
from tools.actor.motion.curves import Key, minimum_jerk, through

# Pivots of the foot relative to the first actor's ankle: toe-off and heel strike.
_TOE_PIVOT_M = np.array([0.0, -FIRST.ankle_height_m, 0.165])
_HEEL_PIVOT_M = np.array([0.0, -FIRST.ankle_height_m, -0.055])
_ROLL_BEFORE_S, _ROLL_AFTER_S = 0.15, 0.09  # the heel rises before lift-off, the toes come down after landing


@dataclass(frozen=True)
class Footprint:
    """A foot flat on the floor: position below its ankle, and yaw (0 = facing +Z, left is positive)."""

    x_m: float
    z_m: float
    yaw_deg: float


def footprint(side: str, x_m: float, z_m: float, heading_deg: float, apart_m: float = 0.20) -> Footprint:
    """The footprint for a body over (x, z) that faces `heading_deg`; toes point slightly outward."""
    sign = 1.0 if side == "left" else -1.0
    heading = np.radians(heading_deg)
    aside = sign * apart_m / 2
    return Footprint(x_m + aside * np.cos(heading), z_m - aside * np.sin(heading), heading_deg + sign * 6.0)


@dataclass(frozen=True)
class Step:
    """A step from one footprint to another.

    Attributes:
        lift_s: Time of toe-off.
        land_s: Time of heel strike.
        to: The new footprint.
        height_m: Height of the foot in mid-swing.
        roll: Amount of heel and toe roll; 1 = a brisk walk.
    """

    lift_s: float
    land_s: float
    to: Footprint
    height_m: float = 0.07
    roll: float = 1.0


@dataclass(frozen=True, eq=False)
class FootTrack:
    """One foot over T frames.

    Attributes:
        print_m: (T, 2) x and z of the footprint, moving to the next one during a step.
        yaw_rad: (T,) its yaw.
        ankle_m: (T, 3) the ankle in the world.
        rotation_xyzw: (T, 4) the foot's rotation in the world.
        contact: (T,) bool, flat on the floor and still.
    """

    print_m: Float64
    yaw_rad: Float64
    ankle_m: Float64
    rotation_xyzw: Float64
    contact: Bool


def follow(
    measures: Measures, start: Footprint, steps: Sequence[Step], heel: Sequence[Key], time_s: Float64
) -> FootTrack:
    """The foot's motion from `start` over all steps, which are in order; `heel` raises the heel of a standing foot."""
    at = np.tile([start.x_m, start.z_m, np.radians(start.yaw_deg)], (len(time_s), 1))
    lift, pitch = np.zeros(len(time_s)), np.radians(through(heel, time_s, smooth_s=0.0))
    contact = pitch == 0
    before = at[0].copy()
    for step in steps:
        after = np.array([step.to.x_m, step.to.z_m, np.radians(step.to.yaw_deg)])
        lasts = step.land_s - step.lift_s
        u = np.clip((time_s - step.lift_s) / lasts, 0.0, 1.0)
        at += minimum_jerk(u)[:, None] * (after - before)
        lift += step.height_m * 16.0 * u**2 * (1.0 - u) ** 2
        up, down = step.lift_s - _ROLL_BEFORE_S, step.land_s + _ROLL_AFTER_S
        keys = [(up, 0.0), (step.lift_s + 0.05, 27.0), (step.lift_s + 0.6 * lasts, 4.0), (step.land_s - 0.02, -13.0)]
        pitch += np.radians(step.roll) * through([*keys, (down, 0.0)], time_s, smooth_s=0.0)
        contact &= (time_s <= up) | (time_s >= down)
        before = after
    turned = rot.from_axis_angle([0.0, 1.0, 0.0], at[:, 2])
    pitched = rot.from_axis_angle([1.0, 0.0, 0.0], pitch)
    pivot = np.where(pitch[:, None] > 0, _TOE_PIVOT_M, _HEEL_PIVOT_M)
    pivot = pivot * measures.surface_scale[HUMANOID.index["leftFoot"]]
    ankle = rot.rotate(turned, pivot - rot.rotate(pitched, pivot))
    ankle += np.stack((at[:, 0], measures.ankle_height_m + lift, at[:, 1]), axis=-1)
    return FootTrack(at[:, :2], at[:, 2], ankle, rot.multiply(turned, pitched), contact)
