"""Joint rotations from joint places: frames for the trunk, the analytic two-bone answer for limbs, limits by ikpy."""

import math
from dataclasses import dataclass, field

import numpy as np

from realtime_pose.datatypes import JointRotations, Joints3D, SkeletonPose
from realtime_pose.ik.base import BodyConfig
from realtime_pose.ik.chains import LimbChain
from realtime_pose.ik.head import FACE_NAMES, FACE_TEMPLATE_M
from realtime_pose.ik.limits import LIMB_LIMITS, NECK_LIMIT_RAD, SPINE_LIMIT_RAD, LimbLimits
from realtime_pose.kinematics import local_rotations
from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32

_LIMBS = {
    # first joint: (hinge joint, points of ball joint, hinge and end, joint it hangs on)
    "leftUpperArm": ("leftLowerArm", ("left_shoulder", "left_elbow", "left_wrist"), "chest"),
    "rightUpperArm": ("rightLowerArm", ("right_shoulder", "right_elbow", "right_wrist"), "chest"),
    "leftUpperLeg": ("leftLowerLeg", ("left_hip", "left_knee", "left_ankle"), "hips"),
    "rightUpperLeg": ("rightLowerLeg", ("right_hip", "right_knee", "right_ankle"), "hips"),
}
_STRAIGHT_SIN, _BENT_SIN = 0.20, 0.50  # sine of the hinge's bend: below, its plane is noise; above, it is trusted
_ROW = HUMANOID.index


def _relaxed() -> Float64:
    """Local rotations (J, 4) of a body at ease: standing, arms hanging. Hidden joints drift to it."""
    local = np.tile(rot.IDENTITY_XYZW, (len(HUMANOID.joints), 1))
    for joint, sign in (("leftUpperArm", -1.0), ("rightUpperArm", 1.0)):
        local[_ROW[joint]] = rot.from_axis_angle((0.0, 0.0, 1.0), np.array(sign * np.radians(75.0)))
    return local


RELAXED_XYZW = _relaxed()


@dataclass
class _State:
    """What is remembered of one person: the last answer, and when each joint was last seen."""

    time_ns: int = -1
    local_xyzw: Float64 = field(default_factory=RELAXED_XYZW.copy)
    seen_ns: Float64 = field(default_factory=lambda: np.full(len(HUMANOID.joints), -np.inf))
    twist_rad: dict[str, float] = field(default_factory=dict)


