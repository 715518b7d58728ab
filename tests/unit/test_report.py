"""Figures of a synthetic run."""

import json

import pytest

from realtime_pose import report
from realtime_pose.errors import ConfigError, RecordingError
from realtime_pose.report import STAGES, RunStatistics, check_report_path, write_report

MS = 1_000_000


def play(statistics, frames, *, start_ns=5_000 * MS, step_ms=20, latency_ms=lambda i: 10.0, stages=None):
    """Frames every `step_ms`; frame i is sent latency_ms(i) after its capture."""
    for i in range(frames):
        captured_ns = start_ns + i * step_ms * MS
        statistics.add(stages or {}, i % 3, captured_ns, captured_ns + round(latency_ms(i) * MS))


def test_a_run_of_known_times():
    statistics = RunStatistics(live=True)
    play(statistics, 101, latency_ms=lambda i: float(i), stages={"estimate": 8.0, "send": 0.25})
    figures = statistics.figures()
    assert figures["frames"] == 101
    assert figures["persons_max"] == 2
    assert figures["seconds"] == 2.1  # 100 steps of 20 ms, and the last frame's 100 ms
    assert figures["fps"] == pytest.approx(101 / 2.1, abs=0.01)
    assert figures["model_fps"] == 125.0
    assert figures["latency_ms"] == {"p50": 50.0, "p95": 95.0}
    assert figures["stages_ms"]["estimate"] == {"p50": 8.0, "p95": 8.0}
    assert figures["stages_ms"]["send"] == {"p50": 0.25, "p95": 0.25}
    assert figures["stages_ms"]["lift"] == {"p50": None, "p95": None}


def test_stages_are_in_the_order_of_the_pipeline():
    assert tuple(RunStatistics(live=True).figures()["stages_ms"]) == STAGES
    assert STAGES == ("capture", "detect", "estimate", "lift", "solve", "filter", "send")


def test_figures_hold_exactly_the_measured_part_of_the_report():
    assert list(RunStatistics(live=True).figures()) == [
        "frames", "persons_max", "seconds", "fps", "model_fps", "latency_ms", "stages_ms",
    ]  # fmt: skip


def test_the_model_rate_is_one_over_the_mean_time():
    statistics = RunStatistics(live=True)
    for taken in (5.0, 15.0):
        statistics.add({"estimate": taken}, 0, 0, 1)
    assert statistics.figures()["model_fps"] == 100.0


def test_files_have_no_latency():
    statistics = RunStatistics(live=False)
    play(statistics, 10)
    assert statistics.figures()["latency_ms"] is None
    assert statistics.figures()["frames"] == 10


def test_a_run_without_a_frame_has_figures_too():
    figures = RunStatistics(live=True).figures()
    assert (figures["frames"], figures["seconds"], figures["fps"], figures["model_fps"]) == (0, 0.0, 0.0, 0.0)
    assert figures["latency_ms"] == {"p50": None, "p95": None}
    json.dumps(figures, allow_nan=False)


def test_a_single_frame_without_duration_has_no_rate():
    statistics = RunStatistics(live=True)
    statistics.add({"estimate": 1.0}, 1, 7, 7)
    assert statistics.figures()["fps"] == 0.0


def test_memory_is_bounded_and_the_latest_frames_count(monkeypatch):
    monkeypatch.setattr(report, "_KEPT", 50)
    statistics = RunStatistics(live=True)
    play(statistics, 200, latency_ms=lambda i: 1.0 if i < 150 else 3.0, stages={"lift": 1.0})
    play(statistics, 49, latency_ms=lambda i: 3.0, stages={"lift": 2.0})
    assert statistics.figures()["latency_ms"] == {"p50": 3.0, "p95": 3.0}
    assert statistics.figures()["stages_ms"]["lift"] == {"p50": 2.0, "p95": 2.0}
    assert statistics.frames == 249  # counts are of the whole run
    kept = [statistics._latency_ms, *statistics._stages_ms.values()]
    assert all(len(values) <= 50 for values in kept)


def test_the_report_is_json_that_reads_back(tmp_path):
    statistics = RunStatistics(live=True)
    play(statistics, 5, stages={"estimate": 8.0})
    path = tmp_path / "new" / "folder" / "r.json"
    write_report(path, {"source": "Küche", **statistics.figures()})
    assert json.loads(path.read_text("utf-8")) == {"source": "Küche", **statistics.figures()}
    write_report(path, {"frames": 1})
    assert json.loads(path.read_text("utf-8")) == {"frames": 1}


@pytest.mark.parametrize("place", ["folder", "file/r.json"])
def test_a_report_that_cannot_be_written_names_its_path(tmp_path, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path = tmp_path / place
    with pytest.raises(RecordingError) as caught:
        write_report(path, {})
    assert str(caught.value).startswith(f"cannot write the report {path}: ")
    assert str(caught.value).endswith("; choose another path")


@pytest.mark.parametrize("content", [b"\0\1\2", b"[1, 2]", b'{"name": "package"}', b""])
def test_only_an_earlier_report_is_replaced(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    for check in (check_report_path, lambda path: write_report(path, {"frames": 1})):
        with pytest.raises(ConfigError, match=r"clip\.mp4 exists and is not a report; give another path"):
            check(path)
    assert path.read_bytes() == content
    report = tmp_path / "report.json"
    for frames in (1, 2):
        write_report(report, {"frames": frames})
    assert json.loads(report.read_text()) == {"frames": 2}
    assert check_report_path(None) is None
