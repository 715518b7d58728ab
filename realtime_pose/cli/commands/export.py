"""`realtime-pose export`: a recording as the files that other programs open."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli import options as opt
from realtime_pose.cli.terminal import out
from realtime_pose.exporters.table import EXPORTERS

_FORMATS = "\n\n".join(f"{name}: {exporter.file}, {exporter.what}." for name, exporter in EXPORTERS.items())


def export(
    ctx: typer.Context,
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    to: Annotated[Path, typer.Option("--out", help="Folder for the files.")],
    formats: Annotated[str | None, typer.Option("--format", help="Which files, a comma between.")] = None,
    video: Annotated[
        Path | None, typer.Option(help="The session's video, where overlay or frames are wanted and it has moved.")
    ] = None,
    character: opt.Character = None,
    bones: opt.Bones = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    config: opt.Config = None,
) -> None:
    """Write a recording as other files; with several people one file each, named by id."""
    from realtime_pose.app.export import open_export
    from realtime_pose.app.take import open_session
    from realtime_pose.cli.console import progress_bar

    settings = opt.settings_of(ctx.params)
    recorded = open_session(session)
    with ExitStack() as stack:
        files = stack.enter_context(
            open_export(recorded, settings, to, str(video or ""), chosen=formats is not None, force=force)
        )
        advance = stack.enter_context(progress_bar(recorded.path.name, out, "{task.percentage:.0f} %"))
        for _ in files.results:
            advance(recorded.bytes_read, recorded.size_bytes)
    for note in files.notes:
        out.print(f"[yellow]note[/] {note}")
    for path in files.written():
        out.print(f"written: {path}", markup=False)


export.__doc__ = f"{export.__doc__}\n\nThe formats:\n\n{_FORMATS}"