class SimpleIKSolver:
    """Turns points of a body into local rotations of HUMANOID, inside its joint limits."""

    def __init__(self, config: BodyConfig) -> None:
        self._config = config
        self._bone_m = HUMANOID.rest_bone_m * (config.height_m / REST_HEIGHT_M)
        self._offset_m = HUMANOID.rest_direction * self._bone_m[:, None]
        self._chains = {
            joint: LimbChain(LIMB_LIMITS[joint], self._bone_m[_ROW[hinge]], self._bone_m[_ROW[hinge] + 1])
            for joint, (hinge, _, _) in _LIMBS.items()
        }
        self._states: dict[int, _State] = {}

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.pop(track_id, None)

    def solve(self, joints: Joints3D) -> SkeletonPose:
        """The pose whose joints lie where the points are, as far as bones and limits allow.

        A joint whose points were not seen (score 0) holds its last local rotation for `hold_s`, then eases to a body
        at ease. Time that runs backwards starts the person anew.
        """
        state = self._states.setdefault(joints.track_id, _State())
        if joints.time_ns < state.time_ns:
            state = self._states[joints.track_id] = _State()
        xyz = joints.xyz_m.astype(np.float64)
        rows = joints.layout.index
        point = {name: xyz[rows[name]] for name in rows if joints.score[rows[name]] > 0}
        score = {name: float(joints.score[rows[name]]) for name in point}

        world, joint_score = self._trunk(point, score)
        local = local_rotations(HUMANOID, world)
        limb_local, limb_score = self._limbs(point, score, world, state)
        for joint, turn in limb_local.items():
            local[_ROW[joint]] = turn
        joint_score |= limb_score
        local = self._with_memory(local, joint_score, joints.time_ns, state)

        return SkeletonPose(
            JointRotations(HUMANOID, as_float32(local)),
            as_float32(joints.root_m),
            as_float32(self._bone_m),
            as_float32([joint_score.get(joint, 0.0) for joint in HUMANOID.joints]),
            joints.track_id,
            joints.time_ns,
        )

    def _trunk(self, point: dict[str, Float64], score: dict[str, float]) -> tuple[Float64, dict[str, float]]:
        """Global rotations (J, 4) with hips, spine, chest, neck and head set, and the scores of those that are."""
        world = np.tile(rot.IDENTITY_XYZW, (len(HUMANOID.joints), 1))
        scores: dict[str, float] = {}
        pairs = [part for part in ("hip", "shoulder") if f"left_{part}" in point and f"right_{part}" in point]
        if not pairs:
            return world, scores
        # One pair alone turns the whole trunk: a body cut off by a desk does not twist against its hidden hips.
        (left_hip, right_hip), (left_shoulder, right_shoulder) = (
            (f"left_{part}", f"right_{part}") for part in (pairs[0], pairs[-1])
        )
        up = np.array([0.0, 1.0, 0.0])
        if len(pairs) == 2:
            up = (point[left_shoulder] + point[right_shoulder] - point[left_hip] - point[right_hip]) / 2
        pelvis = _trunk_frame(point[left_hip] - point[right_hip], up)
        chest = _trunk_frame(point[left_shoulder] - point[right_shoulder], up)
        chest = _within(pelvis, chest, SPINE_LIMIT_RAD)
        world[_ROW["hips"]], world[_ROW["chest"]] = pelvis, chest
        world[_ROW["spine"]] = rot.slerp(pelvis, chest, 0.5)
        scores["hips"] = min(score[left_hip], score[right_hip])
        scores["spine"] = scores["chest"] = min(score[left_shoulder], score[right_shoulder])

        head = _within(chest, _head(point, score, chest), NECK_LIMIT_RAD)
        world[_ROW["neck"]], world[_ROW["head"]] = rot.slerp(chest, head, 0.5), head
        seen = [score[name] for name in FACE_NAMES if name in score]
        if len(seen) >= 3:
            scores["neck"] = scores["head"] = float(np.mean(seen))
        return world, scores

    def _limbs(
        self, point: dict[str, Float64], score: dict[str, float], world: Float64, state: _State
    ) -> tuple[dict[str, Float64], dict[str, float]]:
        """Local rotations of the arms' and legs' joints that are seen, and their scores."""
        local: dict[str, Float64] = {}
        scores: dict[str, float] = {}
        chest_m = rot.rotate(world[_ROW["hips"]], self._offset_m[_ROW["spine"]]) + rot.rotate(
            world[_ROW["spine"]], self._offset_m[_ROW["chest"]]
        )
        for joint, (hinge, (start, middle, end), parent) in _LIMBS.items():
            if start not in point or middle not in point:
                continue
            limits, turn = LIMB_LIMITS[joint], world[_ROW[parent]]
            base = (chest_m if parent == "chest" else np.zeros(3)) + rot.rotate(turn, self._offset_m[_ROW[joint]])
            to_parent = rot.inverse(turn)
            middle_m = rot.rotate(to_parent, point[middle] - base)
            end_m = rot.rotate(to_parent, point[end] - base) if end in point else None
            local[joint], bend = self._two_bones(joint, hinge, limits, middle_m, end_m, state)
            scores[joint] = min(score[start], score[middle])
            if end_m is not None:
                local[hinge] = rot.from_axis_angle(limits.hinge_axis, np.array(bend))
                scores[hinge] = min(score[middle], score[end])
                # A hand and a foot follow their limb: nothing here says how they turn.
                local[HUMANOID.joints[_ROW[hinge] + 1]] = rot.IDENTITY_XYZW
                scores[HUMANOID.joints[_ROW[hinge] + 1]] = scores[hinge]
        return local, scores

    def _two_bones(
        self, joint: str, hinge: str, limits: LimbLimits, middle_m: Float64, end_m: Float64 | None, state: _State
    ) -> tuple[Float64, float]:
        """Local rotation of the ball joint and bend of the hinge.

        `middle_m` and `end_m` are seen from the ball joint, in its parent's space.
        """
        upper_m, lower_m = self._bone_m[_ROW[hinge]], self._bone_m[_ROW[hinge] + 1]
        before = state.twist_rad.get(joint, 0.0)
        if end_m is None:
            straight = rot.multiply(limits.swing(rot.unit(middle_m)), rot.from_axis_angle(limits.bone_axis, before))
            return limits.clamped(straight, 0.0)
        reach = _size(end_m)
        # Law of cosines: how far the limb must bend to reach the end, and where its middle then lies.
        longest, shortest = upper_m + lower_m, abs(upper_m - lower_m)
        reach_ok = min(max(reach, shortest + 1e-4), longest - 1e-6)
        cos_bend = (reach_ok**2 - upper_m**2 - lower_m**2) / (2 * upper_m * lower_m)
        bend = math.acos(min(max(cos_bend, -1.0), 1.0))
        line = end_m / max(reach, 1e-9)
        out = middle_m - (middle_m @ line) * line
        lean = math.atan2(lower_m * math.sin(bend), upper_m + lower_m * math.cos(bend))
        if _size(out) < 1e-6:  # seen straight, yet too short for its bones: it bends as it bent before
            spun = rot.multiply(limits.swing(line), rot.from_axis_angle(limits.bone_axis, np.array(before)))
            out = rot.cross(line, rot.rotate(spun, limits.hinge_axis))
        upper = math.cos(lean) * line + math.sin(lean) * rot.unit(out)
        lower = line * reach_ok - upper * upper_m

        swing = limits.swing(rot.unit(upper))
        remembered = rot.rotate(rot.multiply(swing, rot.from_axis_angle(limits.bone_axis, before)), limits.hinge_axis)
        measured = rot.cross(upper, rot.unit(lower))
        # Near a straight limb the plane of its bend is noise: the last one stays.
        trust = min(max((_size(measured) - _STRAIGHT_SIN) / (_BENT_SIN - _STRAIGHT_SIN), 0.0), 1.0)
        axis = trust * rot.unit(measured) + (1 - trust) * remembered
        axis = axis - (axis @ upper) * upper
        axis = rot.unit(axis) if _size(axis) > 1e-3 else remembered
        frame = np.column_stack((upper, axis, rot.cross(upper, axis)))
        local = rot.from_matrix(frame @ limits.rest_frame.T)
        direction, twist_rad = limits.split(local)
        if limits.offence_of_parts_rad(direction, twist_rad, bend) > 0:
            local, bend = self._chains[joint].solve(line * reach_ok, local, bend)
            _, twist_rad = limits.split(local)
        state.twist_rad[joint] = twist_rad
        return local, bend

    def _with_memory(self, local: Float64, scores: dict[str, float], time_ns: int, state: _State) -> Float64:
        """The answer with hidden joints held, then eased to rest, in the hemisphere of the answer before."""
        seen = np.array([scores.get(joint, 0.0) > 0 for joint in HUMANOID.joints])
        dt_s = 0.0 if state.time_ns < 0 else (time_ns - state.time_ns) / 1e9
        state.seen_ns[seen] = time_ns
        hidden_s = (time_ns - state.seen_ns) / 1e9
        ease = np.where(hidden_s > self._config.hold_s, 1.0 - np.exp(-dt_s / self._config.ease_s), 0.0)
        held = rot.slerp(state.local_xyzw, RELAXED_XYZW, ease)
        answer = rot.nearest_sign(rot.unit(np.where(seen[:, None], local, held)), state.local_xyzw)
        state.local_xyzw, state.time_ns = answer, time_ns
        return answer


