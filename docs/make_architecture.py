"""Writes the drawing and the reading list of docs/architecture.md: .venv/bin/python docs/make_architecture.py

Packages and top-level modules, both called packages here, are in the order of the import-linter contract in
pyproject.toml. Module counts, arrows and line counts come from the code. A test fails when the committed files differ
from what this writes.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import grimp
from make_drawings import FAINT, FOLDER, INK, Drawing

ROOT = Path(__file__).parents[1]
PACKAGE = "realtime_pose"
DRAWING = FOLDER / "architecture.svg"
PAGE = Path(__file__).parent / "architecture.md"
MARKS = ("<!-- Made by docs/make_architecture.py: change READING_ORDER there, then run it again. -->", "<!-- End. -->")

READING_ORDER: tuple[tuple[str, str], ...] = (
    ("capture/video.py", "a video file as `Frame`s, decoded one ahead"),
    ("runtime.py", "the threads: read a frame, step the pipeline, send the result"),
    ("pipeline.py", "one frame: detect, track, estimate, then each person's pose"),
    ("inference/vitpose/estimator.py", "an estimator: a frame and boxes to keypoints"),
    ("body_pipeline.py", "one person: lift, solve, filter"),
    ("lifting/stabilized.py", "left/right swaps corrected before the lifter, its joints smoothed after it"),
    ("lifting/trained.py", "a lifter: keypoints to joints in space"),
    ("ik/simple_ik.py", "the solver: joints in space to joint rotations"),
    ("filters/chain.py", "the filters in order"),
    ("communication/packets/packet_stream.py", "results to packets: numbers, times, `hello`"),
    ("communication/udp.py", "an output: packets to datagrams"),
    ("communication/datagrams.py", "datagrams to the network"),
)
"""Files below the package to read, in order, to follow a frame from a video file to a UDP packet; and what each is."""
MOST_FILES, MOST_LINES = 12, 2100

ACCENT, LINE, BOX, ON_THE_WAY = "#e65100", "#607d8b", "#eceff1", "#fff3e0"
WIDTH, ROW, BOX_HEIGHT, MARGIN, GAP, LINE_GAP = 760, 56, 34, 14, 16, 11


# --- imports ----------------------------------------------------------------------------------------------------------


def layers() -> list[list[str]]:
    """The packages from top to bottom, those of one layer side by side."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (c for c in contracts if c["type"] == "layers" and c["containers"] == [PACKAGE])
    return [[package.strip() for package in line.split("|")] for line in contract["layers"]]


def imports() -> tuple[dict[str, int], set[tuple[str, str]]]:
    """(modules in each package, pairs of packages of which the first imports the second)."""
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    modules, pairs = defaultdict(int), set()
    for module in sorted(graph.modules - {PACKAGE}):
        package = module.split(".")[1]
        is_package = any(other.startswith(f"{module}.") for other in graph.modules)
        modules[package] += not is_package
        for imported in graph.find_modules_directly_imported_by(module) - {PACKAGE}:
            if (below := imported.split(".")[1]) != package:
                pairs.add((package, below))
    return dict(modules), pairs


