"""`realtime-pose run`: the live pipeline, from a camera to packets and files."""

from realtime_pose.cli.options import Force, GivenOptions, MaxFrames, Report, Show, with_setting_options
from realtime_pose.cli.run_and_show import play, print_run, save_report, say_what_has_no_effect, with_free_folder


@with_setting_options("capture", "inference", "body", "output", without=("body.look_ahead",))
def run(
    given: GivenOptions,
    show: Show = False,
    max_frames: MaxFrames = None,
    report: Report = None,
    force: Force = False,
) -> None:
    """Run live: from a camera (or a file at its own speed) to packets and files, until Ctrl-C."""
    settings = with_free_folder(given.settings(), force=force)
    say_what_has_no_effect(given, settings, records=bool(settings.output.record))
    figures, failure = play(settings, paced=True, max_frames=max_frames, show=show, force=force)
    if report is not None:
        save_report(report, figures)
    print_run(figures, settings.output.record, report)
    if failure is not None:
        raise failure
