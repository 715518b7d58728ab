"""Occlusion handling: extrapolate, hold, ease to rest, blend back.

Blending back is inertialization: at the return, the difference between the pose shown last and the measured one is kept
and fades out, so the result is continuous and soon exact. Source: Bollo,
"Inertialization: High-Performance Animation Transitions in Gears of War" (GDC 2018).
"""

from dataclasses import replace

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.ik.joint_space import clamp_to_limits, from_joint_angles, to_joint_angles
from realtime_pose.ik.simple_ik import RELAXED_XYZW
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Quat

_COAST_S, _COAST_RAD_S = 0.08, 4.0  # a hidden joint's speed falls by 1/e in that time, from at most so much
_SPEED_S = 0.05  # time constant of the speed's estimate
_LONGEST_BLEND_S = 0.3  # a return fades for as long as the joint was away, up to this,
_BLEND_RAD_S, _BLEND_M_S = 8.0, 3.5  # and for longer where it comes back far from where it was
_JUMP_RAD, _JUMP_RAD_S = np.radians(45.0), 22.0  # turns beyond both are no motion: another body, or an error
_JUMP_M, _JUMP_M_S = 0.25, 7.5  # likewise for the root
_LONGEST_STEP_S = 0.08  # by which a fade goes on from one frame to the next
_GAP_S, _GAP_INTERVALS = 0.25, 3.0  # without the person for longer than both, everything returns
_USUAL_S = 1 / 30
_LEGS = [0, *(row for joint, row in HUMANOID.index.items() if "Leg" in joint)]


class _Fade:
    """Differences (N, 3) that fade to nothing, smoothly, each in its own time."""

    def __init__(self, count: int) -> None:
        self._offset, self._duration_s, self._age_s = np.zeros((count, 3)), np.ones(count), np.ones(count)
        self.active = np.zeros(count, bool)

    def begin(self, which: Bool, offset: Float64, away_s: Float64, speed: float, age_s: float = 0.0) -> None:
        """Take new differences in the rows `which`; they fade in the time that those rows were away, or at `speed`."""
        far_s = np.linalg.norm(offset, axis=1) / speed
        duration = np.maximum(np.maximum(np.minimum(away_s, _LONGEST_BLEND_S), far_s), 1e-6)
        self._offset[which], self._duration_s[which], self._age_s[which] = offset[which], duration[which], age_s
        self.active |= which

    def after(self, dt_s: float) -> Float64:
        """What is left of the differences (N, 3), so much later."""
        self._age_s += dt_s
        share = np.minimum(self._age_s / self._duration_s, 1.0)[:, None]
        self.active &= share[:, 0] < 1.0
        return self._offset * (1.0 - share * share * (3.0 - 2.0 * share))


class _Person:
    """What is remembered of one person: what was shown last, and how long each joint has been away."""

    def __init__(self, pose: SkeletonPose, local: Float64, seen: Bool) -> None:
        self.time_ns = pose.time_ns
        self.interval_s = _USUAL_S  # between the last two frames
        self.shown = local
        root_m = pose.root_m.astype(np.float64)
        self.shown_m = np.where(np.isfinite(root_m), root_m, 0.0)
        self.seen = seen
        self.away_s = np.where(seen, 0.0, np.inf)
        self.speed_rad_s = np.zeros((len(seen), 3))
        self.turns, self.root = _Fade(len(seen)), _Fade(1)


