"""The public names: pinned, lazy, and known to type checkers outside of the project."""

import subprocess
import sys
import types
from importlib.resources import files
from pathlib import Path

import pytest

import realtime_pose

# fmt: off
PUBLIC = [
    "AppConfig", "ArrayShapeError", "BodyConfig", "COCO17", "CameraIntrinsics", "CameraNotFoundError",
    "CaptureConfig", "CaptureError", "CharacterError", "CheckpointError", "ConfigError", "EndOfStream", "Frame",
    "FrameResult", "FrameSource", "HUMANOID", "IkSolver", "InferenceConfig", "JointRotations", "Joints3D",
    "KeypointLayout", "LAYOUTS", "Lifter", "MissingPackageError", "OutputConfig", "PacketError", "Person",
    "PersonBox", "PersonDetector", "PersonKeypoints", "PoseEstimator", "PoseFilter", "PoseInference",
    "PosePacket", "PoseSink", "RealtimePoseError", "RecordingError", "Runtime", "SceneCamera", "SimpleIKSolver",
    "Skeleton", "SkeletonPose", "StageFailedError", "Tracker", "UnknownChoiceError", "ViTPoseEstimator", "WebcamStream",
    "__version__",
    "coco_links", "draw_skeleton_on_frame", "forward_kinematics", "load_config", "open_sinks", "open_source",
    "read_frames", "to_coco", "to_supervision",
]
# fmt: on
OTHERS = (
    "torch",
    "cv2",
    "av",
    "mediapipe",
    "transformers",
    "supervision",
    "scipy",
    "yaml",
    "websockets",
    "safetensors",
)
EXAMPLES = [str(path) for path in sorted((Path(__file__).parents[2] / "examples").glob("*.py"))]


def test_the_public_names_are_these():
    assert sorted(realtime_pose.__all__) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_each_is_there_and_is_the_one_of_its_module(name):
    value = getattr(realtime_pose, name)
    assert value is getattr(realtime_pose, name)
    if isinstance(value, type | types.FunctionType):
        assert value.__name__ == name
        assert value.__doc__


def test_they_are_listed_before_they_are_imported():
    code = "import realtime_pose; print(*dir(realtime_pose))"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {*PUBLIC} <= {*listed}


def test_importing_the_package_imports_nothing_else():
    code = "import sys; before = {*sys.modules}; import realtime_pose; print(*({*sys.modules} - before))"
    new = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {name.split(".")[0] for name in new} & {"numpy", *OTHERS} == set()
    assert [name for name in new if name.startswith("realtime_pose.")] == []


def test_a_name_that_is_not_there_is_refused_as_python_does():
    with pytest.raises(AttributeError, match="module 'realtime_pose' has no attribute 'Posenet'"):
        _ = realtime_pose.Posenet
    with pytest.raises(ImportError):
        from realtime_pose import Posenet  # noqa: F401


def test_a_submodule_is_still_imported_by_its_name():
    from realtime_pose import pipeline

    assert pipeline.PosePipeline.__name__ == "PosePipeline"


@pytest.mark.slow
def test_mypy_sees_the_type_of_every_name_from_outside(tmp_path):
    """In a folder without the project's settings, with strict rules, and the examples with it: mypy is the judge."""
    assert (files("realtime_pose") / "py.typed").is_file()
    names = [name for name in PUBLIC if name != "__version__"]
    uses = [
        "model = PoseInference(is_video=True)",
        "for frame in read_frames('actor'):",
        "    for person in model.inference(frame).people:",
        "        reveal_type(person.keypoints.xy_px)",
        "model.inference('a picture')",
    ]
    program = tmp_path / "program.py"
    program.write_text(
        "\n".join([f"from realtime_pose import {', '.join(names)}", *(f"reveal_type({n})" for n in names), *uses])
    )
    settings = tmp_path / "mypy.ini"
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\nignore_missing_imports = True\n" for name in OTHERS)
    settings.write_text(f"[mypy]\nstrict = True\n{skipped}")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file",
        str(settings),
        "--no-incremental",
        str(program),
        *EXAMPLES,
    ]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False).stdout
    lines = [line for line in said.splitlines() if line.startswith("program.py")]
    revealed = [line.split('"')[1] for line in lines if "Revealed type" in line]
    assert len(revealed) == len(names) + 1, said
    assert "Any" not in revealed
    assert "ndarray" in revealed[-1]
    assert "32" in revealed[-1]
    (error,) = [line for line in said.splitlines() if ": error:" in line and "/realtime_pose/" not in line]
    assert '"inference" of "PoseInference" has incompatible type "str"' in error
