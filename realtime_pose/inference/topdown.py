"""Top-down heatmap models: the network, its crop geometry and its keypoint layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from realtime_pose.errors import CheckpointError
from realtime_pose.skeletons import KeypointLayout

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, eq=False)
class CropGeometry:
    """Crop and decoding parameters of a model; the defaults are those of every ViTPose.

    Attributes:
        input_wh: Width and height of a crop in px.
        blur_kernel: Side of the Gaussian that DARK decoding blurs heatmaps with, in heatmap px.
        padding: Factor by which a crop is larger than the box.
        mean_rgb: Subtracted from the colours, 0..255; ImageNet's.
        std_rgb: The difference is divided by this.
        unbiased: True if the centres of a crop's first and last pixel lie on the region's edges (UDP), false if its
            borders do.
        codec: Decoding of the heatmaps: "udp", "dark" or "msra".
    """

    input_wh: tuple[int, int] = (192, 256)
    blur_kernel: int = 11
    padding: float = 1.25
    mean_rgb: tuple[float, ...] = (123.675, 116.28, 103.53)
    std_rgb: tuple[float, ...] = (58.395, 57.12, 57.375)
    unbiased: bool = True
    codec: str = "udp"


@dataclass(frozen=True, eq=False)
class TopdownModel:
    """A torch model, ready to run on the CPU.

    Attributes:
        network: Normalised RGB crops (N, 3, H, W) in, heatmaps (N, K, H/4, W/4) out.
        layout: The keypoints it predicts.
        geometry: Its crops and the decoding of its heatmaps.
    """

    network: "nn.Module"
    layout: KeypointLayout
    geometry: CropGeometry


def fill(network: "nn.Module", tensors: "Mapping[str, Tensor]", described: str) -> None:
    """Load weights into a network; they must match it tensor by tensor. Errors call them `described`.

    Raises:
        CheckpointError: They do not match.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise CheckpointError(
            f"{described}, which is not the model of the config: {name} is {found.get(name, 'missing')}, "
            f"wanted {wanted.get(name, 'nothing of that name')} ({len(wrong)} tensors differ); "
            "give the --model-config that belongs to it"
        )
    network.load_state_dict(tensors, assign=True)