class OcclusionFilter:
    """Fills in for joints without a score, each person by their own past, and lets what returns fade in.

    What jumps farther than people move counts as returning too, so that a mistaken frame does not show. A person who
    was away, or whose time ran backwards, goes on from the pose that was shown last. A joint that was never seen is at
    ease; hips that are lost stay turned as they were, as there is no way that people usually face.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._hold_s, self._ease_s = config.hold_s, config.ease_s
        self._people: PerTrack[_Person] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with every joint where it is believed to be; scores stay, so 0 still says: not seen."""
        local = pose.rotations.local_xyzw.astype(np.float64)
        seen = (pose.score > 0) & np.isfinite(local).all(axis=1)
        seen[0] &= np.isfinite(pose.root_m).all()
        local = np.where(seen[:, None], local, RELAXED_XYZW)
        person = self._people.get(pose.track_id)
        if person is None:
            return _posed(pose, self._people.put(pose.track_id, _Person(pose, local, seen)))
        since_s = (pose.time_ns - person.time_ns) / 1e9
        gap = since_s <= 0 or since_s > max(_GAP_S, _GAP_INTERVALS * person.interval_s)
        if gap:  # nothing moved on while nothing was shown
            dt_s = min(person.interval_s, _USUAL_S)
            person.away_s = np.where(person.seen, abs(since_s), person.away_s)
        else:
            dt_s = since_s
        person.interval_s = since_s if since_s > 0 else _USUAL_S
        self._turn(person, local, seen, dt_s, gap=gap)
        self._move(person, pose.root_m.astype(np.float64), bool(seen[0]), dt_s, gap=gap)
        person.away_s = np.where(seen, 0.0, person.away_s + dt_s)
        person.time_ns, person.seen = pose.time_ns, seen
        return _posed(pose, person)

    def _turn(self, person: _Person, local: Float64, seen: Bool, dt_s: float, *, gap: bool) -> None:
        away_s, fade = np.maximum(person.away_s, dt_s), person.turns
        back = seen & (gap | ~person.seen)
        if back.any():
            fade.begin(back, _differences(local, person.shown, back), away_s, _BLEND_RAD_S)
        answer = _moved(local, fade.after(min(dt_s, _LONGEST_STEP_S)), seen & fade.active)
        most_rad = max(_JUMP_RAD, _JUMP_RAD_S * dt_s)
        jumped = seen & (rot.angle_between_rad(person.shown, answer) > most_rad)
        if jumped.any():
            fade.begin(jumped, _differences(local, person.shown, jumped), away_s, _BLEND_RAD_S, dt_s)
            answer = _moved(local, fade.after(0.0), seen & fade.active)
        if not seen.all():
            answer = np.where(seen[:, None], answer, self._unseen(person, seen, dt_s))
        answer = rot.nearest_sign(rot.unit(answer), person.shown)
        if not gap:
            turned = rot.to_rotvec(rot.multiply(rot.inverse(person.shown), answer)) / dt_s
            gain = np.where(seen, dt_s / (dt_s + _SPEED_S), 0.0)[:, None]
            person.speed_rad_s = person.speed_rad_s + gain * (turned - person.speed_rad_s)
        person.shown = answer

    def _unseen(self, person: _Person, seen: Bool, dt_s: float) -> Float64:
        """Local rotations (J, 4) of the joints that are not seen."""
        speed = person.speed_rad_s
        speed = speed * (np.exp(-dt_s / _COAST_S) * np.minimum(1.0, _COAST_RAD_S / _size(speed)))
        person.speed_rad_s = np.where(seen[:, None], person.speed_rad_s, speed)
        held = clamp_to_limits(rot.multiply(person.shown, rot.from_rotvec(speed * dt_s)), ~seen)
        easing = ~seen & (person.away_s > self._hold_s)
        easing[0] = False
        share = 1.0 - np.exp(-dt_s / self._ease_s)
        return _moved(held, share * _differences(held, RELAXED_XYZW, easing), easing)

    def _move(self, person: _Person, root_m: Float64, seen: bool, dt_s: float, *, gap: bool) -> None:
        if not seen:
            return
        away_s, fade, which = np.maximum(person.away_s[:1], dt_s), person.root, np.array([True])
        offset = (person.shown_m - root_m)[None]
        if gap or not person.seen[0]:
            fade.begin(which, offset, away_s, _BLEND_M_S)
        answer = root_m + fade.after(min(dt_s, _LONGEST_STEP_S))[0]
        if float(np.linalg.norm(answer - person.shown_m)) > max(_JUMP_M, _JUMP_M_S * dt_s):
            fade.begin(which, offset, away_s, _BLEND_M_S, dt_s)
            answer = root_m + fade.after(0.0)[0]
        person.shown_m = answer


def _differences(from_xyzw: Float64, to_xyzw: Float64, which: Bool) -> Float64:
    """Three angles (J, 3) from one pose to another, of the joints `which`, along ways that bodies can go."""
    out = np.zeros((len(which), 3))
    for row in np.flatnonzero(which).tolist():
        if row == 0:
            out[0] = rot.to_rotvec(rot.multiply(rot.inverse(from_xyzw[0]), to_xyzw[0]))
        else:
            out[row] = vec.sub(to_joint_angles(row, _quat(to_xyzw[row])), to_joint_angles(row, _quat(from_xyzw[row])))
    return out


def _moved(local_xyzw: Float64, by: Float64, which: Bool) -> Float64:
    """The pose (J, 4) with the joints `which` moved on by such angles (J, 3)."""
    rows = np.flatnonzero(which).tolist()
    if not rows:
        return local_xyzw
    out = local_xyzw.copy()
    for row in rows:
        if row == 0:
            out[0] = rot.multiply(local_xyzw[0], rot.from_rotvec(by[0]))
        else:
            a, b, c = by[row].tolist()
            out[row] = from_joint_angles(row, vec.add(to_joint_angles(row, _quat(local_xyzw[row])), (a, b, c)))
    return out


def _quat(xyzw: Float64) -> Quat:
    x, y, z, w = xyzw.tolist()
    return (x, y, z, w)


def _size(vectors: Float64) -> Float64:
    return np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _posed(pose: SkeletonPose, person: _Person) -> SkeletonPose:
    rotations = JointRotations(pose.rotations.skeleton, as_float32(person.shown))
    blending = bool(person.root.active[0] or person.turns.active[_LEGS].any())
    return replace(pose, rotations=rotations, root_m=as_float32(person.shown_m), blending=blending)
