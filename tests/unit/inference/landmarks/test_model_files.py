"""Model files: found without importing their package, and only the tested ones are used."""

import sys
from types import SimpleNamespace

import pytest

from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.landmarks import model_files, network
from realtime_pose.inference.landmarks.blazepose import BlazePoseDetector, BlazePoseEstimator
from realtime_pose.inference.landmarks.model_files import find_model


def package_at(monkeypatch, folder):
    spec = SimpleNamespace(submodule_search_locations=[str(folder)])
    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: spec)


@pytest.mark.parametrize("name", model_files._FILES)
def test_each_file_is_there(name, monkeypatch):
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    assert find_model(name).suffix == ".tflite"
    assert "mediapipe" not in sys.modules


def test_without_the_package_the_message_has_the_one_line(monkeypatch):
    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: None)
    network._compiled.cache_clear()
    for kind in (BlazePoseEstimator, BlazePoseDetector):
        with pytest.raises(CheckpointError, match=r"not on this machine; get it with: pip install --no-deps mediapi"):
            kind(InferenceConfig())


def test_a_package_without_the_file_or_with_another_is_refused(monkeypatch, tmp_path):
    package_at(monkeypatch, tmp_path)
    with pytest.raises(CheckpointError, match=r"^cannot read .*pose_detection\.tflite .*No such file"):
        find_model("pose_detection")
    file = tmp_path / "modules" / "pose_detection" / "pose_detection.tflite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"another")
    with pytest.raises(CheckpointError, match="is not the model pose_detection that was tested; get it with: pip"):
        find_model("pose_detection")
