"""Joint rotations from joint places: frames for the trunk, the analytic two-bone answer for limbs, limits for all."""

import math
from dataclasses import dataclass, field

from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M, head_turn
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, Joints3D, SkeletonPose
from realtime_pose.ik.hands_feet import foot_rotation, hand_rotation
from realtime_pose.ik.limits import FOOT_LIMITS, HAND_LIMITS, JOINT_LIMITS, LIMB_LIMITS
from realtime_pose.ik.trunk import Points, TrunkState, halve_turn, solve_trunk
from realtime_pose.ik.two_bone import Limb, LimbState, TwoBoneIk
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.vec3 import Quat, Vec3

_LIMBS = {
    # first joint: (hinge joint, joint at the end, points of ball joint, hinge and end, side)
    f"{side}Upper{limb}": (f"{side}Lower{limb}", f"{side}{end}", tuple(f"{side}_{p}" for p in points), side)
    for side in ("left", "right")
    for limb, end, points in (
        ("Arm", "Hand", ("shoulder", "elbow", "wrist")),
        ("Leg", "Foot", ("hip", "knee", "ankle")),
    )
}
_JOINTS = HUMANOID.joints
_ROW = HUMANOID.index
_REST_DIRECTIONS: list[Vec3] = [(x, y, z) for x, y, z in HUMANOID.rest_direction.tolist()]
_REST_BONE_M: list[float] = HUMANOID.rest_bone_m.tolist()
_TEMPLATE: list[Vec3] = [(x, y, z) for x, y, z in FACE_TEMPLATE_M.tolist()]
# Faster than people turn a joint other than in sport; what would be faster is spread over frames.
_FASTEST_RAD_S = math.radians(1500.0)
_PLANE_FASTEST_RAD_S = math.radians(1200.0)
_LEAST_STEP_S = 1 / 120
_ROLL_BELIEVED = 0.3  # of a foot about its own length: 5 cm from sole to ankle are all that shows it


def _relaxed() -> list[Quat]:
    """Local rotations of a body at ease: standing, arms hanging. Hidden joints drift to it."""
    local = [vec.IDENTITY_XYZW] * len(_JOINTS)
    for joint, sign in (("leftUpperArm", -1.0), ("rightUpperArm", 1.0)):
        local[_ROW[joint]] = vec.from_axis_angle(vec.Z, sign * math.radians(75.0))
    return local


_RELAXED = _relaxed()


def _relaxed_xyzw() -> Float64:
    import numpy as np

    relaxed = np.array(_RELAXED)
    relaxed.flags.writeable = False
    return relaxed


RELAXED_XYZW = _relaxed_xyzw()
"""(J, 4) local rotations of a body at ease."""


@dataclass
class _State:
    """What is remembered of one person: the last answer, when each joint was last seen, and each part's own memory."""

    time_ns: int | None = None
    local: list[Quat] = field(default_factory=lambda: list(_RELAXED))
    seen_ns: list[float] = field(default_factory=lambda: [-math.inf] * len(_JOINTS))
    root_m: Vec3 = vec.ZERO
    trunk: TrunkState = field(default_factory=TrunkState)
    limbs: dict[str, LimbState] = field(default_factory=lambda: {joint: LimbState() for joint in _LIMBS})


class SimpleIKSolver:
    """Turns points of a body into local rotations of HUMANOID, inside its joint limits."""

    def __init__(self, config: BodyConfig) -> None:
        self._config = config
        self._bones = BoneLengths(config)
        self._two_bones = {joint: TwoBoneIk(LIMB_LIMITS[joint]) for joint in _LIMBS}
        self._states: dict[int, _State] = {}

    @property
    def ikpy_calls(self) -> int:
        """How often ikpy was asked, for everybody so far."""
        return sum(limb.ikpy_calls for limb in self._two_bones.values())

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.pop(track_id, None)
        self._bones.forget(track_id)

    def solve(self, joints: Joints3D) -> SkeletonPose:
        """The pose whose joints lie where the points are, as far as bones and limits allow.

        A joint whose points were not seen (score 0, or no number) holds its last local rotation for `hold_s`, then
        eases to a body at ease. Time that runs backwards starts the person anew.
        """
        bone_m = self._bones.update(joints)
        state = self._states.setdefault(joints.track_id, _State())
        if state.time_ns is not None and joints.time_ns < state.time_ns:
            state = self._states[joints.track_id] = _State()
        frame = _Frame(joints, bone_m.tolist(), state, self._config)
        frame.solve_trunk()
        frame.solve_head()
        for joint in _LIMBS:
            frame.solve_limb(joint, self._two_bones[joint])
        local = frame.finish()
        return SkeletonPose(
            JointRotations(HUMANOID, as_float32(local)),
            as_float32(state.root_m),
            as_float32(bone_m),
            as_float32(frame.score),
            joints.track_id,
            joints.time_ns,
        )


