"""Writes ViTPose weights of any family as our own safetensors: mmpose 1.x's names, and notes that say what they are."""

from pathlib import Path

from realtime_pose.checkpoints.datasets import DATASET_NOTE, FAMILY_NOTE
from realtime_pose.checkpoints.vitpose import VitPoseWeights, load_vitpose
from realtime_pose.errors import CheckpointError
from realtime_pose.utils.atomic_files import replacing


def convert_vitpose(path: Path, to: Path, dataset: str = "", *, overwrite: bool = False) -> Path:
    """`to`, written from a checkpoint of any family: one model of one data set, which needs no --dataset any more.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: See `load_vitpose` and `save_vitpose`.
    """
    return save_vitpose(load_vitpose(path, dataset), to, overwrite=overwrite)


def save_vitpose(weights: VitPoseWeights, to: Path, *, overwrite: bool = False) -> Path:
    """`to`, written whole or not at all.

    Raises:
        CheckpointError: It is there already and may not be replaced, or cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    if to.suffix != ".safetensors":
        raise CheckpointError(f"{to} has another ending than .safetensors, which is what is written; name it so")
    if to.exists() and not overwrite:
        raise CheckpointError(f"{to} is there already; give another --out, or --overwrite")
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
            mode = part.stat().st_mode  # as the user's other files; safetensors would leave it to them alone
            save_file(tensors, part, notes)
            part.chmod(mode)
    except (OSError, SafetensorError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise CheckpointError(f"{to} cannot be written ({reason}); make room there, or give another --out") from exc
    return to
