"""The models on OpenVINO: what they need, and what is said where it is missing."""

import sys

import numpy as np
import pytest

from realtime_pose.errors import CheckpointError, ConfigError, MissingPackageError
from realtime_pose.inference.landmarks import network
from realtime_pose.inference.landmarks.network import LandmarkNetwork
from realtime_pose.inference.runtimes.openvino_runtime import openvino_core


@pytest.fixture(autouse=True)
def compile_anew():
    network._compiled.cache_clear()
    yield
    network._compiled.cache_clear()
    openvino_core.cache_clear()


def test_results_stay_when_the_next_image_is_looked_at():
    model = LandmarkNetwork("pose_landmark_full", ("Identity", "Identity_1"))
    first, presence = model.infer(np.zeros((256, 256, 3), np.uint8))
    kept = first.copy()
    model.infer(np.full((256, 256, 3), 200, np.uint8))
    assert (first.shape, presence.shape) == ((195,), (1,))
    assert np.array_equal(first, kept)


def test_without_openvino_its_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    openvino_core.cache_clear()
    with pytest.raises(MissingPackageError, match="OpenVINO needs openvino"):
        LandmarkNetwork("pose_detection", ("Identity",))


def test_a_damaged_file_is_refused(monkeypatch, tmp_path):
    file = tmp_path / "x.tflite"
    file.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(99))
    monkeypatch.setattr(network, "find_model", lambda name: file)
    with pytest.raises(CheckpointError, match=r"^OpenVINO cannot run x\.tflite: "):
        LandmarkNetwork("pose_detection", ("Identity",))


def test_bf16_needs_a_processor_with_it(monkeypatch):
    class Old:
        def get_property(self, device, name):
            return ["FP32"]

    monkeypatch.setattr(network, "openvino_core", Old)
    with pytest.raises(ConfigError, match="this processor has no bf16"):
        LandmarkNetwork("pose_detection", ("Identity",), precision="bf16")
