"""Decoding and runtimes on real peaks, of a ViTPose-S fitted to the actor, on frames outside its training set.

Random weights have no peaks worth the name. `make peaks` fits the model, once, and then these tests run.
"""

import numpy as np
import pytest
import torch
from support.peaks import (
    FITTED,
    blurring_as_mmpose,
    held_out_frames,
    mmpose_keypoints,
    needs_peaks,
    transformers_keypoints,
    transformers_vitpose,
)

from realtime_pose.datatypes import PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.crops import Cropper
from realtime_pose.inference.heatmaps import decode_heatmaps
from realtime_pose.inference.runtimes.choose import clear_peaks
from realtime_pose.inference.topdown import CropGeometry
from realtime_pose.inference.vitpose.estimator import ViTPoseEstimator
from realtime_pose.skeletons import COCO17

pytestmark = [needs_peaks, pytest.mark.slow]

FRAMES = 18
ENOUGH = 200
SHIFT_PX = {  # median and 95th percentile of the shift that a precision may cause, pixels of the frame
    ("torch", "bf16"): (0.05, 0.2),
    ("onnxruntime", "fp32"): (0.002, 0.01),
    ("openvino", "fp32"): (0.002, 0.01),
    ("openvino", "bf16"): (0.05, 0.2),
}


def estimator(runtime: str = "torch", precision: str = "fp32", *, flip_test: bool = False) -> ViTPoseEstimator:
    config = InferenceConfig(
        checkpoint=str(FITTED), runtime=runtime, precision=precision, device="cpu", flip_test=flip_test
    )
    return ViTPoseEstimator(config)


def keypoints_of(which: ViTPoseEstimator) -> np.ndarray:
    """(N, 17, 2) px, each frame with its box through the estimator."""
    people = [which.estimate(held.frame, [PersonBox(held.box_xyxy_px.copy(), 1.0)]) for held in held_out_frames(FRAMES)]
    which.close()
    return np.stack([person.xy_px for (person,) in people])


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    cropper = Cropper(CropGeometry())
    return np.concatenate(
        [cropper.crop(held.frame.image_bgr, held.box_xyxy_px[None])[0].copy() for held in held_out_frames(FRAMES)]
    )


@pytest.fixture(scope="module")
def heatmaps(crops) -> np.ndarray:
    return estimator().heatmaps(crops)


@pytest.fixture(scope="module")
def clear(heatmaps) -> np.ndarray:
    """Mask of those with one high peak and no second."""
    found = clear_peaks(heatmaps)
    assert found.sum() >= ENOUGH  # otherwise the tests would prove nothing
    return found


@pytest.fixture(scope="module")
def ours() -> np.ndarray:
    return keypoints_of(estimator())


@pytest.fixture(scope="module")
def theirs():
    """transformers' model with the same weights."""
    return transformers_vitpose(FITTED)


def distances(one: np.ndarray, other: np.ndarray, clear: np.ndarray) -> np.ndarray:
    return np.linalg.norm(one - other, axis=-1)[clear]


def test_the_peaks_are_real(ours, clear):
    truth = np.stack([held.xy_px for held in held_out_frames(FRAMES)])
    away = distances(ours, truth, clear)
    assert np.mean(away < 5) > 0.9
    assert clear.mean() > 0.9


def test_heatmaps_equal_transformers(crops, heatmaps, theirs):
    with torch.inference_mode():
        wanted = theirs(torch.from_numpy(crops)).heatmaps.numpy()
    assert wanted.max() > 0.5
    assert np.abs(heatmaps - wanted).max() < 1e-4


def test_keypoints_equal_transformers_post_processing(ours, crops, theirs, clear):
    with blurring_as_mmpose():
        wanted = transformers_keypoints(theirs, held_out_frames(FRAMES), crops)
    assert distances(ours, wanted, clear).max() < 0.05


def test_keypoints_are_those_of_transformers_from_image_to_keypoint(ours, theirs, clear):
    """Its processor interpolates in floating point, OpenCV (and mmpose) in steps of 1/32 px: crops differ a little."""
    with blurring_as_mmpose():
        wanted = transformers_keypoints(theirs, held_out_frames(FRAMES))
    away = distances(ours, wanted, clear)
    assert np.median(away) < 0.05
    assert np.percentile(away, 95) < 0.5


def test_keypoints_equal_mmposes_inference_topdown(ours, clear):
    assert distances(ours, mmpose_keypoints(FITTED, held_out_frames(FRAMES)), clear).max() < 0.05


def test_the_flip_test_is_the_mean_of_both_looks_as_transformers_turns_them_back(crops, heatmaps, theirs):
    pairs = torch.tensor([(i, j) for i, j in enumerate(COCO17.mirror) if i < j])
    pictures = torch.from_numpy(crops)
    with torch.inference_mode():
        back = theirs(pictures.flip(3), flip_pairs=pairs).heatmaps
        wanted = ((theirs(pictures).heatmaps + back) / 2).numpy()
    flipped = estimator(flip_test=True).heatmaps(crops)
    assert np.abs(flipped - wanted).max() < 1e-4
    assert np.abs(flipped - heatmaps).max() > 1e-2  # the mirrored copy makes a difference
    both = clear_peaks(flipped) & clear_peaks(wanted)
    assert both.sum() >= ENOUGH
    assert np.abs(decode_heatmaps(flipped)[0] - decode_heatmaps(wanted)[0])[both].max() < 0.01


@pytest.mark.parametrize(("runtime", "precision"), SHIFT_PX)
def test_every_runtime_agrees_with_torch_at_fp32(ours, clear, runtime, precision):
    shift = distances(ours, keypoints_of(estimator(runtime, precision)), clear)
    median, p95 = SHIFT_PX[runtime, precision]
    print(f"{runtime} {precision}: median {np.median(shift):.4f} px, 95th percentile {np.percentile(shift, 95):.4f} px")
    assert np.median(shift) < median
    assert np.percentile(shift, 95) < p95
