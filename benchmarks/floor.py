"""Floor, camera pitch and feet, found without any information about the camera: how soon and how well.

Run: python benchmarks/floor.py [--held-out] [--feet auto|never] [--known-camera] [--each]   (three minutes)

Synthetic cases, always the same: drawn bodies that walk to and fro, round and sideways, stand on the spot, turn, squat,
or sit and get up and walk, and the actor of the first clip, each before cameras of six pitches, 0.8 to 2.2 m high. An
estimator's errors are added; the pose after lifter, IK and filters is compared with the truth in the upright world.
The held-out cases are other bodies, other cameras and other errors: for judging, not for tuning.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.body_pipeline import build_body
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import CameraIntrinsics, PersonKeypoints, SkeletonPose
from realtime_pose.evaluation import errors3d
from realtime_pose.evaluation.synthetic import bodies as bodies
from realtime_pose.evaluation.synthetic.views import project, simulate_keypoints
from realtime_pose.kinematics import forward_kinematics, global_rotations
from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS, HUMANOID, LIMB_NAMES, LIMB_ROWS, REST_HEIGHT_M
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import Bool, Float64, as_float32
from realtime_pose.utils.stopwatch import Stopwatch

FPS, SECONDS = 30.0, 15.0
PITCHES_DEG = (0.0, 3.0, 6.0, 8.0, 12.0, 20.0)
NEAR_DEG = 2.0  # a pitch within this counts as found
_FRAMES = round(FPS * SECONDS)
_SIZES = ((640, 480), (1280, 720), (720, 1280))
_STILL_M_S = 0.15  # below it a foot that is never lifted stands
_FEET = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]
_ANKLES, _LIMB_POINTS = COCO17.rows(("left_ankle", "right_ankle")), COCO17.rows(LIMB_NAMES)

_SOLE_M = np.array([(0.0, -0.07, -0.05), (0.0, -0.07, 0.12)])  # heel and ball from the ankle of a 1.70 m adult

Rng = np.random.Generator


@dataclass(frozen=True, eq=False)
class Walk:
    """A person in motion: COCO's points (T, 17, 3) over the floor at y = 0, and which feet stand (T, 2)."""

    name: str
    points_m: Float64
    stands: Bool
    height_m: float


@dataclass(frozen=True, eq=False)
class Case:
    """A motion in front of a camera, as an estimator finds it."""

    walk: Walk
    pitch_deg: float
    camera_m: float
    camera: CameraIntrinsics
    fov_deg: float
    world_m: Float64  # points in the world that has the camera's heading
    xy_px: Float64
    score: Float64


@dataclass(frozen=True)
class Found:
    """The result of a case; NaN where there is nothing to measure."""

    motion: str
    pitch_deg: float
    found_s: float  # when the pitch is within NEAR_DEG for good; the clip's length if never
    pitch_error_deg: float  # at the end, signed
    worst_deg: float  # beyond both the truth and level
    height_error_cm: float
    precision: float
    recall: float
    slide_cm_s: float
    sink_cm: float
    mpjpe_mm: float
    pa_mpjpe_mm: float
    took_ms: float


def _steps(rng: Rng, place_m: Float64, heading: Float64, build: bodies.Build) -> tuple[Float64, Bool]:
    """Ankles (T, 2, 3) and contacts (T, 2) of feet that step along a path (T, 2) over the floor.

    Each foot in turn steps to where the path will be when it bears weight, while the path moves; else both stay down.
    """
    frames, stride_s = len(place_m), rng.uniform(0.9, 1.2)
    t = np.arange(frames) / FPS
    ankles, stands = np.zeros((frames, 2, 3)), np.ones((frames, 2), bool)
    lift, apart = rng.uniform(0.07, 0.13), rng.uniform(0.12, 0.2)
    for foot, sign in enumerate((1.0, -1.0)):
        side = np.stack((np.cos(heading), -np.sin(heading)), axis=-1)  # the body's left
        wanted = place_m + sign * apart / 2 * side
        now = wanted[0]
        start = (0.0 if foot == 0 else 0.5) * stride_s + 0.3
        out = np.repeat(now[None], frames, axis=0)
        up = np.zeros(frames)
        while start < t[-1]:
            first, last = round(start * FPS), round((start + 0.4 * stride_s) * FPS)
            mid_stance = min(round((start + 0.7 * stride_s) * FPS), frames - 1)
            goal = wanted[mid_stance]
            if np.linalg.norm(goal - now) > 0.04 and last < frames:
                s = np.linspace(0.0, 1.0, last - first + 1)[1:]
                smooth = 10 * s**3 - 15 * s**4 + 6 * s**5
                out[first + 1 : last + 1] = now + smooth[:, None] * (goal - now)
                up[first + 1 : last + 1] = lift * np.sin(np.pi * s) ** 2
                stands[first : last + 1, foot] = False
                out[last + 1 :] = goal
                now = goal
            start += stride_s
        ankles[:, foot] = np.column_stack((out[:, 0], build.ankle + up, out[:, 1]))
    return ankles, stands


