"""The 21 points of each hand: looked for at the body's wrists, then followed from frame to frame.

Source: Zhang et al., "MediaPipe Hands: On-device Real-time Hand Tracking" (2020); numbers from the graph
`holistic_landmark` in MediaPipe 0.10.21. Left and right are the body's.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from realtime_pose.inference.landmarks.body import Body
from realtime_pose.inference.landmarks.network import LandmarkNetwork
from realtime_pose.inference.landmarks.regions import Region, region_around
from realtime_pose.skeletons import BLAZE_BODY_HANDS63, HAND_POINTS
from realtime_pose.utils.arrays import Float32, Float64, UInt8, as_float32

HAND_MODELS = ("hand_recrop", "hand_landmark_full")
"""What they are in `model_files`."""

_MIN_PRESENCE = 0.5
_FROM_BODY_SCALE, _FOLLOWED_SCALE = 2.7, 2.0
_TOWARDS_TIPS = 0.1  # share of a region's size before scaling by which it is moved to the fingers
_WRIST, _INDEX, _MIDDLE, _RING = 0, 5, 9, 13  # rows of the wrist and of the first joints of three fingers
_PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]  # rows without the finger tips, which move too much to frame a hand
_SAME_HAND = 0.5  # sizes of a followed region within which the body's wrist must lie
_SIDES = ("left", "right")
_ROWS = {side: BLAZE_BODY_HANDS63.rows([f"{side}_{point}" for point in HAND_POINTS]) for side in _SIDES}
_AT_BODY = {
    side: BLAZE_BODY_HANDS63.rows([f"{side}_wrist", f"{side}_index", f"{side}_pinky"]) for side in _SIDES
}  # in the body's own points, which come first


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand.

    Attributes:
        xy_px: (21, 2) wrist, then each finger from palm to tip, px of the frame.
        score: (21,) the model's belief in the hand; 0 outside of the frame.
    """

    xy_px: Float32
    score: Float32

    @property
    def region(self) -> Region:
        """Where to look for it in the next frame."""
        return _followed_region(self.xy_px.astype(np.float64))


class HandLandmarks:
    """Finds the points of hands.

    Raises:
        CheckpointError, ConfigError, MissingPackageError: As for `LandmarkNetwork`.
    """

    def __init__(self, precision: str = "fp32") -> None:
        self._recrop = LandmarkNetwork("hand_recrop", ("output_crop",), precision=precision)
        self._network = LandmarkNetwork("hand_landmark_full", ("Identity", "Identity_1"), precision=precision)

    def find(self, image_bgr: UInt8, wrist_px: Float64, index_px: Float64, pinky_px: Float64) -> Hand | None:
        """The hand at a body's wrist, whose knuckles of index and little finger say where it points."""
        middle_px = (2 * index_px + pinky_px) / 3
        rough = _shifted(region_around(middle_px, 2 * middle_px - wrist_px, 1.0), _FROM_BODY_SCALE)
        if not rough.valid:
            return None
        (found,) = self._recrop.infer(rough.crop(image_bgr, self._recrop.input_wh))
        centre_px, below_px = rough.to_frame(found.reshape(2, 2).astype(np.float64) / self._recrop.input_wh)
        return self.read(image_bgr, _shifted(region_around(centre_px, 2 * centre_px - below_px, 1.0), 1.0))

    def read(self, image_bgr: UInt8, region: Region) -> Hand | None:
        """The hand in a region; None if the model says that there is none."""
        if not region.valid:
            return None
        wh = self._network.input_wh
        points, presence = self._network.infer(region.crop(image_bgr, wh))
        if not float(presence[0]) >= _MIN_PRESENCE:  # also for NaN
            return None
        xy_px = region.to_frame(points.reshape(21, 3)[:, :2].astype(np.float64) / wh)
        height, width = image_bgr.shape[:2]
        inside = ((xy_px >= 0) & (xy_px <= (width, height))).all(axis=1)
        return Hand(as_float32(xy_px), as_float32(inside * min(float(presence[0]), 1.0)))


class BodyHands:
    """The hands of followed people, as further points of their bodies.

    Args:
        threshold: A wrist with a lower score has no hand.
        precision: As for `LandmarkNetwork`.
    """

    def __init__(self, threshold: float, precision: str = "fp32") -> None:
        self._threshold, self._landmarks = threshold, HandLandmarks(precision)
        self._followed: dict[tuple[int, str], Region] = {}

    def start_frame(self, track_ids: Collection[int]) -> None:
        """Forget the hands of everyone else."""
        self._followed = {key: region for key, region in self._followed.items() if key[0] in track_ids}

    def add(self, image_bgr: UInt8, track_id: int, body: Body) -> tuple[Float32, Float32]:
        """Points (63, 2) and scores (63,) of BLAZE_BODY_HANDS63; where no hand is found, the body's three stay."""
        count = len(BLAZE_BODY_HANDS63.names) - len(body.xy_px)
        xy_px = np.concatenate((body.xy_px, np.zeros((count, 2), np.float32)))
        score = np.concatenate((body.score, np.zeros(count, np.float32)))
        for side, rows in _ROWS.items():
            hand = self._find(image_bgr, (track_id, side), body)
            self._followed.pop((track_id, side), None)
            if hand is not None:
                xy_px[rows], score[rows] = hand.xy_px, hand.score
                self._followed[track_id, side] = hand.region
        return xy_px, score

    def _find(self, image_bgr: UInt8, key: tuple[int, str], body: Body) -> Hand | None:
        wrist, index, pinky = _AT_BODY[key[1]]
        if body.score[wrist] < self._threshold:
            return None
        wrist_px, index_px, pinky_px = body.xy_px[[wrist, index, pinky]].astype(np.float64)
        region = self._followed.get(key)
        hand = self._landmarks.read(image_bgr, region) if region is not None and is_near(region, wrist_px) else None
        return hand or self._landmarks.find(image_bgr, wrist_px, index_px, pinky_px)


def is_near(region: Region, wrist_px: Float64) -> bool:
    """Whether the body's wrist still lies where a hand was."""
    away_px = float(np.hypot(region.x_px - wrist_px[0], region.y_px - wrist_px[1]))
    return away_px <= _SAME_HAND * region.size_px


def _followed_region(xy_px: Float64) -> Region:
    """The region around the palm, with the fingers up."""
    up = ((xy_px[_INDEX] + xy_px[_RING]) / 2 + xy_px[_MIDDLE]) / 2 - xy_px[_WRIST]
    turned = region_around(np.zeros(2), up, 1.0).angle_rad
    cos, sin = np.cos(turned), np.sin(turned)
    upright = xy_px[_PALM] @ np.array([[cos, -sin], [sin, cos]])
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = np.array([[cos, -sin], [sin, cos]]) @ ((low + high) / 2)
    return _shifted(Region(float(x), float(y), float((high - low).max()), turned), _FOLLOWED_SCALE)


def _shifted(region: Region, scale: float) -> Region:
    """The region moved towards the finger tips, then grown."""
    step_px = _TOWARDS_TIPS * region.size_px
    return Region(
        region.x_px + step_px * float(np.sin(region.angle_rad)),
        region.y_px - step_px * float(np.cos(region.angle_rad)),
        region.size_px * scale,
        region.angle_rad,
    )
