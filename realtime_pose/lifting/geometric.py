"""Geometric lifter: known limb lengths, perspective and anatomical priors, without training.

Each joint lies on the ray through its pixel and at a known distance from its parent, which leaves two positions, nearer
and farther; anatomy (knees bend back, hands stay in front) and continuity select one. Depth error grows with
foreshortening, and the selection is sometimes wrong; `realtime-pose selftest` prints by how much.

Source of the idea: Taylor, "Reconstruction of Articulated Objects from Point Correspondences in a Single Uncalibrated
Image" (CVPR 2000), with perspective rays instead of scaled orthography.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from realtime_pose.body.camera_attitude import CameraAttitude
from realtime_pose.body.head_pose import FACE_NAMES, FACE_TEMPLATE_M, head_rotation
from realtime_pose.body.profile import body_of
from realtime_pose.body.proportions import BodyDimensions
from realtime_pose.body.settings import BodyConfig
from realtime_pose.datatypes import CameraIntrinsics, Joints3D, PersonKeypoints
from realtime_pose.lifting.body_yaw import FrontalWidths, Points, choose_yaw_rad, yaw_costs
from realtime_pose.lifting.root_depth import RootDepth, middle
from realtime_pose.skeletons import COCO17
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Float64, as_float32
from realtime_pose.utils.per_track import PerTrack

_UP = np.array([0.0, 1.0, 0.0])
# Tuned on the actor's clip, with BlazePose's keypoints and with true ones plus 1.5 px of noise.
_LENGTH_OVERESTIMATE = 0.12  # share by which a bone's projected length is overestimated at full length
_CONTINUITY_SIGMA_M = 0.15
_CONTINUITY_CAP = 2.0  # cost
_ARM_AHEAD, _FOREARM_AHEAD, _LEG_AHEAD, _FOOT_UNDER_HIP = 1.0, 0.5, 0.5, 1.0  # weights of habitual poses, in cost
_HIP_BACK, _SHOULDER_BACK = 0.42, 0.6  # sine of the extension limits: about 25 and 40 degrees
_FORGET_AFTER_S = 1.0
# The limb point whose depth a hand or foot point gets: the geometric lifter does not orient hands and feet.
_DEPTH_FROM = {
    **{f"{side}_{p}": f"{side}_ankle" for side in ("left", "right") for p in ("heel", "toe")},
    **{f"{side}_{p}": f"{side}_wrist" for side in ("left", "right") for p in ("pinky", "index", "thumb")},
}


@dataclass
class _State:
    """State of one person."""

    widths: FrontalWidths
    depth: RootDepth
    time_ns: int = -1
    yaw_rad: float | None = None
    xyz_m: dict[str, Float64] = field(default_factory=dict)  # COCO-17 points, root-relative


class GeometricLifter:
    """Lifts keypoints by geometry alone; see the module's docstring."""

    def __init__(self, config: BodyConfig, attitude: CameraAttitude | None = None) -> None:
        """Initialise; the attitude is not used, as bones alone do not tell the vertical."""
        self._body = body_of(config)
        self._states: PerTrack[_State] = PerTrack()

    def forget(self, track_id: int) -> None:
        """Drop the state of one person."""
        self._states.forget(track_id)

    def lift(self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics) -> Joints3D:
        """The same points in 3D: root-relative in metres, and the root from the camera.

        An occluded point keeps its last position relative to the root (at first a standing body's), with score 0; an
        occluded shoulder or hip is placed beside its visible counterpart, with half its score.
        """
        state = self._states.get_or_make(keypoints.track_id, self._new_state)
        dt_s = (keypoints.time_ns - state.time_ns) / 1e9
        if state.time_ns < 0 or not 0 < dt_s <= _FORGET_AFTER_S:
            state = self._states.put(keypoints.track_id, self._new_state())
            dt_s = 0.0
        state.time_ns = keypoints.time_ns

        rays, score = self._visible_rays(keypoints, intrinsics)
        depth_m = state.depth.update(rays, keypoints.time_ns)
        placed = self._place(rays, score, depth_m, state, dt_s)
        root = placed.pop("root")
        before = state.xyz_m or _standing(self._body, state.yaw_rad or 0.0)
        state.xyz_m = {name: placed.get(name, before[name]) for name in COCO17.names}

        xyz = np.array(
            [placed[n] if n in placed else state.xyz_m[_DEPTH_FROM.get(n, n)] for n in keypoints.layout.names]
        )
        scores = [_score(n, placed, score) for n in keypoints.layout.names]
        return Joints3D(
            keypoints.layout,
            as_float32(xyz),
            as_float32(root),
            as_float32(scores),
            keypoints.track_id,
            keypoints.time_ns,
        )

    def _new_state(self) -> _State:
        return _State(FrontalWidths(self._body), RootDepth(self._body))

    def _visible_rays(
        self, keypoints: PersonKeypoints, intrinsics: CameraIntrinsics
    ) -> tuple[dict[str, Float64], dict[str, float]]:
        """Ray (3,) with z = -1 and score of each visible point, by name; canonical axes."""
        xy = keypoints.xy_px.astype(np.float64)
        visible = (keypoints.score > 0) & np.isfinite(xy).all(axis=1)
        rays = np.column_stack(
            (
                (xy[:, 0] - intrinsics.cx) / intrinsics.fx,
                (intrinsics.cy - xy[:, 1]) / intrinsics.fy,
                np.full(len(xy), -1.0),
            )
        )
        names = keypoints.layout.names
        rows = np.flatnonzero(visible)
        return {names[i]: rays[i] for i in rows}, {names[i]: float(keypoints.score[i]) for i in rows}

    def _place(
        self, rays: dict[str, Float64], score: dict[str, float], depth_m: float, state: _State, dt_s: float
    ) -> dict[str, Float64]:
        """Root-relative positions of the visible points by name, and "root" from the camera."""
        points = Points({n: r[:2] * depth_m for n, r in rays.items()}, score)
        # The cues show the yaw to the line of sight, which is not the optical axis for a person off-centre.
        sight_rad = _sight_rad(rays)
        before_rad = None if state.yaw_rad is None else state.yaw_rad + sight_rad
        state.yaw_rad = choose_yaw_rad(yaw_costs(points, state.widths), before_rad, dt_s) - sight_rad
        front = np.array([np.sin(state.yaw_rad), 0.0, np.cos(state.yaw_rad)])
        left = rot.cross(_UP, front)

        rays = self._with_counterparts(rays, depth_m, left)
        root, chest = self._torso(rays, depth_m, front)
        placed: dict[str, Float64] = {"root": root}
        b, arm_cost, leg_cost = self._body, partial(_arm_cost, front=front), partial(_leg_cost, front=front, left=left)
        for part, centre, width, ends, lengths, cost in (
            ("shoulder", chest, b.shoulder_width, ("elbow", "wrist"), (b.upper_arm, b.forearm), arm_cost),
            ("hip", root, b.hip_width, ("knee", "ankle"), (b.thigh, b.shank), leg_cost),
        ):
            placed |= _placed_pair(rays, part, centre, left, width, root)
            for side, sign in (("left", 1.0), ("right", -1.0)):
                # Occluded hips or shoulders still start their limbs, at the torso's estimate and without a score.
                start = placed.get(f"{side}_{part}", centre - root + left * (sign * width / 2))
                names = [f"{side}_{end}" for end in ends]
                placed |= _placed_limb(rays, names, start, root, lengths, cost, state.xyz_m)
        if sum(name in rays for name in FACE_NAMES) >= 3:
            placed |= self._face(points, rays, chest - root, root, state.yaw_rad)
        for name, limb_point in _DEPTH_FROM.items():
            if name in rays and limb_point in placed:
                distance = -(placed[limb_point] + root)[2]
                placed[name] = rays[name] * distance - root
        return placed

    def _with_counterparts(self, rays: dict[str, Float64], depth_m: float, left: Float64) -> dict[str, Float64]:
        """The rays, with an occluded shoulder or hip placed beside its visible counterpart at the trunk's width."""
        added = {}
        for part, width in (("shoulder", self._body.shoulder_width), ("hip", self._body.hip_width)):
            for visible, occluded, outward in (("left", "right", -left), ("right", "left", left)):
                if f"{visible}_{part}" in rays and f"{occluded}_{part}" not in rays:
                    place = rays[f"{visible}_{part}"] * depth_m + outward * width
                    added[f"{occluded}_{part}"] = place / -place[2]
        return rays | added

    def _torso(self, rays: dict[str, Float64], depth_m: float, front: Float64) -> tuple[Float64, Float64]:
        """Midpoints of the hips and of the shoulders, from the camera."""
        hips, shoulders = middle(rays, "left_hip", "right_hip"), middle(rays, "left_shoulder", "right_shoulder")
        upright = _UP * self._body.torso
        if hips is not None and shoulders is not None:
            root = hips * depth_m
            # People lean forward far more than back.
            return root, root + max(_bone_candidates(root, shoulders, self._body.torso), key=lambda v: float(v @ front))
        if shoulders is not None:
            return shoulders * depth_m - upright, shoulders * depth_m
        if hips is None:
            hips = np.mean(list(rays.values()), axis=0) if rays else np.array([0.0, 0.0, -1.0])
        return hips * depth_m, hips * depth_m + upright

    def _face(
        self, points: Points, rays: dict[str, Float64], neck: Float64, root: Float64, yaw_rad: float
    ) -> dict[str, Float64]:
        """Root-relative positions of the face points: the template, rotated to fit them."""
        xy = np.array([points.xy_m.get(n, (0.0, 0.0)) for n in FACE_NAMES])
        weights = [points.score.get(n, 0.0) for n in FACE_NAMES]
        rotation = head_rotation(xy, weights, rot.from_axis_angle(_UP, np.array(yaw_rad)))
        face = rot.rotate(rotation, FACE_TEMPLATE_M)
        # The midpoint of the ears is at the head's height over the shoulders, close to the visible rays.
        distance = -(neck + root)[2]
        seen = [i for i, n in enumerate(FACE_NAMES) if n in rays]
        centre_xy = np.mean([rays[FACE_NAMES[i]][:2] * distance - face[i, :2] for i in seen], axis=0)
        centre = np.array([*centre_xy, -distance]) - root
        offset = centre - neck
        offset *= self._body.head_height / max(float(np.linalg.norm(offset)), 1e-6)
        return {FACE_NAMES[i]: neck + offset + face[i] for i in seen}


