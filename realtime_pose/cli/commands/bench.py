"""`realtime-pose bench`: how fast this machine is, stage by stage."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.terminal import out


def bench(
    source: Annotated[
        str, typer.Argument(help="Video, image folder, URL, or a packaged clip: actor, actor-2.")
    ] = "actor",
    random: Annotated[
        str, typer.Option(help="Measure random weights of ViTPose s, b, l or h: as fast as real ones, no download.")
    ] = "",
    max_frames: Annotated[int, typer.Option(min=10, help="Count so many frames at most.")] = 300,
    report: Annotated[Path | None, typer.Option(help="Write the figures here (JSON).")] = None,
    config: Annotated[list[Path] | None, typer.Option(help="Settings file (YAML); may be given several times.")] = None,
    estimator: Annotated[
        str | None, typer.Option(help="auto, blazepose, vitpose-s, vitpose-b, vitpose-l, vitpose-h or mmpose.")
    ] = None,
    checkpoint: Annotated[str | None, typer.Option(help="File of the weights, or a name that is known.")] = None,
    model_config: Annotated[str | None, typer.Option(help="mmpose model config (.py).")] = None,
    runtime: Annotated[str | None, typer.Option(help="auto, torch, onnxruntime, openvino or tensorrt.")] = None,
    precision: Annotated[str | None, typer.Option(help="auto, fp32, bf16, fp16, int8 or int4.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, mps or gpu.")] = None,
    persons: Annotated[int | None, typer.Option(min=1, help="People followed at most.")] = None,
) -> None:
    """Measure the program on this machine: each stage, and end to end from the video to the packet.

    Nothing is fetched: only weights that are here are measured, or random ones.
    """
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.config import load_config
    from realtime_pose.evaluation.bench import run_bench
    from realtime_pose.report import write_report

    inference = {
        "estimator": estimator, "checkpoint": checkpoint, "model_config": model_config, "runtime": runtime,
        "precision": precision, "device": device, "persons": persons, "download": False,
    }  # fmt: skip
    given = {key: value for key, value in inference.items() if value is not None}
    settings = load_config(config or [], {"capture": {"source": source}, "inference": given})
    with progress_bar("bench", out) as advance:
        figures = run_bench(settings, max_frames, random, progress=advance)
    out.print(_table(figures))
    for note in figures.notes:
        out.print(f"[yellow]note[/] {escape(note)}")
    if report is not None:
        write_report(report, figures.as_dict())


def _table(figures: Any) -> Table:  # noqa: ANN401 - BenchFigures, imported late
    title = (
        f"{figures.estimator} on {figures.runtime} {figures.precision}, {figures.device}; {figures.source}: "
        f"{figures.frames} frames, {figures.persons_max} in the picture at most"
    )
    table = Table("stage", "median ms", "95th %", "mean", "what it is", title=escape(title), title_justify="left")
    for column in table.columns[1:4]:
        column.justify = "right"
    rows = {**figures.stages_ms, "around": figures.around_ms}
    for stage, values in rows.items():
        if stage == "whole":
            table.add_section()
        name, meaning = _ROWS.get(stage, (stage, ""))
        table.add_row(name, *(f"{values[key]:.2f}" for key in ("p50", "p95", "mean")), meaning)
    table.add_section()
    for part, values in figures.body_ms.items():
        name, meaning = _BODY_ROWS[part]
        table.add_row(name, *(f"{values[key]:.2f}" for key in ("p50", "p95", "mean")), meaning)
    table.caption = f"{figures.fps:.1f} frames a second from the video to the packet"
    return table


_ROWS = {
    "video": ("video", "decoding the file, ahead of need in a thread of its own"),
    "capture": ("capture", "waiting for the next picture"),
    "detect": ("detect, track", "finding people now and then, following them always"),
    "estimate": ("estimate", "keypoints, all of it"),
    "crop": ("  crop", "cut out, scale, normalise"),
    "network": ("  network", ""),
    "decode": ("  decode", "heatmaps to keypoints"),
    "lift": ("lift", "2D to 3D"),
    "solve": ("solve", "3D to joint rotations, filters"),
    "send": ("send", "packets to a socket"),
    "rest": ("rest", "what no stage has"),
    "whole": ("whole frame", "packet to packet"),
    "around": ("around the model", "crop, decode, detect, track, send"),
}
_BODY_ROWS = {
    "lift": ("a person's lift", "2D to 3D, a person and frame"),
    "ik": ("a person's IK", "3D to joint rotations inside the limits"),
    "filters": ("a person's filters", "smoothing, floor, feet"),
    "body": ("a person's body", "all three"),
}
