"""Evaluation of lifter, IK and filters on lifting cases with ground truth.

The 12 limb joints of the final pose are compared, relative to the middle of the hips, in the camera's axes: what drives
a character, not a network's intermediate output.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime_pose.body_pipeline import BodyPipeline, build_body
from realtime_pose.config import AppConfig
from realtime_pose.evaluation import errors3d
from realtime_pose.evaluation.lifting_cases import LiftingCase
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import LIMB_NAMES, LIMB_ROWS
from realtime_pose.utils.arrays import Bool, Float64
from realtime_pose.utils.stopwatch import Stopwatch

_HIPS = [LIMB_NAMES.index("left_hip"), LIMB_NAMES.index("right_hip")]
_BONES = [
    (LIMB_NAMES.index(f"{side}_{start}"), LIMB_NAMES.index(f"{side}_{end}"))
    for side in ("left", "right")
    for start, end in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The result for one case: the joints of `LIMB_JOINTS` in canonical axes, not rotated into the world.

    Attributes:
        case: The case.
        limbs_m: (T, 12, 3) relative to the middle of the hips, by forward kinematics of the pose.
        lifted_m: (T, 12, 3) the same from the lifter, before IK.
        lift_ms: (T,) time of the lifter.
        solve_ms: (T,) time of IK and filters.
        up: (T, 3) unit vector against gravity as the program believes, canonical camera axes; None where it has none.
    """

    case: LiftingCase
    limbs_m: Float64
    lifted_m: Float64
    lift_ms: Float64
    solve_ms: Float64
    up: Float64 | None = None


@dataclass(frozen=True)
class LiftFigures:
    """Figures of `eval lift` over all frames of all cases; lower is better, except `cases` and `frames`.

    Attributes:
        cases, frames: Number of evaluated cases and frames.
        mpjpe_mm: Mean joint error relative to the middle of the hips, after one least-squares scale per case.
        pa_mpjpe_mm: The same after a similarity alignment per frame.
        n_mpjpe_mm: The same after one least-squares scale per frame.
        jitter_ratio: Mean acceleration of the prediction over that of the truth; NaN for a truth that does not move.
        bone_drift_percent: Standard deviation of a limb bone's length over its mean.
        ms_per_frame: Median time of lifter, IK and filters for one person and frame.
        lift_ms_per_frame: The same of the lifter alone.
        seen_mpjpe_mm: Mean error of the joints inside the image, relative to their own middle, one scale per case.
        gravity_deg, gravity_p95_deg: Median and 95th percentile of the angle between the up direction in use and the
            true one, over all frames of the cases that tell it; NaN where none does.
    """

    cases: int
    frames: int
    mpjpe_mm: float
    pa_mpjpe_mm: float
    n_mpjpe_mm: float
    jitter_ratio: float
    bone_drift_percent: float
    ms_per_frame: float
    lift_ms_per_frame: float
    seen_mpjpe_mm: float
    gravity_deg: float
    gravity_p95_deg: float

    def as_dict(self) -> dict[str, Any]:
        """The report's part: its keys are a contract with other programs."""
        known = () if np.isnan(self.gravity_deg) else _GRAVITY
        return {name: _rounded(getattr(self, name)) for name in (*_REPORTED, *known)}


_REPORTED = (
    "cases", "frames", "mpjpe_mm", "pa_mpjpe_mm", "n_mpjpe_mm", "jitter_ratio", "bone_drift_percent", "ms_per_frame",
)  # fmt: skip
_GRAVITY = ("gravity_deg", "gravity_p95_deg")
_UP = np.array([0.0, 1.0, 0.0])


def _rounded(value: float) -> float | None:
    if isinstance(value, int):
        return value
    return round(value, 3) if np.isfinite(value) else None


def report_of(figures: Mapping[str, LiftFigures]) -> dict[str, Any]:
    """The report of `eval lift`: the figures of the given cases (key ""), then those of the built-in ones by name.

    Those of the built-in cases include `seen_mpjpe_mm`.
    """
    others = {
        case_set.partition(":")[0]: found.as_dict() | {"seen_mpjpe_mm": _rounded(found.seen_mpjpe_mm)}
        for case_set, found in figures.items()
        if case_set
    }
    given = figures[""].as_dict() if "" in figures else {}
    return given | ({"others": others} if others else {})


def predict_cases(
    config: AppConfig,
    cases: Sequence[LiftingCase],
    *,
    filtered: bool = True,
    progress: Progress = lambda done, total: None,
) -> list[Prediction]:
    """The program's predictions for the cases, frame by frame as in a live run.

    Args:
        config: The settings; the camera is that of each case.
        cases: The clips.
        filtered: Whether to apply the filters, or to return the pose as IK made it.
        progress: Called with the number of frames done, and the total.

    Raises:
        UnknownChoiceError: A name in the settings is in no table.
    """
    if not filtered:
        config = config.with_values({"body": {"smoothing": "none"}}, "unfiltered")
    total, done, predictions = sum(len(case) for case in cases), 0, []
    for track_id, case in enumerate(cases, start=1):
        # Each case has its own camera and floor, so each has its own stages.
        predictions.append(_predict(build_body(config, filtered=filtered), case, track_id))
        done += len(case)
        progress(done, total)
    return predictions


