"""`realtime-pose bones`: which node of a character is which bone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from realtime_pose.cli.terminal import out, print_table


def bones(
    character: Annotated[Path, typer.Argument(help="A .glb or .vrm.")],
    to: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Bones file to write, for --bones of other commands.")
    ] = Path("bones.yaml"),
    mapped: Annotated[
        Path | None,
        typer.Option("--bones", metavar="FILE", help="A bones file to check; it comes first."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out.")] = False,
) -> None:
    """Show which nodes of a character are its bones and how they were found, and write a bones file to correct.

    Bones are found by the VRM's own table, else by name, else by structure.
    """
    from realtime_pose.app.bones import character_bones, write_bones_file

    found = character_bones(character, mapped)
    table = Table("bone", "node", "found by", title=escape(character.name), title_justify="left")
    for row in found.rows:
        table.add_row(row.bone, escape(row.node), row.how, style=None if row.node else "red")
    print_table(table)
    write_bones_file(to, found, force=force)
    out.print(f"written: {to}", markup=False)
    found.check()
