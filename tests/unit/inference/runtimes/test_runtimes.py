"""Runtimes: the same heatmaps as torch's, artefacts made once and atomically, reasons for what cannot run."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from realtime_pose.errors import CheckpointError, ConfigError
from realtime_pose.inference.runtimes import onnx_runtime, openvino_runtime, torch_runtime
from realtime_pose.inference.runtimes.artefacts import artefact_folder, find_or_make, put_artefact
from realtime_pose.inference.runtimes.base import Candidate, SourceModel, in_batches
from realtime_pose.inference.runtimes.table import build_runtime, candidates
from realtime_pose.inference.vitpose.network import VitPoseNetwork

TOLERANCE = {"fp32": 1e-4, "bf16": 5e-2, "fp16": 5e-3}  # of heatmaps that spread about 1


@pytest.fixture(scope="module")
def source() -> SourceModel:
    """Two layers of ViTPose-S's width with random weights."""
    torch.manual_seed(3)
    network = VitPoseNetwork(384, 2, 12, "classic", 17)
    with torch.no_grad():
        network.head.final_layer.weight.mul_(30)
    return SourceModel("test", "0" * 64, network.eval())


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(3, 3, 256, 192)).astype(np.float32)


@pytest.fixture(scope="module")
def wanted(source, crops) -> np.ndarray:
    with torch.inference_mode():
        return source.network(torch.from_numpy(crops)).numpy()


@pytest.fixture
def exported_onnx(source, tmp_path) -> SourceModel:
    """The same model as a user's ONNX file."""
    path = tmp_path / "mine.onnx"
    path.write_bytes(onnx_runtime.exported(source).read_bytes())
    return SourceModel("mine", "1" * 64, onnx=path)


HERE = [
    Candidate("torch", "fp32"), Candidate("onnxruntime", "fp32"), Candidate("openvino", "fp32"),
    Candidate("openvino", "bf16"),
]  # fmt: skip
EMULATED = [Candidate("torch", "bf16"), Candidate("onnxruntime", "fp16")]  # on most CPUs, at a tenth of the speed


@pytest.mark.parametrize("candidate", [*HERE, *(pytest.param(c, marks=pytest.mark.slow) for c in EMULATED)], ids=str)
def test_heatmaps_are_torchs_for_any_number_of_people(source, crops, wanted, candidate):
    runtime = build_runtime(source, candidate, "cpu")
    assert (runtime.runtime, runtime.precision) == (candidate.runtime, candidate.precision)
    assert runtime.device.startswith("cpu")
    assert wanted.std() > 0.1
    for count in (3, 1, 2):
        heatmaps = runtime.heatmaps(crops[:count])
        assert heatmaps.dtype == np.float32
        assert np.abs(heatmaps - wanted[:count]).max() < TOLERANCE[candidate.precision]
    runtime.close()


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_users_onnx_file_gives_the_same(exported_onnx, crops, wanted, runtime):
    made = build_runtime(exported_onnx, Candidate(runtime, "fp32"), "cpu")
    assert np.abs(made.heatmaps(crops) - wanted).max() < 1e-4


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_an_onnx_file_for_two_crops_takes_three(exported_onnx, tmp_path, crops, wanted, runtime):
    model = onnx.load(exported_onnx.onnx)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2
    onnx.save(model, tmp_path / "two.onnx")
    fixed = replace(exported_onnx, onnx=tmp_path / "two.onnx", batch=2)
    made = build_runtime(fixed, Candidate(runtime, "fp32"), "cpu")
    assert np.abs(made.heatmaps(crops) - wanted).max() < 1e-4


def test_a_fixed_batch_is_filled_up_and_the_filling_left_out():
    sizes = []

    def infer(part):
        sizes.append(len(part))
        return part * 2

    crops = np.arange(5, dtype=np.float32).reshape(5, 1)
    assert np.array_equal(in_batches(crops, 2, infer), crops * 2)
    assert sizes == [2, 2, 2]


def test_torch_cannot_run_an_onnx_file(exported_onnx):
    with pytest.raises(ConfigError, match=r"torch cannot run the ONNX file .*mine\.onnx; use --runtime onnxruntime"):
        build_runtime(exported_onnx, Candidate("torch", "fp32"), "cpu")


def test_a_model_is_exported_once(source, monkeypatch):
    for module in (onnx_runtime, openvino_runtime):
        path = module.exported(source)
        monkeypatch.setattr(module, "_export", lambda *_: pytest.fail("exported again"))
        assert module.exported(source) == path


# --- artefacts ----------------------------------------------------------------------------------------------------


def test_a_failed_export_leaves_nothing(source):
    def half_way(folder):
        (folder / "model.onnx").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(CheckpointError, match=r"cannot write .*No space left on device.*XDG_CACHE_HOME"):
        find_or_make(source, "broken", half_way)
    assert not artefact_folder(source, "broken").exists()
    assert not [p for p in artefact_folder(source, "broken").parent.iterdir() if "broken" in p.name]


