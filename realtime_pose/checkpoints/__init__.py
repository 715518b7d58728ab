"""Model weights: which there are, where they lie, how they come here, and what is in them.

Nothing here needs torch until weights are read.
"""

from realtime_pose.checkpoints.datasets import EXPERTS, LAYOUT_OF, check_dataset, dataset_of
from realtime_pose.checkpoints.files import read_tensors
from realtime_pose.checkpoints.hub import Progress, download, is_offline
from realtime_pose.checkpoints.manifest import CheckpointEntry, find_local, folders, read_manifest
from realtime_pose.checkpoints.vitpose import VitPoseWeights, load_vitpose, recognise_vitpose

__all__ = [
    "EXPERTS",
    "LAYOUT_OF",
    "CheckpointEntry",
    "Progress",
    "VitPoseWeights",
    "check_dataset",
    "dataset_of",
    "download",
    "find_local",
    "folders",
    "is_offline",
    "load_vitpose",
    "read_manifest",
    "read_tensors",
    "recognise_vitpose",
]
