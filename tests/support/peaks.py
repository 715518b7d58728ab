"""A ViTPose fitted to the actor, for tests that need real peaks, and other programs' results with its weights."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from support.vitpose import SIZES

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.inference.vitpose.mmpose_compat import import_mmpose
from realtime_pose.training.actor_crops import ActorFrame, actor_frames, is_held_out
from realtime_pose.training.fit_vitpose import fitted_file
from realtime_pose.utils.paths import data_path

FITTED = fitted_file("s")  # of the user's cache folder: asked while tests are collected, before theirs takes its place

needs_peaks = pytest.mark.skipif(
    not FITTED.is_file(), reason=f"no fitted ViTPose at {FITTED}; make it in minutes with: make peaks"
)


@cache
def held_out_frames(count: int) -> tuple[ActorFrame, ...]:
    """This many frames that the fitted model was not trained on, evenly over the clip."""
    held = [frame for frame in actor_frames() if is_held_out(frame.frame)]
    return tuple(held[i] for i in np.linspace(0, len(held) - 1, count).round().astype(int))


def transformers_vitpose(path: Path):
    """transformers' ViTPose with the weights of one of our own files, renamed back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of transformers on import
        from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

    weights = load_vitpose(path)
    width, layers, heads = SIZES[weights.size]
    backbone = VitPoseBackboneConfig(
        hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, layer_norm_eps=1e-6,
        out_indices=[layers],
    )  # fmt: skip
    settings = VitPoseConfig(
        backbone_config=backbone, num_labels=weights.keypoints, use_simple_decoder=weights.decoder == "simple"
    )
    with torch.device("meta"):
        model = VitPoseForPoseEstimation(settings)
    model.load_state_dict(_transformers_tensors(weights.tensors, layers), assign=True)
    return model.eval()


def _transformers_tensors(ours: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    position = ours["backbone.pos_embed"]
    out = {
        # transformers adds the class token's position to every patch's
        "backbone.embeddings.position_embeddings": torch.cat((torch.zeros_like(position[:, :1]), position), dim=1)
    }
    whole = {"backbone.patch_embed.projection": "backbone.embeddings.patch_embeddings.projection"}
    whole |= {"backbone.ln1": "backbone.layernorm", "head.final_layer": "head.conv"}
    whole |= {"head.deconv_layers.0": "head.deconv1", "head.deconv_layers.1": "head.batchnorm1"}
    whole |= {"head.deconv_layers.3": "head.deconv2", "head.deconv_layers.4": "head.batchnorm2"}
    for i in range(layers):
        here, there = f"backbone.layers.{i}", f"backbone.encoder.layer.{i}"
        whole |= {f"{here}.ln1": f"{there}.layernorm_before", f"{here}.ln2": f"{there}.layernorm_after"}
        whole |= {f"{here}.attn.proj": f"{there}.attention.output.dense"}
        whole |= {f"{here}.ffn.layers.0.0": f"{there}.mlp.fc1", f"{here}.ffn.layers.1": f"{there}.mlp.fc2"}
        for part in ("weight", "bias"):
            thirds = ours[f"{here}.attn.qkv.{part}"].chunk(3)
            names = [f"{there}.attention.attention.{name}.{part}" for name in ("query", "key", "value")]
            out |= dict(zip(names, thirds, strict=True))
    for name, tensor in ours.items():
        module, _, part = name.rpartition(".")
        if module in whole:
            out[f"{whole[module]}.{part}"] = tensor
    return out


@contextmanager
def blurring_as_mmpose() -> Iterator[None]:
    """transformers' post-processing with the blur that its kernel of 11 means to mmpose and OpenCV: sigma 2 cells.

    It blurs with sigma 0.8, whatever the kernel. On Gaussian heatmaps that is the same; a real peak is none, and moves
    by half a pixel.
    """
    from scipy.ndimage import gaussian_filter

    def blurred(heatmap: np.ndarray, sigma: float, **settings) -> np.ndarray:
        return gaussian_filter(heatmap, sigma=2.0, mode="constant", **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[type(_processor()).__module__], "gaussian_filter", blurred)
        yield


def transformers_keypoints(model, frames: tuple[ActorFrame, ...], crops: np.ndarray | None = None) -> np.ndarray:
    """transformers' model and post-processing, from its processor's crops or from `crops`: (N, 17, 2) px."""
    processor, found = _processor(), []
    for i, held in enumerate(frames):
        left, top, right, bottom = held.box_xyxy_px
        boxes = [np.array([[left, top, right - left, bottom - top]])]
        if crops is None:
            image = cv2.cvtColor(held.frame.image_bgr, cv2.COLOR_BGR2RGB)
            pictures = processor(image, boxes=boxes, return_tensors="pt")["pixel_values"]
        else:
            pictures = torch.from_numpy(crops[i : i + 1])
        with torch.inference_mode():
            outputs = model(pictures)
        (person,) = processor.post_process_pose_estimation(outputs, boxes=boxes)[0]
        found.append(person["keypoints"].numpy())
    return np.stack(found)


@cache
def _processor():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers import VitPoseImageProcessor

        return VitPoseImageProcessor()


def mmpose_keypoints(path: Path, frames: tuple[ActorFrame, ...]) -> np.ndarray:
    """mmpose's own `inference_topdown` with the same weights, flip test off: (N, 17, 2) px."""
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
        samples = [
            inference_topdown(model, held.frame.image_bgr.copy(), held.box_xyxy_px[None].copy()) for held in frames
        ]
    return np.concatenate([sample.pred_instances.keypoints for (sample,) in samples])
