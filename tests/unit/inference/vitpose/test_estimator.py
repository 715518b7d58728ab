"""ViTPose estimator, compared with transformers (same weights) and with mmpose's inference from box to keypoint."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, maximum_filter
from support.vitpose import (
    heatmaps_of,
    huggingface_tensors,
    mmpose_tensors,
    random_vitpose,
    save,
)

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.vitpose import models
from realtime_pose.inference.vitpose.estimator import ViTPoseEstimator
from realtime_pose.inference.vitpose.mmpose_compat import import_mmpose
from realtime_pose.skeletons import COCO17
from realtime_pose.utils.paths import data_path

BOXES = np.array([[40, 30, 220, 440], [300, 100, 620, 300], [-60, 200, 160, 520], [500, 40, 560, 200]], np.float32)


def config_for(path: Path, **changes: str) -> InferenceConfig:
    return replace(
        InferenceConfig(estimator="auto", checkpoint=str(path), runtime="torch", precision="fp32", device="cpu"),
        **changes,
    )


def frame_of(seed: int = 0) -> Frame:
    """An image of soft coloured blobs."""
    noise = np.random.default_rng(seed).normal(size=(480, 640, 3))
    soft = gaussian_filter(noise, (12, 12, 0))
    return Frame(np.uint8(np.clip(soft / soft.std() * 60 + 128, 0, 255)), 3, 100_000_000, 0)


def boxes_of(boxes: np.ndarray) -> list[PersonBox]:
    return [PersonBox(box.copy(), 0.9, 10 + i) for i, box in enumerate(boxes)]


@pytest.fixture(scope="module")
def vitpose_s(tmp_path_factory) -> Path:
    """A checkpoint of ViTPose-S with random weights."""
    return save(mmpose_tensors(random_vitpose()), tmp_path_factory.mktemp("weights") / "some.pth")


@pytest.fixture(scope="module")
def estimator(vitpose_s) -> ViTPoseEstimator:
    return ViTPoseEstimator(config_for(vitpose_s))


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(2, 3, 256, 192)).astype(np.float32)


def assert_same_heatmaps(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert theirs.std() > 0.05  # flat heatmaps would prove nothing
    assert np.abs(ours - theirs).max() < 1e-4


# --- heatmaps (test_network_parity.py has every family, size and expert) --------------------------------------------


def test_heatmaps_equal_transformers(estimator, crops):
    assert (estimator.name, estimator.layout) == ("vitpose-s", COCO17)
    assert (estimator.runtime, estimator.precision, estimator.device) == ("torch", "fp32", "cpu")
    assert_same_heatmaps(estimator.heatmaps(crops), heatmaps_of(random_vitpose(), crops))


def test_the_flip_test_is_the_mean_of_both_looks_as_transformers_turns_them_back(vitpose_s, crops):
    """transformers' `flip_pairs` mirrors the heatmaps of mirrored crops back; the mean of both is the flip test."""
    ours = ViTPoseEstimator(config_for(vitpose_s, flip_test=True))
    pairs = torch.tensor([(i, j) for i, j in enumerate(COCO17.mirror) if i < j])
    pictures = torch.from_numpy(crops)
    with torch.inference_mode():
        straight = random_vitpose()(pictures).heatmaps
        back = random_vitpose()(pictures.flip(3), flip_pairs=pairs).heatmaps
    assert_same_heatmaps(ours.heatmaps(crops), ((straight + back) / 2).numpy())
    assert (straight - back).abs().max() > 0.1  # random weights are not symmetric, so the mean differs


