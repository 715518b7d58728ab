"""Contact sheets: moments of a clip with the final pose over the image, and beside it from the front and the side."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from realtime_pose.capture.base import CaptureConfig
from realtime_pose.capture.sources import open_source
from realtime_pose.datatypes import Person, PersonBox, PersonKeypoints
from realtime_pose.drawing import draw_skeleton_on_frame
from realtime_pose.errors import EndOfStream, RecordingError
from realtime_pose.evaluation.footage.cameras import heading_of
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints
from realtime_pose.evaluation.footage.clip_poses import HIPS, PersonTrack
from realtime_pose.skeletons import HUMANOID, KeypointLayout
from realtime_pose.utils.arrays import Float64, UInt8, as_float32
from realtime_pose.utils.atomic_files import replacing

_MOMENTS, _COLUMNS = 6, 2
_CELL_PX = 400  # height of a moment
_WIDEST_PX = 720  # of its image
_PANEL_PX = 260  # width of each of its two views of the pose
_FLOOR_SHARE = 0.85  # where the floor is, as a share of a view's height
_METRES = 2.6  # height of a view
_PAPER_BGR, _FLOOR_BGR, _TEXT_BGR, _POINT_BGR = (245, 245, 245), (120, 120, 120), (40, 40, 40), (255, 255, 255)

_LAYOUT = KeypointLayout(
    "humanoid", HUMANOID.joints, tuple((parent, row) for row, parent in enumerate(HUMANOID.parents) if parent >= 0)
)


def write_sheet(path: Path, clip: ClipKeypoints, track: PersonTrack | None) -> None:
    """Write the contact sheet of a clip as an image.

    White dots are the keypoints. The views look along the camera's heading (front) and from the image's right (side);
    the line is the floor, and numbers are the frame, the hips' place in the world, and the camera's height,
    pitch (negative: down) and roll.

    Args:
        path: The image to write; its suffix is the format.
        clip: The clip.
        track: The person; None if nobody was found.

    Raises:
        CaptureError: The clip cannot be read.
        RecordingError: The image cannot be written.
    """
    import cv2

    frames = sorted({int((i + 0.5) * len(clip) / _MOMENTS) for i in range(_MOMENTS)})
    cells = [_cell(image_bgr, frame, track) for frame, image_bgr in _images(clip, frames)]
    blank = np.full_like(cells[0], _PAPER_BGR)
    cells += [blank] * (-len(cells) % _COLUMNS)
    rows = [np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            if not cv2.imwrite(str(part), np.vstack(rows)):
                raise OSError("the image was not written")
    except OSError as exc:
        raise RecordingError(f"cannot write {path} ({exc.strerror or exc}); choose another --sheet folder") from exc


def _images(clip: ClipKeypoints, frames: Sequence[int]) -> list[tuple[int, UInt8]]:
    images: list[tuple[int, UInt8]] = []
    number = 0
    with closing(open_source(CaptureConfig(source=str(clip.path)))) as source:
        while len(images) < len(frames):
            try:
                read = source.read()
            except EndOfStream:
                break
            if read is not None:
                if number in frames:
                    images.append((number, read.image_bgr))
                number += 1
    return images


def _cell(image_bgr: UInt8, frame: int, track: PersonTrack | None) -> UInt8:
    """One moment: the image with the pose over it, and the two views."""
    import cv2

    rows = track.rows(frame, frame) if track is not None else slice(0)
    front, side = (np.full((_CELL_PX, _PANEL_PX, 3), _PAPER_BGR, np.uint8) for _ in range(2))
    text = f"{frame}: no pose"
    if track is not None and rows.stop > rows.start:
        row = rows.start
        joints_m, camera = track.joints_m[row], track.cameras[row]
        image_bgr = _with_points(
            _drawn(image_bgr, camera.project(joints_m)), track.limbs_px[row], track.limbs_score[row]
        )
        right, towards = heading_of(camera)
        front, side = _view(front, joints_m, right), _view(side, joints_m, -towards)
        x, y, z = joints_m[HIPS]
        camera_text = f"cam {camera.position_m[1]:.1f} m {-camera.pitch_deg:.0f} {camera.roll_deg:.0f}"
        text = f"{frame}  hips {x:.1f} {y:.2f} {z:.1f}  {camera_text}"
    height, width = image_bgr.shape[:2]
    scale = min(_CELL_PX / height, _WIDEST_PX / width)
    size = round(width * scale), round(height * scale)
    picture = np.full((_CELL_PX, size[0], 3), _PAPER_BGR, np.uint8)
    picture[: size[1]] = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA)
    cell: UInt8 = np.hstack([picture, front, side])
    cv2.putText(
        cell, text, (size[0] + 6, _CELL_PX - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _TEXT_BGR, 1, cv2.LINE_AA
    )  # fmt: skip
    return cell


def _drawn(image_bgr: UInt8, joints_px: Float64) -> UInt8:
    """A copy of the image with a pose (17, 2) drawn on it."""
    keypoints = PersonKeypoints(_LAYOUT, as_float32(joints_px), np.ones(len(joints_px), np.float32), 0, 0)
    person = Person(PersonBox(np.zeros(4, np.float32), 1.0), keypoints.sane(), None, None)
    return draw_skeleton_on_frame(image_bgr, [person], ids=False)


def _with_points(image_bgr: UInt8, points_px: Float64, score: Float64) -> UInt8:
    """The image with keypoints (12, 2) drawn into it as dots."""
    import cv2

    radius = max(2, image_bgr.shape[0] // 150)
    for (x, y), s in zip(points_px.tolist(), score.tolist(), strict=True):
        if s >= 0.3:
            cv2.circle(image_bgr, (round(x), round(y)), radius, _POINT_BGR, -1, cv2.LINE_AA)
    return image_bgr


def _view(panel: UInt8, joints_m: Float64, across: Float64) -> UInt8:
    """A pose (17, 3) drawn on a panel from the side to which `across` (3,) points right, its hips in the middle."""
    import cv2

    per_metre, floor_px = _CELL_PX / _METRES, round(_FLOOR_SHARE * _CELL_PX)
    cv2.line(panel, (0, floor_px), (_PANEL_PX, floor_px), _FLOOR_BGR, 1)
    x = _PANEL_PX / 2 + ((joints_m - joints_m[HIPS]) @ across) * per_metre
    return _drawn(panel, np.stack((x, floor_px - joints_m[:, 1] * per_metre), axis=-1))
