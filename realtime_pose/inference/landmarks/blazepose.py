"""BlazePose for several people, without a download: the models lie in MediaPipe's package, OpenVINO runs them.

Like ViTPose it gets its boxes and ids from the tracker. What a box cannot say, how the person is turned and where the
rest of a body at the frame's edge is, it takes from their points in the frame before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from realtime_pose.datatypes import Frame, PersonBox, PersonKeypoints
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.crops import visible_boxes
from realtime_pose.inference.landmarks.body import BODY_MODELS, Body, BodyFinder, BodyLandmarks, body_region
from realtime_pose.inference.landmarks.hands import HAND_MODELS, BodyHands
from realtime_pose.inference.landmarks.model_files import hash_of_models
from realtime_pose.inference.landmarks.network import PRECISIONS
from realtime_pose.inference.landmarks.regions import Region
from realtime_pose.inference.tracking.boxes import (
    box_of_keypoints,
    boxes_of_keypoints,
    intersection_over_union,
    one_per_body,
)
from realtime_pose.skeletons import BLAZE_BODY_HANDS63, COCO17, COCO17_FEET_HANDS
from realtime_pose.utils.arrays import Float64
from realtime_pose.utils.one_euro import OneEuroFilter, OneEuroParameters

_CIRCLE = OneEuroParameters(min_cutoff_hz=0.01, beta=10.0)  # of a region from frame to frame; speeds in its diameters/s
_SAME_IOU = 0.3  # a box that overlaps the last points' box by this is of the same person
_LOOKED_AT = 2  # detections that are looked at for a box: a square around a whole body says little of a head's box
_MAX_WEAK = 4  # frames for which a followed person may score low: in a close-up few points are visible
_BODY = slice(len(COCO17.names))
_MORE_THAN_FOLLOWED = 2  # people that the detector looks at beside those wanted: bystanders


@dataclass(slots=True)
class _Followed:
    """A person in the frame before.

    Attributes:
        box_xyxy_px: (4,) around their visible points.
        region: Where to look for them next.
        circle: Smooths it.
        weak: Frames since their mean score was above the threshold.
    """

    box_xyxy_px: Float64
    region: Region
    circle: OneEuroFilter
    weak: int


def _is_visible(body: Body | None, threshold: float) -> bool:
    return body is not None and float(np.mean(body.score[_BODY])) >= threshold


class BlazePoseEstimator:
    """`PoseEstimator` of BlazePose (full), with 21 points of each hand where the settings ask for them.

    Args:
        config: The settings.

    Attributes:
        bodies: The people found in the last frame by their ids, with BlazePose's own 3D.

    Raises:
        CheckpointError: A model file is missing, or OpenVINO cannot run it.
        ConfigError: This processor has no bf16.
        MissingPackageError: OpenVINO is missing.
    """

    name = "blazepose"
    runtime = "openvino"
    device = "cpu"
    finds_people = False

    def __init__(self, config: InferenceConfig) -> None:
        self.precision = config.precision if config.precision in PRECISIONS else "fp32"
        self._threshold = config.score_threshold
        self._finder = BodyFinder(self.precision, several=config.persons > 1)
        self._landmarks = BodyLandmarks(self.precision)
        self._hands = BodyHands(self._threshold, self.precision) if config.hands else None
        self.layout = BLAZE_BODY_HANDS63 if config.hands else COCO17_FEET_HANDS
        self.model_hash = hash_of_models(*BODY_MODELS, *(HAND_MODELS if config.hands else ()))
        self._followed: dict[int, _Followed] = {}
        self.bodies: dict[int, Body] = {}

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """Keypoints for each box, in its order; scores are 0 where nobody is."""
        self.bodies = {}
        before, self._followed = self._followed, {}
        if self._hands is not None:
            self._hands.start_frame(before.keys())
        if not boxes:
            return []
        xyxy = np.stack([box.bbox_xyxy_px for box in boxes]).astype(np.float64)
        visible = visible_boxes(xyxy.astype(np.float32), frame.width, frame.height)
        detected: list[Region] | None = None
        people = []
        for box, box_xyxy, is_visible in zip(boxes, xyxy, visible.tolist(), strict=True):
            body, known = None, before.get(box.track_id)
            if is_visible and known is not None and _iou(known.box_xyxy_px, box_xyxy) >= _SAME_IOU:
                body = self._landmarks.read(frame.image_bgr, known.region)
            elif is_visible:
                known = None
                detected = self._finder.find(frame.image_bgr) if detected is None else detected
                body = self._start(frame, box_xyxy, detected)
            weak = 0 if _is_visible(body, self._threshold) else 1 + (_MAX_WEAK if known is None else known.weak)
            body = body if weak <= _MAX_WEAK else None
            people.append(self._keypoints(frame, box.track_id, body))
            if body is not None:
                self.bodies[box.track_id] = body
                self._follow(box.track_id, body, known, frame, weak)
        return people

    def reset(self) -> None:
        """Forget everyone: the next frame stands alone."""
        self._followed = {}
        if self._hands is not None:
            self._hands.start_frame(())

    def close(self) -> None:
        """Nothing to do: the models are freed with this object."""

    def _start(self, frame: Frame, box_xyxy: Float64, detected: Sequence[Region]) -> Body | None:
        """Someone who was not followed: by a detection whose points fit the box, else by the box, looking twice."""
        fits = [_iou(_square(region, frame.width, frame.height), box_xyxy) for region in detected]
        for row in np.argsort(-np.array(fits), kind="stable")[:_LOOKED_AT].tolist():
            body = self._landmarks.read(frame.image_bgr, detected[row]) if fits[row] > 0 else None
            points = self._box(body, frame)
            if points is not None and _iou(points, box_xyxy) >= _SAME_IOU:
                return body
        low, high = box_xyxy[:2], box_xyxy[2:]
        middle = (low + high) / 2
        circle_px = np.stack((middle, middle - (0, (high - low).max() / 2)))
        body = self._landmarks.read(frame.image_bgr, body_region(circle_px))
        return None if body is None or not body.region.valid else self._landmarks.read(frame.image_bgr, body.region)

    def _box(self, body: Body | None, frame: Frame) -> Float64 | None:
        """The box (4,) around someone's visible points; None if there are too few."""
        if body is None:
            return None
        person = PersonKeypoints(COCO17_FEET_HANDS, body.xy_px, body.score, -1, frame.time_ns)
        boxes, _, found = boxes_of_keypoints([person], self._threshold, frame.width, frame.height)
        return boxes[0] if found[0] else None

    def _follow(self, track_id: int, body: Body, known: _Followed | None, frame: Frame, weak: int) -> None:
        box_xyxy = self._box(body, frame)
        circle = OneEuroFilter(_CIRCLE, calm=True) if known is None else known.circle
        diameter_px = 2 * float(np.linalg.norm(body.circle_px[1] - body.circle_px[0]))
        region = body_region(circle.apply(body.circle_px, frame.time_ns, unit=max(diameter_px, 1e-6)))
        if box_xyxy is not None and region.valid:
            self._followed[track_id] = _Followed(box_xyxy, region, circle, weak)

    def _keypoints(self, frame: Frame, track_id: int, body: Body | None) -> PersonKeypoints:
        if body is None:
            count = len(self.layout.names)
            xy_px, score = np.zeros((count, 2), np.float32), np.zeros(count, np.float32)
        elif self._hands is not None:
            xy_px, score = self._hands.add(frame.image_bgr, track_id, body)
        else:
            xy_px, score = body.xy_px, body.score
        return PersonKeypoints(self.layout, xy_px, score, track_id, frame.time_ns)


