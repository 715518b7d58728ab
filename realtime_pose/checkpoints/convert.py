"""Conversion of ViTPose weights of any family to safetensors with mmpose 1.x's names and describing metadata."""

from pathlib import Path

from realtime_pose.checkpoints.datasets import DATASET_NOTE, FAMILY_NOTE
from realtime_pose.checkpoints.vitpose import VitPoseWeights, load_vitpose
from realtime_pose.errors import CheckpointError
from realtime_pose.utils.atomic_files import replacing


def convert_vitpose(path: Path, to: Path, dataset: str = "", *, overwrite: bool = False) -> Path:
    """`to`, written from a checkpoint of any family: one model of one data set, which then needs no --dataset.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: See `load_vitpose` and `save_vitpose`.
    """
    return save_vitpose(load_vitpose(path, dataset), to, overwrite=overwrite)


def save_vitpose(weights: VitPoseWeights, to: Path, *, overwrite: bool = False) -> Path:
    """`to`, written atomically.

    Raises:
        CheckpointError: It exists and may not be replaced, or cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    if to.suffix != ".safetensors":
        raise CheckpointError(f"{to} does not end in .safetensors, the format that is written; rename it")
    if to.exists() and not overwrite:
        raise CheckpointError(f"{to} exists already; give another --out, or --overwrite")
    notes = {
        "format": "pt",
        DATASET_NOTE: weights.dataset,
        FAMILY_NOTE: weights.family,
        "realtime_pose.layout": weights.layout.name,
        "realtime_pose.size": weights.size or "",
        "realtime_pose.decoder": weights.decoder,
    }
    tensors = {name: tensor.contiguous() for name, tensor in weights.tensors.items()}
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with replacing(to) as part:
            part.touch()
            mode = part.stat().st_mode  # as of the user's other files; safetensors would make it private
            save_file(tensors, part, notes)
            part.chmod(mode)
    except (OSError, SafetensorError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise CheckpointError(f"{to} cannot be written ({reason}); free some space, or give another --out") from exc
    return to
