"""Makes the actor: `python -m realtime_pose.model3d.actor [--out resources] [--seed 7]`.

Writes models/default_model.glb, videos/default.mp4 and videos/default_truth.npz below `--out`.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from realtime_pose.model3d.actor.truth import save_truth
from realtime_pose.utils.paths import data_path

_NEEDS = ("pyvista", "skimage", "fast_simplification", "av", "scipy")


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

    stage = Stage(body, seed)
    try:
        with Progress() as progress:
            poses = progress.track(
                list(zip(truth.local_xyzw, truth.root_m, strict=True)), description="filming the actor"
            )
            pictures = (stage.draw(local, root) for local, root in poses)
            size = truth.intrinsics
            write_clip(out / "videos" / "default.mp4", pictures, round(truth.fps), size.width, size.height)
    finally:
        stage.close()


def main() -> int:
    """Read the options, make the actor; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m realtime_pose.model3d.actor", description=__doc__)
    parser.add_argument("--out", type=Path, default=data_path("resources"), help="folder for models/ and videos/")
    parser.add_argument("--seed", type=int, default=7, help="draws the actor's small restless movements")
    options = parser.parse_args()
    if options.seed < 0:
        parser.error(f"--seed {options.seed} is negative; give a number from 0 on")
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"making the actor needs {', '.join(missing)}; install with: pip install -e .[actor]\n")
        return 1
    try:
        make(options.out, options.seed)
    except OSError as exc:
        sys.stderr.write(f"cannot write below {options.out} ({exc}); give another folder with --out\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
