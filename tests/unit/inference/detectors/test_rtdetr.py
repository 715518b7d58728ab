"""RT-DETR with random weights, compared with transformers' own processor, model and post-processing."""

import socket

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from support.detectors import RTDETRS, random_rtdetr, rtdetr_file
from transformers import RTDetrImageProcessor

from realtime_pose.datatypes import Frame
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors.rtdetr import RtDetrDetector, load_rtdetr, prepare


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return rtdetr_file(tmp_path_factory.mktemp("rtdetr"))


@pytest.fixture(scope="module")
def detector(file):
    return RtDetrDetector(InferenceConfig(detector="rtdetr", detector_checkpoint=str(file), device="cpu"))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(480, 640), (1080, 1920), (640, 640), (97, 31), (5, 7)])
def test_images_are_prepared_as_transformers_does(size):
    image = noise(*size)
    expected = RTDetrImageProcessor()(images=image[..., ::-1], return_tensors="np")["pixel_values"]
    got = prepare(image)
    assert got.dtype == np.float32
    assert got.shape == (1, 3, 640, 640)
    assert np.array_equal(got, expected)


def test_people_are_where_transformers_finds_them(detector):
    image, processor = noise(333, 500), RTDetrImageProcessor()
    model = random_rtdetr("r18")
    with torch.inference_mode():
        outputs = model(**processor(images=image[..., ::-1], return_tensors="pt"))
    (found,) = processor.post_process_object_detection(outputs, threshold=0.3, target_sizes=[image.shape[:2]])
    people = found["labels"] == 0
    assert 5 < people.sum() < len(people) < 300  # other classes are seen too, and none pushes anybody out
    boxes = detector.detect(Frame(image.copy(), 0, 0, 0))
    assert np.allclose([box.score for box in boxes], found["scores"][people], atol=1e-5)
    border = [*image.shape[1::-1]] * 2
    expected = found["boxes"][people].numpy().clip(0, border)
    assert np.allclose([box.bbox_xyxy_px for box in boxes], expected, atol=0.05)


@pytest.mark.parametrize("variant", ["r18", "r50"])
def test_weights_are_read_from_the_file_alone_and_in_silence(variant, tmp_path, monkeypatch, capfd):
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    file = rtdetr_file(tmp_path, variant)
    (file.parent / "config.json").unlink()
    capfd.readouterr()

    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    model = load_rtdetr(file)
    expected = random_rtdetr(variant).state_dict()
    assert model.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in model.state_dict().items())
    assert capfd.readouterr() == ("", "")
    assert not model.training


@pytest.mark.parametrize("variant", sorted(RTDETRS))
def test_every_variant_is_known_by_its_tensors(variant, tmp_path):
    """Tensors of the backbone and one head suffice to recognise it, and are too few to load."""
    backbone, _ = RTDETRS[variant]
    names = [
        f"model.backbone.model.encoder.stages.{stage}.layers.{layer}.layer.{part}.convolution.weight"
        for stage, depth in enumerate(backbone["depths"])
        for layer in range(depth)
        for part in range(2 if backbone["layer_type"] == "basic" else 3)
    ]
    tensors = {"model.decoder.class_embed.0.weight": torch.zeros(80, 256)}
    # shapes do not matter for recognition, and no weight of a wrong one is loaded
    save_file(tensors | {name: torch.zeros(1) for name in names}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=r"x\.safetensors (does not fit RT-DETR|lacks \d+ tensors)"):
        load_rtdetr(tmp_path / "x.safetensors")
    del tensors["model.decoder.class_embed.0.weight"]
    save_file({name: torch.zeros(1) for name in names}, tmp_path / "y.safetensors")
    with pytest.raises(CheckpointError, match=r"holds no known RT-DETR, wanted one of COCO's 80; get one with"):
        load_rtdetr(tmp_path / "y.safetensors")


def test_only_tensors_for_training_may_be_missing(file, tmp_path):
    tensors = load_file(file)
    needless = [name for name in tensors if "num_batches_tracked" in name or "denoising" in name]
    assert len(needless) > 10
    save_file({name: t for name, t in tensors.items() if name not in needless}, tmp_path / "lean.safetensors")
    load_rtdetr(tmp_path / "lean.safetensors")
    missing = "model.encoder.fpn_blocks.0.conv1.norm.running_mean"
    save_file({name: t for name, t in tensors.items() if name != missing}, tmp_path / "cut.safetensors")
    with pytest.raises(CheckpointError, match=rf"cut\.safetensors lacks 1 tensors of an RT-DETR, such as {missing}"):
        load_rtdetr(tmp_path / "cut.safetensors")


def test_other_classes_are_refused_with_their_number(tmp_path):
    with pytest.raises(CheckpointError, match="holds an RT-DETR of 3 classes, wanted one of COCO's 80"):
        load_rtdetr(rtdetr_file(tmp_path, classes=3))


@pytest.mark.parametrize("content", [b"", b"<html>", b"junk and more junk"])
def test_a_file_that_is_no_checkpoint_is_refused(content, tmp_path):
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.safetensors"):
        load_rtdetr(tmp_path / "a.safetensors")