def _score(name: str, placed: dict[str, Float64], score: dict[str, float]) -> float:
    """The score of a point: its own, half its counterpart's where it was placed beside that, else 0."""
    if name not in placed:
        return 0.0
    side, _, part = name.partition("_")
    counterpart = f"{'right' if side == 'left' else 'left'}_{part}"
    return score.get(name, 0.5 * score.get(counterpart, 0.0) if part in ("shoulder", "hip") else 0.0)


def _standing(body: BodyDimensions, yaw_rad: float) -> dict[str, Float64]:
    """Root-relative positions of COCO-17 on a body that stands with hanging arms and faces `yaw_rad`."""
    head = body.torso + body.head_height
    half = {"shoulder": body.shoulder_width / 2, "hip": body.hip_width / 2}
    heights = {
        "shoulder": (body.torso, half["shoulder"]),
        "elbow": (body.torso - body.upper_arm, half["shoulder"]),
        "wrist": (body.torso - body.upper_arm - body.forearm, half["shoulder"]),
        "hip": (0.0, half["hip"]),
        "knee": (-body.thigh, half["hip"]),
        "ankle": (-body.thigh - body.shank, half["hip"]),
    }
    places = {
        f"{side}_{part}": np.array([sign * x, y, 0.0])
        for part, (y, x) in heights.items()
        for side, sign in (("left", 1.0), ("right", -1.0))
    }
    places |= {n: FACE_TEMPLATE_M[i] + (0.0, head, 0.0) for i, n in enumerate(FACE_NAMES)}
    rotation = rot.from_axis_angle(_UP, np.array(yaw_rad))
    return {name: rot.rotate(rotation, place) for name, place in places.items()}


