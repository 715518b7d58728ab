"""`realtime-pose bench`: speed of this machine, stage by stage."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.options import GivenOptions, Report, with_setting_options
from realtime_pose.cli.run_and_show import save_report, say
from realtime_pose.cli.terminal import out, print_table


@with_setting_options(
    "inference.estimator", "inference.checkpoint", "inference.model_config", "inference.runtime", "inference.precision",
    "inference.device", "inference.persons",
    without=("--single",),
)  # fmt: skip
def bench(
    *,
    source: Annotated[
        str, typer.Argument(help="Video, folder of images, URL, or a packaged clip: actor, actor-2.")
    ] = "actor",
    random: Annotated[
        str,
        typer.Option(
            metavar="SIZE", help="Measure random weights of ViTPose s, b, l or h: as fast as real ones, no download."
        ),
    ] = "",
    max_frames: Annotated[int, typer.Option(min=10, metavar="N", help="Measure at most this many frames.")] = 300,
    given: GivenOptions,
    report: Report = None,
) -> None:
    """Measure the speed on this machine: each stage, and end to end from the video to the packet.

    Nothing is downloaded: only weights that are here are measured, or random ones.
    """
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.evaluation.bench import run_bench

    settings = given.settings(fixed={"capture.source": source, "inference.download": False})
    with progress_bar("bench", out) as advance:
        figures = run_bench(settings, max_frames, random, progress=advance)
    print_table(_table(figures))
    for note in figures.notes:
        say(note)
    if report is not None:
        save_report(report, figures.as_dict())


def _table(figures: Any) -> Table:  # noqa: ANN401 - BenchFigures, imported late
    title = (
        f"{figures.estimator} on {figures.runtime} {figures.precision}, {figures.device}; {figures.source}: "
        f"{figures.frames} frames, people: up to {figures.persons_max}"
    )
    table = Table("stage", "median\nms", "95th\n%", "mean", "meaning", title=escape(title), title_justify="left")
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
        name, meaning = _BODY_ROWS.get(part, (f"a person's {part}", ""))
        table.add_row(name, *(f"{values[key]:.2f}" for key in ("p50", "p95", "mean")), meaning)
    table.caption = f"{figures.fps:.1f} fps from the video to the packet"
    return table


_ROWS = {
    "video": ("video", "decoding the file, in a thread of its own"),
    "capture": ("capture", "waiting for the next frame"),
    "detect": ("detect, track", "person detector every N frames, tracking always"),
    "estimate": ("estimate", "the pose model, all of it"),
    "crop": ("  crop", "crop, scale, normalise"),
    "network": ("  network", ""),
    "decode": ("  decode", "heatmaps to keypoints"),
    "lift": ("lift", "2D to 3D"),
    "solve": ("solve", "3D to joint rotations"),
    "filter": ("filter", "occlusion, smoothing, floor, feet"),
    "send": ("send", "packets to a socket"),
    "rest": ("rest", "everything else"),
    "whole": ("whole frame", "packet to packet"),
    "around": ("around the model", "crop, decode, detect, track, send"),
}
_BODY_ROWS = {
    "lift": ("a person's lift", "2D to 3D, for each person and frame"),
    "ik": ("a person's IK", "3D to joint rotations inside the limits"),
    "filters": ("a person's filters", "smoothing, floor, feet"),
    "body": ("a person's body", "the three together"),
}
