"""Body calibration: a person's bone lengths from a few seconds of standing still.

Add the results of a pipeline to `Calibration`, show its `hint` and `seconds_left`, and call `result` once it is `done`.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace

import numpy as np

from realtime_pose.body.bone_lengths import LengthStatistics
from realtime_pose.body.profile import BodyProfile
from realtime_pose.body.proportions import LENGTHS, BodyDimensions
from realtime_pose.body.standing_pose import TRUNK_AND_LEGS, faces_upright, flat_joints
from realtime_pose.capture.sources import open_source
from realtime_pose.checkpoints import Progress
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import CameraIntrinsics, FrameResult, Joints3D, Person, PersonKeypoints, SkeletonPose
from realtime_pose.errors import CaptureError, EndOfStream
from realtime_pose.ik.table import build_solver
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.lifting.table import build_lifter
from realtime_pose.pipeline import build_pipeline
from realtime_pose.skeletons import LIMB_NAMES, LIMB_ROWS
from realtime_pose.utils.arrays import Float64, as_float32

SECONDS = 3.0
"""Total time that the person has to stand still."""

NOBODY = "Step into the camera's view."
TOO_CLOSE = "Step back until your whole body is in view, from head to feet."
TURNED = "Face the camera and stand upright."
MOVING = "Stand still."
GOOD = "Stand still, arms a little away from your sides."

_MAX_STEP_S = 0.1
_STILL = 0.02  # of the body's height in the image: largest distance of trunk and legs from their recent average
_STILL_TAU_S = 0.25
_ENOUGH_S = 0.5  # lengths seen for less come from the height


@dataclass(frozen=True)
class CalibrationResult:
    """Result of a calibration.

    Attributes:
        profile: The person's body.
        average: The average body of the same height, for comparison.
        measured: The LENGTHS that were measured; the others are the average body's.
        fit_px: Median distance between the keypoints and the joints of the measured body in the same pose.
        average_fit_px: The same for the average body.
        distance_m: Distance of the person from the camera, if the field of view is right.
        seconds: Time that they stood still.
    """

    profile: BodyProfile
    average: BodyDimensions
    measured: tuple[str, ...]
    fit_px: float
    average_fit_px: float
    distance_m: float
    seconds: float


@dataclass
class _Person:
    """Measurements of one person so far."""

    statistics: LengthStatistics
    track_id: int = -1
    time_ns: int = -1
    seconds: float = 0.0
    mean_px: Float64 | None = None  # recent average of trunk and legs
    kept: list[tuple[PersonKeypoints, CameraIntrinsics]] = field(default_factory=list)
    distances_m: list[float] = field(default_factory=list)


class Calibration:
    """Measures the person with the largest box.

    Attributes:
        hint: Instruction for the person, in one sentence.

    Args:
        config: Settings; height, field of view and camera pitch are trusted.
    """

    def __init__(self, config: AppConfig) -> None:
        self.hint = NOBODY
        self._body = replace(config.body, profile="")
        self._threshold = config.inference.score_threshold
        self._pitch_rad = float(np.radians(config.body.camera_pitch_deg or 0.0))
        self._average = BodyDimensions.of_height(config.body.height_m)
        self._person = _Person(LengthStatistics(self._average))

    @property
    def seconds_left(self) -> float:
        """Time that the person still has to stand still."""
        return max(SECONDS - self._person.seconds, 0.0)

    @property
    def done(self) -> bool:
        """Whether the measurement is complete."""
        return self._person.seconds >= SECONDS

    def add(self, result: FrameResult) -> None:
        """Use one frame; unsuitable ones are skipped and `hint` says why. Another person starts from scratch."""
        people = [p for p in result.people if p.keypoints.layout.has_body and p.joints is not None]
        if not people:
            self.hint, self._person.mean_px = NOBODY, None
            return
        largest = max(people, key=lambda p: float(np.prod(p.box.bbox_xyxy_px[2:] - p.box.bbox_xyxy_px[:2])))
        time_ns = result.frame.time_ns
        if largest.keypoints.track_id != self._person.track_id:
            self._person = _Person(LengthStatistics(self._average), largest.keypoints.track_id, time_ns)
        dt_s = min(max((time_ns - self._person.time_ns) / 1e9, 0.0), _MAX_STEP_S)
        self._person.time_ns = time_ns
        frame = result.frame
        camera = CameraIntrinsics.from_field_of_view(self._body.fov_deg, frame.width, frame.height)
        self.hint = self._add(largest, camera, dt_s)

    def result(self) -> CalibrationResult:
        """The person's body.

        Raises:
            CaptureError: The person has not stood still for long enough.
        """
        if not self.done:
            raise CaptureError(
                f"the person stood still in full view for {self._person.seconds:.1f} s of {SECONDS:g}; "
                f"{self.hint[0].lower()}{self.hint[1:].rstrip('.')}, and calibrate again"
            )
        statistics = self._person.statistics
        measured = statistics.evidence_s >= _ENOUGH_S
        profile = self._profile(np.where(measured, statistics.shares, 1.0))
        return CalibrationResult(
            profile,
            self._average,
            tuple(name for name, known in zip(LENGTHS, measured, strict=True) if known),
            self._fit_px(profile),
            self._fit_px(self._profile(np.ones(len(LENGTHS)))),
            float(np.median(self._person.distances_m)),
            self._person.seconds,
        )

    def _profile(self, scale: Float64) -> BodyProfile:
        """The average body with its lengths (7,) scaled."""
        lengths_m = (self._average.lengths * scale).tolist()
        return BodyProfile(self._body.height_m, dict(zip(LENGTHS, lengths_m, strict=True)))

    def _add(self, person: Person, camera: CameraIntrinsics, dt_s: float) -> str:
        """Use the frame if it is suitable; returns the hint."""
        keypoints, joints = person.keypoints.for_lifting(self._threshold), person.joints
        rows = keypoints.layout.rows(TRUNK_AND_LEGS)
        if joints is None or not np.all((keypoints.score[rows] > 0) & np.isfinite(keypoints.xy_px[rows]).all(axis=1)):
            self._person.mean_px = None
            return TOO_CLOSE
        if not self._still(keypoints.xy_px[rows].astype(np.float64), dt_s):
            return MOVING
        if not faces_upright(joints, self._pitch_rad):
            return TURNED
        if not self.done:
            flat = flat_joints(keypoints, camera, joints, self._average, self._pitch_rad)
            self._person.statistics.add(flat, dt_s)
            self._person.seconds += dt_s
            self._person.kept.append((keypoints, camera))
            self._person.distances_m.append(-float(flat.root_m[2]))
        return GOOD

    def _still(self, xy_px: Float64, dt_s: float) -> bool:
        """Whether the points (8, 2) are close to their recent average."""
        mean = self._person.mean_px
        if mean is None:
            self._person.mean_px = xy_px
            return False
        distance_px = float(np.median(np.linalg.norm(xy_px - mean, axis=1)))
        self._person.mean_px = mean + (1 - np.exp(-dt_s / _STILL_TAU_S)) * (xy_px - mean)
        return distance_px <= _STILL * float(np.ptp(xy_px[:, 1]))

    def _fit_px(self, profile: BodyProfile) -> float:
        """Median distance of the kept keypoints from that body's joints, lifted and solved without filters."""
        body = replace(self._body, profile=profile.text)
        lifter, solver = build_lifter(body), build_solver(body)
        distances_px: list[Float64] = []
        for keypoints, camera in self._person.kept:
            joints = lifter.lift(keypoints, camera)
            rows = keypoints.layout.rows(LIMB_NAMES)
            distance = np.linalg.norm(
                _projected_px(solver.solve(joints), joints, camera) - keypoints.xy_px[rows], axis=1
            )
            distances_px.append(distance[(keypoints.score[rows] > 0) & np.isfinite(distance)])
        return float(np.median(np.concatenate(distances_px)))


