"""Accuracy of the 3D, part by part: measures one column of docs/accuracy.md's table, or prints the table.

    python benchmarks/accuracy.py measure NAME [--without filters,feet,bones] [--lifter geometric|trained] [--cases DIR]
    python benchmarks/accuracy.py table [--write]

The columns, each with the parts of those to its left:

    measure "IK"             --lifter geometric --without bones,feet,filters
    measure "trained lifter" --without bones,feet,filters
    measure "bones"          --without feet,filters
    measure "floor, feet"    --without filters
    measure "filters"

A column is everything that `eval lift` and `selftest` report, for the lifting cases (if present), the drawn bodies
and both actors; it is kept in benchmarks/accuracy.json. Parts are switched off by a setting (`feet`), or
replaced by their simple predecessor: bones by height alone, and of the filters only One-Euro on rotations
and root with the parameters it had before. The column "before" was measured in a checkout of commit adf9053 plus what
the evaluation needs: `realtime_pose/evaluation`, this script, both actors' clips with their truth, and the hook in the
pipeline that the evaluation uses. A column has the commit that it was measured at.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from realtime_pose.config import AppConfig
from realtime_pose.evaluation.actor_cases import actor_case
from realtime_pose.evaluation.lifting import evaluate, predict_cases, report_of
from realtime_pose.evaluation.lifting_cases import load_cases
from realtime_pose.evaluation.selftest import run_selftest
from realtime_pose.evaluation.synthetic.cases import synthetic_cases
from realtime_pose.utils.paths import data_path

ACTORS = ("actor", "actor-2")
PARTS = ("bones", "feet", "filters")
KEPT, PAGE = data_path("benchmarks/accuracy.json"), data_path("docs/accuracy.md")
BEGIN, END = "<!-- table: python benchmarks/accuracy.py table --write -->", "<!-- end of table -->"


@contextmanager
def without(parts: list[str]) -> Iterator[None]:
    """Replace those parts by their predecessors; `feet` is a setting and not handled here."""
    with ExitStack() as undo:
        if "bones" in parts:
            undo.enter_context(mock.patch("realtime_pose.ik.simple_ik.BoneLengths", _by_height()))
        if "filters" in parts:
            undo.enter_context(mock.patch("realtime_pose.body_pipeline.FilterChain", _plain_filters()))
            undo.enter_context(
                mock.patch("realtime_pose.lifting.table.StabilizedLifter", lambda lifter, config: lifter)
            )
        yield


def _by_height() -> type:
    """Bone lengths from the height alone, without estimation."""
    from realtime_pose.body.bone_lengths import BoneLengths
    from realtime_pose.skeletons import HUMANOID, REST_HEIGHT_M

    class ByHeight(BoneLengths):
        def __init__(self, config: Any) -> None:  # noqa: ANN401 - BodyConfig
            super().__init__(config)
            self._lengths_m = HUMANOID.rest_bone_m * (config.height_m / REST_HEIGHT_M)

        def update(self, joints: Any) -> Any:  # noqa: ANN401 - Joints3D to an array
            return self._lengths_m

    return ByHeight


def _plain_filters() -> type:
    """The original smoothing, then floor and feet as they are; no occlusion handling."""
    from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
    from realtime_pose.filters.chain import FilterChain
    from realtime_pose.filters.smoothing import OneEuroPoseFilter
    from realtime_pose.utils.one_euro import OneEuroParameters

    preset = SMOOTHING_PRESETS["balanced"]
    assert preset is not None  # it is the default
    preset = replace(preset, rotation=OneEuroParameters(1.5, 0.7), root=OneEuroParameters(1.0, 3.0))

    class Plain(FilterChain):
        def __init__(self, config: Any, attitude: Any = None) -> None:  # noqa: ANN401 - BodyConfig, CameraAttitude
            super().__init__(config, attitude)
            self.smoothing = OneEuroPoseFilter(preset)

        def apply(self, pose: Any, observation: Any = None) -> Any:  # noqa: ANN401 - SkeletonPose and Observation
            return self.finish(self.smoothing.apply(pose, observation), observation)

    return Plain


def measure(lifter: str, off: list[str], folder: Path) -> dict[str, Any]:
    """The figures of one column."""
    body: dict[str, Any] = {"lifter": lifter} if lifter else {}
    if "feet" in off:
        body["feet"] = "never"
    config = AppConfig().with_values({"body": body, "inference": {"estimator": "blazepose"}}, "benchmark")
    case_sets: dict[str, list[Any]] = {"": load_cases([folder])} if folder.is_dir() else {}
    case_sets |= synthetic_cases()
    peer = {}
    for name in ACTORS:
        case, its_own = actor_case(name, config.inference)
        case_sets[name] = [case]
        peer[name] = report_of({name: evaluate([its_own])})["others"][name]
    with without(off):
        found: dict[str, Any] = {"lifter": config.body.lifter, "without": off, "blazepose": peer}
        found |= report_of({name: evaluate(predict_cases(config, asked)) for name, asked in case_sets.items()})
        found["selftest"] = {name: run_selftest(config, None, clip=name).as_dict() for name in ACTORS}
    return found


def table(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """The columns as Markdown."""
    lines = ["| figure | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for label, path in _rows():
        if not path:
            lines.append(f"| **{label}** |" + " |" * len(columns))
            continue
        values = [_look_up(column, path) for column in columns.values()]
        if any(value is not None for value in values):
            cells = ["" if value is None else f"{value:.{_digits(value)}f}" for value in values]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _rows() -> list[tuple[str, str]]:
    rows = [("lifting cases of another studio, 38 clips", "")]
    rows += [(label, key) for label, key in _LIFT]
    rows.append(("synthetic bodies: MPJPE of visible joints, mm", ""))
    rows += [(name, f"others/{name}/seen_mpjpe_mm") for name in synthetic_cases(0)]
    for name in ACTORS:
        rows.append((f"{name}, by `eval lift` with BlazePose's keypoints (one scale per clip)", ""))
        rows += [(label, f"others/{name}/{key}") for label, key in _LIFT[:3]]
        rows += [(f"BlazePose's own {label}", f"blazepose/{name}/{key}") for label, key in _LIFT[:2]]
        rows.append((f"{name}, by `selftest`", ""))
        rows += [(label, f"selftest/{name}/{key}") for label, key in _SELFTEST]
    return rows


_LIFT = (
    ("MPJPE, mm", "mpjpe_mm"), ("PA-MPJPE, mm", "pa_mpjpe_mm"), ("N-MPJPE, mm", "n_mpjpe_mm"),
    ("jitter, x the truth's", "jitter_ratio"), ("bone drift, %", "bone_drift_percent"),
    ("lifter, IK and filters, ms per frame", "ms_per_frame"),
)  # fmt: skip
_SELFTEST = (
    ("MPJPE without scaling, mm", "mpjpe_mm"), ("PA-MPJPE, mm", "pa_mpjpe_mm"),
    ("joint angles, degrees", "joint_angle_error_deg"), ("  hands", "hand_angle_error_deg"),
    ("  feet", "foot_angle_error_deg"), ("  head", "head_angle_error_deg"),
    ("largest jump, degrees", "largest_jump_deg"), ("root path, cm", "root_path_error_cm"),
    ("bone drift, %", "bone_drift_percent"), ("foot slide, cm/s", "foot_slide_cm_s"),
    ("  while walking", "walk_slide_cm_s"), ("foot height, cm", "foot_height_error_cm"),
    ("soles below the floor, maximum, cm", "foot_sink_cm"), ("  95th percentile", "foot_sink_cm_p95"),
    ("height of jumps, %", "jump_height_percent"), ("contacts, precision %", "contact_precision_percent"),
    ("contacts, recall %", "contact_recall_percent"), ("jitter, x the truth's", "jitter_ratio"), ("lag, ms", "lag_ms"),
)  # fmt: skip


def _look_up(column: Mapping[str, Any], path: str) -> float | None:
    found: Any = column
    for key in path.split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _digits(value: float) -> int:
    return 2 if abs(value) < 10 else 1


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "adf9053"


def main() -> int:
    """Measure or print, by the options; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    measuring = ways.add_parser("measure")
    measuring.add_argument("name", help="heading of the column")
    measuring.add_argument("--without", default="", help=f"parts to leave out, of {', '.join(PARTS)}")
    measuring.add_argument("--lifter", default="")
    measuring.add_argument("--cases", type=Path, default=data_path("../shared/data/lift/dev"))
    measuring.add_argument("--kept", type=Path, default=KEPT)
    printing = ways.add_parser("table")
    printing.add_argument("--write", action="store_true", help=f"write it into {PAGE.name}")
    options = parser.parse_args()
    if options.way == "measure":
        off = [part for part in options.without.split(",") if part]
        if unknown := set(off) - set(PARTS):
            parser.error(f"--without knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
        columns = json.loads(options.kept.read_text(encoding="utf-8")) if options.kept.exists() else {}
        columns[options.name] = {"commit": _commit()} | measure(options.lifter, off, options.cases)
        options.kept.write_text(json.dumps(columns, indent=1) + "\n", encoding="utf-8")
        return 0
    text = table(json.loads(KEPT.read_text(encoding="utf-8")))
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    else:
        sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
