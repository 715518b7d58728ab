"""Which data set has which keypoints, and how a file's data set is told from its number of keypoints."""

from collections.abc import Mapping

from realtime_pose.errors import CheckpointError
from realtime_pose.skeletons import AIC14, AP10K17, COCO17, COCO25, COCO_WHOLEBODY133, MPII16, KeypointLayout
from realtime_pose.utils.choices import check_choice

EXPERTS = ("coco", "aic", "mpii", "ap10k", "apt36k", "wholebody")
"""The data sets of ViTPose+ and ViTPose++, in the order of their experts; all but the first are also the associate
heads, in order. Source: tools/model_split.py of the original repository, and the ViTPose page of transformers."""

LAYOUT_OF: dict[str, KeypointLayout] = {
    "coco": COCO17,
    "coco_25": COCO25,
    "aic": AIC14,
    "mpii": MPII16,
    "ap10k": AP10K17,
    "apt36k": AP10K17,
    "wholebody": COCO_WHOLEBODY133,
}
"""Data set, as --dataset names it -> its keypoints. Of several with one number of keypoints the first is the usual."""


DATASET_NOTE, FAMILY_NOTE = "realtime_pose.dataset", "realtime_pose.family"
"""Our notes in the files that we write: whose keypoints a model finds, and the naming that its weights came with."""


def count_of(dataset: str) -> int:
    """How many keypoints a data set has."""
    return len(LAYOUT_OF[dataset].names)


def check_dataset(dataset: str) -> None:
    """Refuse a name that is no data set's; an empty one is the file's own.

    Raises:
        UnknownChoiceError: The message lists the names there are.
    """
    if dataset:
        check_choice("dataset", dataset, LAYOUT_OF)


def dataset_of(keypoints: int, dataset: str, described: str) -> str:
    """The data set of a model with one head: `dataset` if it has so many keypoints, else the usual one with so many.

    Args:
        keypoints: Heatmaps that the model gives.
        dataset: What the user said; may be empty.
        described: What errors call the file.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: No known layout has so many keypoints, or `dataset` has another number.
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
            f"leave --dataset away, or give one of: {', '.join(fitting)}"
        )
    return dataset or fitting[0]


def noted_dataset(notes: Mapping[str, str], dataset: str, described: str) -> str:
    """The data set that the notes in a file of ours name, which then decides; else what the user said.

    Raises:
        CheckpointError: The two differ, or the notes name a data set that is not known.
    """
    noted = notes.get(DATASET_NOTE, "")
    if noted and noted not in LAYOUT_OF:
        raise CheckpointError(f"{described} was made for {noted!r}, which this version does not know; make it anew")
    if noted and dataset not in ("", noted):
        raise CheckpointError(f"{described} was made for {noted}, not {dataset}; leave --dataset away")
    return noted or dataset
