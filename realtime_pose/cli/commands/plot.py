"""`realtime-pose plot`: a session as one page of figures."""

from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli.terminal import out


def plot(
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    to: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Page to write (.html); plot.html beside the session by default."),
    ] = None,
    frame: Annotated[int | None, typer.Option(metavar="N", help="Frame that the 3D figure shows first.")] = None,
    person: Annotated[
        int | None, typer.Option(metavar="ID", help="Person to plot; by default the one in the most frames.")
    ] = None,
) -> None:
    """Plot a session as one page: 3D skeleton, joint angles, feet, path, and time for each stage.

    The page is a single file that opens in any browser, without a network.
    """
    from realtime_pose.app.plot import plot_session
    from realtime_pose.app.take import PLOT, open_session
    from realtime_pose.cli.console import progress_bar
    from realtime_pose.figures.page import check_page_path, write_page

    recorded = open_session(session)
    path = to or recorded.path.with_name(PLOT)
    check_page_path(path)
    with progress_bar(recorded.path.name, out, "{task.percentage:.0f} %") as advance:
        page = plot_session(recorded, person=person, frame=frame, progress=advance)
        write_page(path, page)
    out.print(f"written: {path}", markup=False)
