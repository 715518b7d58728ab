"""The consoles of stdout and stderr, and the progress of a download on them."""

from typing import Any

from rich.console import Console
from rich.progress_bar import ProgressBar

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_BAR_WIDTH = 30


def download_progress() -> Any:  # noqa: ANN401 - checkpoints.Progress, imported late
    """A progress bar, as a callback (bytes so far, bytes in all).

    It is one line that is overwritten, without a thread or a terminal mode that has to be ended: an interrupted
    download leaves the line as it is. Where stderr is no terminal, it prints a line for every 10 %.
    """
    shown = {"percent": -1}
    bar = ProgressBar(width=_BAR_WIDTH)

    def progress(done: int, total: int | None) -> None:
        percent = 100 * done // total if total else 0
        if not err.is_terminal:
            percent -= percent % 10
        if percent == shown["percent"]:
            return
        shown["percent"] = percent
        size = f"{done / 1e6:.0f} of {(total or 0) / 1e6:.0f} MB ({percent} %)"
        if err.is_terminal:
            bar.update(done, total or 1)
            err.print("downloading weights ", end="")
            err.print(bar, end="")
            err.print(f" {size}", end="\n" if done == total else "\r")
        else:
            err.print(f"downloading weights: {size}")

    return progress
