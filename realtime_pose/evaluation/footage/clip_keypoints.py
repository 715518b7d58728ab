"""Keypoints of a clip, found as `process` finds them, and kept in a cache so that 3D alone can be run again."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from realtime_pose import __version__
from realtime_pose.body_pipeline import BodyPipeline, build_body
from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import VIDEO_SUFFIXES, open_source
from realtime_pose.checkpoints import find_local, read_manifest
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import CameraIntrinsics, Frame, Person, PersonKeypoints
from realtime_pose.errors import CaptureError, EndOfStream, RecordingError
from realtime_pose.evaluation.footage.covering import covered
from realtime_pose.inference.base import PersonDetector, PoseEstimator, Resettable
from realtime_pose.inference.detectors.table import build_detector
from realtime_pose.inference.estimators import build_estimator
from realtime_pose.inference.tracking.boxes import box_of_keypoints
from realtime_pose.inference.tracking.people import PeopleTracker
from realtime_pose.pipeline import PosePipeline
from realtime_pose.skeletons import LAYOUTS, KeypointLayout
from realtime_pose.utils.arrays import Float32, as_float32, read_npz
from realtime_pose.utils.atomic_files import replacing
from realtime_pose.utils.paths import cache_folder
from realtime_pose.utils.stopwatch import Stopwatch

Notify = Callable[[str], None]
Progress = Callable[[int, int], None]

_CACHE_VERSION = 1  # of the files' contents; raise it when the 2D stages change what they find
_BLOCK_BYTES = 2**20


@dataclass(frozen=True, eq=False)
class ClipKeypoints:
    """Everyone's keypoints in every frame of a clip; N are all people of all frames, in the order of the frames.

    Attributes:
        path: The clip.
        estimator: What found them.
        follows_many: Whether it can follow more than one person.
        width, height: Size of the images, px.
        time_ns: (T,) int64 media time of each frame.
        layout: Names of the K keypoints.
        frame: (N,) int64, the number of the frame, from 0.
        track_id: (N,) int64.
        xy_px: (N, K, 2) float32.
        score: (N, K) float32.
        forgotten: (F, 2) int64: after which frame the tracker gave up which id.
    """

    path: Path
    estimator: str
    follows_many: bool
    width: int
    height: int
    time_ns: npt.NDArray[np.int64]
    layout: KeypointLayout
    frame: npt.NDArray[np.int64]
    track_id: npt.NDArray[np.int64]
    xy_px: Float32
    score: Float32
    forgotten: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time_ns)

    def people(self, frame: int) -> list[PersonKeypoints]:
        """Everyone in one frame."""
        first, end = np.searchsorted(self.frame, (frame, frame + 1))
        return [
            PersonKeypoints(
                self.layout,
                as_float32(self.xy_px[row]),
                as_float32(self.score[row]),
                int(self.track_id[row]),
                int(self.time_ns[frame]),
            )
            for row in range(first, end)
        ]

    def lost(self, frame: int) -> list[int]:
        """The ids that the tracker gave up after this frame."""
        return [int(track_id) for at, track_id in self.forgotten if at == frame]

    def intrinsics(self, fov_deg: float) -> CameraIntrinsics:
        """The camera with this field of view along the longer side."""
        return CameraIntrinsics.from_field_of_view(fov_deg, self.width, self.height)


def clips_in(paths: Iterable[Path]) -> list[Path]:
    """The files, and the videos in these folders and their subfolders, sorted.

    Raises:
        CaptureError: A path does not exist, or a folder has no video.
    """
    clips: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEO_SUFFIXES and p.is_file())
            if not found:
                raise CaptureError(f"the folder {path} has no video; give clips or a folder of them")
            clips += found
        elif path.is_file():
            clips.append(path)
        else:
            raise CaptureError(f"there is no file or folder {path}; give clips or folders of them")
    return list(dict.fromkeys(clips))


class KeypointFinder:
    """Finds the keypoints of clips: from the cache, else by the estimator, which is loaded when it is first needed.

    Args:
        config: The settings; those of the 2D stages count.
        folder: The cache; by default the user's.
        notify: Callback for each choice made for the user, one sentence.
    """

    def __init__(self, config: AppConfig, folder: Path | None = None, notify: Notify = lambda note: None) -> None:
        self._config, self._notify = config, notify
        self._folder = folder or cache_folder() / "keypoints"
        self._models: tuple[PoseEstimator, PersonDetector | None] | None = None

    def find(self, path: Path, progress: Progress = lambda done, total: None) -> ClipKeypoints:
        """The keypoints of one clip.

        Args:
            path: A video.
            progress: Called with the number of frames done, and the total; not for a clip from the cache.

        Raises:
            CaptureError: The clip cannot be read, or has no frames.
            CheckpointError: The estimator's weights are not available.
            RecordingError: The cache cannot be written.
        """
        return self._from_cache(path, None, progress)

    def find_another(self, known: ClipKeypoints, progress: Progress = lambda done, total: None) -> ClipKeypoints:
        """The keypoints of somebody else in the clip, by an estimator that follows one person: `known` are covered.

        Args:
            known: What `find` found.
            progress: As for `find`.

        Raises:
            RealtimePoseError: As for `find`.
        """
        return self._from_cache(known.path, known, progress)

    def _from_cache(self, path: Path, known: ClipKeypoints | None, progress: Progress) -> ClipKeypoints:
        other = "" if known is None else "-other"
        cached = self._folder / f"{path.stem}-{self._key(path)[:24]}{other}.npz"
        if cached.is_file() and (found := _read(cached, path)) is not None:
            return found
        found = self._run(path, known, progress)
        _write(cached, found)
        return found

    def close(self) -> None:
        """Release the models."""
        if self._models is not None:
            estimator, detector = self._models
            estimator.close()
            if detector is not None:
                detector.close()
            self._models = None

    def _key(self, path: Path) -> str:
        """A hash of the clip's content and of all that decides what is found in it."""
        digest = hashlib.sha256()
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except OSError as exc:
            raise CaptureError(f"cannot read {path} ({exc.strerror}); give a video that you may read") from exc
        settings = asdict(self._config.inference)
        del settings["download"]
        # `auto` takes what is on this machine.
        weights = sorted(name for name in read_manifest() if find_local(name) is not None)
        facts = {"cache": _CACHE_VERSION, "program": __version__, "settings": settings, "weights": weights}
        digest.update(json.dumps(facts, sort_keys=True).encode())
        return digest.hexdigest()

    def _run(self, path: Path, known: ClipKeypoints | None, progress: Progress) -> ClipKeypoints:
        if self._models is None:
            inference = self._config.inference
            estimator = build_estimator(inference, self._notify)
            detector = None if estimator.finds_people else build_detector(inference, self._notify)
            self._models = estimator, detector
        estimator, detector = self._models
        if isinstance(estimator, Resettable):
            estimator.reset()
        recorder, tracker = _Recorder(self._config), PeopleTracker(self._config.inference)
        pipeline = PosePipeline(estimator, detector, tracker, recorder, self._config.inference.detect_every)
        times: list[int] = []
        frame: Frame | None = None
        with closing(open_source(CaptureConfig(source=str(path)))) as source:
            while True:
                try:
                    read = source.read()
                except EndOfStream:
                    break
                if read is None:
                    continue
                frame, recorder.number = read, len(times)
                if known is not None and recorder.number < len(known):
                    frame = replace(read, image_bgr=covered(read.image_bgr, known.people(recorder.number)))
                times.append(frame.time_ns)
                pipeline.step(frame)
                progress(len(times), source.frame_count or len(times))
        if frame is None:
            raise CaptureError(f"{path} has no frames; give a video")
        return recorder.found(path, estimator, frame, times)


