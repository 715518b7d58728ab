"""Performance: local rotations from a script's keys and steps, with standing feet fixed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter1d

from realtime_pose.axes import mirrored_rotations
from realtime_pose.kinematics import local_rotations
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64
from tools.actor.body.measures import Measures
from tools.actor.motion.curves import smoothed, through
from tools.actor.motion.feet import FootTrack, follow
from tools.actor.motion.legs import STRETCH, free_ankle, solve_leg
from tools.actor.motion.script import FPS, HANG, Keys, Script

_X, _Y, _Z = np.eye(3)
_STAND_LOWER_M = 0.005  # of the hips when standing, below the T-pose


@dataclass(frozen=True, eq=False)
class Performance:
    """T frames of the actor, in the world (floor at y = 0).

    Attributes:
        local_xyzw: (T, J, 4) HUMANOID's local rotations.
        root_m: (T, 3) the hips.
        foot_contact: (T, 2) whether the left and the right foot are flat on the floor and still.
        activity: (T,) the actor's activity.
    """

    local_xyzw: Float64
    root_m: Float64
    foot_contact: Bool
    activity: tuple[str, ...]


class _IdleMotion:
    """Small slow movements of a standing body, each with random phases."""

    def __init__(self, time_s: Float64, rng: np.random.Generator) -> None:
        self._time_s, self._rng = time_s, rng

    def __call__(self, size: float, rate_hz: float) -> Float64:
        """A slow curve (T,) within about `size` of zero."""
        phase = self._rng.uniform(0, 2 * np.pi, 2)
        slow, slower = (2 * np.pi * f * self._time_s for f in (rate_hz, rate_hz * 0.618))
        return size * (0.65 * np.sin(slow + phase[0]) + 0.45 * np.sin(slower + phase[1]))


def perform(script: Script, body: Measures, seed: int) -> Performance:
    """The whole performance; the seed affects the small idle movements only."""
    time_s = np.arange(round(script.duration_s * FPS)) / FPS
    idle = _IdleMotion(time_s, np.random.default_rng(seed))
    left = follow(body, script.left_start, script.left_steps, script.left_heel, time_s)
    right = follow(body, script.right_start, script.right_steps, script.right_heel, time_s)
    yaw = smoothed((left.yaw_rad + right.yaw_rad) / 2, 0.16, time_s)
    stride = _stride(left, right, yaw, time_s)
    pelvis = _curves({"settled": ((0.0, 0.0),)} | dict(script.pelvis), time_s)
    hips = _turn(
        yaw + np.radians(6.0) * stride,
        np.radians(pelvis["pitch"] + idle(0.4, 0.21)),
        np.radians(pelvis["roll"] + idle(0.4, 0.17)),
    )
    kick = _curves(script.kick, time_s)
    root = _root(body, left, right, yaw, hips, pelvis, kick["free"], idle, time_s)
    local = np.tile(rot.IDENTITY_XYZW, (len(time_s), len(HUMANOID.joints), 1))
    _set_legs(body, local, root, hips, yaw, left, right, kick)
    _set_trunk(script, local, stride, idle, time_s)
    _set_arms(script, local, stride, idle, time_s)
    contact = np.stack((left.contact, right.contact & (kick["free"] < 1e-9)), axis=-1)
    return Performance(_without_flips(local), root, contact, _activity(script, time_s))


def _curves(keys: Keys, time_s: Float64) -> dict[str, Float64]:
    return {name: through(points, time_s) for name, points in keys.items()}


def _turn(yaw_rad: Float64, pitch_rad: Float64, roll_rad: Float64) -> Float64:
    """Rotations (T, 4): pitch forward, then roll, then yaw to the left."""
    pitched = rot.multiply(rot.from_axis_angle(_Z, roll_rad), rot.from_axis_angle(_X, pitch_rad))
    return rot.multiply(rot.from_axis_angle(_Y, yaw_rad), pitched)


def _stride(left: FootTrack, right: FootTrack, yaw: Float64, time_s: Float64) -> Float64:
    """(T,) how far the right foot is ahead of the left, about 1 in a full step; drives arms, pelvis and chest."""
    apart = right.print_m - left.print_m
    ahead = apart[:, 0] * np.sin(yaw) + apart[:, 1] * np.cos(yaw)
    return smoothed(np.clip(ahead / 0.45, -1.0, 1.0), 0.08, time_s)


def _root(
    body: Measures,
    left: FootTrack,
    right: FootTrack,
    yaw: Float64,
    hips: Float64,
    pelvis: Mapping[str, Float64],
    free: Float64,
    idle: _IdleMotion,
    time_s: Float64,
) -> Float64:
    """The hips (T, 3): over the feet, shifted to the standing one, and no higher than the legs reach."""
    middle = smoothed((left.print_m + right.print_m) / 2, 0.15, time_s)
    standing = smoothed(left.contact.astype(float) - right.contact.astype(float), 0.10, time_s)
    shift = 0.22 * standing + pelvis["shift"]
    across = np.stack((np.cos(yaw), -np.sin(yaw)), axis=-1)  # the body's left on the floor, (x, z)
    ahead = np.stack((np.sin(yaw), np.cos(yaw)), axis=-1)
    wander = 0.006 * (1.0 - pelvis["settled"])
    on_floor = middle + (0.11 * shift + wander * idle(1.0, 0.23))[:, None] * across
    on_floor += (wander * idle(1.0, 0.19) - pelvis["back"])[:, None] * ahead
    height = body.rest_joints_m[0, 1] - _STAND_LOWER_M - pelvis["down"]
    side = rot.rotate(hips, body.length_m["UpperLeg"] * _X)
    for foot, hip, planted in ((left, side, np.ones_like(free)), (right, -side, 1.0 - free)):
        apart = on_floor + hip[:, [0, 2]] - foot.ankle_m[:, [0, 2]]
        reach = np.sqrt((STRETCH * (body.thigh_m + body.shank_m)) ** 2 - np.sum(apart**2, axis=-1))
        limit = foot.ankle_m[:, 1] + reach - hip[:, 1]
        height = np.where(planted > 1.0 - 1e-9, np.minimum(height, limit), height)
    # The minimum spreads low points before smoothing, so that the smooth curve stays within reach.
    height = smoothed(minimum_filter1d(height, 7, mode="nearest"), 0.08, time_s)
    return np.stack((on_floor[:, 0], height, on_floor[:, 1]), axis=-1)


def _set_legs(
    body: Measures,
    local: Float64,
    root: Float64,
    hips: Float64,
    yaw: Float64,
    left: FootTrack,
    right: FootTrack,
    kick: Mapping[str, Float64],
) -> None:
    """Set hips, thighs, shanks and feet in `local`."""
    turned = local.copy()
    turned[:, 0] = hips
    left_hip = body.length_m["UpperLeg"] * _X
    for side, foot in (("left", left), ("right", right)):
        hip = root + rot.rotate(hips, left_hip if side == "left" else -left_hip)
        ankle, sole = foot.ankle_m, foot.rotation_xyzw
        if side == "right":
            free = kick["free"]
            upright = rot.from_axis_angle(_Y, yaw)
            aim = free_ankle(body, hip, upright, np.radians(kick["hip"]), np.radians(kick["knee"]))
            ankle = ankle + free[:, None] * (aim - ankle)
            pointed = kick["hip"] * -1.0 + kick["knee"] + kick["toes"]  # follows the shank, toes down
            sole = rot.multiply(sole, rot.from_axis_angle(_X, np.radians(free * pointed)))
        thigh, shank = solve_leg(body, hip, ankle, (yaw + foot.yaw_rad) / 2)
        for name, turn in (("UpperLeg", thigh), ("LowerLeg", shank), ("Foot", sole)):
            turned[:, HUMANOID.index[side + name]] = turn
    legs = [HUMANOID.index[s + n] for s in ("left", "right") for n in ("UpperLeg", "LowerLeg", "Foot")]
    local[:, [0, *legs]] = local_rotations(HUMANOID, turned)[:, [0, *legs]]


def _set_trunk(script: Script, local: Float64, stride: Float64, idle: _IdleMotion, time_s: Float64) -> None:
    """Set spine, chest, neck and head in `local`; each pair shares its rotation."""
    torso, head = _curves(script.torso, time_s), _curves(script.head, time_s)
    breath = 0.8 * np.sin(2 * np.pi * 0.27 * time_s)
    torso_turn = (torso["yaw"] - 12.0 * stride, torso["pitch"] + breath, torso["roll"] + idle(0.6, 0.17))
    head_turn = (
        head["yaw"] + 6.0 * stride + idle(2.0, 0.13),
        head["pitch"] - breath + idle(1.0, 0.23),
        head["roll"] + idle(1.0, 0.11),
    )
    for pair, angles in ((("spine", "chest"), torso_turn), (("neck", "head"), head_turn)):
        yaw, pitch, roll = (np.radians(a) / 2 for a in angles)
        for name in pair:
            local[:, HUMANOID.index[name]] = _turn(yaw, pitch, roll)


def _set_arms(script: Script, local: Float64, stride: Float64, idle: _IdleMotion, time_s: Float64) -> None:
    """Set both arms in `local`; the right one is computed as a left one and mirrored."""
    both = {"right": _arm(script.right_arm, -stride, idle, time_s)}
    mirrored = local.copy()
    _write_arm(mirrored, "left", both["right"])
    rows = [HUMANOID.index["right" + n] for n in ("UpperArm", "LowerArm", "Hand")]
    local[:, rows] = mirrored_rotations(HUMANOID, mirrored)[:, rows]
    _write_arm(local, "left", _arm(script.left_arm, stride, idle, time_s))


def _arm(keys: Keys, stride: Float64, idle: _IdleMotion, time_s: Float64) -> tuple[Float64, Float64, Float64]:
    """Upper arm, lower arm and hand (T, 4) of a left arm; it swings forward where `stride` is positive."""
    drawn = {name: through(keys.get(name, ((0.0, rest),)), time_s) for name, rest in HANG.items()}
    drop = np.radians(drawn["drop"] + idle(0.8, 0.25))
    swing = np.radians(drawn["swing"] + 24.0 * stride + idle(0.8, 0.19))
    elbow = np.radians(drawn["elbow"] + 8.0 * stride + idle(1.0, 0.15))
    lifted = rot.multiply(
        rot.from_axis_angle(-_X, swing),
        rot.multiply(rot.from_axis_angle(-_Y, np.radians(drawn["front"])), rot.from_axis_angle(-_Z, drop)),
    )
    upper = rot.multiply(lifted, rot.from_axis_angle(_X, np.radians(drawn["twist"])))
    return upper, rot.from_axis_angle(-_Y, elbow), rot.from_axis_angle(-_Z, np.radians(drawn["hand"]))


def _write_arm(local: Float64, side: str, turns: tuple[Float64, Float64, Float64]) -> None:
    for name, turn in zip(("UpperArm", "LowerArm", "Hand"), turns, strict=True):
        local[:, HUMANOID.index[side + name]] = turn


def _without_flips(local: Float64) -> Float64:
    """The same rotations (T, J, 4) with signs chosen so that no quaternion flips between frames."""
    agree = np.sum(local[1:] * local[:-1], axis=-1, keepdims=True) >= 0
    out = local.copy()
    out[1:] *= np.cumprod(np.where(agree, 1.0, -1.0), axis=0)
    return out


def _activity(script: Script, time_s: Float64) -> tuple[str, ...]:
    starts = [start for start, _ in script.activities]
    return tuple(script.activities[np.searchsorted(starts, t + 1e-9, side="right") - 1][1] for t in time_s)
