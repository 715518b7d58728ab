"""Contact sheets: six moments with the pose over the image and its two views; a clip without anybody has one too."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.footage import make_clip
from support.tracks import camera, standing, track_of

from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage.clip_keypoints import ClipKeypoints
from realtime_pose.evaluation.footage.sheets import write_sheet
from realtime_pose.skeletons import COCO17


def clip_at(path: Path, frames=12):
    make_clip(path, frames)
    nothing = np.zeros((0, 17, 2), np.float32), np.zeros((0, 17), np.float32)
    none = np.zeros(0, np.int64)
    return ClipKeypoints(
        path, "fake", False, 64, 48, np.arange(frames), COCO17, none, none, *nothing, none.reshape(0, 2)
    )


def coloured(image):
    """Pixels that are no grey: the pose's."""
    return int((np.ptp(image.astype(int), axis=-1) > 60).sum())


def test_each_moment_has_the_image_and_two_views(tmp_path):
    write_sheet(tmp_path / "out" / "a.png", clip_at(tmp_path / "a.avi"), standing(12))
    sheet = cv2.imread(str(tmp_path / "out" / "a.png"))
    assert sheet.shape[0] == 3 * 400
    cell = sheet[:400, : sheet.shape[1] // 2]
    assert min(coloured(cell[:, -260:]), coloured(cell[:, -520:-260])) > 300


def test_a_frame_without_a_pose_and_a_clip_without_anybody_are_drawn(tmp_path):
    late = track_of(standing(6).joints_m, camera(), first=6)
    write_sheet(tmp_path / "late.png", clip_at(tmp_path / "a.avi"), late)
    sheet = cv2.imread(str(tmp_path / "late.png"))
    assert coloured(sheet[:400]) == 0
    assert coloured(sheet[800:]) > 300
    write_sheet(tmp_path / "none.png", clip_at(tmp_path / "a.avi", 4), None)
    assert cv2.imread(str(tmp_path / "none.png")) is not None


def test_a_pose_far_outside_is_drawn(tmp_path):
    far = replace(standing(12), cameras=(camera(position_m=(400.0, 1.0, 0.01)),) * 12)
    write_sheet(tmp_path / "far.png", clip_at(tmp_path / "a.avi"), far)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordingError, match="choose another --sheet folder"):
        write_sheet(tmp_path / "file" / "a.png", clip_at(tmp_path / "a.avi"), None)