def without_detours(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The transitive reduction: pairs that no longer way implies."""
    below = defaultdict(set)
    for package, imported in pairs:
        below[package].add(imported)

    def reached(packages: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(packages)
        while waiting:
            if (package := waiting.pop()) not in found:
                found.add(package)
                waiting += below[package]
        return found

    return sorted((a, b) for a, b in pairs if b not in reached(below[a] - {b}))


def line_count(path: str) -> int:
    """Lines of a file below the package."""
    return len((ROOT / PACKAGE / path).read_text(encoding="utf-8").splitlines())


def reading_list() -> str:
    """READING_ORDER as a table, line counts to the nearest ten, so that most edits do not change the page."""
    counts = [line_count(path) for path, _ in READING_ORDER]
    rows = ["| | file | lines, about | what it is |", "| --- | --- | --- | --- |"]
    for number, ((path, what), count) in enumerate(zip(READING_ORDER, counts, strict=True), 1):
        rows.append(f"| {number} | `{path}` | {round(count, -1)} | {what} |")
    return "\n".join((*rows, f"| | {len(counts)} files | {round(sum(counts), -1)} | |"))


def page_with_list(text: str) -> str:
    """The page with the reading list as it is now."""
    between = re.compile(re.escape(MARKS[0]) + ".*?" + re.escape(MARKS[1]), re.DOTALL)
    return between.sub(lambda _: f"{MARKS[0]}\n\n{reading_list()}\n\n{MARKS[1]}", text)


# --- layout -----------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Node:
    """A package in its row, or the place where a long arrow crosses a row.

    Attributes:
        package: Empty for a crossing.
        row: From the top.
        width: px.
        x: Its middle, px.
    """

    package: str
    row: int
    width: float
    x: float = 0.0


Chain = list[Node]
"""An arrow: a package, the rows that it crosses, a package."""


def nodes_of(rows: Sequence[Sequence[str]], pairs: Sequence[tuple[str, str]]) -> tuple[list[list[Node]], list[Chain]]:
    """Every row's nodes, and the arrows between them."""
    package_nodes = {
        package: Node(package, number, _box_width(package)) for number, row in enumerate(rows) for package in row
    }
    placed = [[package_nodes[package] for package in row] for row in rows]
    chains = []
    for above, below in pairs:
        start, end = package_nodes[above], package_nodes[below]
        crossings = [Node("", row, 4.0) for row in range(start.row + 1, end.row)]
        for node in crossings:
            placed[node.row].append(node)
        chains.append([start, *crossings, end])
    return placed, chains


def label(package: str) -> str:
    """The package's name as a path."""
    return f"{package}/" if (ROOT / PACKAGE / package).is_dir() else f"{package}.py"


def steps_of(package: str) -> str:
    """The package's places in READING_ORDER, such as "10, 11"; empty where it is not on the way."""
    inside = [path.split("/")[0].removesuffix(".py") == package for path, _ in READING_ORDER]
    return ", ".join(str(number) for number, is_inside in enumerate(inside, 1) if is_inside)


def _box_width(package: str) -> float:
    steps = steps_of(package)
    return max(7.6 * len(label(package)) + 20, 84.0) + (9 * len(steps) + 8 if steps else 0)


def neighbours_of(chains: Sequence[Chain]) -> tuple[Mapping[Node, list[Node]], Mapping[Node, list[Node]]]:
    """(above, below) each node."""
    above, below = defaultdict(list), defaultdict(list)
    for chain in chains:
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    return above, below


def arrange(rows: list[list[Node]], chains: Sequence[Chain]) -> None:
    """Order each row and give each node its x, by the barycentre method of Sugiyama et al. 1981."""
    above, below = neighbours_of(chains)
    for row in rows:
        _spread(row, [WIDTH * (i + 0.5) / len(row) for i in range(len(row))])
    best, places = None, {}
    for sweep in range(40):
        downwards = sweep % 2 == 0
        for row in rows if downwards else rows[::-1]:
            wanted = {node: _mean_x((above if downwards else below)[node], node.x) for node in row}
            row.sort(key=lambda node: wanted[node])  # stable: equals stay as they are
            _spread(row, [wanted[node] for node in row])
        length = sum(abs(a.x - b.x) for chain in chains for a, b in pairwise(chain))
        cost = 60 * _crossings(rows, below) + length
        if best is None or cost < best:
            best, places = cost, {node: node.x for row in rows for node in row}
    for row in rows:
        row.sort(key=lambda node: places[node])
    for node, x in places.items():
        node.x = x
    for _ in range(60):  # straighten in this order, long arrows first
        for row in rows:
            _spread(row, [_mean_x(_weighted(node, above, below), node.x) for node in row])


def _weighted(node: Node, above: Mapping[Node, list[Node]], below: Mapping[Node, list[Node]]) -> list[Node]:
    return [other for other in (*above[node], *below[node]) for _ in range(1 if node.package or other.package else 8)]


def _mean_x(nodes: Sequence[Node], otherwise: float) -> float:
    return sum(node.x for node in nodes) / len(nodes) if nodes else otherwise


def _crossings(rows: Sequence[Sequence[Node]], below: Mapping[Node, Sequence[Node]]) -> int:
    count = 0
    for row in rows:
        lines = [(a.x, b.x) for a in row for b in below[a]]
        count += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(lines) for b in lines[:i])
    return count


