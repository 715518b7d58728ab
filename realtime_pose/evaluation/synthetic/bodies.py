"""Synthetic bodies: random proportions and motions of webcam scenes that motion capture lacks, as joint positions.

Hands and feet move between typical positions on smooth curves. Only joint positions are needed, so each limb is a
triangle given by its two bones and its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from realtime_pose.skeletons import COCO17, HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64

Rng = np.random.Generator

_SIDES = np.array([1.0, -1.0])  # left, right: the sign of x in a body's own axes
_UP, _FRONT = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])
# Metres of a 1.70 m adult from the middle between the ears; typical values, not measured.
_FACE = {
    "nose": (0.0, -0.025, 0.11),
    "left_eye": (0.031, 0.015, 0.088),
    "right_eye": (-0.031, 0.015, 0.088),
    "left_ear": (0.074, 0.0, 0.0),
    "right_ear": (-0.074, 0.0, 0.0),
}
FACE_NAMES = tuple(_FACE)
"""The points of a face."""
_NECK_M = 0.21  # middle of the shoulders to middle of the ears, of the same adult


@dataclass(frozen=True)
class Build:
    """A person's dimensions in metres."""

    torso: float
    shoulders: float
    hips: float
    upper_arm: float
    forearm: float
    thigh: float
    shank: float
    ankle: float
    size: float  # body height relative to HUMANOID's

    @classmethod
    def random(cls, rng: Rng) -> "Build":
        """A person between 1.50 and 1.95 m tall, with segments up to a tenth longer or shorter than average."""
        size = rng.uniform(1.50, 1.95) / REST_HEIGHT_M
        bone = dict(zip(HUMANOID.joints, HUMANOID.rest_bone_m * size, strict=True))
        trunk, arm, leg = rng.uniform(0.91, 1.09, 3)
        return cls(
            torso=0.49 * size * trunk,
            shoulders=rng.uniform(0.31, 0.41) * size,
            hips=rng.uniform(0.18, 0.28) * size,
            upper_arm=bone["leftLowerArm"] * arm,
            forearm=bone["leftHand"] * arm * rng.uniform(0.95, 1.05),
            thigh=bone["leftLowerLeg"] * leg,
            shank=bone["leftFoot"] * leg * rng.uniform(0.95, 1.05),
            ankle=0.07 * size,
            size=size,
        )

    @property
    def standing(self) -> float:
        """Height of the hips above the floor on nearly straight legs."""
        return 0.985 * (self.thigh + self.shank) + self.ankle


@dataclass(frozen=True, eq=False)
class SyntheticMotion:
    """T frames of a person in their own axes: +Y up, facing +Z at first, floor at y = 0; index 0 is left.

    Attributes:
        hips_m: (T, 3).
        hips_xyzw, chest_xyzw, head_xyzw: (T, 4) global rotations.
        wrists: (T, 2, 3) from the middle of the shoulders, in the chest's axes; metres of a 1.70 m adult.
        elbows: (T, 2, 3) direction in which elbows point, in the chest's axes.
        ankles_m: (T, 2, 3).
        knees: (T, 2, 3) direction in which knees point.
    """

    hips_m: Float64
    hips_xyzw: Float64
    chest_xyzw: Float64
    head_xyzw: Float64
    wrists: Float64
    elbows: Float64
    ankles_m: Float64
    knees: Float64


def points_of(build: Build, motion: SyntheticMotion) -> Float64:
    """COCO's keypoints (T, 17, 3) of a body in motion, in its own axes."""
    spine = rot.slerp(motion.hips_xyzw, motion.chest_xyzw, np.full(len(motion.hips_m), 0.5))
    neck = motion.hips_m + build.torso * (0.55 * rot.rotate(spine, _UP) + 0.45 * rot.rotate(motion.chest_xyzw, _UP))
    face = face_points(neck, motion.chest_xyzw, motion.head_xyzw, build.size)
    place = dict(zip(FACE_NAMES, np.moveaxis(face, 1, 0), strict=True))
    for i, side in enumerate(("left", "right")):
        across = _SIDES[i] * np.array([1.0, 0.0, 0.0])
        shoulder = neck + rot.rotate(motion.chest_xyzw, build.shoulders / 2 * across)
        hip = motion.hips_m + rot.rotate(motion.hips_xyzw, build.hips / 2 * across)
        wrist = neck + rot.rotate(motion.chest_xyzw, build.size * motion.wrists[:, i])
        elbow_to = rot.rotate(motion.chest_xyzw, motion.elbows[:, i])
        arm = _limb(shoulder, wrist, elbow_to, build.upper_arm, build.forearm)
        leg = _limb(hip, motion.ankles_m[:, i], motion.knees[:, i], build.thigh, build.shank)
        names = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        place |= {f"{side}_{n}": at for n, at in zip(names, (shoulder, *arm, hip, *leg), strict=True)}
    return np.stack([place[name] for name in COCO17.names], axis=1)