def _way(rng: Rng, name: str) -> tuple[Float64, Float64]:
    """The path of the body (T, 2), x and z, and its heading (T,) in rad: 0 faces the camera, which is at +z."""
    t = np.arange(_FRAMES) / FPS
    pace = rng.uniform(0.6, 1.2)
    if name == "to and fro":
        far = rng.uniform(0.8, 1.6)
        z, direction = _shuttle(t, pace, far)
        return np.column_stack((0.1 * np.sin(t), z)), np.where(direction > 0, 0.0, np.pi)
    if name == "sideways":
        x, _ = _shuttle(t, 0.6 * pace, rng.uniform(0.5, 1.0))
        return np.column_stack((x, 0.05 * np.sin(0.7 * t))), np.full(_FRAMES, rng.uniform(-0.3, 0.3))
    if name == "across":
        x, direction = _shuttle(t, pace, rng.uniform(0.8, 1.2))
        return np.column_stack((x, 0.15 * np.sin(0.4 * t))), direction * np.pi / 2
    if name == "round":
        radius = rng.uniform(0.6, 1.1)
        angle = rng.choice([-1.0, 1.0]) * pace * t / radius + rng.uniform(0, 6)
        turning = np.sign(angle[-1] - angle[0])
        return radius * np.column_stack((np.sin(angle), np.cos(angle))), angle + turning * np.pi / 2
    if name == "turning":
        return np.zeros((_FRAMES, 2)), np.cumsum(np.full(_FRAMES, rng.choice([-1, 1]) * 0.8 / FPS))
    return np.zeros((_FRAMES, 2)), np.full(_FRAMES, rng.uniform(-0.3, 0.3))


def _shuttle(t: Float64, pace: float, far: float) -> tuple[Float64, Float64]:
    """A path to and fro (T,) within `far` of its middle, slowing at both ends, and its direction."""
    phase = pace * t / far
    return far * np.sin(phase), np.sign(np.cos(phase))


def _smoothed(angle: Float64, seconds: float = 0.5) -> Float64:
    """A heading (T,) with a limited turning rate."""
    width = round(seconds * FPS)
    padded = np.pad(np.unwrap(angle), (width, width), mode="edge")
    return np.convolve(padded, np.ones(2 * width + 1) / (2 * width + 1), mode="valid")


def _stepping(rng: Rng, name: str, build: bodies.Build) -> tuple[bodies.SyntheticMotion, Bool]:
    place, heading = _way(rng, name)
    heading = _smoothed(heading)
    ankles, stands = _steps(rng, place, heading, build)
    wrists, elbows = bodies.hand_motion(rng, _FRAMES, FPS, "hanging", "hanging", "open", "raised", "crossed", "hips")
    mean = ankles.mean(axis=1)
    apart = np.linalg.norm((ankles[:, 0] - ankles[:, 1]) * (1, 0, 1), axis=-1)
    legs = 0.985 * (build.thigh + build.shank)
    rise = np.sqrt(np.maximum(legs**2 - (apart / 2) ** 2, 0.3)) + build.ankle - 0.015
    hips = np.column_stack((mean[:, 0], rise, mean[:, 2]))
    # In a relaxed stance the ankles are a little behind the hips (Kendall's plumb line).
    ahead = rng.normal(0.03, 0.015) * build.size
    hips[:, [0, 2]] = 0.5 * hips[:, [0, 2]] + 0.5 * place + ahead * np.column_stack((np.sin(heading), np.cos(heading)))
    yaw = np.degrees(heading)
    lean = rng.normal(2.0, 2.5) + bodies.sway(rng, _FRAMES, FPS, 6)  # people differ in posture
    zero = np.zeros(_FRAMES)
    motion = bodies.SyntheticMotion(
        hips_m=hips,
        hips_xyzw=bodies.rotations(yaw, 0.3 * lean, zero),
        chest_xyzw=bodies.rotations(yaw, lean, bodies.sway(rng, _FRAMES, FPS, 4)),
        head_xyzw=bodies.rotations(
            yaw + bodies.sway(rng, _FRAMES, FPS, 30), lean + bodies.sway(rng, _FRAMES, FPS, 12), zero
        ),
        wrists=wrists,
        elbows=elbows,
        ankles_m=ankles,
        knees=rot.rotate(
            bodies.rotations(yaw, zero, zero)[:, None],
            np.broadcast_to(bodies.mirrored_pair(0.1, 0.0, 1.0), ankles.shape),
        ),
    )
    return motion, stands