def _sight_rad(rays: dict[str, Float64]) -> float:
    """The trunk's angle to the optical axis, positive to the image's right."""
    trunk = [rays[n] for n in ("left_shoulder", "right_shoulder", "left_hip", "right_hip") if n in rays]
    return float(np.arctan(np.mean([ray[0] for ray in trunk]))) if trunk else 0.0


def _bone_candidates(start: Float64, ray: Float64, length: float) -> tuple[Float64, Float64]:
    """The two bone vectors of that length from `start` (from the camera) to the ray: nearer end, farther end.

    The depth of a bone nearly parallel to the image plane is dominated by noise (5 % of its length make 18 degrees), so
    it is reduced there (`_LENGTH_OVERESTIMATE`). If the ray is out of reach, both are the bone that points to it.
    """
    level = -start[2]  # end distance of a bone parallel to the image plane
    projected = _norm(level * ray - start) / length
    overestimated = projected * (1.0 + _LENGTH_OVERESTIMATE * projected**2)
    ends = [level, level]
    if overestimated < 1.0:
        ray2 = float(ray @ ray)
        nearest = float(start @ ray) / ray2
        reach2 = (length**2 - float(start @ start)) / ray2 + nearest**2
        half = math.sqrt(max(reach2, 0.0))
        reduction = math.sqrt((1.0 - overestimated**2) / (1.0 - projected**2))
        ends = [level + reduction * (nearest + sign * half - level) for sign in (-1.0, 1.0)]
    near, far = (end * ray - start for end in ends)
    return near * (length / _norm(near)), far * (length / _norm(far))


