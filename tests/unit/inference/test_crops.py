"""Crops, compared with mmpose's own pipeline and with simple geometry."""

import numpy as np
import pytest

from realtime_pose.inference.crops import Cropper, regions_of_boxes, visible_boxes
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.vitpose.mmpose_compat import import_mmpose

MEAN_RGB = np.array([123.675, 116.28, 103.53], np.float32)
STD_RGB = np.array([58.395, 57.12, 57.375], np.float32)


@pytest.fixture
def image() -> np.ndarray:
    picture = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    picture.flags.writeable = False
    return picture


def test_a_region_has_the_crops_aspect_a_quarter_more_and_the_boxs_middle():
    boxes = np.array([[100, 50, 200, 350], [0, 0, 300, 100]], np.float32)  # one too tall, one too wide
    regions = regions_of_boxes(boxes, 0.75, 1.25)
    assert np.allclose(regions.size_px, [[300 * 0.75 * 1.25, 375], [375, 500]])
    assert np.allclose(regions.corner_px + regions.size_px / 2, [[150, 200], [150, 50]])


def test_crops_equal_mmposes_pipeline(image):
    import_mmpose()
    from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

    boxes = np.array([[40, 30, 120, 230], [100.5, 80.25, 260, 150], [-30, -20, 90, 260]], np.float32)
    cropper = Cropper(CropGeometry())
    ours, regions = cropper.crop(image, boxes)
    for i, box in enumerate(boxes):
        step = GetBBoxCenterScale(padding=1.25).transform({"bbox": box[None], "img": image})
        theirs = TopdownAffine(input_size=(192, 256), use_udp=True).transform(step)
        normal = (theirs["img"][..., ::-1].astype(np.float32) - MEAN_RGB) / STD_RGB
        # Both round to 8 bits; a box's float32 arithmetic may move a few pixels by one level (0.018).
        difference = np.abs(ours[i] - normal.transpose(2, 0, 1))
        assert difference.max() < 0.02
        assert (difference > 1e-4).mean() < 0.01
        assert np.allclose(regions.size_px[i], theirs["bbox_scale"][0], rtol=1e-6)


def test_outside_the_frame_is_black(image):
    crops, _ = Cropper(CropGeometry()).crop(image, np.array([[400, 300, 500, 400]], np.float32))
    assert np.allclose(crops[0], (-MEAN_RGB / STD_RGB)[:, None, None], atol=1e-6)


def test_the_batch_memory_is_kept_and_grows(image):
    cropper = Cropper(CropGeometry())
    box = np.array([[40, 30, 120, 230]], np.float32)
    three, _ = cropper.crop(image, np.repeat(box, 3, axis=0))
    one, _ = cropper.crop(image, box)
    assert three.shape == (3, 3, 256, 192)
    assert one.shape == (1, 3, 256, 192)
    assert np.shares_memory(one, three)


def test_boxes_without_area_or_outside_are_not_visible():
    boxes = [[0, 0, 10, 10], [5, 5, 5, 9], [9, 9, 5, 5], [700, 0, 800, 50], [-50, -50, -1, -1], [-9, -9, 2, 2]]
    seen = visible_boxes(np.array([*boxes, [0, 0, np.nan, 9]], np.float32), 640, 480)
    assert seen.tolist() == [True, False, False, False, False, True, False]
