"""Skeleton overlay on images, for the overlay video, the preview window and the dashboard.

The person's left is blue, their right vermilion, the midline yellow: Okabe and Ito's colour-blind safe palette ("Color
Universal Design", 2008). A dark outline keeps lines visible on any background. Hands and faces are drawn finer than the
body, and left out where their points are too close together to be distinguished.
"""

from collections.abc import Sequence

import numpy as np

from realtime_pose.datatypes import Person, PersonKeypoints
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.arrays import Float64, UInt8

SIDE_BGR = {"left": (233, 180, 86), "right": (0, 94, 213), "middle": (66, 228, 240)}
"""The colour of each side; the dashboard uses them too."""
_OUTLINE_BGR = (30, 30, 30)
_TEXT_BGR = (255, 255, 255)

_HEAD = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
# Line widths relative to the body's.
_THICKNESS = {"body": 1.0, "foot": 1.0, "hand": 0.45, "face": 0.3}
_FINE = ("hand", "face")
# Lengths in line widths: a fine part's links are at least this long, else its lines are thinner; dots need this length.
_LINK_WIDTHS, _DOT_WIDTHS = 4, 5
_BODY_WIDTHS = 40  # a person's least height in line widths
_MIN_LINK_PX = 2.0  # a fine part whose median link is shorter is left out
_SUBPIXEL_BITS = 3  # OpenCV draws at 1/8 px with `shift`
_FAR_PX = 100_000.0  # far outside any image; beyond, OpenCV's integers overflow


def draw_skeleton_on_frame(
    image_bgr: UInt8,
    people: Sequence[Person],
    *,
    score_threshold: float = 0.3,
    boxes: bool = False,
    ids: bool = True,
) -> UInt8:
    """A copy of the image (H, W, 3) with the people's skeletons drawn on it.

    Args:
        image_bgr: (H, W, 3) uint8.
        people: The people to draw, with keypoints in pixels of this image.
        score_threshold: Keypoints below it and their links are not drawn.
        boxes: Draw each person's bounding box.
        ids: Write each person's track id over their head.
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


def fitted(image: UInt8, width: int, height: int) -> UInt8:
    """The image at this size: an odd edge pixel is repeated, any other size is scaled and centred on black."""
    import cv2

    h, w = image.shape[:2]
    if (w, h) == (width, height):
        return image
    if 0 <= width - w <= 1 and 0 <= height - h <= 1:
        return np.asarray(cv2.copyMakeBorder(image, 0, height - h, 0, width - w, cv2.BORDER_REPLICATE), np.uint8)
    scale = min(width / w, height / h)
    w, h = max(1, round(w * scale)), max(1, round(h * scale))
    canvas: UInt8 = np.zeros((height, width, 3), np.uint8)
    x, y = (width - w) // 2, (height - h) // 2
    canvas[y : y + h, x : x + w] = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    return canvas


def _drawable(keypoints: PersonKeypoints, threshold: float) -> tuple[Float64, list[bool]]:
    """Pixels (K, 2), and which of them can be drawn."""
    xy = keypoints.xy_px.astype(np.float64)
    # with score 0 the pixel has no meaning, whatever the threshold
    seen = (keypoints.score >= threshold) & (keypoints.score > 0) & np.all(np.abs(xy) < _FAR_PX, axis=1)
    return xy, seen.tolist()


def _draw_limbs(out: UInt8, keypoints: PersonKeypoints, threshold: float, width_px: int) -> None:
    import cv2

    layout = keypoints.layout
    xy, seen = _drawable(keypoints, threshold)
    width_px = _width_for(xy[seen], width_px)
    at = [
        tuple(round(v * 2**_SUBPIXEL_BITS) for v in point) if ok else (0, 0) for point, ok in zip(xy, seen, strict=True)
    ]
    links = [(a, b) for a, b in layout.links if seen[a] and seen[b]]
    parts, lengths_px = _parts_to_draw(layout, xy, links)
    for part, length_px in lengths_px.items():
        thick = round(width_px * _THICKNESS[part])
        if part in _FINE:
            thick = min(thick, int(length_px / _LINK_WIDTHS))
        thick = max(1, thick)
        outlines = (2, 0) if thick > 1 or part not in _FINE else (0,)  # a 1 px line has no outline
        of_part = [(a, b) for a, b in links if _finer(parts[a], parts[b]) == part]
        for outline in outlines:
            for a, b in of_part:
                side = layout.sides[a] if layout.sides[a] == layout.sides[b] else "middle"
                colour = _OUTLINE_BGR if outline else SIDE_BGR[side]
                cv2.line(out, at[a], at[b], colour, thick + outline, cv2.LINE_AA, _SUBPIXEL_BITS)
        if part == "face" or (part == "hand" and (thick == 1 or length_px < _DOT_WIDTHS * thick)):
            continue
        radius = thick * 2**_SUBPIXEL_BITS
        for row, point in enumerate(at):
            if seen[row] and parts[row] == part:
                cv2.circle(out, point, radius + 2**_SUBPIXEL_BITS, _OUTLINE_BGR, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
                cv2.circle(out, point, radius, SIDE_BGR[layout.sides[row]], -1, cv2.LINE_AA, _SUBPIXEL_BITS)


def _width_for(xy: Float64, width_px: int) -> int:
    """The body's line width: the image's, or less for a person who is small in it."""
    if not len(xy):
        return width_px
    return max(1, min(width_px, round(float(np.ptp(xy, axis=0).max()) / _BODY_WIDTHS)))


def _finer(*parts: str) -> str:
    """The part with the finest lines."""
    return min(parts, key=_THICKNESS.__getitem__)


def _parts_to_draw(
    layout: KeypointLayout, xy: Float64, links: Sequence[tuple[int, int]]
) -> tuple[Sequence[str], dict[str, float]]:
    """Each row's part, and the parts large enough to draw, finest last, with their median link length in px."""
    lengths: dict[str, list[float]] = {part: [] for part in _THICKNESS}
    for a, b in links:
        lengths[_finer(layout.parts[a], layout.parts[b])].append(float(np.hypot(*(xy[a] - xy[b]))))
    median = {part: float(np.median(values)) if values else 0.0 for part, values in lengths.items()}
    drawn = {part: length for part, length in median.items() if part not in _FINE or length >= _MIN_LINK_PX}
    if "face" not in drawn:
        return layout.parts, drawn
    # The body's own eyes, ears and nose would hide the face.
    in_face = zip(layout.names, layout.parts, strict=True)
    return ["face" if name in _HEAD else part for name, part in in_face], drawn