def _get_up(rng: Rng, build: bodies.Build) -> tuple[bodies.SyntheticMotion, Bool]:
    """Sitting for a third of the time, standing up, walking to and fro."""
    walk, stands = _stepping(rng, "to and fro", build)
    sits, gets_up = round(_FRAMES / 3), round(1.2 * FPS)
    seat = bodies.seated(rng, build, _FRAMES, FPS)
    late = sits + gets_up
    s = np.clip((np.arange(_FRAMES) - sits) / gets_up, 0.0, 1.0)
    s = (10 * s**3 - 15 * s**4 + 6 * s**5)[:, None]
    start = walk.hips_m[0] * (1, 0, 1)

    def shown(field: str) -> Float64:
        """The walk, held at its first frame until it starts."""
        value = getattr(walk, field)
        return np.concatenate((np.repeat(value[:1], late, axis=0), value[: _FRAMES - late]))

    feet = seat.ankles_m[0] * (1, 0, 1) + start
    back = np.array([0.0, 0.0, feet[:, 2].mean() - shown("ankles_m")[0, :, 2].mean()])
    ankles = shown("ankles_m") + back
    ankles[:late] = ankles[0]
    hips_up = shown("hips_m") + back
    hips_down = seat.hips_m + start
    blend = {f: rot.slerp(getattr(seat, f), shown(f), s[:, 0]) for f in ("hips_xyzw", "chest_xyzw", "head_xyzw")}
    lean = 30 * np.sin(np.pi * s[:, 0]) ** 2
    blend["chest_xyzw"] = rot.multiply(blend["chest_xyzw"], bodies.rotations(0 * lean, lean, 0 * lean))
    motion = bodies.SyntheticMotion(
        hips_m=hips_down + s * (hips_up - hips_down),
        wrists=seat.wrists + s[..., None] * (shown("wrists") - seat.wrists),
        elbows=seat.elbows + s[..., None] * (shown("elbows") - seat.elbows),
        ankles_m=ankles,
        knees=np.broadcast_to(bodies.mirrored_pair(0.15, 0.3, 1.0), ankles.shape) * (s[..., None] < 1)
        + shown("knees") * (s[..., None] >= 1),
        **blend,
    )
    return motion, np.concatenate((np.ones((late, 2), bool), stands[: _FRAMES - late]))


def _standing_still(
    draw: Callable[..., bodies.SyntheticMotion],
) -> Callable[[Rng, bodies.Build], tuple[bodies.SyntheticMotion, Bool]]:
    def made(rng: Rng, build: bodies.Build) -> tuple[bodies.SyntheticMotion, Bool]:
        motion = draw(rng, build, _FRAMES, FPS)
        back = rng.normal(0.03, 0.015) * build.size * (motion.hips_m[:, 1].min() > 0.6)  # not while sitting
        motion = replace(motion, ankles_m=motion.ankles_m * (1, 0, 1) + (0, build.ankle, -back))
        return motion, _slow(motion.ankles_m)

    return made


def _slow(ankles_m: Float64) -> Bool:
    """Contacts of ankles (T, 2, 3)."""
    speed = np.linalg.norm(np.gradient(ankles_m, 1 / FPS, axis=0), axis=-1)
    return np.asarray(speed < _STILL_M_S)


