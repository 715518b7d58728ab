"""Checkpoints: a name or a file in, verified model weights out.

The manifest of published files, downloads, readers of every known family, and conversion. torch is needed only to read
weights.
"""

from realtime_pose.checkpoints.convert import convert_vitpose, save_vitpose
from realtime_pose.checkpoints.datasets import DATASET_NOTE, EXPERTS, LAYOUT_OF, check_dataset, dataset_of
from realtime_pose.checkpoints.files import read_notes, read_tensors
from realtime_pose.checkpoints.hub import Progress, download, is_offline
from realtime_pose.checkpoints.manifest import (
    CheckpointEntry,
    PublishedFile,
    find_local,
    folders,
    read_detectors,
    read_manifest,
)
from realtime_pose.checkpoints.onnx_contract import OnnxContract, is_onnx, read_onnx_contract
from realtime_pose.checkpoints.vitpose import VitPoseWeights, is_vitpose, load_vitpose, recognise_vitpose

__all__ = [
    "DATASET_NOTE",
    "EXPERTS",
    "LAYOUT_OF",
    "CheckpointEntry",
    "OnnxContract",
    "Progress",
    "PublishedFile",
    "VitPoseWeights",
    "check_dataset",
    "convert_vitpose",
    "dataset_of",
    "download",
    "find_local",
    "folders",
    "is_offline",
    "is_onnx",
    "is_vitpose",
    "load_vitpose",
    "read_detectors",
    "read_manifest",
    "read_notes",
    "read_onnx_contract",
    "read_tensors",
    "recognise_vitpose",
    "save_vitpose",
]