class BlazePoseDetector:
    """Person detector without a download: BlazePose's, with a box around the points of each person it finds."""

    def __init__(self, config: InferenceConfig) -> None:
        self._threshold = config.score_threshold
        self._most = config.persons + _MORE_THAN_FOLLOWED
        self._finder, self._landmarks = BodyFinder(several=config.persons > 1), BodyLandmarks()

    def detect(self, frame: Frame) -> list[PersonBox]:
        """The boxes of the people that BlazePose finds, best first."""
        people: list[PersonKeypoints] = []
        for region in self._finder.find(frame.image_bgr)[: self._most]:
            body = self._landmarks.read(frame.image_bgr, region)
            if body is not None and _is_visible(body, self._threshold):
                people.append(PersonKeypoints(COCO17_FEET_HANDS, body.xy_px, body.score, len(people), frame.time_ns))
        boxed = [(box_of_keypoints(person, self._threshold, frame.width, frame.height), person) for person in people]
        boxes = [box for box, _ in boxed if box is not None]
        kept = one_per_body(boxes, [person for box, person in boxed if box is not None], (), self._threshold)
        names = {person.track_id for person in kept}
        return [replace(box, track_id=-1) for box in boxes if box.track_id in names]

    def close(self) -> None:
        """Nothing to do: the models are freed with this object."""


def _iou(a_xyxy: Float64, b_xyxy: Float64) -> float:
    """Intersection over union of two boxes (4,)."""
    return float(intersection_over_union(a_xyxy[None], b_xyxy[None])[0, 0])


def _square(region: Region, width: int, height: int) -> Float64:
    """The upright square (4,) of a person's region, inside the frame."""
    middle, half = np.array([region.x_px, region.y_px]), region.size_px / 2
    return np.clip(np.concatenate((middle - half, middle + half)), 0, [width, height] * 2)