def _predict(body: BodyPipeline, case: LiftingCase, track_id: int) -> Prediction:
    """The prediction for one case, with new state."""
    limbs, lifted, times, up = [], [], [], []
    for frame in range(len(case)):
        watch = Stopwatch()
        joints, pose = body.pose_of(case.keypoints(frame, track_id).sane(), case.intrinsics, watch)
        limbs.append(body.in_camera_axes(forward_kinematics(pose)[LIMB_ROWS]))
        lifted.append(joints.xyz_m[joints.layout.rows(LIMB_NAMES)].astype(np.float64))
        times.append(watch.take())
        up.append(body.in_camera_axes(_UP))
    lift_ms, solve_ms, filter_ms = (np.array([t[stage] for t in times]) for stage in ("lift", "solve", "filter"))
    return Prediction(
        case,
        _from_hips(np.array(limbs)),
        _from_hips(np.array(lifted)),
        lift_ms,
        solve_ms + filter_ms,
        None if body.filters is None else np.array(up),
    )


def _from_hips(limbs_m: Float64) -> Float64:
    """Limb joints (T, 12, 3) relative to the middle of the hips."""
    out: Float64 = limbs_m - limbs_m[:, _HIPS].mean(axis=1, keepdims=True)
    return out


def evaluate(predictions: Sequence[Prediction], *, lifted: bool = False) -> LiftFigures:
    """The figures over all predictions.

    Args:
        predictions: At least one.
        lifted: Evaluate the lifter's joints instead of the final pose.
    """
    pairs = [(a.lifted_m if lifted else a.limbs_m, _from_hips(a.case.limbs_m)) for a in predictions]
    took_ms = np.concatenate([a.lift_ms + (0 if lifted else a.solve_ms) for a in predictions])
    gravity_deg, gravity_p95_deg = _gravity_deg([] if lifted else predictions)
    return LiftFigures(
        cases=len(predictions),
        frames=len(took_ms),
        mpjpe_mm=_pooled_mm((errors3d.scaled_as_one(x, y), y) for x, y in pairs),
        pa_mpjpe_mm=_pooled_mm((errors3d.aligned_by_similarity(x, y), y) for x, y in pairs),
        n_mpjpe_mm=_pooled_mm((errors3d.scaled_by_frame(x, y), y) for x, y in pairs),
        jitter_ratio=_pooled_jitter([(x, y, a.case.fps) for (x, y), a in zip(pairs, predictions, strict=True)]),
        bone_drift_percent=_bone_drift_percent([x for x, _ in pairs]),
        ms_per_frame=float(np.median(took_ms)),
        lift_ms_per_frame=float(np.median(np.concatenate([a.lift_ms for a in predictions]))),
        seen_mpjpe_mm=_seen_mm([(x, y, a.case.seen) for (x, y), a in zip(pairs, predictions, strict=True)]),
        gravity_deg=gravity_deg,
        gravity_p95_deg=gravity_p95_deg,
    )


def _gravity_deg(predictions: Iterable[Prediction]) -> tuple[float, float]:
    """Median and 95th percentile of the error of the up direction; NaN where nothing is known of it."""
    errors = [
        np.degrees(np.arccos(np.clip(a.up @ a.case.up, -1.0, 1.0)))
        for a in predictions
        if a.up is not None and a.case.up is not None
    ]
    if not errors:
        return float("nan"), float("nan")
    median, p95 = np.percentile(np.concatenate(errors), [50, 95])
    return float(median), float(p95)


def _pooled_mm(pairs: Iterable[tuple[Float64, Float64]]) -> float:
    """Mean distance in mm over all joints of all frames of all cases."""
    return float(np.concatenate([np.linalg.norm(x - y, axis=-1).ravel() for x, y in pairs]).mean() * 1e3)


def _pooled_jitter(clips: Sequence[tuple[Float64, Float64, float]]) -> float:
    prediction = np.concatenate([errors3d.acceleration_m_s2(x, fps).ravel() for x, _, fps in clips])
    truth = np.concatenate([errors3d.acceleration_m_s2(y, fps).ravel() for _, y, fps in clips])
    return float(prediction.mean() / truth.mean()) if len(truth) and truth.mean() > 0 else float("nan")


def _bone_drift_percent(clips: Sequence[Float64]) -> float:
    """Mean over limb bones and cases, weighted by the number of frames."""
    starts, ends = (list(rows) for rows in zip(*_BONES, strict=True))
    drift = [errors3d.lengths_drift_percent(np.linalg.norm(x[:, ends] - x[:, starts], axis=-1)).mean() for x in clips]
    return float(np.average(drift, weights=[len(x) for x in clips]))


def _seen_mm(clips: Sequence[tuple[Float64, Float64, Bool]]) -> float:
    """Mean error of the joints inside the image alone, relative to their middle; the others can only be guessed."""
    errors = []
    for prediction, truth, seen in clips:
        weight = seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)
        x, y = ((z - (weight[..., None] * z).sum(axis=1, keepdims=True)) * seen[..., None] for z in (prediction, truth))
        errors.append(np.linalg.norm(errors3d.scaled_as_one(x, y) - y, axis=-1)[seen])
    pooled = np.concatenate(errors)
    return float(pooled.mean() * 1e3) if len(pooled) else float("nan")
