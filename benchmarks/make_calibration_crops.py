"""Cuts resources/calibration/crops.png from the packaged clip: the crops on which runtimes are compared.

    python benchmarks/make_calibration_crops.py

Eight poses side by side, each as a network of 192x256 px gets it.
"""

import cv2
import numpy as np

from realtime_pose.model3d.actor_truth import load_truth
from realtime_pose.utils.paths import data_path

FRAMES = (15, 75, 135, 195, 250, 320, 400, 470)
WIDTH, HEIGHT, PADDING = 192, 256, 1.25


def main() -> None:
    """Cut and write."""
    truth = load_truth(data_path("resources/videos/default_truth.npz"))
    clip = cv2.VideoCapture(str(data_path("resources/videos/default.mp4")))
    crops = []
    for index in range(FRAMES[-1] + 1):
        _, image = clip.read()
        if index in FRAMES:
            xy = truth.keypoints_px[index]
            middle, size = (xy.min(axis=0) + xy.max(axis=0)) / 2, np.ptp(xy, axis=0)
            height = PADDING * 1.15 * max(size[1], size[0] * HEIGHT / WIDTH)  # keypoints end at eyes and toes
            scale = HEIGHT / height
            shift = np.array([WIDTH, HEIGHT]) / 2 - scale * middle
            crop_from_image = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
            crops.append(cv2.warpAffine(image, crop_from_image, (WIDTH, HEIGHT), flags=cv2.INTER_AREA))
    target = data_path("resources/calibration/crops.png")
    target.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(target), np.hstack(crops))
    print(target)


if __name__ == "__main__":
    main()