# --- from box to keypoint, as in mmpose ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def peaked_vitpose_s(tmp_path_factory) -> Path:
    """A ViTPose-S whose heatmaps have clear peaks.

    Random as before, but each deconvolution is a soft upsampling, and the last layer is scaled so that a heatmap's mean
    is 0 and its standard deviation 0.3: a peak stands alone above the rest.
    """
    tensors = mmpose_tensors(random_vitpose())
    ramp = torch.tensor([0.25, 0.75, 0.75, 0.25])
    for name in ("head.deconv_layers.0.weight", "head.deconv_layers.3.weight"):
        tensors[name] = tensors[name].mean(dim=(2, 3), keepdim=True) * 4 * torch.outer(ramp, ramp)
    path = save(tensors, tmp_path_factory.mktemp("weights") / "peaked.pth")
    raw = ViTPoseEstimator(config_for(path))
    heatmaps = torch.from_numpy(raw.heatmaps(raw._cropper.crop(frame_of().image_bgr, BOXES)[0]))
    scale = 0.3 / heatmaps.std(dim=(0, 2, 3))
    tensors["head.final_layer.weight"] *= scale[:, None, None, None]
    tensors["head.final_layer.bias"] = (tensors["head.final_layer.bias"] - heatmaps.mean(dim=(0, 2, 3))) * scale
    return save(tensors, path)


def mmpose_keypoints(path: Path, frames: list[Frame], boxes: np.ndarray) -> list[np.ndarray]:
    """mmpose's own `inference_topdown` with the same config and weights, flip test off: (N, 17, 2) for each frame."""
    import_mmpose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mmpose's and its dependencies' own
        from mmengine.config import Config
        from mmpose.apis import inference_topdown, init_model

        config = Config.fromfile(str(data_path("configs/vitpose/vitpose-s.py")))
        config.model.backbone.type = "PlainVisionTransformer"
        config.train_dataloader = config.test_dataloader  # where mmpose looks for the keypoints' names
        model = init_model(config, device="cpu")
        model.load_state_dict(load_vitpose(path).tensors)
        answers = [inference_topdown(model, frame.image_bgr.copy(), boxes) for frame in frames]
    return [np.concatenate([sample.pred_instances.keypoints for sample in samples]) for samples in answers]


def unambiguous(heatmaps: np.ndarray) -> np.ndarray:
    """Mask (N, K) of heatmaps (N, K, 64, 48) with one peak that rounding cannot move, so that two programs must agree.

    The highest cell is positive and three cells or more inside the edge; every other local maximum is at least 2 %
    lower; and the blurred heatmap that DARK refines on has its peak there too, and no value near 0, where the log ends,
    about it: so the refinement is a small step.
    """
    n, k, height, width = heatmaps.shape
    top = heatmaps.max(axis=(2, 3), keepdims=True)
    row, column = np.divmod(heatmaps.reshape(n, k, -1).argmax(-1), width)
    inside = (row >= 3) & (row < height - 3) & (column >= 3) & (column < width - 3)
    is_local_maximum = heatmaps == maximum_filter(heatmaps, (1, 1, 3, 3))
    rivals = (is_local_maximum & (heatmaps > 0.98 * top)).sum(axis=(2, 3))
    blurred = gaussian_filter(heatmaps, (0, 0, 2, 2), mode="constant")
    around = np.pad(blurred, ((0, 0), (0, 0), (1, 1), (1, 1)))
    n_index, k_index = np.ogrid[:n, :k]
    nine = np.stack(
        [around[n_index, k_index, row + dy, column + dx] for dy in range(3) for dx in range(3)], axis=-1
    )  # the cell itself is the fifth
    is_dark_peak = (nine.argmax(-1) == 4) & (nine.min(-1) > 0.1 * nine.max(-1))
    return (top[..., 0, 0] > 0.1) & inside & (rivals == 1) & is_dark_peak


@pytest.fixture(scope="module")
def both(peaked_vitpose_s):
    """Our keypoints, mmpose's, which of them are unambiguous, and how many px of the frame a heatmap cell is."""
    estimator = ViTPoseEstimator(config_for(peaked_vitpose_s))
    frames = [frame_of(seed) for seed in range(4)]
    found = []
    for frame, theirs in zip(frames, mmpose_keypoints(peaked_vitpose_s, frames, BOXES), strict=True):
        crops, regions = estimator._cropper.crop(frame.image_bgr, BOXES)
        clear = unambiguous(estimator.heatmaps(crops))
        ours = np.stack([person.xy_px for person in estimator.estimate(frame, boxes_of(BOXES))])
        cell_px = np.broadcast_to(regions.size_px[:, None] / (47, 63), ours.shape)
        found.append((ours, theirs, clear, cell_px))
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


