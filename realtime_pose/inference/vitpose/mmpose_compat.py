"""mmpose compatibility: models built from mmpose configs, with mmpose's imports replaced and warnings silenced."""

import copy
import importlib
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime_pose.errors import ConfigError, MissingPackageError
from realtime_pose.inference.topdown import CropGeometry, TopdownModel, fill
from realtime_pose.skeletons import AIC14, AP10K17, COCO17, COCO_WHOLEBODY133, MPII16
from realtime_pose.utils.extras import is_installed, needs_extra
from realtime_pose.utils.paths import data_path

if TYPE_CHECKING:
    from torch import Tensor, nn

# mmpose's data set types, and the layout that their models predict.
_LAYOUTS = {
    "CocoDataset": COCO17,
    "HumanArtDataset": COCO17,
    "OCHumanDataset": COCO17,
    "CocoWholeBodyDataset": COCO_WHOLEBODY133,
    "AicDataset": AIC14,
    "MpiiDataset": MPII16,
    "AP10KDataset": AP10K17,
}
_VISION_TRANSFORMERS = ("mmpretrain.VisionTransformer", "mmcls.VisionTransformer")
_OUR_VISION_TRANSFORMER = "PlainVisionTransformer"
_GET_MMPOSE = "pip install --no-deps mmpose==1.1.0"  # its declared dependencies are not needed


def load_mmpose_model(config_path: Path, tensors: "Mapping[str, Tensor]", described: str) -> TopdownModel:
    """The model of an mmpose config with `tensors` loaded, ready to run; errors call them `described`.

    Raises:
        ConfigError: See `build_topdown_model`.
        CheckpointError: The weights do not match the model tensor by tensor.
    """
    model = build_topdown_model(config_path)
    fill(model.network, tensors, described)
    return replace(model, network=_tensor_mode(model.network))


def _tensor_mode(network: "nn.Module") -> "nn.Module":
    """mmpose's model as a plain network: crops in, heatmaps out."""
    from torch import Tensor, nn

    class TensorMode(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, crops: Tensor) -> Tensor:
            output = self.network(crops, None, mode="tensor")
            return output if isinstance(output, Tensor) else output[-1]  # the last of several stages

    return TensorMode().eval()


def build_topdown_model(config_path: Path) -> TopdownModel:
    """The model that an mmpose config (.py) describes, without weights (on torch's meta device).

    Its network is mmpose's own: `network(crops, None, mode="tensor")` gives heatmaps.
    A config is Python code and is executed: use only your own and the program's.

    Raises:
        ConfigError: The config cannot be read, or describes a model that this program cannot crop for or decode.
        MissingPackageError: mmpose, or what it imports, is missing.
    """
    if not config_path.is_file():
        raise ConfigError(f"{config_path} does not exist; give an mmpose model config (.py) with --model-config")
    import_mmpose()
    import torch
    from mmengine.config import Config
    from mmengine.registry import DefaultScope
    from mmpose.registry import MODELS

    try:
        config = Config.fromfile(str(config_path))
        settings = config.model.to_dict()
        if settings["type"] != "TopdownPoseEstimator":
            raise ConfigError(f"{config_path} describes a {settings['type']}, wanted a TopdownPoseEstimator")
        head, preprocessor = settings["head"], settings.pop("data_preprocessor")  # our crops replace it
        backbone = settings["backbone"]
        if backbone["type"] in _VISION_TRANSFORMERS:
            backbone["type"] = _OUR_VISION_TRANSFORMER
            if backbone.get("output_cls_token") is False:
                del backbone["output_cls_token"]  # an older setting for what ours always does
        backbone.pop("init_cfg", None)  # it would download weights for training
        dataset = config.test_dataloader.dataset.to_dict()
        _check(config_path, head, preprocessor, dataset)
        # mmcv and mmpose register modules of the same names in mmengine; the scope selects mmpose's.
        with DefaultScope.overwrite_default_scope("mmpose"):
            try:
                with torch.device("meta"):
                    network = MODELS.build(copy.deepcopy(settings))
            except RuntimeError:  # some backbones compute with tensors in their constructors
                network = MODELS.build(settings)
    except ConfigError:
        raise
    except Exception as exc:  # a config is code and can raise anything
        raise ConfigError(
            f"{config_path} does not describe a model of mmpose {importlib.import_module('mmpose').__version__} "
            f"({type(exc).__name__}: {exc}); see {data_path('configs/vitpose')} for ones that do"
        ) from exc
    codec = head["decoder"]
    return TopdownModel(
        network=network.eval(),
        layout=_LAYOUTS[dataset["type"]],
        geometry=CropGeometry(
            input_wh=(int(codec["input_size"][0]), int(codec["input_size"][1])),
            blur_kernel=int(codec.get("blur_kernel_size", 11)),
            padding=float(_step(dataset, "GetBBoxCenterScale").get("padding", 1.25)),
            mean_rgb=tuple(map(float, preprocessor["mean"])),
            std_rgb=tuple(map(float, preprocessor["std"])),
            unbiased=bool(_step(dataset, "TopdownAffine").get("use_udp", False)),
            codec=_codec(codec),
        ),
    )


