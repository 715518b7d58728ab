"""Covering of people in an image, so that an estimator that follows one person finds another."""

from collections.abc import Sequence

import numpy as np

from realtime_pose.datatypes import PersonKeypoints
from realtime_pose.utils.arrays import Float64, UInt8

_LIMB_SHARE, _HEAD_SHARE = 0.35, 0.45  # thickness of a limb and radius of a head, in lengths of the trunk
_MIN_SCORE = 0.3


def covered(image_bgr: UInt8, people: Sequence[PersonKeypoints]) -> UInt8:
    """A copy of the image (H, W, 3) with these people painted over in the mean colour around them."""
    import cv2

    out = image_bgr.copy()
    for person in people:
        mask = np.zeros(image_bgr.shape[:2], np.uint8)
        xy_px = np.clip(person.xy_px.astype(np.float64), -1e4, 1e4)
        trunk_px = _trunk_px(person, xy_px)
        thick = max(2, round(_LIMB_SHARE * trunk_px))
        at = [(round(x), round(y)) for x, y in xy_px.tolist()]
        seen = person.score >= _MIN_SCORE
        for a, b in person.layout.links:
            if seen[a] and seen[b]:
                cv2.line(mask, at[a], at[b], 255, thick)
        index = person.layout.index
        corners = [index[name] for name in ("left_shoulder", "right_shoulder", "right_hip", "left_hip")]
        if seen[corners].all():
            cv2.fillConvexPoly(mask, np.array([at[row] for row in corners], np.int32), 255)
        if seen[index["nose"]]:
            cv2.circle(mask, at[index["nose"]], max(2, round(_HEAD_SHARE * trunk_px)), 255, -1)
        around = cv2.dilate(mask, np.ones((thick, thick), np.uint8)) & ~mask
        if around.any():
            out[mask > 0] = np.array(cv2.mean(image_bgr, around)[:3]).astype(np.uint8)
    return out


def _trunk_px(person: PersonKeypoints, xy_px: Float64) -> float:
    """The trunk's length in the image, or the person's width where that is more."""
    shoulders, hips = (xy_px[person.layout.rows([f"left_{part}", f"right_{part}"])] for part in ("shoulder", "hip"))
    trunk = float(np.hypot(*(shoulders.mean(axis=0) - hips.mean(axis=0))))
    return max(trunk, float(np.hypot(*(shoulders[0] - shoulders[1]))), 1.0)
