"""Extras: the command that each part names when its extra is missing, and a run without any of them."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from realtime_pose.app import doctor
from realtime_pose.errors import MissingPackageError

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

HIDE = """
import json, sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
hidden = set(json.loads(sys.argv.pop(1)))
sys.meta_path.insert(0, Hidden())
"""
ASK_EACH = f"""{HIDE}
from pathlib import Path
import numpy as np
from realtime_pose.cli.app import app
from realtime_pose.errors import MissingPackageError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.runtimes.base import SourceModel
said, onnx_file = dict(), SourceModel("x", "0" * 64, onnx=Path("x.onnx"))
for part, code in json.loads(sys.argv[1]).items():
    try:
        exec(code)
        said[part] = "nothing was missing"
    except MissingPackageError as exc:
        said[part] = str(exc)
    except BaseException as exc:
        said[part] = f"{{type(exc).__name__}}: {{exc}}"
print(json.dumps(said))
"""
RUN_ONNX = f"""{HIDE}
import numpy as np
from pathlib import Path
from realtime_pose.datatypes import Frame, PersonBox
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.estimators import build_estimator
config = InferenceConfig(checkpoint=sys.argv[1], runtime="onnxruntime", device="cpu")
estimator = build_estimator(config, print)
box = PersonBox(np.array([10, 10, 90, 90], np.float32), 1.0)
(person,) = estimator.estimate(Frame(np.zeros((100, 100, 3), np.uint8), 0, 0, 0), [box])
print(estimator.runtime, person.layout.name, person.xy_px.shape)
"""
RUN = f"""{HIDE}
from realtime_pose.cli import main
main()
"""

# Part: the code that uses it, the start of its error, the extra.
PARTS = {
    "vitpose": (
        "from realtime_pose.inference.estimators import build_estimator\n"
        "build_estimator(InferenceConfig(estimator='vitpose-s', checkpoint='x.pth'))",
        "ViTPose needs torch", "vitpose",
    ),
    "weights": (
        "from realtime_pose.checkpoints import read_tensors\nread_tensors(Path('x.pth'))",
        "reading a model's weights needs torch", "vitpose",
    ),
    "rtdetr": (
        "from realtime_pose.inference.detectors.table import build_detector\n"
        "build_detector(InferenceConfig(detector='rtdetr'))",
        "the detector rtdetr needs transformers", "vitpose",
    ),
    "cuda": (
        "from realtime_pose.inference.devices import pick_device\npick_device('cuda')",
        "device cuda needs torch", "vitpose",
    ),
    "download": (
        "from realtime_pose.checkpoints import download\ndownload('vitpose-s')",
        "downloading weights needs huggingface_hub", "vitpose",
    ),
    "train": ("app(['train', 'lifter'])", "training needs torch", "vitpose"),
    "yolox": (
        "from realtime_pose.inference.detectors.table import build_detector\n"
        "build_detector(InferenceConfig(detector='yolox'))",
        "the detector yolox needs onnxruntime", "onnx",
    ),
    "yolox, opened": (
        "from realtime_pose.inference.detectors.yolox import YoloxDetector\n"
        "YoloxDetector(InferenceConfig(detector_checkpoint='x.onnx'))",
        "YOLOX needs onnxruntime", "onnx",
    ),
    "onnx": (
        "from realtime_pose.checkpoints import read_onnx_contract\nread_onnx_contract(Path('x.onnx'))",
        "reading an ONNX file needs onnx", "onnx",
    ),
    "onnxruntime": (
        "from realtime_pose.inference.runtimes.table import candidates\ncandidates(onnx_file, 'cpu', 'onnxruntime')",
        "ONNX Runtime needs onnxruntime", "onnx",
    ),
    "torch": (
        "from realtime_pose.inference.runtimes.table import candidates\ncandidates(onnx_file, 'cpu', 'torch')",
        "runtime torch needs torch", "vitpose",
    ),
    "int8, OpenVINO": (
        "from realtime_pose.evaluation.int8_models import write_openvino_int8\n"
        "write_openvino_int8(onnx_file, np.zeros((1, 3, 256, 192), np.float32), Path(), lambda done, total: None)",
        "quantization for OpenVINO needs nncf", "int8",
    ),
    "int8, ONNX Runtime": (
        "from realtime_pose.evaluation.int8_models import write_onnxruntime_int8\n"
        "write_onnxruntime_int8(onnx_file, np.zeros((1, 3, 256, 192), np.float32), Path(), lambda done, total: None)",
        "quantization for ONNX Runtime needs onnx", "int8",
    ),
    "ui": ("app(['ui', '--no-browser'])", "the dashboard needs streamlit", "dashboard"),
    "plot": ("import realtime_pose.app.plot", "a figure needs plotly", "dashboard"),
    "parquet": (
        "from realtime_pose.exporters.joint_tables import open_parquet\nopen_parquet(Path('x.parquet'), None)",
        "Parquet needs pyarrow", "parquet",
    ),
    "listen --check": ("app(['listen', '--check'])", "checking packets against the schema needs jsonschema", "schema"),
}  # fmt: skip


def base_distributions():
    """Every distribution of a base install, by the metadata of this environment."""
    found, left = set(), [Requirement(line) for line in PROJECT["dependencies"]]
    while left:
        name = canonicalize_name(left.pop().name)
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                left.append(requirement)
    return found


@pytest.fixture(scope="module")
def not_base():
    """The top-level modules of this environment that the base, MediaPipe and the program do not bring."""
    kept = base_distributions() | {"mediapipe", "realtime-pose"}
    owners = metadata.packages_distributions()
    hidden = sorted(
        module for module, names in owners.items() if not {canonicalize_name(name) for name in names} & kept
    )
    assert {"torch", "transformers", "onnxruntime", "streamlit", "plotly", "pandas", "httpx"} <= {*hidden}
    return json.dumps(hidden)


def run_python(*arguments, cwd):
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def said(not_base, tmp_path_factory):
    """Each part's error in a base install."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "x.pth").write_bytes(b"PK\x03\x04")
    (folder / "x.onnx").write_bytes(b"\x08\x08")
    done = run_python(ASK_EACH, not_base, json.dumps({part: row[0] for part, row in PARTS.items()}), cwd=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_its_extra_names_what_installs_it(said, part):
    _, missing, extra = PARTS[part]
    assert said[part] == f'{missing}; install it with: pip install "realtime-pose[{extra}]"'
    assert extra in PROJECT["optional-dependencies"]


def test_a_run_needs_nothing_but_the_base(not_base, tmp_path):
    command = ("run", "--source", "actor", "--no-download", "--max-frames", "3", "--udp", "127.0.0.1:9")
    done = run_python(RUN, not_base, *command, "--record", "take", "--report", "report.json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["estimator"], report["frames"], report["persons_max"]) == ("blazepose", 3, 1)
    assert report["warnings"] == [
        "Using BlazePose instead of ViTPose: ViTPose needs torch; "
        'install it with: pip install "realtime-pose[vitpose]".'
    ]
    assert (tmp_path / "take" / "motion.bvh").stat().st_size > 0


def test_an_onnx_file_needs_no_torch(tmp_path):
    torch = pytest.importorskip("torch", reason="torch, which writes the file, is missing")
    from realtime_pose.inference.runtimes.base import SourceModel
    from realtime_pose.inference.runtimes.onnx_runtime import _export
    from realtime_pose.inference.vitpose.network import VitPoseNetwork

    with torch.inference_mode():
        network = VitPoseNetwork(384, 1, 12, "simple", 17).eval()
    _export(SourceModel("one-layer", "0" * 64, network), "fp32", tmp_path)
    hidden = json.dumps(["torch", "transformers", "mmpose", "mmengine", "mmcv", "huggingface_hub"])
    done = run_python(RUN_ONNX, hidden, str(tmp_path / "model.onnx"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["onnxruntime coco17 (17, 2)"]


def test_doctor_runs_without_any_extra_and_knows_them_all(not_base, tmp_path):
    code = f"{HIDE}\nfrom realtime_pose.app.doctor import examine\nprint(*(entry.what for entry in examine()))"
    done = run_python(code, not_base, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"blazepose", "vitpose", "device"} <= {*done.stdout.split()}
    in_the_base = {"openvino"}  # the name stays for commands that have it
    assert {*doctor._EXTRAS.values()} == {*PROJECT["optional-dependencies"]} - {"all", "actor", "gpu"} - in_the_base


def test_the_gradio_page_names_what_installs_it(not_base, tmp_path):
    code = f"{HIDE}\nfrom realtime_pose.interface.gradio_app import main\nsys.exit(main([]))"
    done = run_python(code, not_base, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'error the demo needs gradio; install it with: pip install "realtime-pose[gradio]"\n'


def test_int4_names_what_installs_torchao(monkeypatch):
    runtime = pytest.importorskip("realtime_pose.inference.runtimes.torch_runtime", reason="torch is missing")
    monkeypatch.setitem(sys.modules, "torchao", None)
    on_cuda = SimpleNamespace(_device=SimpleNamespace(type="cuda"), device="cuda")
    with pytest.raises(MissingPackageError, match=r'^precision int4 needs torchao; .* "realtime-pose\[gpu\]"$'):
        runtime.TorchRuntime._quantize(on_cuda)


def test_mmpose_names_the_command_that_leaves_its_dependencies_out(monkeypatch):
    from realtime_pose.inference.vitpose import mmpose_compat

    monkeypatch.delitem(sys.modules, "mmpose.models", raising=False)
    monkeypatch.setattr(mmpose_compat, "is_installed", lambda package: package != "mmpose")
    with pytest.raises(MissingPackageError, match=r"^an mmpose config needs mmpose; .* pip install --no-deps mmpose=="):
        mmpose_compat.import_mmpose()


def test_all_is_every_extra_that_any_machine_can_use():
    (line,) = PROJECT["optional-dependencies"]["all"]
    named = re.fullmatch(r"realtime-pose\[([\w,]+)\]", line)[1].split(",")
    assert {*named} == {*PROJECT["optional-dependencies"]} - {"all", "actor", "gpu", "heic"}
