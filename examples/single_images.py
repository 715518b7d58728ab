"""Single images, each on its own: an overlay of each, and all people as COCO dictionaries.

python examples/single_images.py me.jpg you.jpg --out results
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2

from realtime_pose import AppConfig, InferenceConfig, PoseInference, read_frames, to_coco


def main(arguments: Sequence[str] | None = None) -> None:
    """Write an overlay of each image, and one coco.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the results")
    options = parser.parse_args(arguments)

    options.out.mkdir(parents=True, exist_ok=True)
    found = []
    with PoseInference(AppConfig(inference=InferenceConfig(persons=10))) as model:
        for number, path in enumerate(options.images):
            (frame,) = read_frames(path)
            result = model.inference(frame)  # or a BGR array (height, width, 3), as OpenCV reads it
            found += to_coco(result, image_id=number)
            cv2.imwrite(str(options.out / f"{path.stem}-people.png"), model.draw(boxes=True))
            print(f"{path}: {len(result.people)} found")
    (options.out / "coco.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
