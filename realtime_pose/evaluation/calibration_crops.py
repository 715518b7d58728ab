"""Crops of people from the user's footage, split into calibration and held-out parts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.capture.base import FrameSource
from realtime_pose.capture.sources import open_source, source_kind
from realtime_pose.config import AppConfig
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import ConfigError, EndOfStream
from realtime_pose.inference.crops import Cropper, CropRegions
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.pipeline import PosePipeline, build_pipeline
from realtime_pose.utils.arrays import Bool, Float32, Float64

MAX_CROPS = 400
MIN_CROPS = 60
_BLOCKS = 12  # equal parts of the footage, every third held out: few held-out crops are neighbours of calibration crops
_KINDS = ("actor", "images", "video")

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, eq=False)
class FootageCrops:
    """People as a network's input, ordered by time.

    Attributes:
        crops: (N, 3, H, W) normalised RGB.
        regions: The region of each in its frame.
        diagonal_px: (N,) diagonal of the person's box.
        held_out: (N,) bool, true for held-out crops; the others are for calibration.
    """

    crops: Float32
    regions: CropRegions
    diagonal_px: Float64
    held_out: Bool

    @property
    def regions_of_held_out(self) -> CropRegions:
        """The regions of the held-out crops."""
        return CropRegions(self.regions.corner_px[self.held_out], self.regions.size_px[self.held_out])


def collect_crops(
    config: AppConfig, geometry: CropGeometry, progress: Progress = lambda done, total: None
) -> FootageCrops:
    """Crops of all people in the footage `config.capture.source`, evenly over its length, at most 400.

    People are found as in a run: by the detector, then tracked by their keypoints.

    Args:
        config: The settings of a run, including the estimator for tracking.
        geometry: Size, padding and colours of the crops.
        progress: Called with the number of frames read, and the total.

    Raises:
        ConfigError: The source is not a video or images, it shows too few people, or a setting is wrong.
        CaptureError: It cannot be read.
        CheckpointError: The estimator's weights are not available.
    """
    name = config.capture.source
    if source_kind(name) not in _KINDS:
        raise ConfigError(f"{name} is not a recording; calibration needs a video of people, or a folder of images")
    source = open_source(config.capture)
    try:
        pipeline = build_pipeline(config)
        try:
            found, frames = _collect(source, pipeline, Cropper(geometry), progress)
        finally:
            pipeline.close()
    finally:
        source.close()
    if len(found) < MIN_CROPS:
        raise ConfigError(
            f"{name} gave {len(found)} crops of people in {frames} frames, wanted {MIN_CROPS} or more; "
            "give longer footage of people as the camera will see them"
        )
    crops, corners, sizes, boxes = (np.stack(parts) for parts in zip(*found, strict=True))
    blocks = np.arange(len(crops)) * _BLOCKS // len(crops)
    diagonal_px = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=-1).astype(np.float64)
    return FootageCrops(crops, CropRegions(corners, sizes), diagonal_px, blocks % 3 == 1)


_Crop = tuple[Float32, Float64, Float64, Float32]


def _collect(
    source: FrameSource, pipeline: PosePipeline, cropper: Cropper, progress: Progress
) -> tuple[list[_Crop], int]:
    """Crop, corner, size and box of the people in every k-th frame, k as small as MAX_CROPS allows; and frames read."""
    found: list[_Crop] = []
    frame_of: list[int] = []  # the frame of each crop
    every, count = 1, 0
    while True:
        try:
            frame = source.read()
        except EndOfStream:
            return found, count
        if frame is None:
            continue
        people = pipeline.step(frame).people
        if count % every == 0 and people:
            found += _cut(frame, [person.box for person in people], cropper)
            frame_of += [count] * len(people)
            while len(found) > MAX_CROPS:
                every *= 2
                kept = [i for i, of in enumerate(frame_of) if of % every == 0]
                found, frame_of = [found[i] for i in kept], [frame_of[i] for i in kept]
        count += 1
        progress(count, source.frame_count)


def _cut(frame: Frame, boxes: list[PersonBox], cropper: Cropper) -> list[_Crop]:
    xyxy = np.stack([box.bbox_xyxy_px for box in boxes])
    crops, regions = cropper.crop(frame.image_bgr, xyxy)
    return list(zip(crops.copy(), regions.corner_px, regions.size_px, xyxy, strict=True))


def tracking_config(config: AppConfig, runtime: str) -> AppConfig:
    """The settings with people tracked at fp32 on `runtime` and the CPU, so that every call finds the same crops."""
    return replace(config, inference=replace(config.inference, runtime=runtime, precision="fp32", device="cpu"))
