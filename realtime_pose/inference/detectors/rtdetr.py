"""RT-DETR through transformers: the detector that ViTPose's documentation pairs it with.

The variant is read from the file's tensors. Images are prepared and results decoded as by transformers' own
RTDetrImageProcessor: resized to 640x640 (without keeping proportions), divided by 255; one sigmoid per class.

Sources: Zhao et al., "DETRs Beat YOLOs on Real-time Object Detection" (2024); the variants' settings are those of
PekingU's checkpoints on the model hub (Apache-2.0).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from realtime_pose.checkpoints import read_tensors
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.devices import pick_device
from realtime_pose.inference.tracking.boxes import person_boxes
from realtime_pose.utils.arrays import Float32, UInt8
from realtime_pose.utils.extras import needs_extra

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import RTDetrConfig, RTDetrForObjectDetection

_SIDE = 640
_PERSON, _CLASSES = 0, 80  # of COCO
_SCORE = 0.3
_UNUSED = re.compile(r"num_batches_tracked$|denoising_class_embed")  # used in training only


@dataclass(frozen=True)
class _Variant:
    """Settings of one of PekingU's checkpoints; the defaults are transformers' own, those of ResNet-50."""

    depths: tuple[int, ...]
    basic: bool = False
    decoder_layers: int = 6
    hidden: int = 256
    feed_forward: int = 1024


_VARIANTS = (
    _Variant((2, 2, 2, 2), basic=True, decoder_layers=3),  # ResNet-18
    _Variant((3, 4, 6, 3), basic=True, decoder_layers=4),  # ResNet-34
    _Variant((3, 4, 6, 3)),  # ResNet-50
    _Variant((3, 4, 23, 3), hidden=384, feed_forward=2048),  # ResNet-101
)


class RtDetrDetector:
    """Boxes of all people in a frame, by RT-DETR; `config.detector_checkpoint` is its file."""

    def __init__(self, config: InferenceConfig) -> None:
        with needs_extra("vitpose", "RT-DETR"):
            import torch

        device = pick_device(config.device)
        self._device = torch.device("cpu" if device == "gpu" else device)  # "gpu" is Intel's, which torch does not use
        self._model = load_rtdetr(Path(config.detector_checkpoint)).to(self._device)

    def detect(self, frame: Frame) -> list[PersonBox]:
        """Boxes of everyone, best first."""
        import torch

        with torch.inference_mode():
            output = self._model(torch.from_numpy(prepare(frame.image_bgr)).to(self._device))
            scores = output.logits[0, :, _PERSON].sigmoid().float().cpu().numpy()
            centres_sizes = output.pred_boxes[0].double().cpu().numpy()
        rows = scores >= _SCORE
        centre, half = centres_sizes[rows, :2], centres_sizes[rows, 2:] / 2
        scale = np.array([frame.width, frame.height] * 2)
        boxes = np.concatenate((centre - half, centre + half), axis=1) * scale
        return person_boxes(boxes, scores[rows], frame.width, frame.height)

    def close(self) -> None:
        """Nothing to do: the model is freed with this object."""


def prepare(image_bgr: UInt8) -> Float32:
    """The image as the network's input (1, 3, 640, 640)."""
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(image_bgr[..., ::-1]))
    resized = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))
    return np.ascontiguousarray(resized.transpose(2, 0, 1)[None]).astype(np.float32) / np.float32(255)


def load_rtdetr(path: Path) -> "RTDetrForObjectDetection":
    """The network of a checkpoint, ready to run; nothing is downloaded and no code of the file is run.

    Raises:
        CheckpointError: The file cannot be read, or is not an RT-DETR of COCO's classes.
    """
    tensors = read_tensors(path)
    config = _config_of(path, tensors)
    with needs_extra("vitpose", "RT-DETR"):
        from transformers import RTDetrForObjectDetection

    with _silent_transformers():
        try:
            model, loading = RTDetrForObjectDetection.from_pretrained(
                None, config=config, state_dict=tensors, output_loading_info=True
            )
        except Exception as exc:  # transformers' errors have no common base class
            raise CheckpointError(f"{path} does not fit RT-DETR ({exc}); download it again") from exc
    missing = sorted(name for name in loading["missing_keys"] if not _UNUSED.search(name))
    if missing:
        raise CheckpointError(
            f"{path} lacks {len(missing)} tensors of an RT-DETR, such as {missing[0]}; download it again"
        )
    return model.eval().requires_grad_(False)


def _config_of(path: Path, tensors: "dict[str, Tensor]") -> "RTDetrConfig":
    stages = [re.match(r"model\.backbone\.model\.encoder\.stages\.(\d)\.layers\.(\d+)\.", name) for name in tensors]
    blocks = {(int(found[1]), int(found[2])) for found in stages if found}
    depths = tuple(sum(stage == s for s, _ in blocks) for stage in range(4))
    basic = not any(".layers.0.layer.2.convolution" in name for name in tensors)
    variant = next((v for v in _VARIANTS if (v.depths, v.basic) == (depths, basic)), None)
    head = tensors.get("model.decoder.class_embed.0.weight")
    classes = 0 if head is None else len(head)
    if variant is None or classes != _CLASSES:
        got = f"an RT-DETR of {classes} classes" if classes else "no known RT-DETR"
        raise CheckpointError(
            f"{path} holds {got}, wanted one of COCO's {_CLASSES}; "
            "get one with: realtime-pose models download rtdetr-r18"
        )
    return _transformers_config(variant)


def _transformers_config(variant: _Variant) -> "RTDetrConfig":
    with needs_extra("vitpose", "RT-DETR"):
        from transformers import RTDetrConfig, RTDetrResNetConfig

    widths = [64, 128, 256, 512] if variant.basic else [256, 512, 1024, 2048]
    backbone = RTDetrResNetConfig(
        depths=list(variant.depths),
        layer_type="basic" if variant.basic else "bottleneck",
        hidden_sizes=widths,
        out_features=["stage2", "stage3", "stage4"],
    )
    return RTDetrConfig(
        backbone_config=backbone,
        encoder_in_channels=widths[1:],
        encoder_hidden_dim=variant.hidden,
        encoder_ffn_dim=variant.feed_forward,
        decoder_in_channels=[variant.hidden] * 3,
        hidden_expansion=0.5 if variant.basic else 1.0,
        decoder_layers=variant.decoder_layers,
        num_labels=_CLASSES,
    )


@contextmanager
def _silent_transformers() -> Iterator[None]:
    """No progress bars or tensor reports; what matters in them is checked here."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