def _size(vector: Float64) -> float:
    return math.sqrt(vector @ vector)


def _trunk_frame(leftward: Float64, up: Float64) -> Float64:
    """The turn (4,) of a trunk part with those directions to its left and upward; both give way evenly."""
    x, y = rot.unit(leftward), rot.unit(up)
    lean = float(x @ y) / 2
    x, y = rot.unit(x - lean * y), rot.unit(y - lean * x)
    x = rot.unit(x - (x @ y) * y)
    return rot.from_matrix(np.column_stack((x, y, rot.cross(x, y))))


def _within(base_xyzw: Float64, turn_xyzw: Float64, limit_rad: float) -> Float64:
    """The turn, drawn back to the base where it is more than the limit away."""
    angle = float(rot.angle_between_rad(base_xyzw, turn_xyzw))
    return turn_xyzw if angle <= limit_rad else rot.slerp(base_xyzw, turn_xyzw, limit_rad / angle)


def _head(point: dict[str, Float64], score: dict[str, float], chest_xyzw: Float64) -> Float64:
    """Global turn (4,) of the head: the face template laid onto the seen face points (Kabsch), else the chest's."""
    names = [i for i, name in enumerate(FACE_NAMES) if name in point]
    if len(names) < 3:
        return chest_xyzw
    weight = np.array([score[FACE_NAMES[i]] for i in names])[:, None]
    template = FACE_TEMPLATE_M[names]
    seen = np.array([point[FACE_NAMES[i]] for i in names])
    template = template - (weight * template).sum(axis=0) / weight.sum()
    seen = seen - (weight * seen).sum(axis=0) / weight.sum()
    u, _, vt = np.linalg.svd(seen.T @ (weight * template))
    sign = np.array([1.0, 1.0, np.linalg.det(u @ vt)])
    return rot.from_matrix((u * sign) @ vt)
