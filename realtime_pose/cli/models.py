"""`realtime-pose models`: weights and what is made of them."""

from typing import Annotated

import typer
from rich.table import Table

from realtime_pose.cli.terminal import download_progress, out

models_app = typer.Typer(help="Model weights: what there is, and fetching it.", no_args_is_help=True)


@models_app.command("list")
def list_models() -> None:
    """Name every checkpoint that is known, and whether it is on this machine."""
    from realtime_pose.checkpoints import find_local, read_manifest

    table = Table("name", "model", "keypoints", "licence", "from", "here")
    table.columns[0].min_width, table.columns[4].overflow = 16, "fold"
    for name, entry in read_manifest().items():
        model = f"{entry.size.upper()}, {entry.decoder}"
        table.add_row(name, model, entry.layout, entry.licence, entry.repo, str(find_local(name) or "no"))
    out.print(table)


@models_app.command("download")
def download_model(name: Annotated[str, typer.Argument(help="A name that `models list` shows.")]) -> None:
    """Fetch the weights of one model; a download that broke off is gone on with."""
    from realtime_pose.checkpoints import download

    out.print(f"{name}: {download(name, download_progress())}")
