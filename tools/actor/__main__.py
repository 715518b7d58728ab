"""Command that makes the actors: `python -m tools.actor [--clip actor-2] [--out resources] [--seed 7]`.

Writes models/default_model.glb, videos/default.mp4, videos/second_actor.mp4 and the ground truth of both to `--out`.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from realtime_pose.model3d.actor_truth import TRUTHS, save_truth
from realtime_pose.utils.paths import data_path

_NEEDS = ("pyvista", "skimage", "fast_simplification", "av", "scipy")


def make(name: str, out: Path, seed: int) -> None:
    """Write one clip and its ground truth to `out`, and with the first one its body."""
    from rich.progress import track

    from tools.actor.body.body import build
    from tools.actor.body.figure import figure_of
    from tools.actor.body.glb import glb_bytes
    from tools.actor.scene.clip import write_clip
    from tools.actor.scene.clips import CLIPS
    from tools.actor.scene.stage import Stage

    for folder in ("models", "videos"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    clip = CLIPS[name]
    truth, body = clip.truth(seed), build(clip.look)
    save_truth(out / "videos" / Path(TRUTHS[name]).name, truth)
    if name == "actor":
        (out / "models" / "default_model.glb").write_bytes(glb_bytes(body))

    stage = Stage(figure_of(body, clip.body), clip.camera, clip.room, seed, clip.script.stool)
    try:
        frames = track(range(len(truth.root_m)), description=f"rendering {name}")
        balls = clip.ball_m(truth)
        images = (stage.draw(truth.local_xyzw[i], truth.root_m[i], balls[i]) for i in frames)
        size = truth.intrinsics
        write_clip(out / clip.film, images, round(truth.fps), size.width, size.height)
    finally:
        stage.close()


def main() -> int:
    """Make the actors; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.actor", description=__doc__)
    parser.add_argument("--clip", choices=list(TRUTHS), help="only this clip (default: all)")
    parser.add_argument("--out", type=Path, default=data_path("resources"), help="folder for models/ and videos/")
    parser.add_argument("--seed", type=int, default=7, help="seed of the actor's small idle movements")
    options = parser.parse_args()
    if options.seed < 0:
        parser.error(f"--seed {options.seed} is negative; give 0 or more")
    missing = [name for name in _NEEDS if find_spec(name) is None]
    if missing:
        sys.stderr.write(f"making the actor needs {', '.join(missing)}; install with: pip install -e .[actor]\n")
        return 1
    try:
        for name in [options.clip] if options.clip else TRUTHS:
            make(name, options.out, options.seed)
    except OSError as exc:
        sys.stderr.write(f"cannot write to {options.out} ({exc}); give another folder with --out\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
