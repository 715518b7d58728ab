"""`realtime-pose eval`: accuracy figures against known truth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.options import GivenOptions, with_setting_options
from realtime_pose.cli.terminal import out
from realtime_pose.config import SETTINGS
from realtime_pose.errors import ConfigError
from realtime_pose.report import check_report_path

_LIFTER = SETTINGS["body.lifter"].info
eval_app = typer.Typer(help="Measure accuracy against known truth.", no_args_is_help=True)


@eval_app.callback()
def _group() -> None:
    """Measure accuracy against known truth."""  # a group even with one command


@eval_app.command("lift")
@with_setting_options()
def eval_lift(
    *,
    cases: Annotated[
        list[Path] | None, typer.Argument(help="Lifting cases (.npz), or folders of them; see docs/accuracy.md.")
    ] = None,
    drawn: Annotated[
        bool, typer.Option("--drawn", help="Add generated bodies: at a desk, seated, lying, near, far.")
    ] = False,
    actor: Annotated[
        bool, typer.Option("--actor", help="Add the actors' clips by BlazePose, with its own 3D for comparison.")
    ] = False,
    unfiltered: Annotated[
        bool, typer.Option("--unfiltered", help="Show the figures without filters for comparison.")
    ] = False,
    lifter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help=f"{_LIFTER.sentences(_LIFTER.help)} Give several to compare them."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=check_report_path, help="Write the first lifter's figures as JSON."),
    ] = None,
    given: GivenOptions,
) -> None:
    """Measure lifting, IK and filters on clips of keypoints whose 3D truth is known.

    Errors are taken over shoulders, elbows, wrists, hips, knees and ankles of the pose that would drive a character,
    relative to the middle of the hips, in the camera's axes.
    """
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.evaluation.actor_cases import actor_case
    from realtime_pose.evaluation.lifting import evaluate, predict_cases, report_of
    from realtime_pose.evaluation.lifting_cases import load_cases
    from realtime_pose.evaluation.synthetic.cases import SCENES, synthetic_cases
    from realtime_pose.report import write_report

    if not (cases or drawn or actor):
        raise ConfigError("there is nothing to measure; name lifting cases (.npz), folders of them, --drawn or --actor")
    settings = given.settings()
    chosen = {
        name: settings.with_values({"body": {"lifter": name}}, "command line")
        for name in lifter or [settings.body.lifter]
    }
    case_sets: dict[str, list[Any]] = {"": load_cases(cases)} if cases else {}
    if drawn:
        case_sets |= {f"{name}: {SCENES[name].title}": cases_of_set for name, cases_of_set in synthetic_cases().items()}
    rows: dict[str, dict[str, Any]] = {case_set: {} for case_set in case_sets}
    if actor:
        for name in ("actor", "actor-2"):
            with progress_bar(f"BlazePose on {name}", out) as advance:
                case, its_own = actor_case(name, settings.inference, advance)
            case_sets[name], rows[name] = [case], {"BlazePose's own": evaluate([its_own])}
    for name, config_of in chosen.items():
        for case_set, cases_of_set in case_sets.items():
            with progress_bar(f"{name} {case_set}", out) as advance:
                rows[case_set][name] = evaluate(predict_cases(config_of, cases_of_set, progress=advance))
            if unfiltered:
                with progress_bar(f"{name}, unfiltered {case_set}", out) as advance:
                    bare = predict_cases(config_of, cases_of_set, filtered=False, progress=advance)
                rows[case_set] |= {
                    f"{name}, unfiltered": evaluate(bare),
                    f"{name}, before IK": evaluate(bare, lifted=True),
                }
    out.print(_table(rows))
    if report is not None:
        first = next(iter(chosen))
        write_report(report, report_of({case_set: figures[first] for case_set, figures in rows.items()}))


def _table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table("", title="lifting, IK and filters against the truth", title_justify="left")
    for label, _, _ in _COLUMNS:
        table.add_column(label, justify="right")
    for case_set, of_lifters in rows.items():
        table.add_section()
        if case_set:
            table.add_row(f"[bold]{escape(case_set)}")
        for name, figures in of_lifters.items():
            values = (getattr(figures, key) for _, key, _ in _COLUMNS)
            table.add_row(
                escape(name), *(f"{value:.{digits}f}" for value, (*_, digits) in zip(values, _COLUMNS, strict=True))
            )
    return table


_COLUMNS = (
    ("clips", "cases", 0),
    ("frames", "frames", 0),
    ("MPJPE mm", "mpjpe_mm", 1),
    ("of seen", "seen_mpjpe_mm", 1),
    ("PA mm", "pa_mpjpe_mm", 1),
    ("N mm", "n_mpjpe_mm", 1),
    ("jitter x", "jitter_ratio", 2),
    ("bones %", "bone_drift_percent", 2),
    ("ms", "ms_per_frame", 2),
    ("lift ms", "lift_ms_per_frame", 2),
)