def face_points(neck_m: Float64, chest_xyzw: Float64, head_xyzw: Float64, size: float) -> Float64:
    """Points (T, 5, 3) of FACE_NAMES, of a head over the middle (T, 3) of the shoulders.

    Args:
        neck_m: (T, 3) the middle of the shoulders.
        chest_xyzw, head_xyzw: (T, 4) global rotations.
        size: Body height relative to HUMANOID's.
    """
    stem = rot.slerp(chest_xyzw, head_xyzw, np.full(len(neck_m), 0.5))
    head = neck_m + _NECK_M * size * rot.rotate(stem, rot.unit(_UP + 0.1 * _FRONT))
    return np.stack([head + rot.rotate(head_xyzw, size * np.array(at)) for at in _FACE.values()], axis=1)


def _limb(start: Float64, end: Float64, bend_to: Float64, upper: float, lower: float) -> tuple[Float64, Float64]:
    """Middle and end (T, 3) of a limb that reaches for `end` and bends towards `bend_to` (law of cosines)."""
    line = end - start
    far = np.linalg.norm(line, axis=-1, keepdims=True)
    reach = np.clip(far, abs(upper - lower) + 0.05, 0.997 * (upper + lower))
    line = line / np.maximum(far, 1e-6)
    along = (reach**2 + upper**2 - lower**2) / (2 * reach)
    side = rot.unit(bend_to - (bend_to * line).sum(axis=-1, keepdims=True) * line)
    out = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    return start + along * line + out * side, start + reach * line


def wander(
    rng: Rng,
    frames: int,
    fps: float,
    places: Float64,
    loose: float,
    rest_s: tuple[float, float],
    detour: Float64 | float = 0.0,
) -> Float64:
    """A path (T, ...) between random `places` (N, ...), each reached within `loose`, with rests in between.

    Half-way it is off the straight line by `detour` (...) times the distance between the two places.

    Source: minimum-jerk moves of Flash and Hogan, "The coordination of arm movements" (1985).
    """
    out = np.empty((frames, *places.shape[1:]))
    here = places[rng.integers(len(places))] + rng.normal(0, loose, places.shape[1:])
    at = 0
    while at < frames:
        rest, move = (max(1, round(fps * rng.uniform(*span))) for span in (rest_s, (0.35, 0.9)))
        there = places[rng.integers(len(places))] + rng.normal(0, loose, places.shape[1:])
        s = np.clip((np.arange(rest + move) - rest + 1) / move, 0.0, 1.0)
        s = (10 * s**3 - 15 * s**4 + 6 * s**5).reshape(-1, *(1,) * (places.ndim - 1))
        far = np.linalg.norm(there - here, axis=-1, keepdims=True)
        piece = (here + s * (there - here) + 4 * s * (1 - s) * far * detour)[: frames - at]
        out[at : at + len(piece)] = piece
        at, here = at + len(piece), there
    return out


def sway(rng: Rng, frames: int, fps: float, size: float, slowest_hz: float = 0.1, fastest_hz: float = 0.6) -> Float64:
    """A random oscillation (T,) about 0: three sines, at most `size`."""
    t = np.arange(frames) / fps
    waves = [np.sin(2 * np.pi * (rng.uniform(slowest_hz, fastest_hz) * t + rng.uniform())) for _ in range(3)]
    return size * np.mean(waves, axis=0)


