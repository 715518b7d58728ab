"""Plot page of `realtime-pose plot`: figures and a skeleton player in one HTML file that needs no network."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.figures.person_motion import PersonMotion, Rows
from realtime_pose.figures.skeleton import GRID_M, figure_points, trace_of_bones
from realtime_pose.figures.theme import DARK, LIGHT, colour_map
from realtime_pose.utils.atomic_files import write_text

PLAYED_FRAMES = 18_000
"""The player's limit: 10 minutes at 30 frames/s; of longer takes it plays every n-th frame."""
_MARK = b"<!doctype html>\n<!-- made by realtime-pose plot -->"
_ABSENT = -32768  # first coordinate of a frame without the person
_HERE = Path(__file__)


@dataclass(frozen=True, eq=False)
class PlotPage:
    """Contents of a page; texts are plain text and may be untrusted.

    Attributes:
        title: The heading.
        facts: One line under it.
        motion: The motion that the player shows.
        row: The motion's row that is shown first.
        skeleton: The figure of that row.
        charts: The other figures by id, from top to bottom, each with a heading ("" if the figure has its own).
        timed: The charts with time along x.
        notes: Sentences at the end of the page.
    """

    title: str
    facts: str
    motion: PersonMotion
    row: int
    skeleton: go.Figure
    charts: Mapping[str, tuple[str, go.Figure]]
    timed: Sequence[str]
    notes: Sequence[str]


def check_page_path(path: Path) -> None:
    """Refuse a path that is not a page's, or an existing file that this command did not write.

    Raises:
        ConfigError: The name does not end in .html, or another file would be replaced.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise ConfigError(f"{path} is not a name for a page; give one that ends in .html")
    try:
        with path.open("rb") as file:
            ours = file.read(len(_MARK)) == _MARK
    except OSError:
        return  # it does not exist, or writing it will fail too
    if not ours:
        raise ConfigError(f"{path} exists and is not a page of this command; choose another name")


def write_page(path: Path, page: PlotPage) -> None:
    """Write the page; an existing one is replaced only once the new one is complete.

    Raises:
        ConfigError: As `check_page_path`.
        RecordingError: It cannot be written.
    """
    check_page_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, page_html(page))
    except OSError as exc:
        raise RecordingError(f"cannot write {path}: {exc.strerror}; choose another path with --out") from exc


def played_rows(motion: PersonMotion, row: int) -> Rows:
    """The rows that the player has: all, or evenly spaced ones that include `row`."""
    step = -(-len(motion.frame) // PLAYED_FRAMES)
    return np.arange(row % step, len(motion.frame), step)


def page_html(page: PlotPage) -> str:
    """The page as HTML. Its policy allows only its own scripts, by their hashes, and no requests."""
    plotly, own = get_plotlyjs(), _beside("js")
    allowed = " ".join(f"'sha256-{_base64(hashlib.sha256(s.encode()).digest())}'" for s in (plotly, own))
    policy = f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
    charts = "\n".join(_card(name, *chart, timed=name in page.timed) for name, chart in page.charts.items())
    # only "<" can end a script element; in JSON it may be escaped anywhere
    data = json.dumps(_data(page), separators=(",", ":")).replace("<", "\\u003c")
    return f"""{_MARK.decode()}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page.title)}</title>
<style>
{_beside("css")}</style>
</head>
<body>
<header>
<h1>{escape(page.title)}</h1>
<p class="facts">{escape(page.facts)}</p>
</header>
<noscript><p>The figures need JavaScript: allow it for this page. Nothing is downloaded.</p></noscript>
<main>
<section class="stage card" aria-label="Skeleton in 3D">
<p class="legend"><span style="--colour:var(--left)">left</span><span style="--colour:var(--right)">right</span>
<span style="--colour:var(--middle)">middle</span><span class="unseen" style="--colour:var(--muted)">occluded</span></p>
<div class="plot" id="skeleton" style="height:{page.skeleton.layout.height}px"></div>
<div class="player">
<button id="play" type="button">Play</button>
<input id="frame" type="range" min="0" max="0" step="1" value="0" aria-label="Frame">
<output id="now" for="frame"></output>
</div>
<p class="hint">Drag to rotate, scroll or pinch to zoom. Floor squares are {GRID_M * 100:.0f}&nbsp;cm.</p>
</section>
<div class="charts">
{charts}
</div>
</main>
<footer>
{"".join(f"<p>{escape(note)}</p>" for note in page.notes)}
</footer>
<script>{plotly}</script>
<script type="application/json" id="page-data">{data}</script>
<script>{own}</script>
</body>
</html>
"""


def _card(name: str, heading: str, figure: go.Figure, *, timed: bool) -> str:
    title = f"<h2>{escape(heading)}</h2>" if heading else ""
    cursor = '<div class="cursor" hidden></div>' if timed else ""
    plot = f'<div class="plot" id="{escape(name)}" style="height:{figure.layout.height}px"></div>'
    return f'<section class="card">{title}{plot}{cursor}</section>'


def _data(page: PlotPage) -> dict[str, Any]:
    rows = played_rows(page.motion, page.row)
    played = page.motion.at(rows)
    drawn, centre = figure_points(played.points_m)
    present = played.present
    millimetres = np.where(present[:, None, None], drawn * 1000, 0.0).clip(-32_767, 32_767).round().astype("<i2")
    millimetres[~present, 0, 0] = _ABSENT
    figures = {"skeleton": page.skeleton} | {name: figure for name, (_, figure) in page.charts.items()}
    return {
        "figures": {name: json.loads(figure.to_json()) for name, figure in figures.items()},
        "timed": list(page.timed),
        "dark": dict(colour_map(LIGHT, DARK)),
        "grid": GRID_M,
        "row": int(np.searchsorted(rows, page.row)),
        "names": [escape(name) for name in played.figure.names],
        "bones": played.figure.bones,
        "traces": trace_of_bones(played.figure),
        "frames": _packed(played.frame.astype("<i4")),
        "times": _packed(played.time_s.astype("<f4")),
        "points": _packed(millimetres),
        "centres": _packed(np.where(present[:, None], centre[:, [0, 2]], 0.0).astype("<f4")),
        "known": _packed(np.packbits(played.known, axis=1, bitorder="little")),
    }


def _packed(array: npt.NDArray[Any]) -> str:
    return _base64(array.tobytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _beside(suffix: str) -> str:
    """The style sheet or script beside this module."""
    return _HERE.with_suffix(f".{suffix}").read_text(encoding="utf-8")
