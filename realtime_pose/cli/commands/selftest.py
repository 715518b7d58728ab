"""`realtime-pose selftest`: the whole pipeline on a synthetic actor, against the exact truth."""

from typing import Annotated

import typer

from realtime_pose.cli.options import GivenOptions, MaxFrames, Report, with_setting_options
from realtime_pose.cli.run_and_show import save_report
from realtime_pose.cli.terminal import out, print_table


@with_setting_options("inference.estimator", "body.smoothing", "body.feet")
def selftest(
    *,
    clip: Annotated[
        str, typer.Option(metavar="NAME", help="Clip to play: actor, or actor-2, which nothing is tuned to.")
    ] = "actor",
    given: GivenOptions,
    max_frames: MaxFrames = None,
    report: Report = None,
) -> None:
    """Play a synthetic actor through the whole pipeline to a receiver, and compare the result with the exact truth.

    Nothing is downloaded: ViTPose is tested only if its weights are already here.
    """
    from realtime_pose.cli.console import progress_bar, selftest_table
    from realtime_pose.evaluation.selftest import run_selftest
    from realtime_pose.pipeline import check_names

    settings = given.settings(fixed={"inference.download": False})
    check_names(settings)
    with progress_bar(clip, out) as advance:
        figures = run_selftest(settings, max_frames, advance, clip)
    print_table(selftest_table(figures))
    if report is not None:
        save_report(report, figures.as_dict())