def rotations(yaw: Float64, pitch: Float64, roll: Float64) -> Float64:
    """Global rotations (T, 4) from degrees: roll to the left first, then pitch forward, then yaw to the left."""
    axes = (((0.0, 1.0, 0.0), yaw), ((1.0, 0.0, 0.0), pitch), ((0.0, 0.0, 1.0), roll))
    y, p, r = (rot.from_axis_angle(axis, np.radians(angle)) for axis, angle in axes)
    return rot.multiply(y, rot.multiply(p, r))


def mirrored_pair(x: float, y: float, z: float) -> Float64:
    """A position (2, 3) for the left side and its mirror image for the right."""
    return np.array([[x, y, z], [-x, y, z]])


HANDS: Mapping[str, Float64] = {
    "keys": mirrored_pair(0.12, -0.33, 0.40),
    "lap": mirrored_pair(0.12, -0.44, 0.22),
    "open": mirrored_pair(0.36, -0.12, 0.36),
    "raised": mirrored_pair(0.36, 0.24, 0.18),
    "chin": mirrored_pair(0.05, -0.02, 0.19),
    "ears": mirrored_pair(0.14, 0.17, 0.06),
    "one up": np.array([[0.34, 0.28, 0.20], [-0.14, -0.35, 0.36]]),
    "one out": np.array([[0.13, -0.36, 0.34], [-0.52, -0.05, 0.22]]),
    "hanging": mirrored_pair(0.24, -0.52, 0.06),
    "hips": mirrored_pair(0.24, -0.44, -0.02),
    "crossed": np.array([[-0.15, -0.21, 0.17], [0.15, -0.26, 0.21]]),
    "crossed the other way": np.array([[-0.14, -0.27, 0.21], [0.15, -0.20, 0.17]]),
    "clasped": mirrored_pair(0.03, -0.36, 0.28),
    "behind the head": mirrored_pair(0.10, 0.16, -0.08),
    "overhead": mirrored_pair(0.16, 0.52, 0.05),
    "ahead": mirrored_pair(0.17, -0.03, 0.50),
    "knees": mirrored_pair(0.18, -0.50, 0.34),
}
"""Typical positions of the wrists from the middle of the shoulders, metres of a 1.70 m adult."""

_ELBOWS = {name: mirrored_pair(0.55, -0.75, -0.35) for name in HANDS} | {
    "ears": mirrored_pair(0.9, -0.3, 0.3),
    "behind the head": mirrored_pair(0.9, 0.2, 0.4),
    "overhead": mirrored_pair(0.9, -0.2, 0.3),
    "raised": mirrored_pair(0.6, -0.75, -0.1),
    "hips": mirrored_pair(0.8, -0.3, -0.5),
}
"""The direction in which elbows point at each position of the hands."""


def hand_motion(
    rng: Rng, frames: int, fps: float, *names: str, rest_s: tuple[float, float] = (0.1, 0.9)
) -> tuple[Float64, Float64]:
    """Wrists and elbows (T, 2, 3) that move between the named positions; in half of the cases each hand on its own."""
    places = np.stack([np.concatenate((HANDS[name], _ELBOWS[name]), axis=-1) for name in names])
    round_the_shoulder = np.concatenate((mirrored_pair(0.25, 0.0, 0.3), np.zeros((2, 3))), axis=-1)
    way = wander(rng, frames, fps, places, 0.025, rest_s, round_the_shoulder)
    if rng.uniform() < 0.5:
        way[:, 1] = wander(rng, frames, fps, places, 0.025, rest_s, round_the_shoulder)[:, 1]
    return way[..., :3], way[..., 3:]


