"""BlazePose's two networks: where people are in a frame, and the points of the person in a region.

Source: Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking" (2020); numbers from the graph in
MediaPipe 0.10.21.
"""

import math
from dataclasses import dataclass

import numpy as np

from realtime_pose.inference.landmarks.heatmap_refinement import refined
from realtime_pose.inference.landmarks.network import LandmarkNetwork
from realtime_pose.inference.landmarks.regions import Region, region_around, whole_frame
from realtime_pose.inference.landmarks.ssd import anchor_centres, decode
from realtime_pose.utils.arrays import Float32, Float64, UInt8, as_float32

# The model's row for each of our keypoints, in the order of COCO17_FEET_HANDS.
# fmt: off
_ROWS = [
    0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28,  # COCO-17
    29, 30, 31, 32, 17, 18, 19, 20, 21, 22,                         # heels, toes, pinkies, indices, thumbs
]
# fmt: on
_CIRCLE_ROWS = [33, 34]  # the middle of the hips, and the top of a circle around the whole person
_POINTS = 39
_REGION_SCALE = 1.25  # from that circle to the region that is cut out
_MIN_DETECTION = 0.5
_MIN_PRESENCE = 0.5
_WIDE = 1.2  # length to breadth of a frame from which it is looked at in squares
_MOST_SQUARES = 5
_SAME_PERSON = 0.1  # sizes of a region between the middles of two detections of one person
_STRIDES = (8, 16, 32, 32, 32)

BODY_MODELS = ("pose_detection", "pose_landmark_full")
"""What they are in `model_files`."""


@dataclass(frozen=True, eq=False)
class Body:
    """The person in a region.

    Attributes:
        xy_px: (27, 2) COCO17_FEET_HANDS, px of the frame.
        score: (27,) 0..1; 0 outside of the frame, where the model extrapolates.
        circle_px: (2, 2) the middle of the hips, and the top of a circle around the whole person.
        world_m: (27, 3) from the middle of the hips, OpenCV's camera axes.
    """

    xy_px: Float32
    score: Float32
    circle_px: Float64
    world_m: Float32

    @property
    def region(self) -> Region:
        """Where to look for them in the next frame."""
        return body_region(self.circle_px)


def body_region(circle_px: Float64) -> Region:
    """The region around a person's circle (2, 2), upright for them."""
    return region_around(circle_px[0], circle_px[1], _REGION_SCALE)


class BodyFinder:
    """Finds people in a frame, best first.

    Args:
        precision: As for `LandmarkNetwork`.
        several: Look at overlapping squares of the frame, too. The network was made for one prominent person: of more
            in a wide frame it finds one or two.

    Raises:
        CheckpointError, ConfigError, MissingPackageError: As for `LandmarkNetwork`.
    """

    def __init__(self, precision: str = "fp32", *, several: bool = False) -> None:
        self._several = several
        self._network = LandmarkNetwork("pose_detection", ("Identity", "Identity_1"), (-1.0, 1.0), precision)
        self._anchors = anchor_centres(self._network.input_wh[0], _STRIDES)

    def find(self, image_bgr: UInt8) -> list[Region]:
        """A region around each person."""
        height, width = image_bgr.shape[:2]
        areas = [whole_frame(width, height), *(_squares(width, height) if self._several else ())]
        found = sorted((each for area in areas for each in self._find_in(image_bgr, area)), key=lambda each: -each[0])
        kept: list[Region] = []
        for _, region in found:
            if region.valid and not any(_is_same(region, other) for other in kept):
                kept.append(region)
        return kept

    def _find_in(self, image_bgr: UInt8, area: Region) -> list[tuple[float, Region]]:
        """Scores and regions of the people in one square of the frame."""
        side = self._network.input_wh[0]
        raw, logit = self._network.infer(area.crop(image_bgr, (side, side), black_border=True))
        found = decode(raw, logit, self._anchors, side, _MIN_DETECTION)
        regions = [body_region(area.to_frame(points[:2])) for points in found.points]
        return list(zip(found.score.tolist(), regions, strict=True))


def _squares(width: int, height: int) -> list[Region]:
    """Overlapping squares of the frame's shorter side that cover it; none for a frame that is nearly one."""
    side, length = min(width, height), max(width, height)
    if length < _WIDE * side:
        return []
    count = min(math.ceil(2 * (length - side) / side) + 1, _MOST_SQUARES)
    along = np.linspace(side / 2, length - side / 2, count).tolist()
    return [Region(at, height / 2, side) if width > height else Region(width / 2, at, side) for at in along]


def _is_same(a: Region, b: Region) -> bool:
    """Whether two detections are of one person."""
    return math.hypot(a.x_px - b.x_px, a.y_px - b.y_px) < _SAME_PERSON * min(a.size_px, b.size_px)


class BodyLandmarks:
    """Finds the points of the person in a region.

    Raises:
        CheckpointError, ConfigError, MissingPackageError: As for `LandmarkNetwork`.
    """

    def __init__(self, precision: str = "fp32") -> None:
        outputs = ("Identity", "Identity_1", "Identity_3", "Identity_4")
        self._network = LandmarkNetwork("pose_landmark_full", outputs, precision=precision)

    def read(self, image_bgr: UInt8, region: Region) -> Body | None:
        """The person; None if the model says that nobody is there."""
        wh = self._network.input_wh
        landmarks, presence, heatmaps, world = self._network.infer(region.crop(image_bgr, wh))
        if not float(presence[0]) >= _MIN_PRESENCE:  # also for NaN
            return None
        points = landmarks.reshape(_POINTS, -1).astype(np.float64)
        xy_px = region.to_frame(refined(points[:, :2] / wh, heatmaps))
        height, width = image_bgr.shape[:2]
        inside = ((xy_px >= 0) & (xy_px <= (width, height))).all(axis=1)
        visibility = 1 / (1 + np.exp(-np.clip(points[:, 3], -50, 50)))
        cos, sin = math.cos(region.angle_rad), math.sin(region.angle_rad)
        upright_m = world.reshape(_POINTS, 3)[_ROWS]
        world_m = upright_m @ np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]], np.float32)
        return Body(
            as_float32(xy_px[_ROWS]), as_float32((visibility * inside)[_ROWS]), xy_px[_CIRCLE_ROWS], as_float32(world_m)
        )
