"""Foot locking of a retargeted motion: feet that stand keep their place, and no sole sinks into the floor.

A character of other proportions than the person's has its ankles elsewhere when its limbs point as the person's do, so
feet that stand would slide. Here a foot in contact stays at the mean place of the character's own foot during the
contact, so that its leg changes as little as it can; it is dragged along only if the person's foot moves farther than
noise. In the air the offset blends out and in again. A foot that would sink into the floor is levelled, and lifted if
that is not enough. The hips make up for the height that straight legs would lack; two-bone IK does the rest.

Source of the idea: Kovar, Schreiner, Gleicher, "Footskate Cleanup for Motion Capture Editing", 2002.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, uniform_filter1d

from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64

_BLEND_S = 0.25  # a foot's offset blends out and in within this time; shorter flights are taken for contact
_DRAG = 0.04  # a foot in contact stays while the person's, scaled, moves by at most this share of the leg
_SMOOTH_S = 0.1  # heights of the hips, and of feet that are lifted, are smoothed over this time
_REACH = 0.9995  # a leg is stretched to this share of its length at most


class FootMotion(NamedTuple):
    """T frames of the feet when limbs point as the person's do; lengths in the character's, canonical axes.

    Attributes:
        time_s: (T,).
        contact: (T, 2) bool, which feet stand.
        leg: (T, 2, 3) from hip joint to ankle.
        ankle: (T, 2, 3) position of the ankle over the floor.
        wanted: (T, 2, 3) that of the person's, scaled and over the character's soles.
        foot_xyzw: (T, 2, 4) the foot's rotation, identity at rest.
    """

    time_s: Float64
    contact: Bool
    leg: Float64
    ankle: Float64
    wanted: Float64
    foot_xyzw: Float64


class FootLock(NamedTuple):
    """What changes in T frames.

    Attributes:
        ankles: (T, 2, 3) added to each ankle.
        level: (T, 2) share by which each foot is turned level, 0 to 1.
        hips: (T,) added to the height of the hips.
    """

    ankles: Float64
    level: Float64
    hips: Float64

    def rows(self, start: int, end: int) -> "FootLock":
        """Some of the frames."""
        return FootLock(*(part[start:end] for part in self))


def lock_feet(motion: FootMotion, soles: tuple[Float64, Float64], leg_length: Float64) -> FootLock:
    """What locks the feet.

    Args:
        motion: All frames of the person.
        soles: The points (V, 3) of the left and of the right foot that can touch the floor, from the ankle, at rest.
        leg_length: (2,) of the character's legs.
    """
    contact = np.stack([_without_short_gaps(motion.time_s, column) for column in motion.contact.T], axis=1)
    drag = _DRAG * float(leg_length.mean())
    feet = [
        _blended(motion.time_s, contact[:, side], motion.ankle[:, side], motion.wanted[:, side], drag)
        for side in (0, 1)
    ]
    ankles, locked = (np.stack([foot[i] for foot in feet], axis=1) for i in (0, 1))
    hips = _hips(motion, contact, ankles, locked, leg_length)
    ankles[..., 1] += (1.0 - locked) * hips[:, None]  # in the air a leg is as it is in the person
    level = np.empty(contact.shape)
    for side, points in enumerate(soles):
        height, foot = motion.ankle[:, side, 1] + ankles[:, side, 1], motion.foot_xyzw[:, side]
        depth = np.maximum(-height - _lowest(foot, points), 0.0)
        room = np.maximum(height + points[:, 1].min(), 0.0)
        level[:, side] = depth / np.maximum(depth + room, 1e-9)
        lift = np.maximum(-height - _lowest(levelled(foot, level[:, side]), points), 0.0)
        ankles[:, side, 1] += np.maximum(lift, (1.0 - locked[:, side]) * _smoothly(lift, motion.time_s))
    return FootLock(ankles, level, hips)


def levelled(foot_xyzw: Float64, share: Float64) -> Float64:
    """Rotations (T, 4) of a foot turned by a share (T,) of the way until its sole is level."""
    up = np.array([0.0, 1.0, 0.0])
    level = rot.multiply(rot.shortest_arc(rot.rotate(foot_xyzw, up), up), foot_xyzw)
    return rot.slerp(foot_xyzw, level, share)


def bend_leg(thigh: Float64, shank: Float64, hinge: Float64, target: Float64) -> tuple[Float64, Float64]:
    """The rotations (T, 4) of thigh and shank that bring the ankle to a target; all in world axes.

    The knee bends in the leg's own plane, then the leg swings from the hip: a leg that is there already stays as it is.

    Args:
        thigh: (T, 3) from hip joint to knee.
        shank: (T, 3) from knee to ankle.
        hinge: (T, 3) axis of the knee, the bend's where the leg is straight.
        target: (T, 3) from hip joint to where the ankle should be.
    """
    upper, lower = np.linalg.norm(thigh, axis=1), np.linalg.norm(shank, axis=1)
    leg = thigh + shank
    before = np.linalg.norm(leg, axis=1)
    reach = np.maximum((upper + lower) * _REACH, before)
    after = np.clip(np.linalg.norm(target, axis=1), np.abs(upper - lower) + 0.05 * lower, reach)
    normal = rot.cross(thigh, shank) / (upper * lower)[:, None] + 0.01 * hinge
    direction = rot.unit(leg)
    normal = rot.unit(normal - (normal * direction).sum(axis=1, keepdims=True) * direction)
    at_hip = _angle(upper, after, lower) - _angle(upper, before, lower)
    at_ankle = _angle(lower, after, upper) - _angle(lower, before, upper)
    bend_thigh = rot.from_axis_angle(normal, -at_hip)
    bend_shank = rot.from_axis_angle(normal, at_ankle)
    bent = rot.rotate(bend_thigh, thigh) + rot.rotate(bend_shank, shank)
    swing = rot.shortest_arc(bent, target)
    return rot.multiply(swing, bend_thigh), rot.multiply(swing, bend_shank)


def _angle(side: Float64, other: Float64, opposite: Float64) -> Float64:
    """The angle between two sides of a triangle, in radians."""
    cosine = (side**2 + other**2 - opposite**2) / np.maximum(2 * side * other, 1e-12)
    return np.arccos(np.clip(cosine, -1.0, 1.0))


def _lowest(foot_xyzw: Float64, points: Float64) -> Float64:
    """(T,) height of the lowest of a foot's points (V, 3) over its ankle."""
    up = rot.rotate(rot.inverse(foot_xyzw), (0.0, 1.0, 0.0))
    lowest = np.full(len(up), np.inf)
    for point in points:  # one at a time: takes little memory
        np.minimum(lowest, up @ point, out=lowest)
    return lowest


