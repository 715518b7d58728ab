"""`realtime-pose eval`: accuracy figures against known truth."""

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.options import GivenOptions, with_setting_options
from realtime_pose.cli.run_and_show import say
from realtime_pose.cli.terminal import out, print_table
from realtime_pose.config import SETTINGS, AppConfig
from realtime_pose.errors import ConfigError
from realtime_pose.report import check_report_path

if TYPE_CHECKING:
    from realtime_pose.evaluation.footage.clip_results import ClipResult

ReportFile = Annotated[
    Path | None, typer.Option(metavar="FILE", callback=check_report_path, help="Write the figures as JSON.")
]
KeypointsCache = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep the clips' keypoints in this folder instead of the user's cache."),
]
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
    any_camera: Annotated[
        bool,
        typer.Option(
            "--any-camera",
            help="Put each body before three random cameras instead: any pitch, roll, distance and field of view.",
        ),
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
    from realtime_pose.evaluation.synthetic.any_camera import before_any_camera
    from realtime_pose.evaluation.synthetic.cases import SCENES, synthetic_cases
    from realtime_pose.report import write_report

    if not (cases or drawn or actor):
        raise ConfigError("there is nothing to measure; name lifting cases (.npz), folders of them, --drawn or --actor")
    if actor and any_camera:
        raise ConfigError("--any-camera is for lifting cases and --drawn; the actors' clips have the camera they have")
    settings = given.settings()
    chosen = {
        name: settings.with_values({"body": {"lifter": name}}, "command line")
        for name in lifter or [settings.body.lifter]
    }
    case_sets: dict[str, list[Any]] = {"": load_cases(cases)} if cases else {}
    if drawn:
        case_sets |= {f"{name}: {SCENES[name].title}": cases_of_set for name, cases_of_set in synthetic_cases().items()}
    if any_camera:
        case_sets = {name: before_any_camera(cases_of_set) for name, cases_of_set in case_sets.items()}
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
    print_table(_table(rows))
    if report is not None:
        first = next(iter(chosen))
        write_report(report, report_of({case_set: figures[first] for case_set, figures in rows.items()}))


@eval_app.command("footage")
@with_setting_options("inference", "body")
def eval_footage(
    *,
    clips: Annotated[list[Path], typer.Argument(metavar="CLIPS...", help="Videos, or folders of them.")],
    facts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What a person sees in the clips; see docs/accuracy.md.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print the facts that hold too.")] = False,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a contact sheet of each clip into this folder.")
    ] = None,
    keypoints_cache: KeypointsCache = None,
    report: ReportFile = None,
    given: GivenOptions,
) -> None:
    """Measure poses on clips of real people, without 3D truth: how they fit the image, the floor, and facts.

    Each clip runs in live order, with --look-ahead in two passes as in `process`. Its keypoints are kept in a cache, so
    that a second run takes only the time of the 3D.
    """
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.evaluation.footage.clip_keypoints import clips_in
    from realtime_pose.evaluation.footage.clip_results import evaluate_footage, report_of
    from realtime_pose.report import write_report

    found = clips_in(clips)
    with progress_bar("", out) as advance:
        results = evaluate_footage(
            found, given.settings(), facts=facts, cache=keypoints_cache, sheets=sheet, notify=say, progress=advance
        )
    print_table(_footage_table(results))
    for result in results:
        for check in result.judgement.checks:
            if verbose or not check.holds:
                word = "holds" if check.holds else "[red]fails[/]"
                frames = f"{check.fact.first}..{check.fact.last}"
                out.print(
                    f"{word} {escape(result.name)} {frames} {check.name}: {check.got}, wanted {check.wanted}; "
                    f"{escape(check.fact.text)}",
                    highlight=False,
                    soft_wrap=True,
                )
    if facts is not None:
        out.print(_left_out(results), soft_wrap=True)
    if report is not None:
        write_report(report, report_of(results))


