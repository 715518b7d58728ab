"""Decoding, compared with mmpose's codec, transformers' post-processing and the Gaussians' true centres."""

import numpy as np
import pytest

from realtime_pose.inference.crops import regions_of_boxes
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.vitpose.mmpose_compat import import_mmpose

INPUT_WH, HEATMAP_WH = np.array([192, 256]), np.array([48, 64])


def gaussians(xy_cells: np.ndarray, sigma: float = 2.0, height: float = 0.9) -> np.ndarray:
    """Heatmaps (N, K, 64, 48) of a Gaussian around each point (N, K, 2)."""
    across = np.exp(-((np.arange(48) - xy_cells[..., :1]) ** 2) / (2 * sigma**2))
    down = np.exp(-((np.arange(64) - xy_cells[..., 1:]) ** 2) / (2 * sigma**2))
    return (height * down[..., :, None] * across[..., None, :]).astype(np.float32)


@pytest.fixture
def points() -> np.ndarray:
    """Three people's keypoints in cells, anywhere but at the edge."""
    return np.random.default_rng(3).uniform([6, 6], [41, 57], (3, 17, 2))


def test_the_peak_of_a_gaussian_is_found_below_a_hundredth_of_a_pixel(points):
    # Far enough from the edge that the blur sees the whole Gaussian.
    inner = np.random.default_rng(4).uniform([14, 14], [33, 49], (3, 17, 2))
    xy, score = decode_heatmaps(gaussians(inner))
    px_per_cell = (INPUT_WH - 1) / (HEATMAP_WH - 1)
    assert np.abs((xy - inner) * px_per_cell).max() < 0.01
    assert np.all((score > 0.8) & (score <= 0.9))


def test_decoding_equals_mmposes_codec(points):
    import_mmpose()
    from mmpose.codecs import UDPHeatmap

    codec = UDPHeatmap(input_size=(192, 256), heatmap_size=(48, 64), sigma=2)
    noise = np.random.default_rng(5).normal(0, 0.002, (3, 17, 64, 48)).astype(np.float32)
    beside = gaussians(points + np.array([1.5, 2.0]))  # makes each peak slanted, so that x and y are correlated
    heatmaps = 0.8 * (gaussians(points) + 0.4 * beside) + noise
    theirs = np.stack([codec.decode(person)[0][0] for person in heatmaps])  # in crop px of its own convention
    ours, score = decode_heatmaps(heatmaps)
    assert np.abs(ours / (HEATMAP_WH - 1) * INPUT_WH - theirs).max() < 0.01
    assert np.allclose(score, heatmaps.max(axis=(2, 3)))


def test_decoding_and_placing_equal_transformers_post_processing(points):
    from transformers.models.vitpose import image_processing_pil_vitpose as theirs

    boxes = np.array([[10, 20, 110, 320], [200, 50, 500, 150], [-40, -10, 300, 500]], np.float32)
    heatmaps = gaussians(points)
    cells, _ = theirs.get_keypoint_predictions(heatmaps)
    cells = theirs.post_dark_unbiased_data_processing(cells, heatmaps, kernel=11)
    placed = []
    for person, (left, top, right, bottom) in zip(cells, boxes, strict=True):
        center, scale = theirs.box_to_center_and_scale((left, top, right - left, bottom - top), 192, 256)
        placed.append(theirs.transform_preds(person, center, scale, (64, 48)))
    regions = regions_of_boxes(boxes, 192 / 256, 1.25)
    ours = xy_in_frame(decode_heatmaps(heatmaps)[0], regions, (48, 64))
    # theirs blurs with another sigma, which moves points near the heatmap's edge; away from it the two must meet.
    inner = ((points > 13) & (points < HEATMAP_WH - 14)).all(axis=-1)
    assert inner.sum() >= 15
    px_per_cell = regions.size_px[:, None] / (HEATMAP_WH - 1)
    assert np.abs((ours - np.stack(placed)) / px_per_cell)[inner].max() * 4 < 0.01  # 4 crop px a cell


def test_the_callers_heatmaps_stay_as_they_are(points):
    heatmaps = gaussians(points)
    before = heatmaps.copy()
    heatmaps.flags.writeable = False
    decode_heatmaps(heatmaps)
    assert np.array_equal(heatmaps, before)


def test_nothing_in_a_heatmap_scores_nothing_and_breaks_nothing():
    for flat in (0.0, -1.0):
        xy, score = decode_heatmaps(np.full((1, 17, 64, 48), flat, np.float32))
        assert np.all(score == 0)
        assert np.isfinite(xy).all()


def test_a_lone_spike_or_a_ridge_never_throws_the_point_away():
    heatmaps = np.zeros((1, 4, 64, 48), np.float32)
    heatmaps[0, 0, 0, 0] = 1.0  # in the corner
    heatmaps[0, 1, 30, :] = 1.0  # a ridge without an end
    heatmaps[0, 2, 10:12, 10] = 1.0  # two cells alike
    heatmaps[0, 3] = gaussians(np.array([[[24.0, 40.0]]]), sigma=6.0)[0, 0]
    heatmaps[0, 3, 30, 24] = 1.0  # on the slope of a hill whose top, ten cells away, the blur points to
    xy, score = decode_heatmaps(heatmaps)
    assert np.all(score == 1)
    assert np.abs(xy[0] - [[0, 0], [0, 30], [10, 10], [24, 30]]).max() <= 2.0


def test_scores_stay_within_one():
    assert decode_heatmaps(np.full((1, 1, 64, 48), 7.0, np.float32))[1].item() == 1.0
