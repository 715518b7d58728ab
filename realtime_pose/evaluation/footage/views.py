"""Evaluation of each of several calibrated views against the people that all of them together show."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realtime_pose.config import AppConfig
from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage.calibration import CalibratedCamera, cameras_of, read_qualisys
from realtime_pose.evaluation.footage.cameras import up_of
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints, KeypointFinder
from realtime_pose.evaluation.footage.clip_poses import PersonTrack, angle_deg, limb_joints, tracks_of
from realtime_pose.evaluation.footage.triangulation import MIN_SCORE, Sighting, TriangulatedPerson, follow
from realtime_pose.skeletons import LIMB_NAMES
from realtime_pose.utils.arrays import Float64, as_float32

_HIPS = [LIMB_NAMES.index(f"{side}_hip") for side in ("left", "right")]
_ANKLES = [LIMB_NAMES.index(f"{side}_ankle") for side in ("left", "right")]
_MIN_FRAMES = 10  # a person with fewer in common with the truth is not measured
_MIN_JOINTS = 6  # known joints that a frame needs to be aligned by itself


@dataclass(frozen=True)
class ViewFigures:
    """Figures of one person in one view against the triangulated truth.

    Attributes:
        view: The video.
        person: Such as "person 1"; people are numbered by how long they are seen.
        frames: Frames with a pose and the truth.
        pa_mpjpe_mm: Mean error of the limb joints after a similarity alignment per frame.
        mpjpe_mm: The same relative to the middle of the hips, after one rotation and scale for the whole clip.
        feet_mm: The same of the ankles alone.
        keypoints_off_px: Mean distance of the keypoints from the true joints: errors that the 3D was given.
        gravity_deg: Median angle between the up direction that the program finds and the calibration's.
    """

    view: str
    person: str
    frames: int
    pa_mpjpe_mm: float
    mpjpe_mm: float
    feet_mm: float
    keypoints_off_px: float
    gravity_deg: float


@dataclass(frozen=True)
class ViewsResult:
    """The figures of all people in all views.

    Attributes:
        estimator: What found the keypoints.
        truth_frames: Frames in which each person is triangulated.
        truth_off_px: Median distance from the triangulated joints to their keypoints, in px of the first camera.
        rows: Person by person, view by view.
    """

    estimator: str
    truth_frames: dict[str, int]
    truth_off_px: float
    rows: list[ViewFigures]

    def pooled(self) -> ViewFigures:
        """The mean over all rows, weighted by their frames."""
        frames = [row.frames for row in self.rows]

        def mean(name: str) -> float:
            return float(np.average([getattr(row, name) for row in self.rows], weights=frames))

        names = ("pa_mpjpe_mm", "mpjpe_mm", "feet_mm", "keypoints_off_px", "gravity_deg")
        return ViewFigures("all views", "", sum(frames), *(mean(name) for name in names))

    def as_dict(self) -> dict[str, Any]:
        """The report."""
        return {
            "estimator": self.estimator,
            **_rounded(self.pooled(), ("view", "person")),
            "truth": {"frames": self.truth_frames, "off_px": round(self.truth_off_px, 2)},
            "views": [_rounded(row) for row in self.rows],
        }


def _rounded(row: ViewFigures, without: Sequence[str] = ()) -> dict[str, Any]:
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in asdict(row).items()
        if name not in without
    }


def evaluate_views(
    videos: Sequence[Path],
    calibration: Path,
    config: AppConfig,
    *,
    cache: Path | None = None,
    notify: Callable[[str], None] = lambda note: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ViewsResult:
    """The figures of synchronous videos of a calibrated set of cameras.

    Args:
        videos: One of each camera; frame t of all is the same moment.
        calibration: A Qualisys file; its cameras are named as the videos, or in their order.
        config: The settings. With `inference.persons` over 1, an estimator that follows one person is run a second time
            with that one covered.
        cache: Folder for keypoints; by default in the user's cache.
        notify: Callback for each choice made for the user, one sentence.
        progress: Called with the number of videos done, and the total.

    Raises:
        RealtimePoseError: A file cannot be read, or nobody is seen by two cameras.
    """
    if len(videos) < 2:
        raise RecordingError("one view has no truth to be measured by; give the videos of two cameras or more")
    cameras = cameras_of(videos, read_qualisys(calibration))
    clips: list[list[ClipKeypoints]] = []
    with closing(KeypointFinder(config, cache, notify)) as finder:
        for done, path in enumerate(videos):
            progress(done, len(videos))
            clip = finder.find(path)
            alone = config.inference.persons > 1 and not clip.follows_many
            clips.append([clip, finder.find_another(clip)] if alone else [clip])
    progress(len(videos), len(videos))
    people = [person for person in follow(_sightings(clips, cameras)) if len(person.joints_m) >= _MIN_FRAMES]
    names = {f"person {number}": person for number, person in enumerate(people, start=1)}
    rows = [
        figures
        for name, person in names.items()
        for view, (path, camera) in enumerate(zip(videos, cameras, strict=True))
        for track in tracks_of(_clip_of(clips[view], view, person), config)
        if (figures := compare(track, person, camera, path.name, name)) is not None
    ]
    if not rows:
        raise RecordingError(
            f"nobody is seen by two cameras for {_MIN_FRAMES} frames; check that the videos are synchronous, and that "
            f"{calibration} is of their cameras"
        )
    off_rad = np.concatenate([np.ravel(list(person.off_rad.values())) for person in people])
    off_px = float(np.nanmedian(off_rad)) * cameras[0].intrinsics.fx
    return ViewsResult(clips[0][0].estimator, {n: len(p.joints_m) for n, p in names.items()}, off_px, rows)


def _sightings(clips: Sequence[Sequence[ClipKeypoints]], cameras: Sequence[CalibratedCamera]) -> list[list[Sighting]]:
    """Everyone in every view, frame by frame; a view's people are those of its first run, then of its second."""
    limbs = clips[0][0].layout.rows(LIMB_NAMES)
    frames: list[list[Sighting]] = []
    for frame in range(min(len(runs[0]) for runs in clips)):
        here = []
        for view, (runs, camera) in enumerate(zip(clips, cameras, strict=True)):
            people = [person for run in runs for person in run.people(frame)]
            for number, person in enumerate(people):
                rays = camera.rays(person.xy_px[limbs].astype(np.float64))
                score = person.score[limbs].astype(np.float64)
                here.append(Sighting(view, number, camera.position_m, rays, score))
        frames.append(here)
    return frames


