"""`realtime-pose eval`: how right the program's answers are, against known truth."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.terminal import out
from realtime_pose.errors import ConfigError

eval_app = typer.Typer(help="Measure how right the answers are, against known truth.", no_args_is_help=True)


@eval_app.callback()
def _group() -> None:
    """Measure how right the answers are, against known truth."""


@eval_app.command("lift")
def eval_lift(
    cases: Annotated[
        list[Path] | None, typer.Argument(help="Lifting cases (.npz), or folders of them; docs/accuracy.md says more.")
    ] = None,
    unfiltered: Annotated[bool, typer.Option("--unfiltered", help="Show the same without filters beside it.")] = False,
    lifter: Annotated[
        list[str] | None, typer.Option(help="Name in the lifter table; several stand beside each other.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the figures of the first lifter here (JSON).")] = None,
    config: Annotated[list[Path] | None, typer.Option(help="Settings file (YAML); may be given several times.")] = None,
) -> None:
    """Judge lifting, IK and filters on clips of keypoints whose 3D truth is known.

    Errors are taken over shoulders, elbows, wrists, hips, knees and ankles of the pose that would drive a character,
    relative to the middle of the hips, in the camera's axes.
    """
    from realtime_pose.config import load_config
    from realtime_pose.evaluation.lifting import answer_cases, judge
    from realtime_pose.evaluation.lifting_cases import load_cases
    from realtime_pose.interface.console import progress_bar
    from realtime_pose.report import write_report

    if not cases:
        raise ConfigError("there is nothing to judge; name lifting cases (.npz) or folders of them")
    settings = load_config(config or [], {})
    loaded = load_cases(cases)
    rows: list[tuple[str, Any]] = []
    figures = None
    for name in lifter or [settings.body.lifter]:
        chosen = settings.with_values({"body": {"lifter": name}}, "command line")
        with progress_bar(name, out) as advance:
            answers = answer_cases(chosen, loaded, progress=advance)
        figures = figures or judge(answers)
        rows.append((name, judge(answers)))
        if unfiltered:
            with progress_bar(f"{name}, unfiltered", out) as advance:
                bare = answer_cases(chosen, loaded, filtered=False, progress=advance)
            rows += [(f"{name}, unfiltered", judge(bare)), (f"{name}, before IK", judge(bare, lifted=True))]
    out.print(_table(rows))
    if report is not None and figures is not None:
        write_report(report, figures.as_dict())


def _table(rows: list[tuple[str, Any]]) -> Table:
    first = rows[0][1]
    table = Table("", title=f"{first.cases} cases, {first.frames} frames", title_justify="left")
    for label, _, _ in _COLUMNS:
        table.add_column(label, justify="right")
    for name, figures in rows:
        table.add_row(escape(name), *(f"{getattr(figures, key):.{digits}f}" for _, key, digits in _COLUMNS))
    return table


_COLUMNS = (
    ("MPJPE mm", "mpjpe_mm", 1),
    ("PA-MPJPE mm", "pa_mpjpe_mm", 1),
    ("N-MPJPE mm", "n_mpjpe_mm", 1),
    ("jitter x", "jitter_ratio", 2),
    ("bone drift %", "bone_drift_percent", 2),
    ("ms a frame", "ms_per_frame", 2),
    ("lifter ms", "lift_ms_per_frame", 2),
)
