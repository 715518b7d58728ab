"""Progress bars and result tables on the terminal."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from realtime_pose.app.run import Run
from realtime_pose.app.take import files_of_take
from realtime_pose.cli.preview import PreviewWindow
from realtime_pose.evaluation.selftest_figures import Figures
from realtime_pose.utils.slot import SlotClosed

_TICK_S = 0.1


def follow(run: Run, preview: PreviewWindow | None, *, console: Console, say: Callable[[str], None]) -> bool:
    """Show progress until the run is over or stopped; True if the user interrupted it.

    The preview window is updated here because windows must belong to the main thread.
    """
    estimator = run.pipeline.estimator
    columns = (TextColumn("{task.fields[facts]}"), TimeElapsedColumn())
    bar = (BarColumn(), TextColumn("{task.completed:.0f}/{task.total:.0f}"), TimeRemainingColumn())
    shown = 0
    try:
        with Progress(SpinnerColumn(), *(bar if run.total_frames else ()), *columns, console=console) as progress:
            task = progress.add_task("", total=run.total_frames, facts=estimator.name)
            over = False
            while not over:
                over = _wait(run, preview)
                now = run.runtime.snapshot()
                facts = f"{now.fps:5.1f} fps  people: {now.persons}  {now.frames_dropped} dropped  {estimator.name}"
                if now.flushing:  # the bar starts again
                    facts = f"second pass: writing the files  people: {now.persons}"
                progress.update(task, completed=now.frames_sent if now.flushing else now.frames, facts=facts)
                for notice in now.notices[shown:]:
                    say(notice)
                shown = len(now.notices)
    except KeyboardInterrupt:
        return True
    finally:
        run.runtime.stop()
        if preview is not None:
            preview.close()
    return False


def _wait(run: Run, preview: PreviewWindow | None) -> bool:
    """Wait a moment, showing the newest result; True when the run is over."""
    if preview is None:
        return run.runtime.wait(_TICK_S)
    try:
        result = run.runtime.results.get(_TICK_S)
    except SlotClosed:
        return run.runtime.wait(0.0)
    if result is not None:
        preview.send(result)
    return preview.closed


@contextmanager
def progress_bar(
    what: str, console: Console, figure: str = "{task.completed:.0f}/{task.total:.0f}"
) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, as a callback (done, total) that moves it."""
    columns = (TextColumn(what, markup=False), BarColumn(), TextColumn(figure), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(what, total=1)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def selftest_table(figures: Figures) -> Table:
    """The self-test's figures, each with its meaning."""
    table = Table("figure", "value", "meaning", title="self-test: an actor's clip against its exact truth")
    values = figures.as_dict()
    for name, (label, unit, meaning) in _SELFTEST_ROWS.items():
        if values[name] is not None:
            table.add_row(label, f"{values[name]} {unit}".strip(), meaning)
    return table


_SELFTEST_ROWS = {
    "clip": ("clip", "", "synthetic actor"),
    "estimator": ("pose model", "", "finds the keypoints"),
    "runtime": ("runtime", "", "of the pose model"),
    "device": ("device", "", "of the pose model"),
    "lifter": ("lifter", "", "2D to 3D"),
    "smoothing": ("smoothing", "", "preset of the One-Euro filter"),
    "frames": ("frames", "", "played, at the clip's own speed"),
    "packets": ("packets", "", "arrived over UDP on loopback"),
    "packets_lost": ("packets lost", "", "sent but not received"),
    "keypoint_error_px": ("keypoint error", "px", "2D, median"),
    "mpjpe_mm": ("MPJPE", "mm", "mean 3D error of 12 limb joints, hips on hips"),
    "pa_mpjpe_mm": ("PA-MPJPE", "mm", "the same after the best rotation, scale and translation"),
    "joint_angle_error_deg": ("joint angle error", "deg", "mean over all 17 joints, twist included"),
    "hand_angle_error_deg": ("  of hands", "deg", ""),
    "foot_angle_error_deg": ("  of feet", "deg", ""),
    "head_angle_error_deg": ("  of the head", "deg", ""),
    "largest_jump_deg": ("largest jump", "deg", "of a joint, between two packets"),
    "root_path_error_cm": ("root path error", "cm", "distance of the hips from their true path"),
    "bone_drift_percent": ("bone drift", "%", "bone-length variation"),
    "foot_slide_cm_s": ("foot slide", "cm/s", "ankle speed while the true foot stands"),
    "walk_slide_cm_s": ("  while walking", "cm/s", ""),
    "foot_height_error_cm": ("foot height error", "cm", "mean, of the ankles over the floor"),
    "foot_sink_cm": ("soles below the floor", "cm", "maximum"),
    "foot_sink_cm_p95": ("  95th percentile", "cm", ""),
    "jump_height_percent": ("height of jumps", "%", "of the true height"),
    "contact_precision_percent": ("contacts, precision", "%", "share of reported contacts that are real"),
    "contact_recall_percent": ("contacts, recall", "%", "share of real contacts that are reported"),
    "jitter_ratio": ("jitter", "x", "mean acceleration divided by the true one"),
    "lag_ms": ("lag", "ms", "of the joints behind the truth, latency excluded"),
    "latency_ms_p50": ("latency, median", "ms", "capture to received packet"),
    "latency_ms_p95": ("latency, 95th percentile", "ms", ""),
}


_NAME = "realtime-pose"
_NEXT = """{0} listen   (in another terminal), then
{0} run --source 0 --udp 127.0.0.1:5005   (0: your camera; actor: without one)"""


def run_table(figures: Mapping[str, Any], folder: str, report: Path | None) -> Table:
    """Summary of a run, and the command to try next."""
    table = Table(show_header=False, title="realtime_pose", title_justify="left")
    latency = figures["latency_ms"]
    dropped = figures["frames_dropped"]
    rows = {
        "source": figures["source"],
        "frames": f"{figures['frames']}" + (f" ({dropped} dropped)" if dropped else ""),
        "rate": f"{figures['fps']:.1f} fps; the pose model alone could do {figures['model_fps']:.0f}",
        "latency": _latency(latency) if latency else "not live: every frame, as fast as this machine can",
        "people": f"up to {figures['persons_max']}" if figures["persons_max"] else "none found",
        "camera": _camera(figures["camera"]),
        "pose model": f"{figures['estimator']} on {figures['runtime']} {figures['precision']}, {figures['device']}",
        "packets sent": _packets(figures["sinks"]),
    }
    rows["files"] = "none; --record DIR writes them"
    if folder:
        rows["files"] = f"{folder}/ ({', '.join(path.name for path in files_of_take(Path(folder)))})"
    if report is not None:
        rows["report"] = str(report)
    if figures["warnings"]:
        rows["notes"] = "\n".join(figures["warnings"])
    rows["try next"] = _NEXT.format(_program())
    for name, value in rows.items():
        table.add_row(name, escape(value))
    return table


def _program() -> str:
    """The command that starts this program: its name, or its path where PATH does not have it, as after `make demo`."""
    called = Path(sys.argv[0])
    return _NAME if which(_NAME) or called.stem != _NAME else str(called)


def _packets(sinks: Sequence[Mapping[str, Any]]) -> str:
    if not sinks:
        return "none; --udp HOST sends them"
    if len(sinks) == 1:
        return str(sinks[0]["packets_sent"])
    return "\n".join(f"{sink['packets_sent']} to {sink['sink']} {sink['target']}" for sink in sinks)


def _camera(camera: Mapping[str, Any] | None) -> str:
    if camera is None:
        return "unknown, as nobody has a pose"
    pitch_deg, roll_deg = round(camera["pitch_deg"]), round(camera["roll_deg"])
    parts = [] if pitch_deg or roll_deg else ["level"]
    if pitch_deg:
        parts.append(f"looks {'down' if pitch_deg > 0 else 'up'} by {abs(pitch_deg)} degrees")
    if roll_deg:
        parts.append(f"the world leans {'right' if roll_deg > 0 else 'left'} by {abs(roll_deg)} degrees")
    parts += [f"{camera['position_m'][1]:.2f} m high", f"{camera['fov_deg']:g} degrees wide"]
    return f"{', '.join(parts)} ({camera['source']})"


def _latency(latency_ms: Mapping[str, float | None]) -> str:
    if latency_ms["p50"] is None:
        return "no frame"
    return f"{latency_ms['p50']:.0f} ms median, {latency_ms['p95']:.0f} ms at the 95th percentile, capture to packet"