MOTIONS: dict[str, Callable[[Rng, bodies.Build], tuple[bodies.SyntheticMotion, Bool]]] = {
    name: (lambda rng, build, name=name: _stepping(rng, name, build))
    for name in ("to and fro", "sideways", "across", "round", "turning")
} | {
    "spot": _standing_still(bodies.arms_crossed),
    "squat": _standing_still(bodies.squatting),
    "get up": _get_up,
    "seated": _standing_still(bodies.seated),
}


def drawn(name: str, rng: Rng) -> Walk:
    build = bodies.Build.random(rng)
    motion, stands = MOTIONS[name](rng, build)
    return Walk(name, bodies.points_of(build, motion), stands, build.size * REST_HEIGHT_M)


def actor() -> Walk:
    truth = load_truth("actor")
    points = truth.keypoints_m[:, COCO17_FEET_HANDS.rows(COCO17.names)].astype(np.float64)
    return Walk("actor", points[:_FRAMES], truth.foot_contact[:_FRAMES], truth.height_m)


def before_a_camera(walk: Walk, pitch_deg: float, rng: Rng) -> Case:
    """The motion, completely in the image; the actor, which has its own heading, at a random one."""
    yaw = rng.uniform(-np.pi, np.pi) if walk.name == "actor" else 0.0
    points = walk.points_m - walk.points_m.mean(axis=(0, 1)) * (1, 0, 1)
    points = rot.rotate(rot.from_axis_angle((0.0, 1.0, 0.0), np.array(yaw)), points)
    while True:  # not every lens at every height has all of a body in view
        width, height = _SIZES[rng.integers(len(_SIZES))]
        fov_deg = float(rng.uniform(50, 95))
        camera = CameraIntrinsics.from_field_of_view(fov_deg, width, height)
        camera_m = float(rng.uniform(0.8, 2.2) if pitch_deg < 10 else rng.uniform(1.4, 2.2))
        roll = rot.from_axis_angle((0.0, 0.0, 1.0), np.radians(rng.normal(0, 0.7)))
        turn = rot.multiply(roll, rot.from_axis_angle((1.0, 0.0, 0.0), np.radians(pitch_deg)))  # camera from world
        half = np.array([camera.width, camera.height]) / 2 / camera.fx
        for distance in np.arange(1.8, 7.0, 0.1):
            seen = rot.rotate(turn, points - (0.0, camera_m, distance))
            inside = (np.abs(seen[..., :2]) < half * -seen[..., 2:]).all(axis=-1)
            if inside.mean() > 0.995:
                xy, score = simulate_keypoints(rng, project(seen, camera), camera, FPS)
                return Case(walk, pitch_deg, camera_m, camera, fov_deg, points, xy, score)


def cases(*, held_out: bool) -> list[Case]:
    """Every motion in front of cameras of every pitch."""
    out = []
    fixed = actor()
    for row, name in enumerate([*MOTIONS, "actor"]):
        for column, pitch_deg in enumerate(PITCHES_DEG):
            rng = np.random.default_rng([int(held_out), row, column])
            walk = fixed if name == "actor" else drawn(name, rng)
            out.append(before_a_camera(walk, pitch_deg, rng))
    return out


def judge(case: Case, config: AppConfig) -> Found:
    """The case through the program with these settings."""
    body, watch = build_body(config), Stopwatch()
    floor = body.filters.floor
    poses: list[SkeletonPose] = []
    pitches, contacts, took = [], [], []
    for row in range(len(case.xy_px)):
        time_ns = round(row / FPS * 1e9)
        seen = PersonKeypoints(COCO17, as_float32(case.xy_px[row]), as_float32(case.score[row]), 1, time_ns)
        poses.append(body.pose_of(seen.sane(), case.camera, watch)[1])
        times = watch.take()
        took.append(times["solve"] + times["filter"])
        x, _, _, w = floor.world_from_camera_xyzw
        pitches.append(-math.degrees(2 * math.atan2(x, w)))
        contact = poses[-1].foot_contact
        contacts.append((False, False) if contact is None else (bool(contact[0]), bool(contact[1])))
    return score(case, poses, pitches, contacts, float(floor.camera_m[1]), float(np.median(took)))


