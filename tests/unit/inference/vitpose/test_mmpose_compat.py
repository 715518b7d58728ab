"""mmpose's other heatmap models: built from its own configs, with the same results as mmpose's own inference.

Weights are random, with the decoder's kernels made soft, so that heatmaps have peaks. Whatever is compared is the whole
way from boxes to keypoints, with mmpose's `inference_topdown` on the other side, flip test off.
"""

import importlib.util
import runpy
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, maximum_filter

from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.crops import Cropper, CropRegions
from realtime_pose.inference.heatmaps import decode_heatmaps, xy_in_frame
from realtime_pose.inference.vitpose.estimator import ViTPoseEstimator
from realtime_pose.inference.vitpose.mmpose_compat import _LAYOUTS, build_topdown_model, import_mmpose
from realtime_pose.skeletons import AIC14, AP10K17, COCO17, COCO_WHOLEBODY133, MPII16

ZOO = Path(importlib.util.find_spec("mmpose").submodule_search_locations[0]) / ".mim/configs"
COCO = ZOO / "body_2d_keypoint/topdown_heatmap/coco"
BOXES = np.array([[40, 30, 220, 440], [300, 100, 620, 300], [-60, 200, 160, 520], [500, 40, 560, 200]], np.float32)

# Our name of the codec, mmpose's settings of it, and whether its crops are UDP's.
CODECS = {
    "udp": ('dict(type="UDPHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)', True),
    "dark": ('dict(type="MSRAHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2, unbiased=True)', False),
    "msra": ('dict(type="MSRAHeatmap", input_size=(192, 256), heatmap_size=(48, 64), sigma=2)', False),
}


def config_of(folder: Path, codec: str) -> Path:
    """mmpose's ResNet-18 for COCO with that codec; flip test off, and a path to its keypoints' names."""
    settings, use_udp = CODECS[codec]
    path = folder / f"resnet_{codec}.py"
    path.write_text(
        f"""
_base_ = [{str(COCO / "td-hm_res50_8xb64-210e_coco-256x192.py")!r}]
codec = {settings}
model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(in_channels=512, decoder=dict(_delete_=True, **codec)),
    test_cfg=dict(flip_test=False),
)
pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale"),
    dict(type="TopdownAffine", input_size=codec["input_size"], use_udp={use_udp}),
    dict(type="PackPoseInputs"),
]
test_dataloader = dict(dataset=dict(pipeline=pipeline))
""",
        "utf-8",
    )
    return path


def frame_of(seed: int) -> Frame:
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(480, 640, 3)), (12, 12, 0))
    return Frame(np.uint8(np.clip(noise / noise.std() * 60 + 128, 0, 255)), 0, 0, 0)


