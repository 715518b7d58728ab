"""`realtime-pose export`: a session as files that other programs open."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from realtime_pose.cli.options import GivenOptions, with_setting_options
from realtime_pose.cli.run_and_show import say
from realtime_pose.cli.terminal import out
from realtime_pose.exporters.table import EXPORTERS

if TYPE_CHECKING:
    from realtime_pose.app.export import Export

_FORMATS = "\n\n".join(f"{name}: {exporter.file}, {exporter.what}." for name, exporter in EXPORTERS.items())


@with_setting_options(
    "output.formats", "output.character", "output.bones",
    help={"output.formats": "Files to write, e.g. bvh,csv; those of `run` by default."},
)  # fmt: skip
def export(
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    to: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Folder for the files.")],
    given: GivenOptions,
    video: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Video of the session, if it has moved and overlay or frames are wanted."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
) -> None:
    """Write a session as other files; with several people, one file for each, named by id."""
    from realtime_pose.app.export import open_export
    from realtime_pose.app.take import open_session
    from realtime_pose.cli.console import progress_bar

    settings = given.settings()
    recorded = open_session(session)
    opened = open_export(recorded, settings, to, str(video or ""), chosen="output.formats" in given.values, force=force)
    bar = progress_bar(recorded.path.name, out, "{task.percentage:.0f} %")
    with ExitStack() as at_end, opened as files, bar as advance:
        at_end.callback(_say_what_was_written, files)  # also if one of the files failed
        for _ in files.results:
            advance(recorded.bytes_read, recorded.size_bytes)


def _say_what_was_written(files: "Export") -> None:
    for note in files.notes:
        say(note)
    for path in files.written():
        out.print(f"written: {path}", markup=False)


export.__doc__ = f"{export.__doc__}\n\nThe formats:\n\n{_FORMATS}"