def _projected_px(pose: SkeletonPose, joints: Joints3D, camera: CameraIntrinsics) -> Float64:
    """The pose's limb joints (12, 2) projected to the image, in the order of LIMB_NAMES."""
    xyz = forward_kinematics(replace(pose, root_m=as_float32(joints.root_m)))[LIMB_ROWS]
    return np.asarray(xyz[:, :2] / -xyz[:, 2:] * (camera.fx, -camera.fy) + (camera.cx, camera.cy))


def calibrate(
    config: AppConfig,
    notify: Callable[[str], None],
    watch: Callable[[Calibration, FrameResult], bool],
    progress: Progress = lambda had, total: None,
) -> CalibrationResult:
    """Measure the person in front of a source.

    Args:
        config: All settings; outputs and the profile are not used.
        notify: Called with one sentence for each automatic choice.
        watch: Called after each frame; returns whether to go on.
        progress: Called with the progress of a download.

    Raises:
        CaptureError: The source ended, or `watch` stopped, before the person had stood still for long enough.
        RealtimePoseError: A requested part is not available.
    """
    config = replace(config, body=replace(config.body, profile=""))
    calibration = Calibration(config)
    with ExitStack() as undo:
        source = undo.enter_context(closing(open_source(config.capture)))
        pipeline = undo.enter_context(closing(build_pipeline(config, notify, progress)))
        while not calibration.done:
            try:
                frame = source.read()
            except EndOfStream:
                break
            if frame is None:
                continue
            result = pipeline.step(frame)
            calibration.add(result)
            if not watch(calibration, result):
                break
    return calibration.result()
