"""ViTPose network in torch: the plain transformer and its decoder, under mmpose 1.x's parameter names.

All runtimes are built from it. mmpose builds the same model from configs/vitpose/, and tests compare the two; this one
is built in milliseconds and without mmpose.

Source: Xu et al., "ViTPose: Simple Vision Transformer Baselines for Human Pose Estimation" (2022), section 3.1:
equation 2 is the classic decoder, equation 3 the simple one.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from realtime_pose.checkpoints import VitPoseWeights
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.topdown import fill
from realtime_pose.inference.vitpose.backbone import VisionTransformer

_HEADS = {"s": 12, "b": 12, "l": 16, "h": 16}
_DECONV_CHANNELS = 256
_SIMPLE_UPSAMPLING = 4


class VitPoseNetwork(nn.Module):
    """Normalised RGB crops (N, 3, 256, 192) in, heatmaps (N, K, 64, 48) out.

    Args:
        width: Channels of a token.
        layers: Transformer layers.
        heads: Attention heads.
        decoder: "classic" or "simple".
        keypoints: Number of heatmaps.
    """

    def __init__(self, width: int, layers: int, heads: int, decoder: str, keypoints: int) -> None:
        super().__init__()
        arch = {"embed_dims": width, "num_layers": layers, "num_heads": heads, "feedforward_channels": 4 * width}
        self.backbone = VisionTransformer(arch, img_size=(256, 192), patch_cfg={"padding": 2})
        self.head = _SimpleDecoder(width, keypoints) if decoder == "simple" else _ClassicDecoder(width, keypoints)

    def forward(self, crops: Tensor) -> Tensor:
        """Heatmaps (N, K, 64, 48)."""
        (features,) = self.backbone(crops)
        return self.head(features)


class _ClassicDecoder(nn.Module):
    """Two deconvolutions, each doubling the size, then a 1x1 convolution to one heatmap per keypoint."""

    def __init__(self, width: int, keypoints: int) -> None:
        super().__init__()
        self.deconv_layers = nn.Sequential(*_deconvolution(width), *_deconvolution(_DECONV_CHANNELS))
        self.final_layer = nn.Conv2d(_DECONV_CHANNELS, keypoints, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.final_layer(self.deconv_layers(features))


def _deconvolution(channels: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    upsample = nn.ConvTranspose2d(channels, _DECONV_CHANNELS, 4, stride=2, padding=1, bias=False)
    return upsample, nn.BatchNorm2d(_DECONV_CHANNELS), nn.ReLU()


class _SimpleDecoder(nn.Module):
    """Interpolation to four times the size, then one convolution."""

    def __init__(self, width: int, keypoints: int) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(width, keypoints, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        upsampled = F.interpolate(
            F.relu(features), scale_factor=_SIMPLE_UPSAMPLING, mode="bilinear", align_corners=False
        )
        return self.final_layer(upsampled)


def build_network(weights: VitPoseWeights, path: Path) -> VitPoseNetwork:
    """The network of `weights`, with them loaded, ready to run on the CPU; errors call them `path`.

    Raises:
        CheckpointError: They do not match it tensor by tensor, or have no published size.
    """
    if weights.size is None:  # the number of attention heads is not visible in the weights
        raise CheckpointError(f"{path} holds {weights}; give its mmpose config with --model-config")
    with torch.device("meta"):
        network = VitPoseNetwork(
            weights.width, weights.layers, _HEADS[weights.size], weights.decoder, weights.keypoints
        )
    fill(network, weights.tensors, f"{path} holds {weights}")
    return network.eval()
