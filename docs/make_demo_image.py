"""Makes the README's image from a demo take: frames with their overlay above, the driven character below.

make demo && .venv/bin/pip install -e ".[actor]" && .venv/bin/python docs/make_demo_image.py outputs/demo docs/demo.png
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from realtime_pose.kinematics import joint_positions
from realtime_pose.session.reader import read_session
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from tools.actor.body.body import build
from tools.actor.body.figure import figure_of
from tools.actor.scene.clips import CLIPS
from tools.actor.scene.stage import Stage

FRAMES = (52, 165, 318, 432)
TURN_RAD = np.radians(-50.0)  # the lower row looks from the character's left, so that depth shows
ANKLE_M = 0.07


def character_row(results: list) -> np.ndarray:
    """The character in the poses of `results`, side by side."""
    clip = CLIPS["actor"]
    figure = figure_of(build(clip.look), clip.body)
    stage, images = Stage(figure, clip.camera, clip.room, seed=7), []
    for result in results:
        pose = result.people[0].pose
        local = pose.rotations.local_xyzw.astype(float)
        local[0] = rot.multiply(rot.from_axis_angle([0.0, 1.0, 0.0], np.array(TURN_RAD)), local[0])
        joints = joint_positions(HUMANOID, local, np.zeros(3), clip.body.bone_m)
        feet = [HUMANOID.index["leftFoot"], HUMANOID.index["rightFoot"]]
        images.append(stage.draw(local, np.array([0.0, ANKLE_M - joints[feet, 1].min(), 0.0]))[..., ::-1])
    stage.close()
    return np.hstack([image[20:480, 140:500] for image in images])


def overlay_row(video: Path, results: list) -> np.ndarray:
    """The overlay's frames of `results`, side by side, each cropped around its person."""
    capture, images = cv2.VideoCapture(str(video)), []
    for result in results:
        capture.set(cv2.CAP_PROP_POS_FRAMES, result.frame.index)
        _, image = capture.read()
        centre = int(result.people[0].box.bbox_xyxy_px[[0, 2]].mean())
        left = int(np.clip(centre - 180, 0, image.shape[1] - 360))
        images.append(image[20:480, left : left + 360])
    return np.hstack(images)


if __name__ == "__main__":
    take, out = Path(sys.argv[1]), Path(sys.argv[2])
    chosen = [r for r in read_session(take / "session.rtpose").frames() if r.frame.index in FRAMES]
    image = np.vstack((overlay_row(take / "overlay.mp4", chosen), character_row(chosen)))
    cv2.imwrite(str(out), cv2.resize(image, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))