def _clip_of(runs: Sequence[ClipKeypoints], view: int, person: TriangulatedPerson) -> ClipKeypoints:
    """The keypoints of one triangulated person in one view, as one track."""
    clip = runs[0]
    found = [
        (frame, [each for run in runs for each in run.people(frame)][views[view]])
        for frame, views in sorted(person.seen_as.items())
        if view in views
    ]
    k = len(clip.layout.names)
    return ClipKeypoints(
        clip.path,
        clip.estimator,
        clip.follows_many,
        clip.width,
        clip.height,
        clip.time_ns,
        clip.layout,
        np.array([frame for frame, _ in found], np.int64),
        np.ones(len(found), np.int64),
        as_float32([each.xy_px for _, each in found]).reshape(-1, k, 2),
        as_float32([each.score for _, each in found]).reshape(-1, k),
        np.zeros((0, 2), np.int64),
    )


def compare(
    track: PersonTrack, person: TriangulatedPerson, camera: CalibratedCamera, view: str, name: str
) -> ViewFigures | None:
    """The figures of one track; None with too few frames in common with the truth.

    Args:
        track: The poses.
        person: The truth.
        camera: The camera that saw the track.
        view: The video's name.
        name: The person's name.
    """
    common = [row for row, frame in enumerate(track.frame.tolist()) if _hips_known(person, frame)]
    if len(common) < _MIN_FRAMES:
        return None
    limbs_m = limb_joints(track.joints_m[common])
    truth_m = np.array([person.joints_m[int(track.frame[row])] for row in common])
    off_px = _keypoints_off_px(track, common, truth_m, camera)
    limbs_m, truth_m = (x - x[:, _HIPS].mean(axis=1, keepdims=True) for x in (limbs_m, truth_m))
    known = np.isfinite(truth_m).all(axis=-1)
    truth_m = np.where(known[..., None], truth_m, 0.0)
    by_frame = _off_mm(*(x[known.sum(axis=1) >= _MIN_JOINTS] for x in (limbs_m, truth_m, known)), shifted=True)
    flat = [x.reshape(1, -1, *x.shape[2:]) for x in (limbs_m, truth_m, known)]
    as_one = _off_mm(*flat, shifted=False).reshape(known.shape)
    up = np.array([up_of(track.cameras[row]) for row in common])
    return ViewFigures(
        view,
        name,
        len(common),
        float(np.nanmean(by_frame)),
        float(np.nanmean(as_one)),
        float(np.nanmean(as_one[:, _ANKLES])),
        off_px,
        float(np.median(angle_deg(up, camera.up))),
    )


def _keypoints_off_px(track: PersonTrack, rows: list[int], truth_m: Float64, camera: CalibratedCamera) -> float:
    """Mean distance from the keypoints to the true joints (T, 12, 3), by the angle between their rays."""
    off_rad = np.radians(angle_deg(camera.rays(track.limbs_px[rows]), truth_m - camera.position_m))
    return float(np.nanmean(np.where(track.limbs_score[rows] >= MIN_SCORE, off_rad, np.nan))) * camera.intrinsics.fx


def _hips_known(person: TriangulatedPerson, frame: int) -> bool:
    joints_m = person.joints_m.get(frame)
    return joints_m is not None and bool(np.isfinite(joints_m[_HIPS]).all())


def _off_mm(points_m: Float64, truth_m: Float64, known: Float64, *, shifted: bool) -> Float64:
    """Errors (T, J) in mm after one rotation and scale for each of T sets of points (T, J, 3); NaN where not known.

    Args:
        points_m: (T, J, 3) points.
        truth_m: (T, J, 3) the truth.
        known: (T, J) which of it is known.
        shifted: Whether a shift is fitted too; else both are relative to the same origin.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (1991).
    """
    weight = known / np.maximum(known.sum(axis=1, keepdims=True), 1)
    a, b = points_m, truth_m
    if shifted:
        a, b = (x - (weight[..., None] * x).sum(axis=1, keepdims=True) for x in (a, b))
    u, size, vt = np.linalg.svd(np.swapaxes(weight[..., None] * b, 1, 2) @ a)
    sign = np.ones_like(size)
    sign[:, 2] = np.sign(np.linalg.det(u @ vt))  # a rotation, never a reflection
    rotation = (u * sign[:, None, :]) @ vt
    scale = (size * sign).sum(axis=1) / np.maximum((weight[..., None] * a**2).sum(axis=(1, 2)), 1e-12)
    off_m = np.linalg.norm(scale[:, None, None] * (a @ np.swapaxes(rotation, 1, 2)) - b, axis=-1)
    return np.where(known, off_m * 1e3, np.nan)