def _on_a_seat(rng: Rng, build: Build, frames: int, fps: float, *names: str) -> SyntheticMotion:
    """A person on a chair, feet on the floor."""
    wrists, elbows = hand_motion(rng, frames, fps, *names)
    yaw, lean = rng.uniform(-12, 12) + sway(rng, frames, fps, 18), rng.uniform(-8, 14) + sway(rng, frames, fps, 14)
    hips = np.column_stack((sway(rng, frames, fps, 0.03), np.full(frames, 0.5), sway(rng, frames, fps, 0.03)))
    apart = rng.uniform(0.6, 1.6) * build.hips
    feet = wander(
        rng, frames, fps, mirrored_pair(apart / 2, build.ankle, rng.uniform(0.25, 0.6))[None], 0.03, (1.0, 2.5)
    )
    return SyntheticMotion(
        hips_m=hips,
        hips_xyzw=rotations(0.3 * yaw, 0.3 * lean, sway(rng, frames, fps, 3)),
        chest_xyzw=rotations(yaw, lean, sway(rng, frames, fps, 8)),
        head_xyzw=rotations(yaw + sway(rng, frames, fps, 35), sway(rng, frames, fps, 16), sway(rng, frames, fps, 10)),
        wrists=wrists,
        elbows=elbows,
        ankles_m=feet,
        knees=np.broadcast_to(mirrored_pair(0.3, 0.6, 1.0), (frames, 2, 3)),
    )


