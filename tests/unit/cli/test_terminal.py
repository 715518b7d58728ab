"""Tables on terminals of any width."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from realtime_pose.cli.commands.eval import _COLUMNS
from realtime_pose.cli.terminal import print_table


def printed(table, width):
    """The lines that a terminal of this width shows; the console is as the program's own."""
    console = Console(width=width, file=StringIO(), highlight=False, soft_wrap=True)
    print_table(table, console)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def table_of_figures():
    """The table of `eval lift`, of one lifter."""
    table = Table("", title="lifting", padding=(0, 0))
    for label, *_ in _COLUMNS:
        table.add_column(label, justify="right")
    table.add_section()
    table.add_row("trained, unfiltered", *(f"{column / 10:.2f}" for column in range(len(_COLUMNS))))
    return table


@pytest.mark.parametrize("width", [200, 80, 40, 20])
def test_every_heading_and_number_is_shown_whole(width):
    lines = printed(table_of_figures(), width)
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= width
    assert "…" not in text
    for word in ("clips", "frames", "MPJPE", "jitter", "bones", "unfiltered", "0.00", "0.90"):
        assert word in text


def test_a_table_that_fits_stays_a_table():
    assert len(printed(table_of_figures(), 80)) == 8


def test_a_narrow_terminal_gets_a_block_for_each_row_and_no_empty_cells():
    table = Table("name", "MB", "note", caption="the end")
    table.columns[1].justify = "right"
    table.add_row("[green]first[/]", "12", "")
    table.add_row("second", "", "a/long/path/that/has/no/blank/in/it")
    assert printed(table, 20) == [
        "first", "  MB  12", "second", "  note", "a/long/path/that/has", "/no/blank/in/it", "the end",
    ]  # fmt: skip