class _Recorder(BodyPipeline):
    """In the place of the 3D stages: keeps the keypoints that they would get, and the ids that they would forget."""

    def __init__(self, config: AppConfig) -> None:
        body = build_body(config, filtered=False)
        super().__init__(body.lifter, body.solver, None, score_threshold=body.score_threshold, fov_deg=body.fov_deg)
        self.number = 0
        self._kept: list[tuple[int, PersonKeypoints]] = []
        self._forgotten: list[tuple[int, int]] = []

    def person_of(self, keypoints: PersonKeypoints, frame: Frame, stopwatch: Stopwatch) -> Person | None:
        box = box_of_keypoints(keypoints, self.score_threshold, frame.width, frame.height)
        if box is None:
            return None
        self._kept.append((self.number, keypoints))
        return Person(box, keypoints, None, None)

    def forget(self, track_ids: Collection[int]) -> None:
        self._forgotten += [(self.number, track_id) for track_id in track_ids]

    def found(self, path: Path, estimator: PoseEstimator, frame: Frame, times: Sequence[int]) -> ClipKeypoints:
        """Everything kept."""
        k = len(estimator.layout.names)
        return ClipKeypoints(
            path,
            estimator.name,
            not estimator.finds_people,
            frame.width,
            frame.height,
            np.array(times, np.int64),
            estimator.layout,
            np.array([number for number, _ in self._kept], np.int64),
            np.array([person.track_id for _, person in self._kept], np.int64),
            as_float32([person.xy_px for _, person in self._kept]).reshape(-1, k, 2),
            as_float32([person.score for _, person in self._kept]).reshape(-1, k),
            np.array(self._forgotten, np.int64).reshape(-1, 2),
        )


_ARRAYS = ("time_ns", "frame", "track_id", "xy_px", "score", "forgotten")


def _write(cached: Path, clip: ClipKeypoints) -> None:
    arrays = {name: getattr(clip, name) for name in _ARRAYS}
    about = {
        "estimator": clip.estimator,
        "follows_many": clip.follows_many,
        "width": clip.width,
        "height": clip.height,
        "layout": clip.layout.name,
    }
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)
        with replacing(cached) as part:
            np.savez_compressed(part, about=np.array(json.dumps(about)), **arrays)
    except OSError as exc:
        raise RecordingError(
            f"cannot write {cached} ({exc.strerror or exc}); choose another --keypoints-cache, or free some space"
        ) from exc


def _read(cached: Path, path: Path) -> ClipKeypoints | None:
    """The clip's keypoints; None for a damaged file, which is then made again."""
    try:
        file = read_npz(cached)
        about = json.loads(str(file["about"]))
        arrays: dict[str, Any] = {name: file[name] for name in _ARRAYS}
        about["layout"] = LAYOUTS[about["layout"]]
        return ClipKeypoints(path, **about, **arrays)
    except Exception:  # noqa: BLE001 - numpy, zipfile, zlib and json each have their own errors
        return None
