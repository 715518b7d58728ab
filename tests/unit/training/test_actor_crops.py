"""Augmented crops: heatmaps peak at the keypoints, crops are repeatable, frames are held out."""

import numpy as np
import pytest

from realtime_pose.datatypes import Frame
from realtime_pose.errors import CaptureError
from realtime_pose.inference.heatmaps import decode_heatmaps
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.skeletons import COCO17
from realtime_pose.training import actor_crops
from realtime_pose.training.actor_crops import ActorFrame, CropMaker, actor_frames, heatmaps_of, is_held_out

BRIGHTNESS = 40 + 12 * np.arange(17)  # of the disc at each keypoint
MIRROR = np.array(COCO17.mirror)


@pytest.fixture(scope="module")
def discs() -> ActorFrame:
    """A dark frame with a disc of a different brightness at every keypoint."""
    column, row = np.meshgrid(np.arange(4), np.arange(5))
    xy = np.stack((180 + 70 * column.ravel(), 60 + 80 * row.ravel()), axis=-1)[:17].astype(np.float32)
    image = np.zeros((480, 640, 3), np.uint8)
    y, x = np.mgrid[:480, :640]
    for (px, py), value in zip(xy, BRIGHTNESS, strict=True):
        image[(x - px) ** 2 + (y - py) ** 2 < 20**2] = value
    return ActorFrame(Frame(image, 0, 0, 0), np.float32([150, 30, 420, 410]), xy)


def test_heatmaps_peak_where_the_keypoints_are(discs, monkeypatch):
    monkeypatch.setattr(actor_crops, "_BRIGHTNESS", 0)
    geometry = CropGeometry()
    crops, heatmaps = CropMaker([discs], geometry, seed=1).batch(24)
    assert (crops.shape, heatmaps.shape) == ((24, 3, 256, 192), (24, 17, 64, 48))
    xy_cells, score = decode_heatmaps(heatmaps)
    column, row = (np.round(xy_cells * np.array([191, 255]) / np.array([47, 63])).astype(int)).transpose(2, 0, 1)
    inside = (score > 0.9) & (column > 5) & (column < 186) & (row > 5) & (row < 250)
    assert inside.mean() > 0.9
    seen = crops[np.arange(24)[:, None], 0, row.clip(0, 255), column.clip(0, 191)]
    seen = seen * geometry.std_rgb[0] + geometry.mean_rgb[0]
    mirrored = np.abs(seen[:, 1] - BRIGHTNESS[1]) > 1
    assert 4 < mirrored.sum() < 20
    for i in range(24):
        shown = BRIGHTNESS[MIRROR] if mirrored[i] else BRIGHTNESS  # mirroring swaps left and right
        assert np.allclose(seen[i][inside[i]], shown[inside[i]], atol=1)
    # The disc labelled left eye is left of the right eye's, mirrored or not.
    assert (column[:, 1] < column[:, 2]).all()


def test_a_seed_gives_the_same_crops(discs):
    one, same, other = (CropMaker([discs], CropGeometry(), seed).batch(3) for seed in (1, 1, 2))
    assert np.array_equal(one[0], same[0])
    assert np.array_equal(one[1], same[1])
    assert not np.array_equal(one[0], other[0])


def test_a_point_outside_has_no_peak():
    heatmaps = heatmaps_of(np.array([[[10.3, 20.7], [-0.5, 20.0], [10.0, 63.5]]]))
    assert heatmaps[0, 0].max() > 0.9
    assert heatmaps[0, 1:].max() == 0
    assert decode_heatmaps(heatmaps)[0][0, 0] == pytest.approx([10.3, 20.7], abs=0.01)


def test_every_fifth_frame_of_the_clip_is_held_out():
    frames = list(actor_frames())
    held = [f.frame.index for f in frames if is_held_out(f.frame)]
    assert len(frames) == 510
    assert held == list(range(2, 510, 5))
    low, high = frames[0].box_xyxy_px[:2], frames[0].box_xyxy_px[2:]
    assert (frames[0].xy_px > low).all()
    assert (frames[0].xy_px < high).all()


def test_a_clip_shorter_than_its_truth_is_refused(monkeypatch):
    truth = actor_crops.load_truth(actor_crops.data_path("resources/videos/default_truth.npz"))
    longer = type("Longer", (), {"keypoints_px": np.concatenate((truth.keypoints_px, truth.keypoints_px[:1]))})
    monkeypatch.setattr(actor_crops, "load_truth", lambda path: longer)
    with pytest.raises(CaptureError, match=r"shorter than its truth; make both with: python -m tools\.actor"):
        list(actor_frames())
