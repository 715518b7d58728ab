"""Data sets of ViTPose checkpoints: their keypoint layouts, and which one a number of keypoints means."""

from collections.abc import Mapping

from realtime_pose.errors import CheckpointError
from realtime_pose.skeletons import AIC14, AP10K17, COCO17, COCO25, COCO_WHOLEBODY133, MPII16, KeypointLayout
from realtime_pose.utils.choices import check_choice

EXPERTS = ("coco", "aic", "mpii", "ap10k", "apt36k", "wholebody")
"""The data sets of ViTPose+ and ViTPose++, in the order of their experts; all but the first also have an associate
head, in that order. Source: tools/model_split.py of the original repository, and the ViTPose page of transformers."""

LAYOUT_OF: dict[str, KeypointLayout] = {
    "coco": COCO17,
    "coco_25": COCO25,
    "aic": AIC14,
    "mpii": MPII16,
    "ap10k": AP10K17,
    "apt36k": AP10K17,
    "wholebody": COCO_WHOLEBODY133,
}
"""Data set, as in --dataset -> its keypoints. Of several with equally many keypoints the first is the default."""


DATASET_NOTE, FAMILY_NOTE = "realtime_pose.dataset", "realtime_pose.family"
"""Metadata keys in the files that we write: the model's data set, and the naming that its weights came with."""


def count_of(dataset: str) -> int:
    """Number of keypoints of a data set."""
    return len(LAYOUT_OF[dataset].names)


def check_dataset(dataset: str) -> None:
    """Check a data set's name; empty means the file's own.

    Raises:
        UnknownChoiceError: It is unknown; the message lists the valid names.
    """
    if dataset:
        check_choice("dataset", dataset, LAYOUT_OF)


def dataset_of(keypoints: int, dataset: str, described: str) -> str:
    """The data set of a model with one head: `dataset` if its number of keypoints fits, else the default for it.

    Args:
        keypoints: Number of the model's heatmaps.
        dataset: The user's choice; may be empty.
        described: Name of the file in errors.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: No known layout has that number of keypoints, or `dataset` has another.
    """
    check_dataset(dataset)
    fitting = [name for name in LAYOUT_OF if count_of(name) == keypoints]
    if not fitting:
        known: dict[int, list[str]] = {}
        for name in LAYOUT_OF:
            known.setdefault(count_of(name), []).append(name)
        listed = "; ".join(f"{count} ({', '.join(names)})" for count, names in sorted(known.items()))
        raise CheckpointError(f"{described} has {keypoints} keypoints, which no known layout has; known are {listed}")
    if dataset and dataset not in fitting:
        raise CheckpointError(
            f"{described} has {keypoints} keypoints, wanted the {count_of(dataset)} of {dataset}; "
            f"leave out --dataset, or give one of: {', '.join(fitting)}"
        )
    return dataset or fitting[0]


def noted_dataset(notes: Mapping[str, str], dataset: str, described: str) -> str:
    """The data set in the metadata of a file that we wrote; else the user's choice.

    Raises:
        CheckpointError: The two differ, or the metadata names an unknown data set.
    """
    noted = notes.get(DATASET_NOTE, "")
    if noted and noted not in LAYOUT_OF:
        raise CheckpointError(f"{described} was made for {noted!r}, which this version does not know; convert it again")
    if noted and dataset not in ("", noted):
        raise CheckpointError(f"{described} was made for {noted}, not {dataset}; leave out --dataset")
    return noted or dataset
