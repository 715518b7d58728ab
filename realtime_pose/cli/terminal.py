"""The two consoles of the command line, and how a download looks on them."""

from typing import Any

from rich.console import Console
from rich.progress_bar import ProgressBar

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_BAR_WIDTH = 30


def download_progress() -> Any:  # noqa: ANN401 - checkpoints.Progress, imported late
    """A progress bar, as a function that is told the bytes that are here and the bytes in all.

    It is one line that is written over, without a thread or a mode of the terminal that somebody must end: a download
    that breaks off leaves the line as it is. Where nobody watches it says every tenth.
    """
    shown = {"percent": -1}
    bar = ProgressBar(width=_BAR_WIDTH)

    def progress(had: int, total: int | None) -> None:
        percent = 100 * had // total if total else 0
        if not err.is_terminal:
            percent -= percent % 10
        if percent == shown["percent"]:
            return
        shown["percent"] = percent
        size = f"{had / 1e6:.0f} of {(total or 0) / 1e6:.0f} MB ({percent} %)"
        if err.is_terminal:
            bar.update(had, total or 1)
            err.print("fetching weights ", end="")
            err.print(bar, end="")
            err.print(f" {size}", end="\n" if had == total else "\r")
        else:
            err.print(f"fetching weights: {size}")

    return progress