@pytest.mark.slow
def test_keypoints_equal_mmposes_inference_topdown(both):
    ours, theirs, clear, _ = both
    assert clear.sum() >= 40  # of 272
    assert np.abs(ours - theirs)[clear].max() < 0.05


@pytest.mark.slow
def test_half_a_cell_would_be_noticed(both):
    """The comparison above is sharp enough to tell the half-pixel conventions apart."""
    ours, theirs, clear, cell_px = both
    shifted = ours + cell_px / 2
    assert np.abs(shifted - theirs)[clear].min() > 0.05
    # Reading the last cell as the right edge of a 48-cell grid, not as the point at 47, moves points by up to a cell.
    left = np.repeat(ours.min(axis=1, keepdims=True), ours.shape[1], axis=1)
    stretched = left + (ours - left) * 48 / 47
    assert np.abs(stretched - theirs)[clear].max() > 0.05


# --- the estimator's contract -------------------------------------------------------------------------------------


def test_answers_follow_the_boxes_in_order_and_name(estimator):
    frame, boxes = frame_of(), boxes_of(BOXES)
    people = estimator.estimate(frame, boxes)
    assert [person.track_id for person in people] == [10, 11, 12, 13]
    assert {person.time_ns for person in people} == {frame.time_ns}
    backwards = estimator.estimate(frame, boxes[::-1])
    for one, other in zip(people, backwards[::-1], strict=True):
        assert np.allclose(one.xy_px, other.xy_px, atol=0.01)
    alone = estimator.estimate(frame, boxes[2:3])[0]
    assert np.allclose(alone.xy_px, people[2].xy_px, atol=0.01)


def test_no_boxes_give_no_people(estimator):
    assert estimator.estimate(frame_of(), []) == []
    assert estimator.finds_people is False


def test_boxes_without_area_or_outside_score_nothing_and_leave_the_others_alone(estimator):
    frame = frame_of()
    odd = [[5, 5, 5, 5], [100, 100, 50, 200], [700, 0, 800, 50], [0, 0, np.nan, 9], [-1e9, -1e9, -1e8, -1e8]]
    people = estimator.estimate(frame, boxes_of(np.array([odd[0], BOXES[0], *odd[1:]], np.float32)))
    assert len(people) == 6
    assert [bool(person.score.any()) for person in people] == [False, True, False, False, False, False]
    assert all(np.isfinite(person.xy_px).all() for person in people)
    assert np.allclose(people[1].xy_px, estimator.estimate(frame, boxes_of(BOXES[:1]))[0].xy_px, atol=0.01)
    nobody = estimator.estimate(frame, boxes_of(np.array(odd, np.float32)))
    assert not any(person.score.any() for person in nobody)


def test_huge_and_tiny_boxes_do_not_crash(estimator):
    boxes = np.array([[-5000, -5000, 9000, 9000], [10, 10, 10.5, 10.5], [0, 0, 640, 1]], np.float32)
    assert all(np.isfinite(p.xy_px).all() for p in estimator.estimate(frame_of(), boxes_of(boxes)))


def test_frame_and_boxes_stay_as_they_are(estimator):
    frame, boxes = frame_of(), boxes_of(BOXES)
    image, corners = frame.image_bgr.copy(), BOXES.copy()
    first = estimator.estimate(frame, boxes)
    kept = [person.xy_px.copy() for person in first]
    estimator.estimate(frame_of(1), boxes)  # a later call must not overwrite an earlier result
    assert np.array_equal(frame.image_bgr, image)
    assert all(np.array_equal(box.bbox_xyxy_px, corner) for box, corner in zip(boxes, corners, strict=True))
    assert all(np.array_equal(person.xy_px, xy) for person, xy in zip(first, kept, strict=True))