def estimator_of(config: Path, weights: Path) -> ViTPoseEstimator:
    wanted = InferenceConfig(estimator="mmpose", checkpoint=str(weights), runtime="torch", precision="fp32")
    return ViTPoseEstimator(replace(wanted, model_config=str(config), device="cpu"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A ResNet with random weights whose heatmaps have mean 0 and standard deviation 0.3, and single clear peaks."""
    import_mmpose()
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    from mmpose.registry import MODELS

    folder = tmp_path_factory.mktemp("resnet")
    config = Config.fromfile(str(config_of(folder, "msra")))
    torch.manual_seed(3)
    with DefaultScope.overwrite_default_scope("mmpose"):
        model = MODELS.build(config.model).eval()
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    generator = torch.Generator().manual_seed(4)
    ramp = torch.tensor([0.25, 0.75, 0.75, 0.25])
    for name, tensor in tensors.items():
        if name.startswith("head.deconv_layers") and tensor.ndim == 4:  # a soft upsampling with random channels
            mix = torch.randn(tensor.shape[:2], generator=generator) * (2 / tensor.shape[0]) ** 0.5
            tensor.copy_(mix[..., None, None] * torch.outer(ramp, ramp))
    path = folder / "weights.pth"

    def save() -> None:
        torch.save({"meta": {"epoch": 210}, "state_dict": tensors}, path)

    tensors["head.final_layer.weight"].copy_(torch.randn(17, 256, 1, 1, generator=generator))
    save()
    raw = estimator_of(config_of(folder, "msra"), path)
    heatmaps = torch.from_numpy(raw.heatmaps(raw._cropper.crop(frame_of(0).image_bgr, BOXES)[0]).copy())
    scale = 0.3 / heatmaps.std(dim=(0, 2, 3))
    tensors["head.final_layer.weight"] *= scale[:, None, None, None]
    tensors["head.final_layer.bias"] = (tensors["head.final_layer.bias"] - heatmaps.mean(dim=(0, 2, 3))) * scale
    save()
    return path


def mmposes_keypoints(config: Path, weights: Path, frames: list[Frame]) -> np.ndarray:
    """(N, 17, 2) of all boxes of all frames, by mmpose alone."""
    import_mmpose()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mmpose's and its dependencies' own
        from mmpose.apis import inference_topdown, init_model

        model = init_model(str(config), str(weights), device="cpu")
        samples = [sample for frame in frames for sample in inference_topdown(model, frame.image_bgr.copy(), BOXES)]
    return np.concatenate([sample.pred_instances.keypoints for sample in samples])


def unambiguous(heatmaps: np.ndarray, codec: str) -> np.ndarray:
    """Mask (N, K) of heatmaps (N, K, H, W) with one peak that rounding cannot move, well inside the edges."""
    n, k, height, width = heatmaps.shape
    top = heatmaps.max(axis=(2, 3))
    row, column = np.divmod(heatmaps.reshape(n, k, -1).argmax(-1), width)
    inside = (row >= 3) & (row < height - 3) & (column >= 3) & (column < width - 3)
    rivals = ((heatmaps == maximum_filter(heatmaps, (1, 1, 3, 3))) & (heatmaps > 0.98 * top[..., None, None])).sum(
        (2, 3)
    )
    n_index, k_index = np.ogrid[:n, :k]
    around = np.pad(heatmaps, ((0, 0), (0, 0), (2, 2), (2, 2)))
    right, left = (around[n_index, k_index, row + 2, column + 2 + d] for d in (1, -1))
    below, above = (around[n_index, k_index, row + 2 + d, column + 2] for d in (1, -1))
    sure = (np.abs(right - left) > 1e-3) & (np.abs(below - above) > 1e-3)  # which neighbour is higher
    if codec != "msra":
        blurred = np.pad(gaussian_filter(heatmaps, (0, 0, 2, 2), mode="constant"), ((0, 0), (0, 0), (2, 2), (2, 2)))
        reach = range(-2, 3) if codec == "dark" else range(-1, 2)
        near = np.stack(
            [blurred[n_index, k_index, row + 2 + dy, column + 2 + dx] for dy in reach for dx in reach], axis=-1
        )
        sure &= (near.argmax(-1) == near.shape[-1] // 2) & (near.min(-1) > 0.1 * near.max(-1))
    return (top > 0.1) & inside & (rivals == 1) & sure


@pytest.mark.slow
@pytest.mark.parametrize("codec", CODECS)
def test_keypoints_equal_mmposes_inference_topdown(tmp_path, weights, codec):
    config = config_of(tmp_path, codec)
    ours = estimator_of(config, weights)
    assert (ours._geometry.codec, ours._geometry.unbiased) == (codec, codec == "udp")
    assert (ours.layout, ours.name) == (COCO17, f"resnet_{codec}")
    frames = [frame_of(seed) for seed in range(4)]
    theirs = mmposes_keypoints(config, weights, frames)
    boxes = [PersonBox(box.copy(), 0.9, i) for i, box in enumerate(BOXES)]
    found = np.concatenate([np.stack([p.xy_px for p in ours.estimate(frame, boxes)]) for frame in frames])
    heatmaps = np.concatenate([ours.heatmaps(ours._cropper.crop(f.image_bgr, BOXES)[0]).copy() for f in frames])
    clear = unambiguous(heatmaps, codec)
    assert clear.sum() >= 40  # of 272
    assert np.abs(found - theirs)[clear].max() < 0.05
    # The comparison is sharp enough to tell the codecs and the crops apart.
    regions = ours._cropper.crop(frames[0].image_bgr, BOXES)[1]
    regions = CropRegions(*(np.tile(part, (len(frames), 1)) for part in (regions.corner_px, regions.size_px)))
    for other in CODECS:
        read = xy_in_frame(decode_heatmaps(heatmaps, 11, other)[0], regions, (48, 64), other)
        assert (np.abs(read - theirs)[clear].max() < 0.05) == (other == codec)
    ours._cropper = Cropper(replace(ours._geometry, unbiased=codec != "udp"))
    found = np.concatenate([np.stack([p.xy_px for p in ours.estimate(frame, boxes)]) for frame in frames])
    assert np.abs(found - theirs)[clear].max() > 0.2


BODY = "body_2d_keypoint/topdown_heatmap"


@pytest.mark.parametrize(
    ("config", "layout", "codec", "input_wh"),
    [
        (f"{BODY}/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192", COCO17, "msra", (192, 256)),
        (f"{BODY}/coco/td-hm_hrnet-w32_udp-8xb64-210e_coco-384x288", COCO17, "udp", (288, 384)),
        (f"{BODY}/coco/td-hm_swin-t-p4-w7_8xb32-210e_coco-256x192", COCO17, "msra", (192, 256)),
        (f"{BODY}/aic/td-hm_res101_8xb64-210e_aic-256x192", AIC14, "msra", (192, 256)),
        (f"{BODY}/mpii/td-hm_hrnet-w32_dark-8xb64-210e_mpii-256x256", MPII16, "dark", (256, 256)),
        (f"{BODY}/mpii/td-hm_hourglass52_8xb64-210e_mpii-256x256", MPII16, "msra", (256, 256)),
        (f"{BODY}/humanart/td-hm_ViTPose-large_8xb64-210e_humanart-256x192", COCO17, "udp", (192, 256)),
        ("animal_2d_keypoint/topdown_heatmap/ap10k/td-hm_res50_8xb64-210e_ap10k-256x256", AP10K17, "msra", (256, 256)),
        ("wholebody_2d_keypoint/topdown_heatmap/coco-wholebody/td-hm_res50_8xb64-210e_coco-wholebody-256x192",
         COCO_WHOLEBODY133, "msra", (192, 256)),
    ],
    ids=lambda value: value.rpartition("/")[2][:24] if isinstance(value, str) else None,
)  # fmt: skip
def test_configs_of_mmposes_wheel_are_recognised(config, layout, codec, input_wh):
    model = build_topdown_model(ZOO / f"{config}.py")
    assert (model.layout, model.geometry.codec, model.geometry.input_wh) == (layout, codec, input_wh)
    assert model.geometry.unbiased == (codec == "udp")


def test_models_of_several_stages_give_the_last(tmp_path):
    config = ZOO / "body_2d_keypoint/topdown_heatmap/mpii/td-hm_hourglass52_8xb64-210e_mpii-256x256.py"
    network = build_topdown_model(config).network.to_empty(device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in network.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.01, 0.1)
    path = tmp_path / "hourglass.pth"
    torch.save(network.state_dict(), path)
    ours = estimator_of(config, path)
    crops = np.random.default_rng(0).normal(size=(1, 3, 256, 256)).astype(np.float32)
    with torch.inference_mode():
        stages = network.eval()(torch.from_numpy(crops), None, mode="tensor")
    assert isinstance(stages, list)
    assert np.allclose(ours.heatmaps(crops), stages[-1].numpy(), atol=1e-5)


@pytest.mark.parametrize("kind", _LAYOUTS)
def test_data_sets_have_the_keypoints_that_mmpose_gives_them(kind):
    import_mmpose()
    import mmpose.datasets
    from mmpose.registry import DATASETS

    described = DATASETS.get(kind).METAINFO["from_file"]
    info = runpy.run_path(str(ZOO.parent / described))["dataset_info"]["keypoint_info"]
    theirs = [info[row] for row in sorted(info)]
    names = [point["name"] for point in theirs]
    assert [names.index(p["swap"]) if p["swap"] else i for i, p in enumerate(theirs)] == list(_LAYOUTS[kind].mirror)
    assert mmpose.datasets  # imported for its side effect: it registers the data sets


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("body_2d_keypoint/simcc/coco/simcc_res50_8xb64-210e_coco-256x192", r"decodes by SimCCLabel, wanted heatm"),
        ("body_2d_keypoint/topdown_regression/coco/td-reg_res50_8xb64-210e_coco-256x192", r"decodes by RegressionLab"),
        (f"{BODY}/coco/td-hm_hrnet-w32_udp-regress-8xb64-210e_coco-256x192", r"decodes by UDPHeatmap of the combined"),
        ("body_2d_keypoint/dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512", r"describes a BottomupPoseEstimator, w"),
        (f"{BODY}/crowdpose/td-hm_res50_8xb64-210e_crowdpose-256x192",
         r"names the keypoints of CrowdPoseDataset .*wanted one of: CocoDataset, HumanArtDataset, .*AP10KDataset"),
        (f"{BODY}/coco/td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-combine",
         r"gives 19 heatmaps, wanted the 17 keypoints of CocoDataset"),
    ],
    ids=lambda value: value.rpartition("/")[2][:24],
)  # fmt: skip
def test_unreadable_configs_are_refused_by_name(config, complaint):
    with pytest.raises(ConfigError, match=rf"{config.rpartition('/')[2]}\.py {complaint}"):
        build_topdown_model(ZOO / f"{config}.py")


def test_weights_of_another_model_are_refused_tensor_by_tensor(tmp_path, weights):
    hrnet = COCO / "td-hm_hrnet-w32_8xb64-210e_coco-256x192.py"
    with pytest.raises(
        CheckpointError, match=r"weights\.pth holds \d+ tensors, which is not the model of the config: .* diff"
    ):
        estimator_of(hrnet, weights)
    simple = tmp_path / "simple.pth"
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(64, 3, 7, 7)}}, simple)
    with pytest.raises(CheckpointError, match=r"simple\.pth holds 1 tensors, which is not the model of the config"):
        estimator_of(config_of(tmp_path, "msra"), simple)