def test_a_failed_replacement_leaves_the_old_one(tmp_path):
    put_artefact(tmp_path / "kept", lambda folder: (folder / "a").write_text("old"))

    def broken(folder):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        put_artefact(tmp_path / "kept", broken)
    assert (tmp_path / "kept" / "a").read_text() == "old"
    put_artefact(tmp_path / "kept", lambda folder: (folder / "a").write_text("new"))
    assert (tmp_path / "kept" / "a").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


def test_two_that_make_the_same_at_once_are_no_fault(tmp_path):
    def overtaken(folder):
        (folder / "a").write_text("mine")
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "a").write_text("theirs")

    put_artefact(tmp_path / "x", overtaken)
    assert (tmp_path / "x" / "a").read_text() in ("mine", "theirs")


# --- availability -----------------------------------------------------------------------------------------------


def test_every_way_that_is_here_is_offered(source):
    offered = candidates(source, "cpu")
    assert {Candidate("torch", "fp32"), Candidate("onnxruntime", "fp32"), Candidate("openvino", "fp32")} <= {*offered}
    assert not [c for c in offered if c.precision in ("int8", "int4") or c.runtime == "tensorrt"]
    assert {c.runtime for c in candidates(source, "cpu", "openvino")} == {"openvino"}
    assert {c.precision for c in candidates(source, "cpu", precision="fp32")} == {"fp32"}


def test_bf16_is_offered_only_where_the_cpu_has_it(source, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    assert torch_runtime.precisions(source, "cpu") == ("fp32",)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    assert torch_runtime.precisions(source, "cpu") == ("bf16", "fp32")


def test_int8_is_offered_once_it_was_made(source):
    with pytest.raises(ConfigError, match=r"openvino int8 cannot run test on cpu.*first, with: realtime-pose models q"):
        candidates(source, "cpu", "openvino", "int8")
    quantized = replace(source, key="2" * 64)
    artefact_folder(quantized, openvino_runtime.INT8).mkdir(parents=True)
    assert candidates(quantized, "cpu", precision="int8") == [Candidate("openvino", "int8")]


def test_tensorrt_without_a_gpu_is_reported(source):
    with pytest.raises(ConfigError, match=r"tensorrt cannot run test on cpu here.*needs a CUDA GPU and onnxruntime-g"):
        candidates(source, "cpu", "tensorrt")
    with pytest.raises(ConfigError, match=r"this build of onnxruntime has no TensorrtExecutionProvider \(it has .*CPU"):
        build_runtime(source, Candidate("tensorrt", "fp16"), "cuda")


def test_a_device_that_a_runtime_does_not_know_is_refused(source):
    for runtime, complaint in (("torch", "is Intel's"), ("onnxruntime", "no provider for gpu")):
        with pytest.raises(ConfigError, match=complaint):
            build_runtime(source, Candidate(runtime, "fp32"), "gpu")
    with pytest.raises(ConfigError, match=r"openvino cannot run test on gpu.*use another --runtime"):
        build_runtime(source, Candidate("openvino", "fp32"), "gpu")


def test_a_provider_that_does_not_start_is_no_silent_fallback(source, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])

    class FallenBack:
        def __init__(self, *_, **__):
            pass

        def get_providers(self):
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "InferenceSession", FallenBack)
    with pytest.raises(ConfigError, match=r"wanted CUDA\w+ on cuda, but only CPUExecutionProvider started"):
        build_runtime(source, Candidate("onnxruntime", "fp32"), "cuda")


def test_int4_needs_a_gpu(source):
    with pytest.raises(ConfigError, match="int4 needs a CUDA GPU, and this is cpu"):
        build_runtime(source, Candidate("torch", "int4"), "cpu")
    with pytest.raises(ConfigError, match="openvino has no precision int4"):
        build_runtime(source, Candidate("openvino", "int4"), "cpu")


def test_a_damaged_model_is_named(source, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x07not a graph")
    bad = SourceModel("bad", "3" * 64, onnx=tmp_path / "bad.onnx")
    for runtime in ("onnxruntime", "openvino"):
        with pytest.raises(ConfigError, match=f"{runtime} cannot run bad on cpu"):
            build_runtime(bad, Candidate(runtime, "fp32"), "cpu")


def test_libraries_do_not_report_home(tmp_path):
    """A fresh process that runs a model stores no id of ONNX Runtime's telemetry, and OpenVINO's is disabled."""
    program = (
        "import sys, os\n"
        "import realtime_pose.inference.runtimes.onnx_runtime as r\n"
        "import onnxruntime\n"
        "print(sys.modules.get('openvino_telemetry', 'unset'), os.environ['ORT_DISABLE_TELEMETRY'])\n"
        f"from pathlib import Path; print(sorted(p.name for p in Path({str(tmp_path)!r}).iterdir()))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    told = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["None", "1", "[]"]
