"""Qualisys calibrations: units, axes and lens as in the file; other files are refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest
from support.calibrated import calibrated, qualisys_text

from realtime_pose.errors import RecordingError
from realtime_pose.evaluation.footage.calibration import cameras_of, read_qualisys

REAL = Path(__file__).parents[4] / "../shared/data/real/pose2sim_multi/Calib.qca.txt"


def written(tmp_path, text):
    path = tmp_path / "a.qca.txt"
    path.write_text(text)
    return path


def test_a_file_is_read_in_metres_and_pixels(tmp_path):
    given = [calibrated("left", (-3, -3, 1.5)), calibrated("right", (3, -3, 1.5))]
    read = read_qualisys(written(tmp_path, qualisys_text(given)))
    assert [camera.name for camera in read] == ["left", "right"]
    for a, b in zip(read, given, strict=True):
        assert a.intrinsics == b.intrinsics
        assert np.allclose(a.camera_from_world, b.camera_from_world)
        assert np.allclose(a.position_m, b.position_m)


def test_rays_lead_back_to_what_is_projected():
    camera = calibrated("a", (-3, -2, 2.0))
    points_m = np.array([[0.0, 0.0, 1.0], [0.4, -0.3, 1.7], [-0.5, 0.2, 0.1]])
    rays = camera.rays(camera.project(points_m))
    away_m = points_m - camera.position_m
    assert np.allclose(rays, away_m / np.linalg.norm(away_m, axis=1, keepdims=True), atol=1e-6)


def test_a_camera_that_looks_at_the_world_has_up_above():
    x, y, z = calibrated("a", (0, -4, 2.5)).up
    assert abs(x) < 1e-9
    assert y > 0.9
    assert z > 0.1  # it looks down, so up leans towards the camera


def test_the_lens_is_undone(tmp_path):
    straight = calibrated("a", (0, -4, 1))
    bent = read_qualisys(
        written(tmp_path, qualisys_text([straight]).replace('Distortion1="0"', 'Distortion1="-0.1"', 1))
    )[0]
    corner = np.array([100.0, 100.0])
    assert not np.allclose(bent.rays(corner), straight.rays(corner), atol=1e-3)
    assert np.allclose(bent.rays(np.array([640.0, 360.0])), straight.rays(np.array([640.0, 360.0])))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "<a/>",
        lambda text: text.replace("r11=", "r99="),
        lambda text: text.replace('x="', 'x="a'),
        lambda text: text.replace("<intrinsic ", "<other "),
        lambda text: text.replace('r33="', 'r33="7'),
    ],
)
def test_other_files_are_refused(tmp_path, change):
    text = change(qualisys_text([calibrated("a", (0, -4, 1))]))
    with pytest.raises(RecordingError, match="is not a Qualisys calibration"):
        read_qualisys(written(tmp_path, text))


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(RecordingError, match="cannot read the calibration"):
        read_qualisys(tmp_path / "none")


def test_videos_are_matched_by_name_else_by_place():
    cameras = [calibrated("b", (0, -4, 1)), calibrated("a", (4, 0, 1))]
    assert [c.name for c in cameras_of([Path("x/a.mp4"), Path("x/b.mp4")], cameras)] == ["a", "b"]
    assert [c.name for c in cameras_of([Path("1.mp4"), Path("2.mp4")], cameras)] == ["b", "a"]
    with pytest.raises(RecordingError, match="has the cameras b, a"):
        cameras_of([Path("1.mp4")], cameras)


def test_a_real_set_has_the_pitch_and_roll_that_its_facts_say():
    if not REAL.is_file():
        pytest.skip("the calibrated clips of ../shared are not here")
    cameras = read_qualisys(REAL)
    pitch = [np.degrees(np.arcsin(-camera.up[2])) for camera in cameras]
    roll = [np.degrees(np.arctan2(camera.up[0], camera.up[1])) for camera in cameras]
    assert pitch == pytest.approx([-22.5, -18.2, -24.9, -21.8], abs=0.1)
    assert roll == pytest.approx([13.4, -2.6, -2.8, -26.1], abs=0.1)
