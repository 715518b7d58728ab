"""Reads ViTPose weights of every family and gives them mmpose's names.

Three namings are known by their keys, never by a file's name: mmpose 1.x, the original repository's (mmpose 0.x) and
Hugging Face's. ViTPose++ has one expert per data set for the last rows of each layer's `mlp.fc2`; expert 0 is COCO's.
Joined with the shared rows it gives an ordinary ViTPose.

Sources: Xu et al., "ViTPose" (2022) and "ViTPose++" (2023), section 3.4.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_pose.checkpoints.files import read_tensors
from realtime_pose.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = dict[str, Tensor]

# A key that only this family has.
_FAMILIES = {
    "mmpose": "backbone.layers.0.ln1.weight",
    "original": "backbone.blocks.0.norm1.weight",
    "huggingface": "backbone.encoder.layer.0.layernorm_before.weight",
}
_SIZES = {(384, 12): "s", (768, 12): "b", (1024, 24): "l", (1280, 32): "h"}  # (width, layers)

_ORIGINAL_FROM_HUGGINGFACE = (
    (r"^backbone\.embeddings\.position_embeddings$", "backbone.pos_embed"),
    (r"^backbone\.embeddings\.patch_embeddings\.projection\.", "backbone.patch_embed.proj."),
    (r"^backbone\.encoder\.layer\.", "backbone.blocks."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.attention\.output\.dense\.", ".attn.proj."),
    (r"^backbone\.layernorm\.", "backbone.last_norm."),
    (r"^head\.deconv1\.", "keypoint_head.deconv_layers.0."),
    (r"^head\.batchnorm1\.", "keypoint_head.deconv_layers.1."),
    (r"^head\.deconv2\.", "keypoint_head.deconv_layers.3."),
    (r"^head\.batchnorm2\.", "keypoint_head.deconv_layers.4."),
    (r"^head\.conv\.", "keypoint_head.final_layer."),
)
_MMPOSE_FROM_ORIGINAL = (
    (r"^backbone\.patch_embed\.proj\.", "backbone.patch_embed.projection."),
    (r"^backbone\.blocks\.", "backbone.layers."),
    (r"\.norm([12])\.", r".ln\1."),
    (r"\.mlp\.fc1\.", ".ffn.layers.0.0."),
    (r"\.mlp\.fc2\.", ".ffn.layers.1."),
    (r"^backbone\.last_norm\.", "backbone.ln1."),
    (r"^keypoint_head\.", "head."),
)
# Parts of a file that a running model has no use for: the class token, the heads of other data sets.
_UNUSED = re.compile(r"^backbone\.cls_token$|^associate_keypoint_heads\.|\.mlp\.experts\.")


@dataclass(frozen=True, eq=False)
class VitPoseWeights:
    """The weights of one ViTPose under mmpose 1.x's names, and what their shapes tell.

    Attributes:
        family: The naming that the file had: "mmpose", "original" or "huggingface".
        size: "s", "b", "l" or "h"; None for a width and depth that no published model has.
        width: Numbers a token has.
        layers: Transformer layers.
        decoder: "classic" or "simple".
        keypoints: Heatmaps that come out.
        tensors: Name -> float32 tensor.
    """

    family: str
    size: str | None
    width: int
    layers: int
    decoder: str
    keypoints: int
    tensors: "Tensors"

    def __str__(self) -> str:
        name = f"ViTPose-{self.size.upper()}" if self.size else "a ViTPose of no published size"
        shape = f"{self.width} wide, {self.layers} layers, {self.decoder} decoder, {self.keypoints} keypoints"
        return f"{name} ({shape})"


def load_vitpose(path: Path) -> VitPoseWeights:
    """The ViTPose weights in a .safetensors or .pth file of any known family.

    Raises:
        CheckpointError: The file cannot be read safely (see `read_tensors`), or is no whole ViTPose.
    """
    return recognise_vitpose(read_tensors(path), path)


def recognise_vitpose(tensors: "Tensors", path: Path) -> VitPoseWeights:
    """What `load_vitpose` gives, from tensors that were read already; `path` is what errors call them.

    Raises:
        CheckpointError: They are no whole ViTPose.
    """
    family = next((name for name, key in _FAMILIES.items() if key in tensors), None)
    if family is None:
        example = next(iter(tensors), "nothing")
        raise CheckpointError(
            f"{path} is no ViTPose that is known (it has {example!r}); "
            f"wanted the naming of one of: {', '.join(_FAMILIES)}"
        )
    try:
        if family == "huggingface":
            tensors = _original_from_huggingface(tensors)
        if family != "mmpose":
            tensors = _mmpose_from_original(tensors)
        width = tensors["backbone.pos_embed"].shape[2]
        keypoints = tensors["head.final_layer.weight"].shape[0]
    except (KeyError, IndexError, RuntimeError) as exc:  # a missing or misshapen tensor
        raise CheckpointError(f"{path} is no whole ViTPose: {exc} is missing or misshapen; download it again") from exc
    layers = sum(name.endswith(".attn.qkv.weight") for name in tensors)
    return VitPoseWeights(
        family=family,
        size=_SIZES.get((width, layers)),
        width=width,
        layers=layers,
        decoder="classic" if "head.deconv_layers.0.weight" in tensors else "simple",
        keypoints=keypoints,
        tensors={
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
            if not _UNUSED.search(name)
        },
    )


def _renamed(tensors: "Tensors", table: tuple[tuple[str, str], ...]) -> "Tensors":
    renamed = {}
    for name, tensor in tensors.items():
        new_name = name
        for pattern, replacement in table:
            new_name = re.sub(pattern, replacement, new_name)
        renamed[new_name] = tensor
    return renamed


def _original_from_huggingface(tensors: "Tensors") -> "Tensors":
    """The original names: query, key and value become one tensor again."""
    import torch

    joined = _renamed(tensors, _ORIGINAL_FROM_HUGGINGFACE)
    queries = [name for name in joined if ".attention.attention.query." in name]
    for name in queries:
        parts = [joined.pop(name.replace(".query.", f".{part}.")) for part in ("query", "key", "value")]
        joined[name.replace(".attention.attention.query.", ".attn.qkv.")] = torch.cat(parts)
    return joined


def _mmpose_from_original(tensors: "Tensors") -> "Tensors":
    """mmpose 1.x's names: expert 0 is joined to each fc2, and the class token's position is spread over the patches."""
    import torch

    folded = dict(tensors)
    for name, tensor in tensors.items():
        expert = folded.get(name.replace(".mlp.fc2.", ".mlp.experts.0.")) if ".mlp.fc2." in name else None
        if expert is not None:
            folded[name] = torch.cat((tensor, expert))
    position = folded["backbone.pos_embed"]
    folded["backbone.pos_embed"] = position[:, 1:] + position[:, :1]
    return _renamed(folded, _MMPOSE_FROM_ORIGINAL)
