"""Makes the actor: `python -m realtime_pose.model3d.actor [--out resources] [--seed 7]`.

Writes models/default_model.glb, videos/default.mp4 and videos/default_truth.npz below `--out`.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from realtime_pose.model3d.actor.truth import ActorTruth, save_truth
from realtime_pose.utils.arrays import UInt8
from realtime_pose.utils.paths import data_path

_EXTRA = ("pyvista", "skimage", "trimesh", "fast_simplification", "av", "scipy")


def make(out: Path, seed: int) -> None:
    """Write the body, the clip and its truth below `out`."""
    from rich.progress import Progress

    from realtime_pose.model3d.actor.body import build
    from realtime_pose.model3d.actor.clip import write_clip
    from realtime_pose.model3d.actor.film import truth_of
    from realtime_pose.model3d.actor.glb import glb_bytes
    from realtime_pose.model3d.actor.motion import perform
    from realtime_pose.model3d.actor.stage import Stage

    for folder in ("models", "videos"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    truth = truth_of(perform(seed))
    save_truth(out / "videos" / "default_truth.npz", truth)
    body = build()
    (out / "models" / "default_model.glb").write_bytes(glb_bytes(body))

    def pictures(stage: Stage, truth: ActorTruth, progress: Progress) -> Iterator[UInt8]:
        for local, root in progress.track(
            zip(truth.local_xyzw, truth.root_m, strict=True), total=len(truth.root_m), description="filming the actor"
        ):
            yield stage.draw(local, root)

    stage = Stage(body, seed)
    try:
        with Progress() as progress:
            size = truth.intrinsics
            write_clip(
                out / "videos" / "default.mp4",
                pictures(stage, truth, progress),
                round(truth.fps),
                size.width,
                size.height,
            )
    finally:
        stage.close()


def main() -> int:
    """Read the options, make the actor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m realtime_pose.model3d.actor", description=__doc__)
    parser.add_argument("--out", type=Path, default=data_path("resources"), help="folder for models/ and videos/")
    parser.add_argument("--seed", type=int, default=7, help="draws the actor's small restless movements")
    options = parser.parse_args()
    try:
        make(options.out, options.seed)
    except ModuleNotFoundError as exc:
        if exc.name not in _EXTRA:
            raise
        sys.stderr.write(f"{exc.name} is missing; making the actor needs: pip install -e .[actor]\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