def _draw_box(out: UInt8, person: Person, width_px: int) -> None:
    import cv2

    box = person.box.bbox_xyxy_px.astype(np.float64)
    if np.all(np.abs(box) < _FAR_PX):
        left, top, right, bottom = (round(v) for v in box)
        for colour, thick in ((_OUTLINE_BGR, width_px + 2), (_TEXT_BGR, max(1, width_px // 2))):
            cv2.rectangle(out, (left, top), (right - 1, bottom - 1), colour, thick, cv2.LINE_AA)


def _write_id(out: UInt8, person: Person, threshold: float, width_px: int) -> None:
    import cv2

    xy, seen = _drawable(person.keypoints, threshold)
    if not any(seen):
        return
    face = [row for row, name in enumerate(person.keypoints.layout.names) if seen[row] and name in _HEAD]
    points = xy[face] if face else xy[seen]
    text, font, scale = str(person.keypoints.track_id), cv2.FONT_HERSHEY_SIMPLEX, max(0.45, 0.18 * width_px)
    thick = max(1, round(scale * 1.5))
    (text_w, text_h), _ = cv2.getTextSize(text, font, scale, thick)
    height, width = out.shape[:2]
    pad = width_px
    # over the head, fully inside the image
    x = int(np.clip(points[:, 0].mean() - text_w / 2, pad, max(pad, width - text_w - pad)))
    y = int(np.clip(points[:, 1].min() - 8 * width_px, text_h + pad, max(text_h + pad, height - pad)))
    cv2.rectangle(out, (x - pad, y - text_h - pad), (x + text_w + pad, y + pad), _OUTLINE_BGR, -1)
    cv2.putText(out, text, (x, y), font, scale, _TEXT_BGR, thick, cv2.LINE_AA)
