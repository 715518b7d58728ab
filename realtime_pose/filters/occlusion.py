"""Occlusion handling: extrapolate, hold, ease to rest, blend back.

Blending back is inertialization: when a joint returns, the difference between the last output and the measured pose is
kept and fades out, so the result is continuous and soon exact. Source: Bollo,
"Inertialization: High-Performance Animation Transitions in Gears of War" (GDC 2018).
"""

from dataclasses import replace

import numpy as np

from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, SkeletonPose
from realtime_pose.filters.base import Observation
from realtime_pose.ik.joint_space import clamp_to_limits, from_joint_angles, to_joint_angles
from realtime_pose.skeletons import HUMANOID, RELAXED_XYZW
from realtime_pose.utils import rotations as rot
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Quat

_EXTRAPOLATION_TAU_S = 0.08  # time constant with which an occluded joint's speed decays,
_MAX_EXTRAPOLATION_RAD_S = 4.0  # from this speed at most
_SPEED_TAU_S = 0.05  # time constant of the measured speeds
_MAX_BLEND_S = 0.3  # a blend lasts as long as the occlusion did, up to this,
_BLEND_RAD_S = 8.0  # or longer, so that it adds at most about this speed to a joint
_BLEND_M_S = 3.5  # and this to the root
_JUMP_RAD = np.radians(45.0)  # a joint that rotates by more than this in a frame,
_JUMP_RAD_S = 22.0  # and faster than this, jumps: a wrong keypoint, or another body
_JUMP_M, _JUMP_M_S = 0.25, 7.5  # the same for the root
_MAX_BLEND_STEP_S = 0.08  # longest time by which a blend advances in one frame
_GAP_S = 0.25  # a person without poses for longer than this,
_GAP_INTERVALS = 3.0  # and for more frame intervals than this, returns from a gap: every joint blends
_DEFAULT_INTERVAL_S = 1 / 30  # frame interval while none is measured
_LEG_ROWS = [0, *(row for joint, row in HUMANOID.index.items() if "Leg" in joint)]


class _Blend:
    """Offsets (N, 3) that fade to zero, each with its own duration."""

    def __init__(self, count: int) -> None:
        self._offset, self._duration_s, self._age_s = np.zeros((count, 3)), np.ones(count), np.ones(count)
        self.active = np.zeros(count, bool)

    def start(self, which: Bool, offset: Float64, occluded_s: Float64, speed: float, age_s: float = 0.0) -> None:
        """Set new offsets in the rows `which`; they fade in the time of the occlusion, or slower than `speed`."""
        distance_s = np.linalg.norm(offset, axis=1) / speed
        duration = np.maximum(np.maximum(np.minimum(occluded_s, _MAX_BLEND_S), distance_s), 1e-6)
        self._offset[which], self._duration_s[which], self._age_s[which] = offset[which], duration[which], age_s
        self.active |= which

    def advance(self, dt_s: float) -> Float64:
        """Advance by `dt_s`; returns the offsets (N, 3) that remain."""
        self._age_s += dt_s
        share = np.minimum(self._age_s / self._duration_s, 1.0)[:, None]
        self.active &= share[:, 0] < 1.0
        return self._offset * (1.0 - share * share * (3.0 - 2.0 * share))


class _Person:
    """State of one person: the last output, and for how long each joint has been occluded."""

    def __init__(self, pose: SkeletonPose, local: Float64, visible: Bool) -> None:
        self.time_ns = pose.time_ns
        self.interval_s = _DEFAULT_INTERVAL_S  # between the last two frames
        self.output_xyzw = local
        root_m = pose.root_m.astype(np.float64)
        self.output_root_m = np.where(np.isfinite(root_m), root_m, 0.0)
        self.visible = visible
        self.occluded_s = np.where(visible, 0.0, np.inf)
        self.speed_rad_s = np.zeros((len(visible), 3))
        self.joint_blend, self.root_blend = _Blend(len(visible)), _Blend(1)