def _spread(row: Sequence[Node], wanted: Sequence[float]) -> None:
    """Places as near to those wanted as order, widths and page allow: least squares by pooling adjacent violators."""
    offsets = [0.0]
    for left, right in pairwise(row):
        gap = GAP if left.package and right.package else LINE_GAP
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for x, offset in zip(wanted, offsets, strict=True):
        pool = (x - offset, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, count = pools.pop()
            pool = ((mean * count + pool[0] * pool[1]) / (count + pool[1]), count + pool[1])
        pools.append(pool)
    low = MARGIN + row[0].width / 2
    high = WIDTH - MARGIN - row[-1].width / 2 - offsets[-1]
    bases = [min(max(mean, low), high) for mean, count in pools for _ in range(count)]
    for node, base, offset in zip(row, bases, offsets, strict=True):
        node.x = base + offset


# --- drawing ----------------------------------------------------------------------------------------------------------


def architecture_drawing() -> str:
    """The packages in their layers, what each imports, and which of them a frame passes."""
    modules, pairs = imports()
    rows, chains = nodes_of(layers(), without_detours(pairs))
    arrange(rows, chains)
    drawing = Drawing(WIDTH, ROW * len(rows) + 44)
    above, below = neighbours_of(chains)
    for chain in chains:
        points = [(_port(chain[0], chain[1], below), _top(chain[0]) + BOX_HEIGHT)]
        for node in chain[1:-1]:
            points += [(node.x, _top(node)), (node.x, _top(node) + BOX_HEIGHT)]
        points.append((_port(chain[-1], chain[-2], above), _top(chain[-1])))
        _arrow(drawing, points)
    for node in (node for row in rows for node in row if node.package):
        _box(drawing, node, modules[node.package])
    under = ROW * len(rows) + 24
    drawing.text((MARGIN, under), "Arrow: imports. Arrows that follow from others are left out.", INK, 12, "start")
    drawing.text((WIDTH - MARGIN, under), "Orange: on one frame's way, by number in the list", ACCENT, 12, "end")
    return drawing.svg("The packages and top-level modules in layers: imports point down only")


def _top(node: Node) -> float:
    return ROW * node.row + 12


def _port(node: Node, towards: Node, sides: Mapping[Node, Sequence[Node]]) -> float:
    """The x at the box's edge of the arrow to or from `towards`, px: side by side, in their order."""
    others = sorted(sides[node], key=lambda other: other.x)
    share = (others.index(towards) + 1) / (len(others) + 1) - 0.5
    return node.x + share * min(node.width - 12, 14.0 * (len(others) + 1))


def _arrow(drawing: Drawing, points: Sequence[tuple[float, float]]) -> None:
    """A smooth line through points, two for each row, with a head at its end."""
    (x, y), *rest = points
    path = [f"M{x:.1f},{y:.1f}"]
    for number, (x2, y2) in enumerate(rest):
        last = 6 * (number == len(rest) - 1)
        if x == x2:
            path.append(f"V{y2 - last:.1f}")
        else:
            middle = (y + y2) / 2
            path.append(f"C{x:.1f},{middle:.1f} {x2:.1f},{middle:.1f} {x2:.1f},{y2 - last:.1f}")
        x, y = x2, y2
    drawing.parts.append(f'<path d="{" ".join(path)}" fill="none" stroke="{LINE}" stroke-width="1.2"/>')
    drawing.shape([(x, y), (x - 3.5, y - 7), (x + 3.5, y - 7)], LINE)


def _box(drawing: Drawing, node: Node, modules: int) -> None:
    left, top, steps = node.x - node.width / 2, _top(node), steps_of(node.package)
    fill, stroke = (ON_THE_WAY, ACCENT) if steps else (BOX, FAINT)
    drawing.parts.append(
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{node.width:.1f}" height="{BOX_HEIGHT}" rx="5" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.3"/>'
    )
    middle = node.x
    if steps:
        drawing.text((left + 9, top + 22), steps, ACCENT, 14, "start", bold=True)
        middle += 4.5 * len(steps) + 4
    is_folder = label(node.package).endswith("/")
    drawing.text((middle, top + (15 if is_folder else 22)), label(node.package), INK, 13, bold=True)
    if is_folder:
        drawing.text((middle, top + 28), f"{modules} modules", LINE, 11)


if __name__ == "__main__":
    DRAWING.write_text(architecture_drawing(), encoding="utf-8")
    PAGE.write_text(page_with_list(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
