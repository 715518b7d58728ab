"""`realtime-pose plot`: a recording as one page of figures."""

from pathlib import Path
from typing import Annotated

import typer

from realtime_pose.cli.terminal import out


def plot(
    session: Annotated[Path, typer.Argument(help="A session.rtpose, or the folder of a take.")],
    to: Annotated[
        Path | None, typer.Option("--out", help="The page, an .html file; plot.html beside the session if left out.")
    ] = None,
    frame: Annotated[int | None, typer.Option(help="Frame that the 3D figure shows first.")] = None,
    person: Annotated[int | None, typer.Option(help="Id of whom to draw; who is seen the most if left out.")] = None,
) -> None:
    """Draw a recording as one page: the skeleton in 3D, joint angles, the feet, the path, and time by stage.

    The page is a single file: it needs no network, and opens in any browser.
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