@eval_app.command("views")
@with_setting_options("inference", "body", defaults=False)
def eval_views(
    *,
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Synchronous videos, one of each camera.")],
    calibration: Annotated[Path, typer.Option(metavar="FILE", help="Calibration of the cameras (Qualisys .qca.txt).")],
    keypoints_cache: KeypointsCache = None,
    report: ReportFile = None,
    given: GivenOptions,
) -> None:
    """Measure each view of several calibrated cameras against the people that all views together show.

    Up to two people are followed by default; --persons changes that.
    """
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.evaluation.footage.views import evaluate_views
    from realtime_pose.report import write_report

    settings = given.settings(AppConfig().with_values({"inference": {"persons": 2}}, "eval views"))
    with progress_bar("keypoints", out) as advance:
        result = evaluate_views(
            videos, calibration, settings, cache=keypoints_cache, notify=say, progress=advance
        )  # fmt: skip
    table = Table(
        "view", "person", padding=(0, 0), title="each view against the triangulated people", title_justify="left"
    )
    for label in ("frames", "PA\nmm", "MPJPE\nmm", "feet\nmm", "2D\npx", "gravity\ndeg"):
        table.add_column(label, justify="right")
    for row in [*result.rows, result.pooled()]:
        values = (row.pa_mpjpe_mm, row.mpjpe_mm, row.feet_mm, row.keypoints_off_px, row.gravity_deg)
        table.add_row(escape(row.view), row.person, str(row.frames), *(f"{value:.1f}" for value in values))
    print_table(table)
    out.print(f"truth: joints are off their keypoints by {result.truth_off_px:.1f} px at the median")
    if report is not None:
        write_report(report, result.as_dict())


def _footage_table(results: "Sequence[ClipResult]") -> Table:
    from realtime_pose.evaluation.footage.clip_results import pooled_figures

    table = Table(title="poses on footage", title_justify="left", padding=(0, 0))
    table.add_column("", overflow="fold")
    for label, *_ in (*_FOOTAGE_COLUMNS, ("facts\nhold",)):
        table.add_column(label, justify="right", no_wrap=True)
    rows = [(escape(result.name), result.figures, [result]) for result in results]
    for name, figures, of in [*rows, ("[bold]pooled", pooled_figures(results), results)]:
        checks = [check for result in of for check in result.judgement.checks]
        values = [(getattr(figures, key), digits) for _, key, digits in _FOOTAGE_COLUMNS]
        holding = f"{sum(check.holds for check in checks)} of {len(checks)}" if checks else ""
        table.add_row(name, *("" if value is None else f"{value:.{digits}f}" for value, digits in values), holding)
    return table


def _left_out(results: "Sequence[ClipResult]") -> str:
    judged = [result.judgement for result in results]
    return (
        f"not judged: {sum(each.other_kinds for each in judged)} facts of arms, hands, faces and counts, "
        f"{sum(each.no_number for each in judged)} without a number, "
        f"{sum(each.other_people for each in judged)} of people who are not followed"
    )


_FOOTAGE_COLUMNS = (
    ("frames", "frames", 0),
    ("posed\n%", "poses_percent", 0),
    ("reproj.\n%", "reprojection_percent", 1),
    ("p95\n%", "reprojection_p95_percent", 1),
    ("trunk\ndeg", "trunk_deg", 1),
    ("knee\ndeg", "knee_deg", 0),
    ("ankle\ncm", "ankle_cm", 1),
    ("slide\ncm/s", "slide_cm_s", 1),
    ("jitter\nm/s2", "jitter_m_s2", 1),
    ("swaps\n%", "swaps_percent", 1),
)


def _table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title="lifting, IK and filters against the truth", title_justify="left", padding=(0, 0))
    table.add_column("", overflow="fold")
    for label, _, _ in _COLUMNS:
        table.add_column(label, justify="right", no_wrap=True)
    for case_set, of_lifters in rows.items():
        table.add_section()
        if case_set:
            table.add_row(f"[bold]{escape(case_set)}")
        for name, figures in of_lifters.items():
            values = [(getattr(figures, key), digits) for _, key, digits in _COLUMNS]
            table.add_row(escape(name), *("" if isnan(value) else f"{value:.{digits}f}" for value, digits in values))
    return table


_COLUMNS = (
    ("clips", "cases", 0),
    ("frames", "frames", 0),
    ("MPJPE\nmm", "mpjpe_mm", 1),
    ("of\nseen", "seen_mpjpe_mm", 1),
    ("PA\nmm", "pa_mpjpe_mm", 1),
    ("N\nmm", "n_mpjpe_mm", 1),
    ("grav.\ndeg", "gravity_deg", 1),
    ("p95\ndeg", "gravity_p95_deg", 1),
    ("jitter\nx", "jitter_ratio", 2),
    ("bones\n%", "bone_drift_percent", 2),
    ("ms", "ms_per_frame", 2),
    ("lift\nms", "lift_ms_per_frame", 2),
)
