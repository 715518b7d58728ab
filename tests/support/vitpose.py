"""Random ViTPose weights for tests, made by transformers, and written under each family's names.

The renaming here goes the other way than the program's and was written for itself, name by name, from the key map of
the families, so that one mistake in both is unlikely.
"""

import copy
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import torch

SIZES = {"s": (384, 12, 12), "b": (768, 12, 12), "l": (1024, 24, 16), "h": (1280, 32, 16)}  # width, layers, heads
EXPERTS = 6
# ViTPose+: each expert's data set, and the keypoints of its head.
PLUS = {"coco": 17, "aic": 14, "mpii": 16, "ap10k": 17, "apt36k": 17, "wholebody": 133}


@cache
def random_vitpose(
    size: str = "s",
    decoder: str = "classic",
    experts: int = 1,
    layers: int = 0,
    device: str = "cpu",
    keypoints: int = 17,
):
    """transformers' ViTPose with seeded random weights, no two alike; `layers` makes it shallower."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of transformers on import
        from transformers import VitPoseBackboneConfig, VitPoseConfig, VitPoseForPoseEstimation

    width, depth, heads = SIZES[size]
    depth = layers or depth
    backbone = VitPoseBackboneConfig(
        hidden_size=width, num_hidden_layers=depth, num_attention_heads=heads, num_experts=experts,
        part_features=width // 4, layer_norm_eps=1e-6, out_indices=[depth],
    )  # fmt: skip
    settings = VitPoseConfig(backbone_config=backbone, num_labels=keypoints, use_simple_decoder=decoder == "simple")
    with torch.device(device):
        model = VitPoseForPoseEstimation(settings).eval()
    if device == "cpu":
        _randomise(model, seed=7)
    return model


def _randomise(module: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                noise = torch.randn(tensor.shape, generator=generator)
                is_scale = "norm" in name and name.endswith("weight")
                tensor.copy_(noise.abs() + 0.5 if "running_var" in name else is_scale + noise * _spread(tensor))


def plus_models(model) -> dict[str, object]:
    """One model for each data set of ViTPose+: the given model's backbone (with its experts), and a head of its own."""
    models = {}
    for index, (dataset, keypoints) in enumerate(PLUS.items()):
        settings = copy.deepcopy(model.config)
        settings.num_labels = keypoints
        settings.id2label = {row: str(row) for row in range(keypoints)}
        with torch.device(model.device):
            head = type(model.head)(settings).eval()
        if model.device.type == "cpu":
            _randomise(head, seed=100 + index)
        models[dataset] = copy.copy(model)
        models[dataset]._modules = dict(model._modules) | {"head": head}
    return models


def _spread(tensor: torch.Tensor) -> float:
    """Keep activations of the order of one."""
    return 0.1 if tensor.ndim < 2 else float(np.prod(tensor.shape[1:])) ** -0.5


def heatmaps_of(model, crops: np.ndarray, expert: int = 0) -> np.ndarray:
    """transformers' heatmaps (N, K, 64, 48), by this expert if there are experts."""
    index = torch.full((len(crops),), expert, dtype=torch.long)
    with torch.inference_mode():
        return model(torch.from_numpy(crops), dataset_index=index).heatmaps.numpy()


