"""Your own estimator: keypoints from another program, lifted, solved and smoothed by this one.

python examples/single_images.py frames/*.png --out results    # or any program that writes COCO results
python examples/custom_estimator.py frames results/coco.json

Any object with the methods and attributes below is an estimator; nothing has to be registered. One that runs a model
has `finds_people = False`, crops `frame.image_bgr` to each of `boxes`, and returns one PersonKeypoints per box, in the
same order, each with its box's `track_id`.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from realtime_pose import (
    COCO17,
    Frame,
    PersonBox,
    PersonKeypoints,
    PoseEstimator,
    PoseInference,
    RealtimePoseError,
    read_frames,
)


class KeypointsFromFile:
    """The 17 COCO keypoints of the person with the best score in each frame, from a file of COCO results."""

    name = "coco-file"
    runtime = "json"
    precision = "fp32"
    device = "cpu"
    layout = COCO17
    finds_people = True  # it needs no boxes, and no detector is loaded for it

    def __init__(self, path: Path) -> None:
        content = path.read_bytes()
        self.model_hash = hashlib.sha256(content).hexdigest()  # a session names the model by it
        self._best: dict[int, dict[str, list[float]]] = {}
        for entry in sorted(json.loads(content), key=lambda entry: float(entry["score"])):
            if len(entry["keypoints"]) != 3 * len(COCO17.names):
                raise RealtimePoseError(f"{path} has people without COCO's 17 keypoints; give one that has them")
            self._best[entry["image_id"]] = entry

    def estimate(self, frame: Frame, boxes: Sequence[PersonBox]) -> list[PersonKeypoints]:
        """The person of this frame, if there is one."""
        entry = self._best.get(frame.index)
        if entry is None:
            return []
        rows = np.array(entry["keypoints"], dtype=np.float32).reshape(-1, 3)  # x, y in pixels, score in 0..1
        return [PersonKeypoints(self.layout, rows[:, :2].copy(), rows[:, 2].copy(), 1, frame.time_ns)]

    def close(self) -> None:
        """Nothing to release."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the path of the hips."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", help="the images or the video of the keypoints")
    parser.add_argument("results", type=Path, help="COCO results; image_id is the frame's number, from 0")
    parser.add_argument("--frames", type=int, help="stop after this many frames")
    options = parser.parse_args(arguments)

    estimator: PoseEstimator = KeypointsFromFile(options.results)  # annotated, so that mypy reports what is missing
    with PoseInference(is_video=True, estimator=estimator) as model:
        for frame in islice(read_frames(options.source), options.frames):
            for person in model.inference(frame).people:
                if person.pose is not None:
                    print(frame.index, person.pose.root_m.round(3).tolist())


if __name__ == "__main__":
    main()
