"""The two consoles of the command line, and how a download looks on them."""

from typing import Any

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def download_progress() -> Any:  # noqa: ANN401 - checkpoints.Progress, imported late
    shown = {"percent": -1}

    def progress(had: int, total: int | None) -> None:
        percent = 100 * had // total if total else 0
        if percent != shown["percent"]:
            shown["percent"] = percent
            err.print(f"fetching weights: {had / 1e6:.0f} of {(total or 0) / 1e6:.0f} MB ({percent} %)", end="\r")

    return progress
