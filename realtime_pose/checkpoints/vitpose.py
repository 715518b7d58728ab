"""ViTPose checkpoints of every family, renamed to mmpose 1.x's parameter names.

Three families are recognised by their keys, never by the file's name: mmpose 1.x, the original repository (mmpose 0.x,
and easy_ViTPose) and Hugging Face. ViTPose+ and ViTPose++ have one expert per data set for the last rows of each
layer's `mlp.fc2`, and in the original files also one head each. One expert merged with the shared rows, and its head,
make an ordinary ViTPose.

Sources: Xu et al., "ViTPose" (2022) and "ViTPose++" (2023), section 3.4.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_pose.checkpoints.datasets import (
    EXPERTS,
    FAMILY_NOTE,
    LAYOUT_OF,
    check_dataset,
    count_of,
    dataset_of,
    noted_dataset,
)
from realtime_pose.checkpoints.files import read_notes, read_tensors
from realtime_pose.errors import CheckpointError
from realtime_pose.skeletons import KeypointLayout

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
# Heads trained together may all have the size of the largest data set, and use its first channels.
_LARGEST_HEAD = count_of("wholebody")
# Tensors that inference does not use: the class token, the heads and experts of other data sets.
_UNUSED = re.compile(r"^backbone\.cls_token$|^associate_(keypoint_)?heads\.|\.mlp\.experts\.")


@dataclass(frozen=True, eq=False)
class VitPoseWeights:
    """The weights of one ViTPose under mmpose 1.x's names, and the properties found from their shapes.

    Attributes:
        family: The naming of the file (before we converted it): "mmpose", "original" or "huggingface".
        size: "s", "b", "l" or "h"; None for a width and depth that no published model has.
        width: Channels of a token.
        layers: Transformer layers.
        decoder: "classic" or "simple".
        dataset: The data set of its keypoints: coco, coco_25, aic, mpii, ap10k, apt36k or wholebody.
        heads: The data sets with a head in the file; `dataset` is one of them.
        tensors: Name -> float32 tensor.
    """

    family: str
    size: str | None
    width: int
    layers: int
    decoder: str
    dataset: str
    heads: tuple[str, ...]
    tensors: "Tensors"

    @property
    def layout(self) -> KeypointLayout:
        """The keypoints of its heatmaps."""
        return LAYOUT_OF[self.dataset]

    @property
    def keypoints(self) -> int:
        """Number of heatmaps."""
        return count_of(self.dataset)

    def __str__(self) -> str:
        name = f"ViTPose-{self.size.upper()}" if self.size else "a ViTPose of no published size"
        shape = f"{self.width} wide, {self.layers} layers, {self.decoder} decoder"
        return f"{name} ({shape}, {self.keypoints} keypoints of {self.dataset})"


def load_vitpose(path: Path, dataset: str = "") -> VitPoseWeights:
    """The ViTPose weights in a .safetensors or .pth file of any known family.

    Args:
        path: The file.
        dataset: The head to use of a file with several, and the data set of a file with 17 keypoints; empty means COCO,
            or the only one there is.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: The file cannot be read safely (see `read_tensors`), is not a complete ViTPose, or has no head
            for that data set.
    """
    return recognise_vitpose(read_tensors(path), path, dataset, read_notes(path))


def recognise_vitpose(
    tensors: "Tensors", path: Path, dataset: str = "", notes: Mapping[str, str] | None = None
) -> VitPoseWeights:
    """Result of `load_vitpose` for tensors and metadata that were read before; errors call them `path`.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: They are not a complete ViTPose, or have no head for that data set.
    """
    check_dataset(dataset)
    family = next((name for name, key in _FAMILIES.items() if key in tensors), None)
    if family is None:
        example = next(iter(tensors), "nothing")
        raise CheckpointError(
            f"{path} is not a known ViTPose (it has {example!r}); "
            f"wanted the tensor names of one of: {', '.join(_FAMILIES)}"
        )
    notes = notes or {}
    dataset = noted_dataset(notes, dataset, str(path))
    try:
        if family == "huggingface":
            tensors = _original_from_huggingface(tensors)
        if family == "mmpose":
            dataset = dataset_of(tensors["head.final_layer.weight"].shape[0], dataset, str(path))
            heads: tuple[str, ...] = (dataset,)
        else:
            tensors, dataset, heads = _of_one_dataset(tensors, dataset, str(path))
            tensors = _mmpose_from_original(tensors)
        width = tensors["backbone.pos_embed"].shape[2]
    except (KeyError, IndexError, RuntimeError) as exc:  # a tensor is missing or has a wrong shape
        raise CheckpointError(
            f"{path} is not a complete ViTPose: {exc} is missing or has a wrong shape; download it again"
        ) from exc
    tensors = {name: tensor for name, tensor in tensors.items() if not _UNUSED.search(name)}
    layers = sum(name.endswith(".attn.qkv.weight") for name in tensors)
    decoder = "classic" if "head.deconv_layers.0.weight" in tensors else "simple"
    missing = sorted(_names(layers, decoder) - tensors.keys())
    if missing:
        raise CheckpointError(
            f"{path} is not a complete ViTPose: {missing[0]} is missing ({len(missing)} in all); download it again"
        )
    return VitPoseWeights(
        family=notes.get(FAMILY_NOTE, family),
        size=_SIZES.get((width, layers)),
        width=width,
        layers=layers,
        decoder=decoder,
        dataset=dataset,
        heads=heads,
        tensors={name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()},
    )


def is_vitpose(tensors: "Tensors") -> bool:
    """Whether tensors have the names of a ViTPose of any known family."""
    return any(key in tensors for key in _FAMILIES.values())


def _names(layers: int, decoder: str) -> set[str]:
    """The names of all tensors of a ViTPose, as mmpose 1.x calls them."""
    parts = ("ln1", "ln2", "attn.qkv", "attn.proj", "ffn.layers.0.0", "ffn.layers.1")
    modules = ["backbone.patch_embed.projection", "backbone.ln1", "head.final_layer"]
    modules += [f"backbone.layers.{i}.{part}" for i in range(layers) for part in parts]
    names = {"backbone.pos_embed", *(f"{module}.{part}" for module in modules for part in ("weight", "bias"))}
    if decoder == "classic":
        normalised = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        names |= {f"head.deconv_layers.{i}.weight" for i in (0, 3)}
        names |= {f"head.deconv_layers.{i}.{part}" for i in (1, 4) for part in normalised}
    return names


# --- experts and heads, under the original names ----------------------------------------------------------------------


def _of_one_dataset(tensors: "Tensors", dataset: str, described: str) -> "tuple[Tensors, str, tuple[str, ...]]":
    """The tensors with the head and expert of one data set under the plain names; that data set; all heads.

    Does what the original repository's tools/model_split.py does, and recognises files that it wrote.
    """
    experts = sum(bool(re.fullmatch(r"backbone\.blocks\.0\.mlp\.experts\.\d+\.weight", name)) for name in tensors)
    associates = _associate_heads(tensors)
    count = tensors["keypoint_head.final_layer.weight"].shape[0]
    merged = _merged_expert(tensors, experts)
    if merged in EXPERTS and count_of(merged) == count:
        own = merged
    else:
        own = dataset_of(count, "" if experts or associates else dataset, described)
    heads = {own: "keypoint_head."} | {name: prefix for name, prefix in associates.items() if name != own}
    chosen = dataset or own
    if chosen not in heads:
        raise CheckpointError(f"{described} has no head for {chosen} (it has: {', '.join(heads)})")
    if experts and (chosen != own or not merged):
        tensors = _with_expert(tensors, chosen, described)
    return _with_head(tensors, heads[chosen], count_of(chosen)), chosen, tuple(heads)


def _associate_heads(tensors: "Tensors") -> dict[str, str]:
    """Data set -> prefix of its head's tensors. A head with another number of keypoints belongs to another data set."""
    found = {}
    for i, dataset in enumerate(EXPERTS[1:]):
        for prefix in (f"associate_keypoint_heads.{i}.", f"associate_heads.{i}."):
            last = tensors.get(f"{prefix}final_layer.weight")
            if last is not None and last.shape[0] in (count_of(dataset), _LARGEST_HEAD):
                found[dataset] = prefix
    return found


