"""People cut out of the user's own footage: what a model is calibrated on, and what it is judged on afterwards."""

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

MOST_CROPS = 400
LEAST_CROPS = 60
_BLOCKS = 12  # the footage in equal parts; every third is held back, so that no held-back crop has a neighbour outside
_KINDS = ("actor", "images", "video")

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, eq=False)
class FootageCrops:
    """People as a network's input, in the order of time.

    Attributes:
        crops: (N, 3, H, W) normalised RGB.
        regions: Where each lies in its frame.
        diagonal_px: (N,) of the person's box.
        held_back: (N,) which are for judging; the rest is for calibration.
    """

    crops: Float32
    regions: CropRegions
    diagonal_px: Float64
    held_back: Bool

    @property
    def regions_of_held_back(self) -> CropRegions:
        """Where the held-back ones lie."""
        return CropRegions(self.regions.corner_px[self.held_back], self.regions.size_px[self.held_back])


def collect_crops(
    config: AppConfig, geometry: CropGeometry, progress: Progress = lambda done, total: None
) -> FootageCrops:
    """Everybody in the footage `config.capture.source`, evenly over its length, at most 400 crops.

    People are found as in a run: by the detector, then followed by their keypoints.

    Args:
        config: The settings of a run; of the estimator too, which follows the people.
        geometry: Size, padding and colours of the crops.
        progress: Told how many frames were looked at, of how many.

    Raises:
        ConfigError: It is no footage, shows too little of anybody, or a setting is wrong.
        CaptureError: It cannot be read.
        CheckpointError: The estimator's weights cannot be had.
    """
    name = config.capture.source
    if source_kind(name) not in _KINDS:
        raise ConfigError(f"{name} is no recording; calibration wants a video of people, or a folder of images")
    source = open_source(config.capture)
    try:
        pipeline = build_pipeline(config)
        try:
            found, frames = _walk(source, pipeline, Cropper(geometry), progress)
        finally:
            pipeline.close()
    finally:
        source.close()
    if len(found) < LEAST_CROPS:
        seen = f"only {len(found)} times somebody" if found else "nobody"
        raise ConfigError(
            f"{name} shows {seen} in {frames} frames, wanted {LEAST_CROPS} or more; "
            "give longer footage of people as the camera will see them"
        )
    crops, corners, sizes, boxes = (np.stack(parts) for parts in zip(*found, strict=True))
    blocks = np.arange(len(crops)) * _BLOCKS // len(crops)
    diagonal_px = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=-1).astype(np.float64)
    return FootageCrops(crops, CropRegions(corners, sizes), diagonal_px, blocks % 3 == 1)


_Crop = tuple[Float32, Float64, Float64, Float32]


def _walk(source: FrameSource, pipeline: PosePipeline, cropper: Cropper, progress: Progress) -> tuple[list[_Crop], int]:
    """Crop, corner, size and box of the people in every k-th frame, k as small as the limit lets it; and the frames."""
    found: list[_Crop] = []
    owners: list[int] = []  # the frame of each
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
            owners += [count] * len(people)
            while len(found) > MOST_CROPS:
                every *= 2
                kept = [i for i, owner in enumerate(owners) if owner % every == 0]
                found, owners = [found[i] for i in kept], [owners[i] for i in kept]
        count += 1
        progress(count, source.frame_count)


def _cut(frame: Frame, boxes: list[PersonBox], cropper: Cropper) -> list[_Crop]:
    xyxy = np.stack([box.bbox_xyxy_px for box in boxes])
    crops, regions = cropper.crop(frame.image_bgr, xyxy)
    return list(zip(crops.copy(), regions.corner_px, regions.size_px, xyxy, strict=True))


def following(config: AppConfig, runtime: str) -> AppConfig:
    """The settings of a run in which `runtime` follows people at fp32, so that every run finds the same crops."""
    return replace(config, inference=replace(config.inference, runtime=runtime, precision="fp32", device="cpu"))
