"""Plain vision transformer, ViTPose's backbone, in torch alone.

mmpose's ViTPose configs name mmpretrain's `VisionTransformer`, and mmpretrain needs torchvision. This module replaces
it, with the settings that ViTPose uses and the same parameter names, so the same state dict.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2021), with the pre-norm layers of Xu et al., "ViTPose"
(2022): no class token, a learned position for each patch, a final LayerNorm.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# mmpretrain's names for the sizes; ViTPose-S is given as a mapping, since "small" means another size there.
_ARCHS = {"base": (768, 12, 12, 3072), "large": (1024, 24, 16, 4096), "huge": (1280, 32, 16, 5120)}
_LAYER_NORM_EPS = 1e-6


class VisionTransformer(nn.Module):
    """Images (N, 3, H, W) in, one feature map out: a tuple of one tensor (N, C, H/16, W/16).

    Args:
        arch: base, large or huge, or the four numbers under mmpretrain's names.
        img_size: Height and width in px.
        patch_size: Side of a patch in px.
        patch_cfg: Settings of the patch convolution; only `padding` is read.
        qkv_bias: Must be true: every ViTPose has these biases.
        with_cls_token: Must be false.
        out_type: Must be "featmap".
        drop_path_rate: For training only; ignored, accepted for mmpose's configs.
        init_cfg: Ignored likewise; weights come from a checkpoint.

    Raises:
        ValueError: A setting is not one of a ViTPose.
    """

    def __init__(
        self,
        arch: str | Mapping[str, int],
        img_size: tuple[int, int] = (256, 192),
        patch_size: int = 16,
        patch_cfg: Mapping[str, int] | None = None,
        qkv_bias: bool = True,
        with_cls_token: bool = False,
        out_type: str = "featmap",
        drop_path_rate: float = 0.0,
        init_cfg: object = None,
    ) -> None:
        super().__init__()
        if with_cls_token or out_type != "featmap" or not qkv_bias:
            raise ValueError("ViTPose's transformer has no class token, gives a feature map and has qkv biases")
        if isinstance(arch, str):
            if arch not in _ARCHS:
                raise ValueError(f"arch={arch!r} is not one of: {', '.join(_ARCHS)}; or give its four numbers")
            width, depth, heads, hidden = _ARCHS[arch]
        else:
            names = ("embed_dims", "num_layers", "num_heads", "feedforward_channels")
            width, depth, heads, hidden = (int(arch[name]) for name in names)
        self.width = width
        self.grid = (img_size[0] // patch_size, img_size[1] // patch_size)
        self.patch_embed = _PatchEmbedding(width, patch_size, padding=(patch_cfg or {}).get("padding", 0))
        self.pos_embed = nn.Parameter(torch.zeros(1, self.grid[0] * self.grid[1], width))
        self.layers = nn.ModuleList(_Layer(width, heads, hidden) for _ in range(depth))
        self.ln1 = nn.LayerNorm(width, eps=_LAYER_NORM_EPS)

    def forward(self, image: Tensor) -> tuple[Tensor]:
        """The feature map (N, C, H/16, W/16), in a tuple as mmpose's heads expect it."""
        tokens = self.patch_embed(image).flatten(2).transpose(1, 2) + self.pos_embed
        for layer in self.layers:
            tokens = layer(tokens)
        features = self.ln1(tokens).transpose(1, 2)
        # -1: an exported model takes any batch size.
        return (features.reshape(-1, self.width, *self.grid),)


class _PatchEmbedding(nn.Module):
    def __init__(self, width: int, patch_size: int, padding: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(3, width, patch_size, stride=patch_size, padding=padding)

    def forward(self, image: Tensor) -> Tensor:
        return self.projection(image)


class _Layer(nn.Module):
    """One transformer layer: attention, then two linear layers, each pre-normalised and with a residual connection."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(width, eps=_LAYER_NORM_EPS)
        self.attn = _Attention(width, heads)
        self.ln2 = nn.LayerNorm(width, eps=_LAYER_NORM_EPS)
        self.ffn = _FeedForward(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.ln1(tokens))
        return tokens + self.ffn(self.ln2(tokens))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        _, length, width = tokens.shape
        # (N, L, 3C) -> three of (N, heads, L, C / heads)
        qkv = self.qkv(tokens).reshape(-1, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return self.proj(mixed.transpose(1, 2).reshape(-1, length, width))


class _FeedForward(nn.Module):
    """Two linear layers with a GELU between, nested so that they are named ffn.layers.0.0 and ffn.layers.1."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        first = nn.Sequential(nn.Linear(width, hidden), nn.GELU())
        self.layers = nn.Sequential(first, nn.Linear(hidden, width))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.layers(tokens)