def _merged_expert(tensors: "Tensors", experts: int) -> str:
    """The data set whose expert is already merged into fc2; "another's" if unknown, empty if none is."""
    import torch

    fc2 = tensors["backbone.blocks.0.mlp.fc2.weight"]
    if fc2.shape[0] < tensors["backbone.pos_embed"].shape[2]:
        return ""
    for name, index in zip(EXPERTS, range(experts), strict=False):
        expert = tensors[f"backbone.blocks.0.mlp.experts.{index}.weight"]
        if torch.equal(fc2[-expert.shape[0] :], expert):
            return name
    return "another's"


def _with_expert(tensors: "Tensors", dataset: str, described: str) -> "Tensors":
    """The tensors with the data set's expert as the last rows of every fc2."""
    import torch

    index = EXPERTS.index(dataset) if dataset in EXPERTS else 0
    width = tensors["backbone.pos_embed"].shape[2]
    changed = dict(tensors)
    for name in tensors:
        if ".mlp.fc2." in name:
            expert = tensors.get(name.replace(".mlp.fc2.", f".mlp.experts.{index}."))
            if expert is None:
                raise CheckpointError(f"{described} has no expert for {dataset}; choose another --dataset")
            changed[name] = torch.cat((tensors[name][: width - expert.shape[0]], expert))
    return changed


def _with_head(tensors: "Tensors", prefix: str, keypoints: int) -> "Tensors":
    """The tensors with the head of that prefix in place of the plain one, cut to its number of keypoints."""
    if prefix == "keypoint_head.":
        return tensors
    changed = {name: tensor for name, tensor in tensors.items() if not name.startswith("keypoint_head.")}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            cut = tensor[:keypoints] if ".final_layer." in name else tensor
            changed[f"keypoint_head.{name.removeprefix(prefix)}"] = cut
    return changed


# --- names ------------------------------------------------------------------------------------------------------------


def _renamed(tensors: "Tensors", table: tuple[tuple[str, str], ...]) -> "Tensors":
    renamed = {}
    for name, tensor in tensors.items():
        new_name = name
        for pattern, replacement in table:
            new_name = re.sub(pattern, replacement, new_name)
        renamed[new_name] = tensor
    return renamed


def _original_from_huggingface(tensors: "Tensors") -> "Tensors":
    """The original names; query, key and value are concatenated to one tensor."""
    import torch

    joined = _renamed(tensors, _ORIGINAL_FROM_HUGGINGFACE)
    queries = [name for name in joined if ".attention.attention.query." in name]
    for name in queries:
        parts = [joined.pop(name.replace(".query.", f".{part}.")) for part in ("query", "key", "value")]
        joined[name.replace(".attention.attention.query.", ".attn.qkv.")] = torch.cat(parts)
    return joined


def _mmpose_from_original(tensors: "Tensors") -> "Tensors":
    """mmpose 1.x's names; the class token's position is added to those of the patches."""
    renamed = _renamed(tensors, _MMPOSE_FROM_ORIGINAL)
    position = renamed["backbone.pos_embed"]
    renamed["backbone.pos_embed"] = position[:, 1:] + position[:, :1]
    return renamed