def huggingface_tensors(model) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _original_head(hf: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    out = {f"{prefix}.final_layer.{part}": hf[f"head.conv.{part}"] for part in ("weight", "bias")}
    for old, new in (("deconv1", 0), ("batchnorm1", 1), ("deconv2", 3), ("batchnorm2", 4)):
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            if f"head.{old}.{part}" in hf:
                out[f"{prefix}.deconv_layers.{new}.{part}"] = hf[f"head.{old}.{part}"]
    return out


def plus_tensors(models) -> dict[str, torch.Tensor]:
    """A ViTPose+ file of the original repository: all experts, COCO's head, and those of the other data sets."""
    out = original_tensors(models["coco"])
    for i, dataset in enumerate(list(PLUS)[1:]):
        out |= _original_head(huggingface_tensors(models[dataset]), f"associate_keypoint_heads.{i}")
    return out


def split_tensors(plus: dict[str, torch.Tensor], dataset: str, *, keep_experts: bool) -> dict[str, torch.Tensor]:
    """One data set of a ViTPose+ file, as the original repository's splitting tool leaves it.

    The expert is joined to fc2 and the head moved to the plain place. COCO's file keeps all heads and experts; a later
    version of the tool forgets to drop the experts of the others too.
    """
    index = list(PLUS).index(dataset)
    out = dict(plus)
    for name in plus:
        if ".mlp.fc2." in name:
            out[name] = torch.cat((plus[name], plus[name.replace("fc2.", f"experts.{index}.")]))
    if dataset == "coco":
        return out
    head = f"associate_keypoint_heads.{index - 1}"
    out |= {k.replace(head, "keypoint_head"): v for k, v in plus.items() if k.startswith(head)}
    dropped = ("associate_keypoint_heads",) if keep_experts else ("associate_keypoint_heads", ".experts.")
    return {k: v for k, v in out.items() if not any(part in k for part in dropped)}


def original_tensors(model) -> dict[str, torch.Tensor]:
    """The same weights under the original repository's names, with the parts of it that a model does not use."""
    hf = huggingface_tensors(model)
    width = hf["backbone.layernorm.weight"].shape[0]
    out = {
        "backbone.cls_token": torch.randn(1, 1, width),
        "backbone.pos_embed": hf["backbone.embeddings.position_embeddings"],
        "backbone.patch_embed.proj.weight": hf["backbone.embeddings.patch_embeddings.projection.weight"],
        "backbone.patch_embed.proj.bias": hf["backbone.embeddings.patch_embeddings.projection.bias"],
        "backbone.last_norm.weight": hf["backbone.layernorm.weight"],
        "backbone.last_norm.bias": hf["backbone.layernorm.bias"],
    } | _original_head(hf, "keypoint_head")
    for i in range(model.config.backbone_config.num_hidden_layers):
        old, new = f"backbone.encoder.layer.{i}", f"backbone.blocks.{i}"
        for part in ("weight", "bias"):
            out[f"{new}.norm1.{part}"] = hf[f"{old}.layernorm_before.{part}"]
            out[f"{new}.norm2.{part}"] = hf[f"{old}.layernorm_after.{part}"]
            attention = f"{old}.attention.attention"
            out[f"{new}.attn.qkv.{part}"] = torch.cat(
                [hf[f"{attention}.{q}.{part}"] for q in ("query", "key", "value")]
            )
            out[f"{new}.attn.proj.{part}"] = hf[f"{old}.attention.output.dense.{part}"]
            out[f"{new}.mlp.fc1.{part}"] = hf[f"{old}.mlp.fc1.{part}"]
            out[f"{new}.mlp.fc2.{part}"] = hf[f"{old}.mlp.fc2.{part}"]
            for j in range(EXPERTS):
                if f"{old}.mlp.experts.{j}.{part}" in hf:
                    out[f"{new}.mlp.experts.{j}.{part}"] = hf[f"{old}.mlp.experts.{j}.{part}"]
    return out


def mmpose_tensors(model) -> dict[str, torch.Tensor]:
    """The same weights (of a model without experts) under mmpose 1.x's names."""
    original = original_tensors(model)
    position = original["backbone.pos_embed"]
    out = {
        "backbone.pos_embed": position[:, 1:] + position[:, :1],
        "backbone.patch_embed.projection.weight": original["backbone.patch_embed.proj.weight"],
        "backbone.patch_embed.projection.bias": original["backbone.patch_embed.proj.bias"],
        "backbone.ln1.weight": original["backbone.last_norm.weight"],
        "backbone.ln1.bias": original["backbone.last_norm.bias"],
    }
    out |= {k.replace("keypoint_head.", "head."): v for k, v in original.items() if k.startswith("keypoint_head.")}
    names = {"norm1": "ln1", "norm2": "ln2", "attn.qkv": "attn.qkv", "attn.proj": "attn.proj"}
    names |= {"mlp.fc1": "ffn.layers.0.0", "mlp.fc2": "ffn.layers.1"}
    for i in range(model.config.backbone_config.num_hidden_layers):
        for old, new in names.items():
            for part in ("weight", "bias"):
                out[f"backbone.layers.{i}.{new}.{part}"] = original[f"backbone.blocks.{i}.{old}.{part}"]
    return out


def save(tensors: dict[str, torch.Tensor], path: Path) -> Path:
    """Write `path` as safetensors or as a training checkpoint (.pth), by its suffix; returns it."""
    from safetensors.torch import save_file

    if path.suffix == ".safetensors":
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    else:
        torch.save({"meta": {"epoch": 210, "note": "made for a test"}, "state_dict": tensors}, path)
    return path