def _runs(flags: Bool) -> list[tuple[int, int]]:
    """The first and the last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flags.astype(np.int8), [0]))))
    return [(int(start), int(end) - 1) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _without_short_gaps(time_s: Float64, contact: Bool) -> Bool:
    contact = contact.copy()
    runs = _runs(contact)
    for (_, end), (start, _) in pairwise(runs):
        if time_s[start] - time_s[end] < _BLEND_S:
            contact[end:start] = True
    return contact


def _blended(time_s: Float64, contact: Bool, ankle: Float64, wanted: Float64, drag: float) -> tuple[Float64, Float64]:
    """The offset (T, 3) of one foot: in contact to its place, at the height that is wanted; blended in flight.

    With it the share (T,) by which the foot is locked: 1 in contact.
    """
    offset, locked = np.zeros_like(wanted), contact.astype(np.float64)
    for first, last in _runs(contact):
        rows = slice(first, last + 1)
        offset[rows] = _held(wanted[rows], drag) - ankle[rows]
        offset[rows, ::2] -= offset[rows, ::2].mean(axis=0)
        for edge, inner, step in ((first, min(first + 1, last), -1), (last, max(last - 1, first), 1)):
            span = abs(time_s[edge] - time_s[inner])
            slope = (offset[edge] - offset[inner]) / span if span > 0 else np.zeros(3)  # per second, outwards
            row = edge + step
            while 0 <= row < len(time_s) and not contact[row] and (u := abs(time_s[row] - time_s[edge]) / _BLEND_S) < 1:
                share = (1 + 2 * u) * (1 - u) ** 2
                offset[row] += share * offset[edge] + u * (1 - u) ** 2 * _BLEND_S * slope
                locked[row] += share
                row += step
    return offset, np.minimum(locked, 1.0)


def _held(place: Float64, drag: float) -> Float64:
    """Places (T, 3) that stay level with the mean while the given ones are near to it, and are dragged along else."""
    held = place.copy()
    at = place[:, ::2].mean(axis=0)
    if np.all(np.linalg.norm(place[:, ::2] - at, axis=1) <= drag):
        held[:, ::2] = at
        return held
    for row, own in enumerate(place[:, ::2]):
        away = at - own
        distance = float(np.hypot(*away))
        at = own + away * min(1.0, drag / max(distance, 1e-9))
        held[row, ::2] = at
    return held


def _hips(motion: FootMotion, contact: Bool, ankles: Float64, locked: Float64, leg_length: Float64) -> Float64:
    """(T,) what the hips rise so that standing legs bend as the person's do, as far as both can, and reach down."""
    standing = contact.any(axis=1)
    if not standing.any():
        return np.zeros(len(contact))
    target = motion.leg + ankles
    length = np.linalg.norm(motion.leg, axis=2)
    level_squared = (target[:, :, [0, 2]] ** 2).sum(axis=2)
    longest = np.maximum(length, (length + leg_length * _REACH) / 2)  # the knee does not snap straight
    wanted, most = (
        np.sqrt(np.maximum(most_length**2 - level_squared, 0.0)) + target[:, :, 1] for most_length in (length, longest)
    )
    rise = np.where(contact, wanted, 0.0).sum(axis=1) / np.maximum(contact.sum(axis=1), 1)
    # a leg in the air follows the hips by the share by which its foot is not locked
    limit = np.where(contact, most, np.maximum(most, 0.0) / np.maximum(locked, 1e-9)).min(axis=1)
    rows = np.arange(len(contact))
    rise = np.interp(rows, rows[standing], rise[standing])
    rise = gaussian_filter1d(rise, _frames(motion.time_s), mode="nearest")
    return rise - _smoothly(np.maximum(rise - limit, 0.0), motion.time_s)


def _smoothly(values: Float64, time_s: Float64) -> Float64:
    """Values (T,) that are never less than the given ones, and smooth: two means over where their maximum looks."""
    frames = _frames(time_s)
    around = maximum_filter1d(values, 4 * frames + 1, mode="nearest")
    for _ in range(2):
        around = uniform_filter1d(around, 2 * frames + 1, mode="nearest")
    return around


def _frames(time_s: Float64) -> int:
    """The frames within the time over which heights are smoothed."""
    step_s = float(np.median(np.diff(time_s))) if len(time_s) > 1 else _SMOOTH_S
    return max(round(_SMOOTH_S / max(step_s, 1e-3)), 1)
