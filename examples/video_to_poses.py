"""A video to poses: keypoints, 3D joints and joint rotations of every person, frame by frame.

python examples/video_to_poses.py dance.mp4 --persons 2
"""

import argparse
from collections.abc import Sequence
from itertools import islice

from realtime_pose import (
    HUMANOID,
    AppConfig,
    BodyConfig,
    InferenceConfig,
    PoseInference,
    forward_kinematics,
    read_frames,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the right hand of each person."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="actor", help="path, URL or camera number (default: %(default)s)")
    parser.add_argument("--persons", type=int, default=1, help="number of people to follow at most")
    parser.add_argument("--smoothing", default="balanced", help="none, crisp, balanced or smooth")
    parser.add_argument("--height", type=float, default=1.70, help="body height in metres; it sets the scale")
    parser.add_argument("--frames", type=int, help="stop after this many frames")
    options = parser.parse_args(arguments)

    config = AppConfig(
        inference=InferenceConfig(persons=options.persons),
        body=BodyConfig(smoothing=options.smoothing, height_m=options.height),
    )
    hand = HUMANOID.index["rightHand"]
    with PoseInference(config, is_video=True) as model:
        print(f"Running {model.described}.")
        for frame in islice(read_frames(options.source), options.frames):
            for person in model.inference(frame).people:
                if person.pose is None:  # keypoints without a human body, such as an animal's
                    continue
                where = ", ".join(f"{v:+.2f}" for v in forward_kinematics(person.pose)[hand])
                turn = ", ".join(f"{v:+.3f}" for v in person.pose.rotations.local_xyzw[hand])
                print(
                    f"{frame.time_ns / 1e9:6.2f} s  person {person.box.track_id}  hand at ({where}) m, turned ({turn})"
                )


if __name__ == "__main__":
    main()