def _norm(vector: Float64) -> float:
    return max(math.sqrt(vector @ vector), 1e-9)


def _placed_pair(
    rays: dict[str, Float64], part: str, centre: Float64, left: Float64, width: float, root: Float64
) -> dict[str, Float64]:
    """Root-relative positions of both shoulders or hips around `centre`: slope from the image, depth from the yaw."""
    names = (f"left_{part}", f"right_{part}")
    if names[0] not in rays or names[1] not in rays:
        return {}
    distance = -centre[2]
    projected = (rays[names[0]] - rays[names[1]]) * distance
    axis = np.array([projected[0], projected[1], left[2] * width])
    axis *= width / _norm(axis)
    return {names[0]: centre - root + axis / 2, names[1]: centre - root - axis / 2}


def _placed_limb(
    rays: dict[str, Float64],
    names: list[str],
    start: Float64,
    root: Float64,
    lengths: tuple[float, float],
    cost: Callable[[Float64, Float64 | None], float],
    before: dict[str, Float64],
) -> dict[str, Float64]:
    """Root-relative knee and ankle, or elbow and wrist: the candidates of lowest cost."""
    joint, end = names
    if joint not in rays:
        return {}
    options: list[tuple[float, Float64, Float64 | None]] = []
    for upper in _bone_candidates(start + root, rays[joint], lengths[0]):
        if end not in rays:
            options.append((cost(upper, None), start + upper, None))
            continue
        options += [
            (cost(upper, lower), start + upper, start + upper + lower)
            for lower in _bone_candidates(start + upper + root, rays[end], lengths[1])
        ]
    best = min(options, key=lambda o: o[0] + _jump_cost(o[1], before.get(joint)) + _jump_cost(o[2], before.get(end)))
    return {joint: best[1]} if best[2] is None else {joint: best[1], end: best[2]}


def _jump_cost(place: Float64 | None, before: Float64 | None) -> float:
    if place is None or before is None:
        return 0.0
    return min((_norm(place - before) / _CONTINUITY_SIGMA_M) ** 2, _CONTINUITY_CAP)


def _leg_cost(thigh: Float64, shank: Float64 | None, front: Float64, left: Float64) -> float:
    """Cost of a leg by anatomy and habitual poses; about 0 for a comfortable one."""
    u = thigh / _norm(thigh)
    ahead = float(u @ front)
    cost = 3.0 * max(0.0, -ahead - _HIP_BACK) - _LEG_AHEAD * ahead
    if shank is None:
        return cost
    flexion = float(rot.cross(u, shank / _norm(shank)) @ left)  # positive when the knee bends backwards
    under = float((thigh + shank) @ front)  # a foot is usually below its hip
    return cost + 8.0 * max(0.0, -flexion - 0.05) + _FOOT_UNDER_HIP * (under / 0.3) ** 2


def _arm_cost(upper: Float64, forearm: Float64 | None, front: Float64) -> float:
    """Cost of an arm by anatomy and habitual poses; about 0 for a comfortable one."""
    u = upper / _norm(upper)
    ahead, hanging = float(u @ front), max(0.0, -float(u[1]))
    # A hanging arm swings both ways; a raised one seldom goes back.
    cost = 4.0 * max(0.0, -ahead - _SHOULDER_BACK * hanging) - _ARM_AHEAD * (1.0 - hanging) * ahead
    if forearm is None:
        return cost
    w = forearm / _norm(forearm)
    forward = float((w - (w @ u) * u) @ front)
    return cost + 3.0 * hanging * max(0.0, -forward - 0.1) - _FOREARM_AHEAD * float(w @ front)