class OcclusionFilter:
    """Fills in joints with score 0 from the person's earlier poses, and blends them back when they return.

    A joint that jumps farther than people move is blended as well, so that a single wrong frame hardly shows. After a
    gap, or when time runs backwards, the pose continues from the last output. A joint that was never visible is in the
    relaxed pose; occluded hips keep their rotation, as people have no usual facing direction.
    """

    def __init__(self, config: BodyConfig) -> None:
        self._hold_s, self._ease_s = config.hold_s, config.ease_s
        self._people: PerTrack[_Person] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._people.forget(track_id)

    def apply(self, pose: SkeletonPose, observation: Observation | None = None) -> SkeletonPose:
        """The pose with every joint filled in; scores stay, so 0 still means occluded."""
        local = pose.rotations.local_xyzw.astype(np.float64)
        visible = (pose.score > 0) & np.isfinite(local).all(axis=1)
        visible[0] &= np.isfinite(pose.root_m).all()
        local = np.where(visible[:, None], local, RELAXED_XYZW)
        person = self._people.get(pose.track_id)
        if person is None:
            return _with_output(pose, self._people.put(pose.track_id, _Person(pose, local, visible)))
        since_s = (pose.time_ns - person.time_ns) / 1e9
        gap = since_s <= 0 or since_s > max(_GAP_S, _GAP_INTERVALS * person.interval_s)
        if gap:  # the output stood still during the gap
            dt_s = min(person.interval_s, _DEFAULT_INTERVAL_S)
            person.occluded_s = np.where(person.visible, abs(since_s), person.occluded_s)
        else:
            dt_s = since_s
        person.interval_s = since_s if since_s > 0 else _DEFAULT_INTERVAL_S
        self._update_joints(person, local, visible, dt_s, gap=gap)
        self._update_root(person, pose.root_m.astype(np.float64), bool(visible[0]), dt_s, gap=gap)
        person.occluded_s = np.where(visible, 0.0, person.occluded_s + dt_s)
        person.time_ns, person.visible = pose.time_ns, visible
        return _with_output(pose, person)

    def _update_joints(self, person: _Person, local: Float64, visible: Bool, dt_s: float, *, gap: bool) -> None:
        occluded_s, blend = np.maximum(person.occluded_s, dt_s), person.joint_blend
        returning = visible & (gap | ~person.visible)
        if returning.any():
            blend.start(returning, _differences(local, person.output_xyzw, returning), occluded_s, _BLEND_RAD_S)
        result = _moved_by(local, blend.advance(min(dt_s, _MAX_BLEND_STEP_S)), visible & blend.active)
        max_turn_rad = max(_JUMP_RAD, _JUMP_RAD_S * dt_s)
        jumped = visible & (rot.angle_between_rad(person.output_xyzw, result) > max_turn_rad)
        if jumped.any():
            blend.start(jumped, _differences(local, person.output_xyzw, jumped), occluded_s, _BLEND_RAD_S, dt_s)
            result = _moved_by(local, blend.advance(0.0), visible & blend.active)
        if not visible.all():
            result = np.where(visible[:, None], result, self._occluded(person, visible, dt_s))
        result = rot.nearest_sign(rot.unit(result), person.output_xyzw)
        if not gap:
            velocity = rot.to_rotvec(rot.multiply(rot.inverse(person.output_xyzw), result)) / dt_s
            gain = np.where(visible, dt_s / (dt_s + _SPEED_TAU_S), 0.0)[:, None]
            person.speed_rad_s = person.speed_rad_s + gain * (velocity - person.speed_rad_s)
        person.output_xyzw = result

    def _occluded(self, person: _Person, visible: Bool, dt_s: float) -> Float64:
        """Local rotations (J, 4) of the occluded joints: extrapolated, held, then eased to the relaxed pose.

        The solver holds and eases them too, for a parent of visible joints; this starts from the filter's own output.
        """
        speed = person.speed_rad_s
        speed = speed * (
            np.exp(-dt_s / _EXTRAPOLATION_TAU_S) * np.minimum(1.0, _MAX_EXTRAPOLATION_RAD_S / _norm(speed))
        )
        person.speed_rad_s = np.where(visible[:, None], person.speed_rad_s, speed)
        held = clamp_to_limits(rot.multiply(person.output_xyzw, rot.from_rotvec(speed * dt_s)), ~visible)
        easing = ~visible & (person.occluded_s > self._hold_s)
        easing[0] = False
        share = 1.0 - np.exp(-dt_s / self._ease_s)
        return _moved_by(held, share * _differences(held, RELAXED_XYZW, easing), easing)

    def _update_root(self, person: _Person, root_m: Float64, visible: bool, dt_s: float, *, gap: bool) -> None:
        if not visible:
            return
        occluded_s, blend, which = np.maximum(person.occluded_s[:1], dt_s), person.root_blend, np.array([True])
        offset = (person.output_root_m - root_m)[None]
        if gap or not person.visible[0]:
            blend.start(which, offset, occluded_s, _BLEND_M_S)
        result = root_m + blend.advance(min(dt_s, _MAX_BLEND_STEP_S))[0]
        if float(np.linalg.norm(result - person.output_root_m)) > max(_JUMP_M, _JUMP_M_S * dt_s):
            blend.start(which, offset, occluded_s, _BLEND_M_S, dt_s)
            result = root_m + blend.advance(0.0)[0]
        person.output_root_m = result


def _differences(from_xyzw: Float64, to_xyzw: Float64, which: Bool) -> Float64:
    """Joint angles (J, 3) from one pose to another for the joints `which`: paths in joint space keep the limits."""
    out = np.zeros((len(which), 3))
    for row in np.flatnonzero(which).tolist():
        if row == 0:
            out[0] = rot.to_rotvec(rot.multiply(rot.inverse(from_xyzw[0]), to_xyzw[0]))
        else:
            out[row] = vec.sub(to_joint_angles(row, _quat(to_xyzw[row])), to_joint_angles(row, _quat(from_xyzw[row])))
    return out


def _moved_by(local_xyzw: Float64, by: Float64, which: Bool) -> Float64:
    """The pose (J, 4) with the joints `which` moved by these joint angles (J, 3)."""
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


def _norm(vectors: Float64) -> Float64:
    return np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _with_output(pose: SkeletonPose, person: _Person) -> SkeletonPose:
    rotations = JointRotations(pose.rotations.skeleton, as_float32(person.output_xyzw))
    blending = bool(person.root_blend.active[0] or person.joint_blend.active[_LEG_ROWS].any())
    return replace(pose, rotations=rotations, root_m=as_float32(person.output_root_m), blending=blending)
