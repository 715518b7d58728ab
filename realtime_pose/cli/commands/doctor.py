"""`realtime-pose doctor`: a check of the installation."""

from rich.table import Table

from realtime_pose.cli.terminal import print_table


def doctor() -> None:
    """Check the installation: cameras, devices, runtimes and pose models, and what to do about those that fail."""
    from realtime_pose.app.doctor import examine

    table = Table("", "what", "found", "what to do")
    for finding in examine():
        table.add_row("[green]ok[/]" if finding.ok else "[yellow]--[/]", finding.what, finding.found, finding.remedy)
    print_table(table)