# --- refusals -----------------------------------------------------------------------------------------------------


def test_another_size_than_asked_is_refused(vitpose_s):
    with pytest.raises(CheckpointError, match=r"holds ViTPose-S \(384 wide, 12 layers.*wanted ViTPose-B; use --est"):
        ViTPoseEstimator(config_for(vitpose_s, estimator="vitpose-b"))


def test_another_architecture_than_the_configs_is_refused(vitpose_s):
    simple = str(data_path("configs/vitpose/vitpose-s-simple.py"))
    with pytest.raises(CheckpointError, match=r"not the model of the config: head\.deconv.*tensors differ.*--model-c"):
        ViTPoseEstimator(config_for(vitpose_s, estimator="mmpose", model_config=simple))


def test_an_unpublished_depth_needs_its_config(tmp_path):
    path = save(huggingface_tensors(random_vitpose("b", layers=2)), tmp_path / "two_layers.safetensors")
    with pytest.raises(CheckpointError, match=r"no published size \(768 wide, 2 layers.*give its mmpose config"):
        ViTPoseEstimator(config_for(path))


def test_weights_that_are_not_here_are_named_with_the_way_to_get_them(monkeypatch):
    monkeypatch.setattr(models, "find_local", lambda name: None)
    with pytest.raises(CheckpointError, match=r"vitpose-s are not on this machine.*models download vitpose-s"):
        ViTPoseEstimator(InferenceConfig(estimator="vitpose-s"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("model = dict(", "SyntaxError"),
        ("x = 1", "does not describe a model"),
        (None, "does not exist"),
        (
            'type="UDPHeatmap"|type="SimCCLabel"',
            "decodes by SimCCLabel, wanted heatmaps: MSRAHeatmap, or a gaussian UDP",
        ),
        ('type="CocoDataset"|type="JhmdbDataset"', "keypoints of JhmdbDataset.*wanted one of: CocoDataset, "),
        ("bgr_to_rgb=True|bgr_to_rgb=False", "feeds BGR"),
        ("with_cls_token=False|with_cls_token=True", "no class token"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_by_name(tmp_path, vitpose_s, text, complaint):
    path = tmp_path / "strange.py"
    if text is not None and "|" in text:
        text = data_path("configs/vitpose/vitpose-s.py").read_text("utf-8").replace(*text.split("|"))
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=rf"strange\.py.*{complaint}"):
        ViTPoseEstimator(config_for(vitpose_s, estimator="mmpose", model_config=str(path)))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_gives_the_cpus_keypoints(estimator, vitpose_s):
    on_gpu = ViTPoseEstimator(config_for(vitpose_s, device="cuda"))
    assert on_gpu.device == "cuda"
    crops, _ = estimator._cropper.crop(frame_of().image_bgr, BOXES)
    assert np.abs(on_gpu.heatmaps(crops) - estimator.heatmaps(crops)).max() < 1e-2


# --- mmpose's own configs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["td-hm_ViTPose-small_8xb64-210e_coco-256x192.py", "td-hm_ViTPose-small-simple_8xb64-210e_coco-256x192.py"]
)
def test_the_configs_in_mmposes_wheel_work_as_they_are(tmp_path, crops, name):
    import_mmpose()
    import mmpose

    config = Path(mmpose.__file__).parent / ".mim/configs/body_2d_keypoint/topdown_heatmap/coco" / name
    model = random_vitpose("s", "simple" if "simple" in name else "classic")
    path = save(mmpose_tensors(model), tmp_path / "weights.pth")
    ours = ViTPoseEstimator(config_for(path, estimator="mmpose", model_config=str(config)))
    assert_same_heatmaps(ours.heatmaps(crops), heatmaps_of(model, crops))
