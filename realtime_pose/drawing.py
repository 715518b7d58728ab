"""Drawing people onto a picture: the overlay video, the preview window and the dashboard use it.

The person's left is blue, their right vermilion, the midline yellow: Okabe and Ito's palette, which colour-blind
people can tell apart ("Color Universal Design", 2008). A dark rim keeps each line visible on any ground.
"""

from collections.abc import Sequence

import numpy as np

from realtime_pose.datatypes import Person, PersonKeypoints
from realtime_pose.utils.arrays import Float64, UInt8

_LEFT_BGR = (233, 180, 86)
_RIGHT_BGR = (0, 94, 213)
_MIDDLE_BGR = (66, 228, 240)
_RIM_BGR = (30, 30, 30)
_TEXT_BGR = (255, 255, 255)

_FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
_SUBPIXEL_BITS = 3  # OpenCV draws at 1/8 px when told so
_FAR_PX = 100_000.0  # beyond it OpenCV's integers overflow; nothing there is in the picture


def draw_skeleton_on_frame(
    image_bgr: UInt8,
    people: Sequence[Person],
    *,
    score_threshold: float = 0.3,
    boxes: bool = False,
    ids: bool = True,
) -> UInt8:
    """A new image (H, W, 3) with the people's skeletons on it; the given one stays as it is.

    Args:
        image_bgr: (H, W, 3) uint8.
        people: Whom to draw; pixels of this image.
        score_threshold: Keypoints below it are not drawn, nor the limbs that end in them.
        boxes: Draw each person's box.
        ids: Write each person's name over their head.
    """
    out = image_bgr.copy()
    width_px = max(2, round(float(np.hypot(*image_bgr.shape[:2])) / 350))
    for person in people:
        if boxes:
            _draw_box(out, person, width_px)
        _draw_limbs(out, person.keypoints, score_threshold, width_px)
        if ids:
            _write_id(out, person, score_threshold, width_px)
    return out


def _side_colour(*names: str) -> tuple[int, int, int]:
    for side, colour in (("left", _LEFT_BGR), ("right", _RIGHT_BGR)):
        if all(name.startswith(side) for name in names):
            return colour
    return _MIDDLE_BGR


def _drawable(keypoints: PersonKeypoints, threshold: float) -> tuple[Float64, list[bool]]:
    """Pixels (K, 2) and which of them may be drawn."""
    xy = keypoints.xy_px.astype(np.float64)
    # a score of 0 means that the pixel is meaningless, whatever the threshold
    seen = (keypoints.score >= threshold) & (keypoints.score > 0) & np.all(np.abs(xy) < _FAR_PX, axis=1)
    return xy, seen.tolist()


def _draw_limbs(out: UInt8, keypoints: PersonKeypoints, threshold: float, width_px: int) -> None:
    import cv2

    xy, seen = _drawable(keypoints, threshold)
    names = keypoints.layout.names
    at = [
        tuple(round(v * 2**_SUBPIXEL_BITS) for v in point) if ok else (0, 0) for point, ok in zip(xy, seen, strict=True)
    ]
    links = [(a, b) for a, b in keypoints.layout.links if seen[a] and seen[b]]
    for a, b in links:
        cv2.line(out, at[a], at[b], _RIM_BGR, width_px + 2, cv2.LINE_AA, _SUBPIXEL_BITS)
    for a, b in links:
        cv2.line(out, at[a], at[b], _side_colour(names[a], names[b]), width_px, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = width_px * 2**_SUBPIXEL_BITS
    for name, point, ok in zip(names, at, seen, strict=True):
        if ok:
            cv2.circle(out, point, radius + 2**_SUBPIXEL_BITS, _RIM_BGR, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
            cv2.circle(out, point, radius, _side_colour(name), -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _draw_box(out: UInt8, person: Person, width_px: int) -> None:
    import cv2

    box = person.box.bbox_xyxy_px.astype(np.float64)
    if np.all(np.abs(box) < _FAR_PX):
        left, top, right, bottom = (round(v) for v in box)
        for colour, thick in ((_RIM_BGR, width_px + 2), (_TEXT_BGR, max(1, width_px // 2))):
            cv2.rectangle(out, (left, top), (right - 1, bottom - 1), colour, thick, cv2.LINE_AA)


def _write_id(out: UInt8, person: Person, threshold: float, width_px: int) -> None:
    import cv2

    xy, seen = _drawable(person.keypoints, threshold)
    if not any(seen):
        return
    face = [row for row, name in enumerate(person.keypoints.layout.names) if seen[row] and name in _FACE]
    points = xy[face] if face else xy[seen]
    text, font, scale = str(person.keypoints.track_id), cv2.FONT_HERSHEY_SIMPLEX, max(0.45, 0.18 * width_px)
    thick = max(1, round(scale * 1.5))
    (text_w, text_h), _ = cv2.getTextSize(text, font, scale, thick)
    height, width = out.shape[:2]
    pad = width_px
    # over the head, wholly inside the picture
    x = int(np.clip(points[:, 0].mean() - text_w / 2, pad, max(pad, width - text_w - pad)))
    y = int(np.clip(points[:, 1].min() - 8 * width_px, text_h + pad, max(text_h + pad, height - pad)))
    cv2.rectangle(out, (x - pad, y - text_h - pad), (x + text_w + pad, y + pad), _RIM_BGR, -1)
    cv2.putText(out, text, (x, y), font, scale, _TEXT_BGR, thick, cv2.LINE_AA)
