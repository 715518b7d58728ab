"""The consoles of stdout and stderr, tables for any width, and the progress of a download."""

from typing import Any

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_BAR_WIDTH = 30
_LONGEST_WORD = 20  # a longer one, such as a path, may be folded


def print_table(table: Table, console: Console = out) -> None:
    """Print a table in which nothing is cut off: where the terminal is too narrow, as one block of lines for each row.

    Args:
        table: Its right-aligned columns hold numbers, which are never folded.
    """
    needed = 1 + sum(table.padding[1] + table.padding[3] + 1 for _ in table.columns)
    for column in table.columns:
        column.no_wrap = column.justify == "right"
        column.overflow = "fold"
        cells = [cell for cell in (column.header, *column.cells) if table.show_header or cell is not column.header]
        widths = [Measurement.get(console, console.options, _rendered(cell)) for cell in cells]
        needed += max(each.maximum if column.no_wrap else min(each.minimum, _LONGEST_WORD) for each in widths)
    if needed <= console.width:
        console.print(table, soft_wrap=False)
        return
    if table.title:
        console.print(table.title, soft_wrap=False)
    for row in zip(*(column.cells for column in table.columns), strict=True):
        heading, *values = (_rendered(cell) for cell in row)
        console.print(heading, style="bold", soft_wrap=False)
        for column, value in zip(table.columns[1:], values, strict=True):
            if value.plain.strip():
                label = _rendered(column.header).plain.replace("\n", " ")
                console.print(Text.assemble("  ", (label + "  " if label else "", "dim"), value), soft_wrap=False)
    if table.caption:
        console.print(table.caption, soft_wrap=False)


def _rendered(cell: RenderableType) -> Text:
    """A cell's text, with its markup applied."""
    return Text.from_markup(cell) if isinstance(cell, str) else Text(str(cell))


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