def score(
    case: Case, poses: Sequence[SkeletonPose], pitches_deg: Sequence[float], contacts: Sequence[tuple[bool, bool]],
    camera_m: float, took_ms: float,
) -> Found:  # fmt: skip
    """The result against the truth."""
    stands = case.walk.stands
    joints = np.array([forward_kinematics(pose) for pose in poses], dtype=np.float64)
    limbs, truth = joints[:, LIMB_ROWS], case.world_m[:, _LIMB_POINTS]
    hips = [LIMB_NAMES.index(f"{side}_hip") for side in ("left", "right")]
    limbs, truth = (x - x[:, hips].mean(axis=1, keepdims=True) for x in (limbs, truth))
    local = np.array([pose.rotations.local_xyzw for pose in poses], dtype=np.float64)
    off = np.array(pitches_deg) - case.pitch_deg
    wrong = np.flatnonzero(np.abs(off) > NEAR_DEG)
    beyond = np.maximum(np.array(pitches_deg) - max(case.pitch_deg, 0), min(case.pitch_deg, 0) - np.array(pitches_deg))
    both = (np.array(contacts) & stands).sum()
    return Found(
        case.walk.name,
        case.pitch_deg,
        (wrong[-1] + 1) / FPS if len(wrong) else 0.0,
        float(off[-1]),
        float(max(beyond.max(), 0.0)),
        float(100 * abs(camera_m - case.camera_m)),
        float(100 * both / np.sum(contacts)) if np.any(contacts) else math.nan,
        float(100 * both / stands.sum()) if stands.any() else math.nan,
        errors3d.foot_slide_cm_s(joints[:, _FEET], stands, FPS),
        float(np.maximum(-100 * _soles_m(joints, local, case.walk.height_m).min(axis=1), 0).mean()),
        errors3d.mpjpe_mm(limbs, truth),
        errors3d.mpjpe_mm(errors3d.aligned_by_similarity(limbs, truth), truth),
        took_ms,
    )


def _soles_m(joints_m: Float64, local_xyzw: Float64, height_m: float) -> Float64:
    """(T, 2) height over the floor of the lowest point of each sole."""
    turned = global_rotations(HUMANOID, local_xyzw)[:, _FEET, None]
    soles = joints_m[:, _FEET, None] + rot.rotate(turned, _SOLE_M * (height_m / REST_HEIGHT_M))
    lowest: Float64 = soles[..., 1].min(axis=-1)
    return lowest


def _row(name: str, found: Sequence[Found]) -> str:
    def mean(field: str) -> float:
        return float(np.nanmean([abs(getattr(f, field)) for f in found]))

    near = np.mean([f.found_s < SECONDS - 1 for f in found])
    return (
        f"{name:>12} | {100 * near:4.0f} % | {mean('found_s'):5.1f} | {mean('pitch_error_deg'):5.2f} | "
        f"{max(f.worst_deg for f in found):5.2f} | {mean('height_error_cm'):5.1f} | {mean('precision'):4.0f} | "
        f"{mean('recall'):4.0f} | {mean('slide_cm_s'):5.2f} | {mean('sink_cm'):5.2f} | {mean('mpjpe_mm'):6.1f} | "
        f"{mean('pa_mpjpe_mm'):6.1f} | {mean('took_ms'):4.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--feet", default="auto")
    parser.add_argument("--known-camera", action="store_true", help="give the camera's pitch and height to the program")
    parser.add_argument("--each", action="store_true", help="a line for every case")
    args = parser.parse_args()
    found = []
    for case in cases(held_out=args.held_out):
        body = {"height_m": case.walk.height_m, "fov_deg": case.fov_deg, "feet": args.feet}
        if args.known_camera:
            body |= {"camera_pitch_deg": case.pitch_deg, "camera_height_m": case.camera_m}
        found.append(judge(case, AppConfig().with_values({"body": body}, "benchmark")))
        if args.each:
            print(_row(f"{found[-1].motion[:9]} {found[-1].pitch_deg:.0f}", found[-1:]), flush=True)
    print("       cases |  found | after | error | worst | height | prec | rec | slide | sink | MPJPE | PA | ms")
    for pitch_deg in PITCHES_DEG:
        print(_row(f"{pitch_deg:.0f} degrees", [f for f in found if f.pitch_deg == pitch_deg]))
    for motion in dict.fromkeys(f.motion for f in found):
        print(_row(motion, [f for f in found if f.motion == motion]))
    print(_row("all", found))


if __name__ == "__main__":
    main()
