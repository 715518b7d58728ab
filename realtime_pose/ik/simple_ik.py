"""IK solver for HUMANOID: trunk frames, head alignment, analytic two-bone limbs, hands and feet, joint limits."""

import math
from dataclasses import dataclass, field

from realtime_pose.body.bone_lengths import BoneLengths
from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M, fit_head_rotation
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import JointRotations, Joints3D, SkeletonPose
from realtime_pose.ik.hands_feet import foot_rotation, hand_rotation
from realtime_pose.ik.limits import FOOT_LIMITS, HAND_LIMITS, JOINT_LIMITS, LIMB_LIMITS
from realtime_pose.ik.trunk import Points, TrunkState, solve_trunk, split_rotation
from realtime_pose.ik.two_bone import LimbState, LimbTarget, TwoBoneIk
from realtime_pose.skeletons import HUMANOID, RELAXED_XYZW
from realtime_pose.utils import vec3 as vec
from realtime_pose.utils.arrays import as_float32
from realtime_pose.utils.per_track import PerTrack
from realtime_pose.utils.vec3 import Quat, Vec3

_LIMBS = {
    # ball joint: (hinge joint, end joint, points of ball joint, hinge and end, side)
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
_RELAXED: list[Quat] = [(x, y, z, w) for x, y, z, w in RELAXED_XYZW.tolist()]
_REST_BONE_M: list[float] = HUMANOID.rest_bone_m.tolist()
_TEMPLATE: list[Vec3] = [(x, y, z) for x, y, z in FACE_TEMPLATE_M.tolist()]
# Faster than people turn a joint other than in sport; a faster rotation is spread over frames.
_MAX_SPEED_RAD_S = math.radians(1500.0)  # of any joint
_MAX_PLANE_SPEED_RAD_S = math.radians(1200.0)  # of the plane in which a limb bends
_MIN_STEP_S = 1 / 120
_FOOT_ROLL_SHARE = 0.3  # of the observed roll about the foot's length: it shows only in the 5 cm from sole to ankle


@dataclass
class _State:
    """State of one person: the last solution, when each joint was last visible, and the parts' own states."""

    time_ns: int | None = None
    local: list[Quat] = field(default_factory=lambda: list(_RELAXED))
    seen_ns: list[float] = field(default_factory=lambda: [-math.inf] * len(_JOINTS))
    root_m: Vec3 = vec.ZERO
    trunk: TrunkState = field(default_factory=TrunkState)
    limbs: dict[str, LimbState] = field(default_factory=lambda: {joint: LimbState() for joint in _LIMBS})


class SimpleIKSolver:
    """Solves for local rotations of HUMANOID inside its joint limits, from a body's 3D points.

    Args:
        config: The settings.
        bones: Everyone's bone lengths, which every solved frame improves; by default of its own.
    """

    def __init__(self, config: BodyConfig, bones: BoneLengths | None = None) -> None:
        self._config = config
        self._bones = bones or BoneLengths(config)
        self._limbs = {joint: TwoBoneIk(LIMB_LIMITS[joint]) for joint in _LIMBS}
        self._states: PerTrack[_State] = PerTrack()

    @property
    def ikpy_calls(self) -> int:
        """Number of calls of ikpy so far, for all people."""
        return sum(limb.ikpy_calls for limb in self._limbs.values())

    @property
    def searches(self) -> int:
        """`ikpy_calls` by its name in version 0.1.0."""
        return self.ikpy_calls

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.forget(track_id)
        self._bones.forget(track_id)

    def solve(self, joints: Joints3D) -> SkeletonPose:
        """The pose whose joints are at the points, as far as bone lengths and joint limits allow.

        A joint whose points are occluded (score 0 or not finite) holds its last local rotation for `hold_s`, then eases
        to the relaxed pose. Visible children build on it; the output is held and eased again by the occlusion filter,
        which also extrapolates and blends. Time that runs backwards resets the person's state.
        """
        bone_m = self._bones.update(joints)
        state = self._states.get_or_make(joints.track_id, _State)
        if state.time_ns is not None and joints.time_ns < state.time_ns:
            state = self._states.put(joints.track_id, _State())
        frame = _FrameSolver(joints, bone_m.tolist(), state, self._config)
        frame.solve_trunk()
        frame.solve_head()
        for joint in _LIMBS:
            frame.solve_limb(joint, self._limbs[joint])
        local = frame.finish()
        return SkeletonPose(
            JointRotations(HUMANOID, as_float32(local)),
            as_float32(state.root_m),
            as_float32(bone_m),
            as_float32(frame.score),
            joints.track_id,
            joints.time_ns,
        )


class _FrameSolver:
    """Solves one person's frame part by part; holds the visible points and the rotations solved so far."""

    def __init__(self, joints: Joints3D, bone_m: list[float], state: _State, config: BodyConfig) -> None:
        self._state, self._bone_m = state, bone_m
        self._time_ns = joints.time_ns
        self._dt_s = 0.0 if state.time_ns is None else (joints.time_ns - state.time_ns) / 1e9
        self._hold_ns, self._ease = config.hold_s * 1e9, 1.0 - math.exp(-self._dt_s / config.ease_s)
        self._local: list[Quat | None] = [None] * len(_JOINTS)
        self.score = [0.0] * len(_JOINTS)
        self._points: Points = {}
        self._scores: dict[str, float] = {}
        for name, (x, y, z), score in zip(
            joints.layout.names, joints.xyz_m.tolist(), joints.score.tolist(), strict=True
        ):
            if score > 0 and math.isfinite(x + y + z):  # False for a NaN score
                self._points[name], self._scores[name] = (x, y, z), min(score, 1.0)
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
        hips, shoulders = self._score("left_hip", "right_hip"), self._score("left_shoulder", "right_shoulder")
        self._set("hips", trunk.hips, hips or shoulders)
        if trunk.whole:
            self._set("spine", trunk.spine, shoulders)
            self._set("chest", trunk.chest, shoulders)
        else:  # the held joints are as certain as the visible end
            self.score[rows[1]] = self.score[rows[2]] = shoulders

    def solve_head(self) -> None:
        """Set neck and head, which share the rotation from the chest evenly."""
        face = [
            (self._points[name], template, self._scores[name])
            for name, template in zip(FACE_NAMES, _TEMPLATE, strict=True)
            if name in self._points
        ]
        if len(face) < 2:
            return
        neck, head = split_rotation(self._chest, fit_head_rotation(face, self._chest), "neck", "head")
        score = sum(weight for _, _, weight in face) / len(face)
        self._set("neck", neck, score)
        self._set("head", head, score)

    # --- limbs --------------------------------------------------------------------------------------------------------

    def solve_limb(self, joint: str, two_bone_ik: TwoBoneIk) -> None:
        """Set the three joints of an arm or a leg."""
        hinge, end, (start_point, middle_point, end_point), side = _LIMBS[joint]
        middle_m, end_m = self._points.get(middle_point), self._points.get(end_point)
        if start_point not in self._points or (middle_m is None and end_m is None):
            return
        start_m = self._start_m(joint)
        parent = self._chest if joint.endswith("Arm") else self._hips
        to_parent = vec.inverse(parent)
        target = LimbTarget(
            None if middle_m is None else vec.rotate(to_parent, vec.sub(middle_m, start_m)),
            None if end_m is None else vec.rotate(to_parent, vec.sub(end_m, start_m)),
            self._bone_m[_ROW[hinge]],
            self._bone_m[_ROW[end]],
        )
        max_step_rad = _MAX_PLANE_SPEED_RAD_S * max(self._dt_s, _MIN_STEP_S)
        solved = two_bone_ik.solve(target, self._state.limbs[joint], max_step_rad, self._time_ns)
        if middle_m is None:  # the end determines the limb's direction, but not its plane
            self._set(joint, solved.local, self._score(start_point, end_point) / 2)
        else:
            self._set(joint, solved.local, self._score(start_point, middle_point))
        if end_m is None:
            return
        score = self._score(end_point) / 2 if middle_m is None else self._score(middle_point, end_point)
        limits = LIMB_LIMITS[joint].hinge
        lower = vec.multiply(vec.multiply(parent, solved.local), limits.compose(solved.bend_rad))
        twist = 0.0
        if end.endswith("Hand"):
            twist = self._solve_hand(side, end_m, lower)
        else:
            self._solve_foot(side, end_m, lower)
        self._set(hinge, limits.compose(solved.bend_rad, twist), score)
        self.score[_ROW[end]] = score  # of its position; its rotation may be unknown

    def _start_m(self, joint: str) -> Vec3:
        """Position of a limb's start relative to the hips."""
        start = vec.rotate(self._chest if joint.endswith("Arm") else self._hips, self._offset(joint))
        if joint.endswith("Arm"):
            spine = vec.multiply(self._hips, self._local[_ROW["spine"]] or self._held(_ROW["spine"]))
            start = vec.add(start, vec.rotate(self._hips, self._offset("spine")))
            start = vec.add(start, vec.rotate(spine, self._offset("chest")))
        return start

    def _offset(self, joint: str) -> Vec3:
        row = _ROW[joint]
        return vec.scale(_REST_DIRECTIONS[row], self._bone_m[row])

    def _solve_hand(self, side: str, wrist: Vec3, forearm: Quat) -> float:
        """Set a hand and return the forearm's twist: half of the hand's, as its two bones twist along their length."""
        hand, elbow = f"{side}Hand", LIMB_LIMITS[f"{side}UpperArm"].hinge
        held_twist = elbow.decompose(self._held(_ROW[f"{side}LowerArm"]))[1]
        index, pinky = self._points.get(f"{side}_index"), self._points.get(f"{side}_pinky")
        if index is None or pinky is None:
            return held_twist
        observed = hand_rotation(side, wrist, index, pinky, self._size(hand))
        if observed.weight <= 0:
            return held_twist
        before = vec.multiply(vec.from_axis_angle(elbow.bone_axis, held_twist), self._held(_ROW[hand]))
        local = vec.multiply(vec.inverse(forearm), observed.world)
        limits = HAND_LIMITS[hand]
        direction, twist = limits.decompose(vec.slerp(before, local, observed.weight))
        twist = min(max(twist / 2, -elbow.twist_rad), elbow.twist_rad)
        self._set_end(hand, limits.clamp(limits.compose(direction, twist)), observed.weight)
        return twist

    def _solve_foot(self, side: str, ankle: Vec3, shank: Quat) -> None:
        """Set a foot, if its points are visible."""
        heel, toe = self._points.get(f"{side}_heel"), self._points.get(f"{side}_toe")
        if heel is None or toe is None:
            return
        foot = f"{side}Foot"
        observed = foot_rotation(ankle, heel, toe, self._size(foot))
        if observed.weight <= 0:
            return
        limits = FOOT_LIMITS[foot]
        direction, roll = limits.decompose(vec.multiply(vec.inverse(shank), observed.world))
        local = limits.compose(direction, _FOOT_ROLL_SHARE * roll)
        self._set_end(foot, limits.clamp(vec.slerp(self._held(_ROW[foot]), local, observed.weight)), observed.weight)

    def _size(self, joint: str) -> float:
        """The person's size relative to a body 1.70 m tall, by the bone that ends at a joint."""
        return self._bone_m[_ROW[joint]] / _REST_BONE_M[_ROW[joint]]

    # --- state --------------------------------------------------------------------------------------------------------

    def _score(self, *names: str) -> float:
        """The lowest score of the points; 0 if one is occluded."""
        return min(self._scores.get(name, 0.0) for name in names)

    def _set(self, joint: str, local: Quat, score: float) -> None:
        row = _ROW[joint]
        self._local[row], self.score[row] = local, score
        self._state.seen_ns[row] = self._time_ns

    def _set_end(self, joint: str, local: Quat, weight: float) -> None:
        row = _ROW[joint]
        self._local[row] = local
        if weight > 0.5:
            self._state.seen_ns[row] = self._time_ns

    def _is_easing(self, row: int) -> bool:
        return self._time_ns - self._state.seen_ns[row] > self._hold_ns

    def _held(self, row: int) -> Quat:
        """The last local rotation, eased to the relaxed pose if occluded for longer than `hold_s`."""
        before = self._state.local[row]
        if not self._is_easing(row):
            return before
        eased = vec.slerp(before, _RELAXED[row], self._ease)
        limits = JOINT_LIMITS.get(_JOINTS[row])
        return eased if limits is None else limits.clamp(eased)

    def finish(self) -> list[Quat]:
        """The local rotations (J, 4): occluded joints held, speed limited, signs continuous; updates the state."""
        state = self._state
        max_rad = _MAX_SPEED_RAD_S * max(self._dt_s, _MIN_STEP_S)
        min_cos = math.cos(max_rad / 2) if max_rad < math.pi else -1.0
        local: list[Quat] = []
        for row, found in enumerate(self._local):
            before = state.local[row]
            now = self._held(row) if found is None else vec.unit_quat(found)
            cosine = before[0] * now[0] + before[1] * now[1] + before[2] * now[2] + before[3] * now[3]
            if abs(cosine) < min_cos and state.time_ns is not None:
                now = self._limit_speed(row, before, now, max_rad)
                cosine = before[0] * now[0] + before[1] * now[1] + before[2] * now[2] + before[3] * now[3]
            local.append((-now[0], -now[1], -now[2], -now[3]) if cosine < 0 else now)
        state.local, state.time_ns = local, self._time_ns
        return local

    def _limit_speed(self, row: int, before: Quat, now: Quat, max_rad: float) -> Quat:
        """`now`, moved towards `before` to be at most `max_rad` from it."""
        joint = _JOINTS[row]
        now = vec.slerp(before, now, max_rad / vec.angle_between_rad(before, now))
        if joint in JOINT_LIMITS:
            now = JOINT_LIMITS[joint].clamp(now)
        if joint in _LIMBS:
            self._state.limbs[joint].twist_rad = LIMB_LIMITS[joint].decompose(now)[1]
        return now