class _Frame:
    """One person's frame on its way to a pose: what was seen, and what is solved so far."""

    def __init__(self, joints: Joints3D, bone_m: list[float], state: _State, config: BodyConfig) -> None:
        self._state, self._bone_m = state, bone_m
        self._time_ns = joints.time_ns
        self._dt_s = 0.0 if state.time_ns is None else (joints.time_ns - state.time_ns) / 1e9
        self._hold_ns, self._ease = config.hold_s * 1e9, 1.0 - math.exp(-self._dt_s / config.ease_s)
        self._local: list[Quat | None] = [None] * len(_JOINTS)
        self.score = [0.0] * len(_JOINTS)
        self._points: Points = {}
        self._seen: dict[str, float] = {}
        for name, (x, y, z), score in zip(
            joints.layout.names, joints.xyz_m.tolist(), joints.score.tolist(), strict=True
        ):
            if score > 0 and math.isfinite(x + y + z):  # a score that is no number is no score
                self._points[name], self._seen[name] = (x, y, z), min(score, 1.0)
        root = joints.root_m.tolist()
        if math.isfinite(sum(root)):
            state.root_m = (root[0], root[1], root[2])

    # --- trunk and head -----------------------------------------------------------------------------------------------

    def solve_trunk(self) -> None:
        """Set hips, spine and chest."""
        shoulder = _ROW["leftUpperArm"]
        heights = (
            self._bone_m[_ROW["spine"]],
            self._bone_m[_ROW["chest"]],
            self._bone_m[shoulder] * _REST_DIRECTIONS[shoulder][1],
        )
        rows = [_ROW[joint] for joint in ("hips", "spine", "chest")]
        ease = self._ease if self._is_easing(rows[1]) else 0.0
        held = (self._held(rows[1]), self._held(rows[2]))
        trunk = solve_trunk(self._points, heights, held, ease, self._state.trunk)
        if trunk is None:
            self._hips = self._held(rows[0])
            self._chest = vec.multiply(vec.multiply(self._hips, held[0]), held[1])
            return
        self._hips, self._chest = trunk.hips, trunk.chest_world
        hips, shoulders = self._belief("left_hip", "right_hip"), self._belief("left_shoulder", "right_shoulder")
        self._set("hips", trunk.hips, hips or shoulders)
        if trunk.whole:
            self._set("spine", trunk.spine, shoulders)
            self._set("chest", trunk.chest, shoulders)
        else:  # what holds still between them is as well known as the end that carries it
            self.score[rows[1]] = self.score[rows[2]] = shoulders

    def solve_head(self) -> None:
        """Set neck and head, each with half of the way from the chest."""
        face = [
            (self._points[name], template, self._seen[name])
            for name, template in zip(FACE_NAMES, _TEMPLATE, strict=True)
            if name in self._points
        ]
        if len(face) < 2:
            return
        turn = head_turn(face, self._chest)
        neck, head = halve_turn(self._chest, turn, "neck", "head")
        score = sum(weight for _, _, weight in face) / len(face)
        self._set("neck", neck, score)
        self._set("head", head, score)

    # --- limbs --------------------------------------------------------------------------------------------------------

    def solve_limb(self, joint: str, two_bones: TwoBoneIk) -> None:
        """Set the three joints of an arm or a leg."""
        hinge, end, (start_point, middle_point, end_point), side = _LIMBS[joint]
        middle, far = self._points.get(middle_point), self._points.get(end_point)
        if start_point not in self._points or (middle is None and far is None):
            return
        base = self._start_m(joint)
        parent = self._chest if joint.endswith("Arm") else self._hips
        to_parent = vec.inverse(parent)
        limb = Limb(
            None if middle is None else vec.rotate(to_parent, vec.sub(middle, base)),
            None if far is None else vec.rotate(to_parent, vec.sub(far, base)),
            self._bone_m[_ROW[hinge]],
            self._bone_m[_ROW[end]],
        )
        step = _PLANE_FASTEST_RAD_S * max(self._dt_s, _LEAST_STEP_S)
        answer = two_bones.solve(limb, self._state.limbs[joint], step, self._time_ns)
        if middle is None:  # the end says where the limb goes, though not how it is bent sideways
            self._set(joint, answer.local, self._belief(start_point, end_point) / 2)
        else:
            self._set(joint, answer.local, self._belief(start_point, middle_point))
        if far is None:
            return
        score = self._belief(end_point) / 2 if middle is None else self._belief(middle_point, end_point)
        limits = LIMB_LIMITS[joint].hinge
        lower = vec.multiply(vec.multiply(parent, answer.local), limits.compose(answer.bend_rad))
        spin = 0.0
        if end.endswith("Hand"):
            spin = self._solve_hand(side, far, lower)
        else:
            self._solve_foot(side, far, lower)
        self._set(hinge, limits.compose(answer.bend_rad, spin), score)
        self.score[_ROW[end]] = score  # where it is, is known; how it turns, maybe

    def _start_m(self, joint: str) -> Vec3:
        """Where a limb begins, from the hips."""
        place = vec.rotate(self._chest if joint.endswith("Arm") else self._hips, self._offset(joint))
        if joint.endswith("Arm"):
            spine = vec.multiply(self._hips, self._local[_ROW["spine"]] or self._held(_ROW["spine"]))
            place = vec.add(place, vec.rotate(self._hips, self._offset("spine")))
            place = vec.add(place, vec.rotate(spine, self._offset("chest")))
        return place

    def _offset(self, joint: str) -> Vec3:
        row = _ROW[joint]
        return vec.scale(_REST_DIRECTIONS[row], self._bone_m[row])

    def _solve_hand(self, side: str, wrist: Vec3, forearm: Quat) -> float:
        """Set a hand; the spin that the forearm takes of it: half, as its two bones twist along their length."""
        hand, elbow = f"{side}Hand", LIMB_LIMITS[f"{side}UpperArm"].hinge
        spun = elbow.decompose(self._held(_ROW[f"{side}LowerArm"]))[1]
        index, pinky = self._points.get(f"{side}_index"), self._points.get(f"{side}_pinky")
        if index is None or pinky is None:
            return spun
        turn = hand_rotation(side, wrist, index, pinky, self._size(hand))
        if turn.trust <= 0:
            return spun
        before = vec.multiply(vec.from_axis_angle(elbow.bone_axis, spun), self._held(_ROW[hand]))
        seen = vec.multiply(vec.inverse(forearm), turn.world)
        limits = HAND_LIMITS[hand]
        direction, spin = limits.decompose(vec.slerp(before, seen, turn.trust))
        spin = min(max(spin / 2, -elbow.twist_rad), elbow.twist_rad)
        self._set_end(hand, limits.clamp(limits.compose(direction, spin)), turn.trust)
        return spin

    def _solve_foot(self, side: str, ankle: Vec3, shank: Quat) -> None:
        """Set a foot, where its points were seen."""
        heel, toe = self._points.get(f"{side}_heel"), self._points.get(f"{side}_toe")
        if heel is None or toe is None:
            return
        foot = f"{side}Foot"
        turn = foot_rotation(ankle, heel, toe, self._size(foot))
        if turn.trust <= 0:
            return
        limits = FOOT_LIMITS[foot]
        direction, roll = limits.decompose(vec.multiply(vec.inverse(shank), turn.world))
        seen = limits.compose(direction, _ROLL_BELIEVED * roll)
        self._set_end(foot, limits.clamp(vec.slerp(self._held(_ROW[foot]), seen, turn.trust)), turn.trust)

    def _size(self, joint: str) -> float:
        """How large the person is, as a share of a body 1.70 m tall, by the bone that ends at a joint."""
        return self._bone_m[_ROW[joint]] / _REST_BONE_M[_ROW[joint]]

    # --- memory -------------------------------------------------------------------------------------------------------

    def _belief(self, *names: str) -> float:
        """The least score of some points; 0 where one was not seen."""
        return min(self._seen.get(name, 0.0) for name in names)

    def _set(self, joint: str, local: Quat, score: float) -> None:
        row = _ROW[joint]
        self._local[row], self.score[row] = local, score
        self._state.seen_ns[row] = self._time_ns

    def _set_end(self, joint: str, local: Quat, trust: float) -> None:
        row = _ROW[joint]
        self._local[row] = local
        if trust > 0.5:
            self._state.seen_ns[row] = self._time_ns

    def _is_easing(self, row: int) -> bool:
        return self._time_ns - self._state.seen_ns[row] > self._hold_ns

    def _held(self, row: int) -> Quat:
        """The last answer, eased to a body at ease where it has been hidden for longer than it is held."""
        before = self._state.local[row]
        if not self._is_easing(row):
            return before
        eased = vec.slerp(before, _RELAXED[row], self._ease)
        limits = JOINT_LIMITS.get(_JOINTS[row])
        return eased if limits is None else limits.clamp(eased)

    def finish(self) -> list[Quat]:
        """The answer: hidden joints as they are held, nothing faster than a body, signs as they were."""
        state = self._state
        most = _FASTEST_RAD_S * max(self._dt_s, _LEAST_STEP_S)
        least_cos = math.cos(most / 2) if most < math.pi else -1.0
        answer: list[Quat] = []
        for row, found in enumerate(self._local):
            before = state.local[row]
            now = self._held(row) if found is None else vec.unit_quat(found)
            cosine = before[0] * now[0] + before[1] * now[1] + before[2] * now[2] + before[3] * now[3]
            if abs(cosine) < least_cos and state.time_ns is not None:
                now = self._slowed(row, before, now, most)
                cosine = before[0] * now[0] + before[1] * now[1] + before[2] * now[2] + before[3] * now[3]
            answer.append((-now[0], -now[1], -now[2], -now[3]) if cosine < 0 else now)
        state.local, state.time_ns = answer, self._time_ns
        return answer

    def _slowed(self, row: int, before: Quat, now: Quat, most_rad: float) -> Quat:
        """As much of a turn as a body makes in that time."""
        joint = _JOINTS[row]
        now = vec.slerp(before, now, most_rad / vec.angle_between_rad(before, now))
        if joint in JOINT_LIMITS:
            now = JOINT_LIMITS[joint].clamp(now)
        if joint in _LIMBS:
            self._state.limbs[joint].twist_rad = LIMB_LIMITS[joint].decompose(now)[1]
        return now
