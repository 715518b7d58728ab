"""Weights of detectors for tests: YOLOX's published nano model if it is present, and random ones."""

from functools import cache
from pathlib import Path

import pytest
import torch
from transformers import RTDetrConfig, RTDetrForObjectDetection, RTDetrResNetConfig

_SHARED = Path(__file__).parents[2] / "../shared/data"
YOLOX_NANO = _SHARED / "detectors/yolox_nano_416.onnx"
CROWD = _SHARED / "video/mmpose_demo.mp4"

needs_yolox = pytest.mark.skipif(not YOLOX_NANO.is_file(), reason=f"{YOLOX_NANO.name} is not on this machine")
needs_crowd = pytest.mark.skipif(not CROWD.is_file(), reason=f"{CROWD.name} is not on this machine")

# As transformers' own conversion script sets them for the published files.
_BASIC = {"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512]}
_BOTTLENECK = {"layer_type": "bottleneck", "hidden_sizes": [256, 512, 1024, 2048]}
RTDETRS = {
    "r18": ({"depths": [2, 2, 2, 2], **_BASIC}, {"hidden_expansion": 0.5, "decoder_layers": 3}),
    "r34": ({"depths": [3, 4, 6, 3], **_BASIC}, {"hidden_expansion": 0.5, "decoder_layers": 4}),
    "r50": ({"depths": [3, 4, 6, 3], **_BOTTLENECK}, {}),
    "r101": (
        {"depths": [3, 4, 23, 3], **_BOTTLENECK},
        {"encoder_ffn_dim": 2048, "encoder_hidden_dim": 384, "decoder_in_channels": [384, 384, 384]},
    ),
}


def random_rtdetr(variant: str, classes: int = 80) -> RTDetrForObjectDetection:
    """An RT-DETR of the real shape with random weights, which finds many people and little else."""
    backbone, rest = RTDETRS[variant]
    backbone_config = RTDetrResNetConfig(**backbone, out_features=["stage2", "stage3", "stage4"])
    torch.manual_seed(0)
    model = RTDetrForObjectDetection(
        RTDetrConfig(
            backbone_config=backbone_config,
            encoder_in_channels=backbone["hidden_sizes"][1:],
            num_labels=classes,
            **rest,
        )
    ).eval()
    last = model.model.decoder.class_embed[-1]
    torch.nn.init.normal_(last.weight, std=0.02)
    torch.nn.init.constant_(last.bias, -8.0)
    for seen, bias in ((0, 0.0), (1, -3.0)):  # people and bicycles
        torch.nn.init.normal_(last.weight[seen], std=0.3)
        torch.nn.init.constant_(last.bias[seen : seen + 1], bias)
    return model


@cache
def rtdetr_file(folder: Path, variant: str = "r18", classes: int = 80) -> Path:
    """A checkpoint of `random_rtdetr`, its tensors named as in the published files."""
    random_rtdetr(variant, classes).save_pretrained(folder / f"{variant}-{classes}")
    return folder / f"{variant}-{classes}" / "model.safetensors"