def at_a_desk(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Seated at a desk: typing, gesturing, thinking."""
    return _on_a_seat(rng, build, frames, fps, "keys", "keys", "open", "raised", "chin", "ears", "one up", "crossed")


def seated(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """On a chair, all of the body visible."""
    return _on_a_seat(rng, build, frames, fps, "lap", "lap", "knees", "open", "one out", "crossed", "raised")


def standing(rng: Rng, build: Build, frames: int, fps: float, *names: str) -> SyntheticMotion:
    """Standing on the spot, the hands moving between the named positions."""
    wrists, elbows = hand_motion(rng, frames, fps, *names)
    yaw = sway(rng, frames, fps, 30)
    lean = sway(rng, frames, fps, 12)
    x, z = sway(rng, frames, fps, 0.05), sway(rng, frames, fps, 0.04)
    hips = np.column_stack((x, build.standing - 0.02 - np.abs(sway(rng, frames, fps, 0.04)), z))
    feet = wander(rng, frames, fps, mirrored_pair(rng.uniform(0.07, 0.2), build.ankle, 0.0)[None], 0.01, (1.5, 3.0))
    return SyntheticMotion(
        hips_m=hips,
        hips_xyzw=rotations(0.4 * yaw, 0.2 * lean, sway(rng, frames, fps, 4)),
        chest_xyzw=rotations(yaw, lean, sway(rng, frames, fps, 7)),
        head_xyzw=rotations(
            yaw + sway(rng, frames, fps, 35), lean + sway(rng, frames, fps, 15), sway(rng, frames, fps, 8)
        ),
        wrists=wrists,
        elbows=elbows,
        ankles_m=feet,
        knees=np.broadcast_to(mirrored_pair(0.15, 0.0, 1.0), (frames, 2, 3)),
    )


def arms_crossed(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Standing, arms in front of, on and behind the body."""
    names = ("crossed", "crossed the other way", "crossed", "hips", "clasped", "behind the head", "overhead")
    return standing(rng, build, frames, fps, *names)


def near_the_lens(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Standing close to the camera, showing things and waving."""
    return standing(rng, build, frames, fps, "ahead", "open", "raised", "one up", "chin", "hanging", "overhead")


def squatting(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Squats, with free movement of the hands."""
    deepest = rng.uniform(0.35, 0.6)
    down = wander(rng, frames, fps, np.array([[0.0], [1.0], [0.7]]), 0.05, (0.1, 0.5))[:, 0]
    base = standing(rng, build, frames, fps, "ahead", "hips", "clasped", "knees", "hanging")
    hips = base.hips_m - np.column_stack((0 * down, (build.standing - deepest * build.size) * down, 0.16 * down))
    lean = 38 * down + sway(rng, frames, fps, 6)
    yaw = sway(rng, frames, fps, 8)
    apart = rng.uniform(0.12, 0.24)
    return SyntheticMotion(
        hips_m=hips,
        hips_xyzw=rotations(yaw, 0.5 * lean, 0 * lean),
        chest_xyzw=rotations(yaw, lean, 0 * lean),
        head_xyzw=rotations(yaw + sway(rng, frames, fps, 20), 0.4 * lean, 0 * lean),
        wrists=base.wrists,
        elbows=base.elbows,
        ankles_m=np.broadcast_to(mirrored_pair(apart, build.ankle, 0.0), (frames, 2, 3)),
        knees=np.broadcast_to(mirrored_pair(rng.uniform(0.2, 0.7), 0.2, 1.0), (frames, 2, 3)),
    )


def lying(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Lying on back, side or front: a standing body with moving knees, laid on the floor."""
    base = standing(rng, build, frames, fps, "hanging", "overhead", "clasped", "one out", "behind the head", "open")
    drawn_up = wander(rng, frames, fps, np.array([[0.0, 0.0], [0.3, 0.0], [0.3, 0.3], [0.0, 0.35]]), 0.02, (0.3, 1.0))
    feet = base.ankles_m.copy()
    feet[..., 1] += np.abs(drawn_up)
    return _rotated(
        SyntheticMotion(**(vars(base) | {"ankles_m": feet})),
        build,
        rot.multiply(
            rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(-90.0)),
            rot.from_axis_angle(_UP, np.radians(rng.choice([0.0, 0.0, 80.0, -80.0, 180.0]) + rng.uniform(-15, 15))),
        ),
    )


def _rotated(motion: SyntheticMotion, build: Build, rotation: Float64) -> SyntheticMotion:
    """The motion rotated about the standing hips, which are then put on the floor."""
    pivot = np.array([0.0, build.standing, 0.0])
    on_floor = np.array([0.0, 0.12 * build.size, 0.0])
    return SyntheticMotion(
        hips_m=rot.rotate(rotation, motion.hips_m - pivot) + on_floor,
        hips_xyzw=rot.multiply(rotation, motion.hips_xyzw),
        chest_xyzw=rot.multiply(rotation, motion.chest_xyzw),
        head_xyzw=rot.multiply(rotation, motion.head_xyzw),
        wrists=motion.wrists,
        elbows=motion.elbows,
        ankles_m=rot.rotate(rotation, motion.ankles_m - pivot) + on_floor,
        knees=rot.rotate(rotation, motion.knees),
    )


def walking(rng: Rng, build: Build, frames: int, fps: float) -> SyntheticMotion:
    """Walking in a circle, arms swinging opposite to the legs."""
    t = np.arange(frames) / fps
    speed, radius, way = rng.uniform(0.8, 1.6), rng.uniform(0.7, 1.5), rng.choice([-1.0, 1.0])
    angle = rng.uniform(0, 2 * np.pi) + way * speed * t / radius
    phase = 2 * np.pi * t * speed / (1.35 * build.size) + rng.uniform(0, 2 * np.pi)
    heading = rotations(np.degrees(angle) + 90 * way, 0 * t, 0 * t)
    hips = np.column_stack(
        (radius * np.sin(angle), build.standing - 0.025 - 0.02 * np.cos(2 * phase), radius * np.cos(angle))
    )
    legs = np.stack([phase, phase + np.pi], axis=1)
    step = 0.32 * build.size
    local = np.stack(
        (np.broadcast_to(_SIDES * 0.08, legs.shape), build.ankle + 0.11 * np.maximum(np.sin(legs), 0) ** 2,
         -step * np.cos(legs)), axis=-1,
    )  # fmt: skip
    feet = rot.rotate(heading[:, None], local) + (hips * (1, 0, 1))[:, None]
    swing = 0.20 * np.cos(legs)
    wrists = np.stack((np.broadcast_to(_SIDES * 0.25, legs.shape), -0.50 + 0.3 * swing**2, 0.06 + swing), axis=-1)
    lean = rotations(0 * t, np.full(frames, 4.0), 0 * t)
    return SyntheticMotion(
        hips_m=hips,
        hips_xyzw=rot.multiply(heading, rotations(5 * np.cos(phase), 0 * t, 0 * t)),
        chest_xyzw=rot.multiply(heading, rot.multiply(lean, rotations(-6 * np.cos(phase), 0 * t, 0 * t))),
        head_xyzw=rot.multiply(heading, rotations(sway(rng, frames, fps, 30), sway(rng, frames, fps, 8), 0 * t)),
        wrists=wrists,
        elbows=np.broadcast_to(_ELBOWS["hanging"], wrists.shape),
        ankles_m=feet,
        knees=rot.rotate(heading[:, None], np.broadcast_to(mirrored_pair(0.05, 0.0, 1.0), (frames, 2, 3))),
    )
