"""`realtime-pose models`: list, download, convert, export and quantize model weights."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.options import GivenOptions, with_setting_options
from realtime_pose.cli.terminal import download_progress, err, out, print_table
from realtime_pose.config import SETTINGS

models_app = typer.Typer(help="Model weights: list, download, convert, export, quantize.", no_args_is_help=True)

_NAME = "A name that `models list` shows."
_NAME_OR_FILE = "A name that `models list` shows, or a file of weights."
RECOMMENDED = ("vitpose-s", "vitpose-b", "vitpose-h", "easy-vitpose-b-wholebody", "rtdetr-r18")
"""What most people need: quick, exact, most exact, with hands and face, and a person detector."""
_SIZE_MB = {"s": 97, "b": 360, "l": 1230, "h": 2550}  # 24, 90, 309 and 637 M parameters at 32 bits; docs/models.md
_DATASET, _MODEL_CONFIG = (SETTINGS[f"inference.{key}"].info for key in ("dataset", "model_config"))


@models_app.command("list")
def list_models(
    every: Annotated[bool, typer.Option("--all", help="List every known model.")] = False,
) -> None:
    """List pose models and detectors: size, keypoints, published AP, licence, and whether each is here."""
    from realtime_pose.checkpoints import find_local, folders, read_detectors, read_manifest

    known, detectors = read_manifest(), read_detectors()
    table = Table("name", "MB", "keypoints", "AP", "here", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.columns[1].justify = table.columns[3].justify = "right"
    for name, entry in {**known, **detectors}.items():
        if not every and name not in RECOMMENDED:
            continue
        keypoints, size_mb = "finds people", ""
        if name in known:
            others = f" +{len(known[name].datasets) - 1}" if len(known[name].datasets) > 1 else ""
            keypoints = f"{len(known[name].layout.names)} {known[name].datasets[0]}{others}"
            size_mb = f"{_SIZE_MB[known[name].size]}"
        ap = "-" if entry.ap is None else f"{entry.ap:.1f}"
        table.add_row(name, size_mb, keypoints, ap, "yes" if find_local(name) else "no")
    print_table(table)
    licences = sorted({entry.licence for entry in (*known.values(), *detectors.values())})
    if not every:
        out.print(f"These are the recommended ones; --all lists {len(known) + len(detectors)}.")
    out.print(
        "MB: of the weights at 32 bits; the published file of S, L and H is up to 1.5 times as large.\n"
        "AP: as published, on the data set under keypoints; checkpoints/manifest.json has the sources.\n"
        f"Licence of all: {', '.join(licences)}.\n"
        f"Weights are searched for in {escape(' and '.join(map(str, folders())))}."
    )


@models_app.command("download")
def download_model(name: Annotated[str, typer.Argument(help=_NAME)]) -> None:
    """Download the weights of one model; an interrupted download is resumed."""
    from realtime_pose.checkpoints import download

    out.print(f"{name}: {download(name, download_progress())}")


@models_app.command("convert")
def convert_model(
    file: Annotated[Path, typer.Argument(help="Weights of any ViTPose, as .pth or .safetensors.")],
    to: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="File to write; by default beside the other, named by the data set."
        ),
    ] = None,
    dataset: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Data set whose head to use: coco, coco_25, aic, mpii, ap10k, apt36k or wholebody."
        ),
    ] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Convert weights of any ViTPose family to this program's safetensors: the model of one data set."""
    from realtime_pose.checkpoints import load_vitpose, save_vitpose

    weights = load_vitpose(file, dataset)
    out.print(f"{escape(str(file))}: {weights}, in the naming of {weights.family}")
    others = [name for name in weights.heads if name != weights.dataset]
    if others:
        out.print(f"It also has heads for {', '.join(others)}; --dataset picks one.")
    ending = "" if file.stem.endswith(weights.dataset) else f"-{weights.dataset}"
    written = save_vitpose(weights, to or file.with_name(f"{file.stem}{ending}.safetensors"), overwrite=overwrite)
    out.print(f"written: {escape(str(written))}")


@models_app.command("export")
def export_model(
    model: Annotated[str, typer.Argument(help=_NAME_OR_FILE)],
    runtime: Annotated[str, typer.Option(metavar="NAME", help="onnxruntime, openvino or tensorrt.")],
    to: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="New folder for the files; by default the cache.")
    ] = None,
    dataset: Annotated[str, typer.Option(metavar="NAME", help=_DATASET.help)] = "",
    model_config: Annotated[str, typer.Option(metavar="FILE", help=_MODEL_CONFIG.help)] = "",
) -> None:
    """Export a model for another runtime; `run` does so by itself when needed."""
    from realtime_pose.inference.base import InferenceConfig
    from realtime_pose.inference.runtimes.export import export_model as export
    from realtime_pose.inference.vitpose.models import load_model

    source = load_model(InferenceConfig(checkpoint=model, dataset=dataset, model_config=model_config)).source
    for path in export(source, runtime, to):
        out.print(f"written: {escape(str(path))}")


@models_app.command("quantize")
@with_setting_options()
def quantize_model(
    *,
    model: Annotated[str, typer.Argument(help=_NAME_OR_FILE)],
    footage: Annotated[
        str,
        typer.Option(
            "--calibrate", metavar="VIDEO", help="Video or folder of images of people, as your camera will see them."
        ),
    ],
    runtime: Annotated[str, typer.Option(metavar="NAME", help="openvino or onnxruntime.")] = "openvino",
    given: GivenOptions,
) -> None:
    """Make the int8 model of one runtime, and compare it with fp32 on parts of the footage held out for that."""
    from rich.progress import Progress

    from realtime_pose.evaluation.quantization import ACCEPTED_SHIFT, quantize

    settings = given.settings(
        fixed={"inference.checkpoint": model, "inference.estimator": "auto", "capture.source": footage}
    )
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        comparison, folder = quantize(
            settings,
            runtime,
            notify=lambda task: bar.add_task(task),
            progress=lambda done, total: bar.update(bar.task_ids[-1], completed=done, total=total),
        )
    table = Table("int8 against fp32", "median", "95th percentile", title=f"{comparison.model} on {comparison.runtime}")
    table.add_row("keypoint shift, px", f"{comparison.shift_px_p50:.2f}", f"{comparison.shift_px_p95:.2f}")
    table.add_row("keypoint shift, % of the box's diagonal", "", f"{100 * comparison.shift_of_box_p95:.2f}")
    table.add_row(
        "score change (95th percentile: size)",
        f"{comparison.score_change_p50:+.3f}",
        f"{comparison.score_change_p95:.3f}",
    )
    print_table(table)
    out.print(
        f"{comparison.keypoints} keypoints of {comparison.held_back_crops} held-out crops; calibrated on "
        f"{comparison.calibration_crops} others."
    )
    limit = f"{100 * ACCEPTED_SHIFT:g} % of the box's diagonal"
    if comparison.accepted:
        out.print(f"Accepted: within {limit}, so --runtime auto may use it.")
    else:
        out.print(f"Not for --runtime auto: over {limit}. --runtime {runtime} --precision int8 still runs it.")
    out.print(f"written: {escape(str(folder))}")
