"""Export of a model as the files of a runtime, which can be read back."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from realtime_pose.checkpoints import read_onnx_contract
from realtime_pose.errors import CheckpointError, ConfigError, UnknownChoiceError
from realtime_pose.inference.runtimes.base import Candidate, SourceModel
from realtime_pose.inference.runtimes.export import export_model
from realtime_pose.inference.runtimes.table import build_runtime
from realtime_pose.inference.vitpose.network import VitPoseNetwork
from realtime_pose.skeletons import AP10K17


@pytest.fixture(scope="module")
def source() -> SourceModel:
    torch.manual_seed(3)
    network = VitPoseNetwork(384, 1, 12, "simple", 17).eval()
    return SourceModel("exported", "a" * 64, network, dataset="ap10k")


def test_an_onnx_file_names_its_keypoints_and_runs_as_a_checkpoint(source, tmp_path):
    (path,) = export_model(source, "onnxruntime", tmp_path / "out")
    assert path == tmp_path / "out" / "model.onnx"
    contract = read_onnx_contract(path)
    assert contract.layout is AP10K17
    assert contract.batched
    crops = np.random.default_rng(1).normal(size=(2, 3, 256, 192)).astype(np.float32)
    read_back = build_runtime(SourceModel("x", "b" * 64, onnx=path), Candidate("onnxruntime", "fp32"), "cpu")
    with torch.inference_mode():
        wanted = source.network(torch.from_numpy(crops)).numpy()
    assert np.abs(read_back.heatmaps(crops) - wanted).max() < 1e-4


def test_openvino_gives_its_two_files(source, tmp_path):
    assert [path.name for path in export_model(source, "openvino", tmp_path / "out")] == ["model.bin", "model.xml"]
    import openvino

    model = openvino.Core().read_model(str(tmp_path / "out" / "model.xml"))
    assert model.inputs[0].partial_shape.to_string() == "[?,3,256,192]"


def test_without_a_folder_it_lies_in_the_cache(source):
    first, second = export_model(source, "onnxruntime"), export_model(source, "onnxruntime")
    assert first == second
    assert first[0].is_file()


def test_existing_files_are_not_overwritten(source, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(CheckpointError, match=r"is not empty; give a new folder with --out"):
        export_model(source, "onnxruntime", tmp_path)
    with pytest.raises(CheckpointError, match=r"is not empty"):
        export_model(source, "onnxruntime", tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_failed_export_names_the_cause(source, tmp_path):
    with pytest.raises(UnknownChoiceError, match="runtime='torch' is not one of: onnxruntime, openvino, tensorrt"):
        export_model(source, "torch")
    (path,) = export_model(source, "onnxruntime")
    with pytest.raises(CheckpointError, match=r"model\.onnx is already an ONNX file; openvino reads it as it is"):
        export_model(replace(source, network=None, onnx=path), "openvino")
    with pytest.raises(ConfigError, match="no TensorrtExecutionProvider"):
        export_model(source, "tensorrt", tmp_path / "engine")
    assert not (tmp_path / "engine").exists()
