"""Console output: the summary of a run."""

from io import StringIO

import pytest
from rich.console import Console
from support.people import make_camera

from realtime_pose.cli.console import run_table

FIGURES = {
    "estimator": "blazepose", "runtime": "mediapipe", "precision": "fp32", "device": "cpu", "source": "a.mp4",
    "frames": 3, "frames_dropped": 0, "persons_max": 1, "fps": 30.0, "model_fps": 60.0, "latency_ms": None, "sinks": [],
    "warnings": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("camera", "says"),
    [
        (None, "unknown, as nobody has a pose"),
        (
            make_camera(),
            "looks down by 12 degrees, the world leans left by 5 degrees, 1.65 m high, 61.23 degrees wide (estimated)",
        ),
        (make_camera(pitch_deg=-3, roll_deg=0), "looks up by 3 degrees, 1.65 m high, 61.23 degrees wide (estimated)"),
        (make_camera(pitch_deg=0.4, roll_deg=-0.4), "level, 1.65 m high, 61.23 degrees wide (estimated)"),
        (
            make_camera(pitch_deg=0, roll_deg=9),
            "the world leans right by 9 degrees, 1.65 m high, 61.23 degrees wide (estimated)",
        ),
    ],
)
def test_a_summary_says_which_camera_was_found(camera, says):
    console = Console(width=200, record=True, file=StringIO())
    console.print(run_table({**FIGURES, "camera": camera and camera.to_dict()}, "", None))
    (row,) = [line for line in console.export_text().splitlines() if " camera " in line and "--source" not in line]
    assert row.split("│")[2].strip() == says