def _check(
    config_path: Path, head: Mapping[str, Any], preprocessor: Mapping[str, Any], dataset: Mapping[str, Any]
) -> None:
    """Check that crops, decoding and keypoint layout of the config are supported."""
    if not preprocessor.get("bgr_to_rgb"):
        raise ConfigError(f"{config_path} feeds BGR images, wanted data_preprocessor with bgr_to_rgb=True")
    codec = head["decoder"]
    if not _codec(codec):
        kind = f"{codec['type']} of the {codec['heatmap_type']} type" if "heatmap_type" in codec else codec["type"]
        raise ConfigError(f"{config_path} decodes by {kind}, wanted heatmaps: MSRAHeatmap, or a gaussian UDPHeatmap")
    if dataset["type"] not in _LAYOUTS:
        raise ConfigError(
            f"{config_path} names the keypoints of {dataset['type']} (test_dataloader.dataset.type), "
            f"wanted one of: {', '.join(_LAYOUTS)}"
        )
    wanted = len(_LAYOUTS[dataset["type"]].names)
    if head["out_channels"] != wanted:
        raise ConfigError(
            f"{config_path} gives {head['out_channels']} heatmaps, wanted the {wanted} keypoints of {dataset['type']}"
        )


def _codec(codec: Mapping[str, Any]) -> str:
    """Our name for mmpose's codec (see CropGeometry); empty if it is not supported."""
    if codec["type"] == "MSRAHeatmap":
        return "dark" if codec.get("unbiased") else "msra"
    gaussian = codec["type"] == "UDPHeatmap" and codec.get("heatmap_type", "gaussian") == "gaussian"
    return "udp" if gaussian else ""


def _step(dataset: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The settings of one step of the data set's pipeline; empty if it has none of that kind."""
    return next((step for step in dataset.get("pipeline", ()) if step["type"] == kind), {})


def import_mmpose() -> None:
    """Import mmpose once, silently, with replacements for two packages that cannot be installed."""
    if "mmpose.models" in sys.modules:
        return
    if not is_installed("mmpose"):
        raise MissingPackageError("an mmpose config", "mmpose", _GET_MMPOSE)
    # xtcocotools' wheel is built for numpy 1; pycocotools has the same modules under another name.
    with needs_extra("vitpose", "mmpose"):
        for part in ("", ".mask", ".coco", ".cocoeval"):
            sys.modules.setdefault(f"xtcocotools{part}", importlib.import_module(f"pycocotools{part}"))
    with warnings.catch_warnings(), needs_extra("vitpose", "mmpose"):
        # Warnings of torch, mmengine and mmcv at import: torch.jit.script and pkg_resources are deprecated, and
        # mmcv-lite lacks compiled operations, of which ViTPose uses none.
        warnings.simplefilter("ignore")
        importlib.import_module("mmpose.models")
    from mmpose.registry import MODELS

    from realtime_pose.inference.vitpose.backbone import VisionTransformer

    MODELS.register_module(name=_OUR_VISION_TRANSFORMER, module=VisionTransformer)
