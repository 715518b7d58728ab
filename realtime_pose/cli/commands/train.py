"""`realtime-pose train`: training of the program's own models."""

from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli.terminal import err, out
from realtime_pose.errors import ConfigError
from realtime_pose.utils.extras import needs_extra

train_app = typer.Typer(help="Train the program's own models.", no_args_is_help=True)


@train_app.command("lifter")
def train_lifter(
    mocap: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder of motion capture: .asf with .amc files (CMU), humanoid3d_*.txt (DeepMimic), joint positions "
            "with a clips.json. Without it, only generated poses are used.",
        ),
    ] = None,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="File for the weights.")] = Path(
        "lifter.safetensors"
    ),
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Number of batches, of 1,056 bodies each.")] = 12_000,
    seed: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="The same seed gives the same weights on the same kind of processor."),
    ] = 0,
    device: Annotated[str, typer.Option(metavar="NAME", help="Device: cpu, cuda or mps.")] = "cpu",
) -> None:
    """Train the lifter: 2D keypoints to 3D joints. Reproducible; the remaining time is shown.

    It takes two hours on two cores, under an hour with bfloat16 (AVX-512 BF16, AMX), less on a GPU. The unfinished run
    is kept beside the weights, as NAME.state: the same command continues it. NAME.csv gets the training curves.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    with needs_extra("vitpose", "training"):
        from realtime_pose.training.lifter import Training, TrainingCurves, TrainingProgress, save_lifter
        from realtime_pose.training.lifter import train_lifter as train
    from realtime_pose.training.mocap import read_motions

    if to.suffix != ".safetensors" or to.is_dir():
        raise ConfigError(f"--out {to} is not a weights file; give a name that ends in .safetensors")
    clips = {} if mocap is None else read_motions(mocap)
    state = to.with_suffix(".state")
    columns = (TextColumn("{task.fields[error]}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=err) as bar,
        TrainingCurves(to.with_suffix(".csv"), go_on=state.is_file()) as curves,
    ):
        task = bar.add_task("", total=steps, error=f"{len(clips)} clips")

        def show(progress: TrainingProgress) -> None:
            curves.add(progress)
            bar.update(task, completed=progress.step, error=f"mean error {progress.error_mm:.1f} mm")

        network = train(clips, Training(steps, seed, device, state), show)
    about = {"motion": ", ".join(clips) or "drawn poses alone", "steps": str(steps), "seed": str(seed)}
    save_lifter(network, to, about)
    state.unlink(missing_ok=True)
    out.print(f"written: {to}; measure it with: realtime-pose eval lift CASES --lifter trained")
