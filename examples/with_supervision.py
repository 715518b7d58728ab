"""Drawing with supervision's annotators, from its KeyPoints.

pip install "supervision>=0.29"
python examples/with_supervision.py dance.mp4 --out annotated.png
"""

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import cv2
import supervision as sv

from realtime_pose import PoseInference, coco_links, read_frames, to_supervision


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the last frame, annotated."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="actor", help="path, URL or camera number (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("annotated.png"), help="image to write")
    parser.add_argument("--frames", type=int, default=1, help="stop after this many frames")
    options = parser.parse_args(arguments)

    with PoseInference(is_video=True) as model:
        limbs = sv.EdgeAnnotator(sv.Color.GREEN, thickness=3, edges=coco_links(model.estimator.layout))
        points = sv.VertexAnnotator(sv.Color.RED, radius=4)
        for frame in islice(read_frames(options.source), options.frames):
            key_points = to_supervision(model.inference(frame))
            image = points.annotate(limbs.annotate(frame.image_bgr.copy(), key_points), key_points)
    cv2.imwrite(str(options.out), image)
    print(f"{options.out}: {len(key_points)} people, {key_points.data}")


if __name__ == "__main__":
    main()
