"""Table of detectors: names, the choice of auto, and downloads."""

from dataclasses import replace

import pytest
from support.detectors import YOLOX_NANO, needs_yolox, rtdetr_file
from support.hub import fake_hub, go_online

from realtime_pose.checkpoints import find_local, manifest, read_detectors
from realtime_pose.errors import CheckpointError, ConfigError, UnknownChoiceError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors import table as detectors
from realtime_pose.inference.detectors.rtdetr import RtDetrDetector
from realtime_pose.inference.detectors.table import DETECTORS, build_detector
from realtime_pose.inference.detectors.yolox import YoloxDetector


class Recorder:
    def __init__(self, config):
        self.config = config


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Empty checkpoint folders: the program's and the user's."""
    pair = (tmp_path / "program", tmp_path / "user")
    for folder in pair:
        folder.mkdir()
    monkeypatch.setattr(manifest, "folders", lambda: pair)
    monkeypatch.setattr("realtime_pose.checkpoints.hub.folders", lambda: pair)
    return pair


@pytest.fixture
def chosen(folders, monkeypatch):
    """Builds a detector; returns its name, the stem of its file and the notices."""
    monkeypatch.setattr(detectors, "load_choice", lambda setting, name, table: Recorder)
    monkeypatch.setattr(detectors, "pick_device", lambda device: "cpu" if device == "auto" else device)

    def choose(*here, **settings):
        for name in here:
            (folders[1] / f"{name}{'.onnx' if 'yolox' in name else '.safetensors'}").touch()
        told = []
        config = build_detector(InferenceConfig(**settings), told.append).config
        file = config.detector_checkpoint.rpartition("/")[2].partition(".")[0]
        return config.detector, file, " ".join(told)

    return choose


def never(name, progress):
    raise AssertionError("nothing was to be fetched")


# --- names ------------------------------------------------------------------------------------------------------------


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        UnknownChoiceError,
        match=r"^inference\.detector='yolo' is not one of: auto, blazepose, rtdetr, .*whole-frame, yol",
    ):
        build_detector(InferenceConfig(detector="yolo"))


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("rtdetr", "rtdetr-r50"),
        ("rtdetr-r34", "rtdetr-r34"),
        ("rtdetr-r18", "rtdetr-r18"),
        ("yolox", "yolox-tiny"),
        ("yolox-nano", "yolox-nano"),
        ("yolox-s", "yolox-s"),
        ("blazepose", ""),
        ("whole-frame", ""),
    ],
)
def test_each_name_has_weights_of_its_own(chosen, monkeypatch, name, weights):
    monkeypatch.setattr(detectors, "download", never)
    assert chosen(*read_detectors(), detector=name) == (name, weights, "")


def test_the_weights_are_those_of_the_published_files():
    entries = read_detectors()
    assert entries["rtdetr-r50"].repo == "PekingU/rtdetr_r50vd_coco_o365"
    assert entries["yolox-tiny"].url.endswith("/yolox_tiny.onnx")
    assert {entry.licence for entry in entries.values()} == {"Apache-2.0"}  # none that binds the whole program
    assert all(len(entry.sha256) == 64 for name, entry in entries.items() if "yolox" in name)


def test_missing_weights_are_named_with_the_command_that_fetches_them(chosen):
    with pytest.raises(CheckpointError, match=r"yolox-tiny are not on this machine .* models download yolox-tiny$"):
        chosen(detector="yolox", download=False)


def test_a_file_or_name_of_the_users_own_is_taken(chosen, monkeypatch):
    monkeypatch.setattr(detectors, "download", never)
    assert chosen(detector="yolox", detector_checkpoint="/somewhere/mine.onnx")[:2] == ("yolox", "mine")
    assert chosen("yolox-s", detector="yolox", detector_checkpoint="yolox-s")[:2] == ("yolox", "yolox-s")
    with pytest.raises(ConfigError, match="detector whole-frame uses no --detector-checkpoint; rtdetr and yolox do"):
        chosen(detector="whole-frame", detector_checkpoint="a.onnx")


def test_a_detector_of_one_person_is_reported_when_more_are_wanted(chosen):
    assert chosen(detector="whole-frame", persons=3) == (
        "whole-frame", "", "The detector whole-frame finds one person, not 3; rtdetr and yolox find all.",
    )  # fmt: skip
    assert chosen(detector="blazepose", persons=3) == ("blazepose", "", "")


# --- auto -------------------------------------------------------------------------------------------------------------


def test_one_person_needs_no_weights(chosen, monkeypatch):
    monkeypatch.setattr(detectors, "download", never)
    assert chosen(*read_detectors()) == ("blazepose", "", "")


@pytest.mark.parametrize(
    ("device", "here", "name"),
    [
        ("cpu", ("yolox-nano", "yolox-tiny", "rtdetr-r50"), "yolox"),
        ("cpu", ("yolox-nano", "rtdetr-r18"), "yolox-nano"),
        ("cpu", ("rtdetr-r50", "rtdetr-r18"), "rtdetr-r18"),
        ("cpu", ("rtdetr-r50",), "rtdetr"),
        ("gpu", ("yolox-s", "rtdetr-r18"), "yolox-s"),
        ("cuda", ("yolox-s", "yolox-tiny", "rtdetr-r50", "rtdetr-r18"), "rtdetr"),
        ("mps", ("yolox-s", "rtdetr-r18"), "rtdetr-r18"),
        ("cuda:1", ("yolox-nano",), "yolox-nano"),
    ],
)
def test_several_people_take_the_best_weights_that_are_here(chosen, monkeypatch, device, here, name):
    monkeypatch.setattr(detectors, "download", never)
    assert chosen(*here, persons=2, device=device)[::2] == (name, "")


@pytest.mark.parametrize(("device", "weights"), [("cpu", "yolox-tiny"), ("cuda", "rtdetr-r50")])
def test_else_what_fits_the_device_is_fetched(chosen, monkeypatch, device, weights):
    monkeypatch.setattr(detectors, "download", lambda name, progress: f"/fetched/{name}.x")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    repo = read_detectors()[weights].repo
    name = weights.partition("-")[0]
    assert chosen(persons=2, device=device) == (name, weights, f"Downloading the weights of {weights} from {repo}.")


def test_otherwise_blazeposes_is_used_and_the_download_is_named(chosen, monkeypatch):
    sentence = (
        "Finding people with BlazePose's detector, which misses small ones: the weights of yolox-tiny are not on "
        "this machine and downloads are off; get them with: realtime-pose models download yolox-tiny."
    )
    assert chosen(persons=4, download=False) == ("blazepose", "", sentence)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    name, _, told = chosen(persons=4)
    assert name == "blazepose"
    assert told.startswith("Finding people with BlazePose's detector, which misses small ones: HF_HUB_OFFLINE is set")


@pytest.mark.parametrize(("missing", "name"), [("onnxruntime", "rtdetr-r18"), ("transformers", "yolox")])
def test_several_people_use_a_detector_that_is_installed(chosen, monkeypatch, missing, name):
    monkeypatch.setattr(detectors, "download", never)
    monkeypatch.setattr(detectors, "is_installed", lambda package: package != missing)
    assert chosen("yolox-tiny", "rtdetr-r18", persons=2, device="cpu")[::2] == (name, "")


def test_without_any_that_is_installed_blazeposes_is_used_and_the_extra_named(chosen, monkeypatch):
    monkeypatch.setattr(detectors, "download", never)
    monkeypatch.setattr(detectors, "is_installed", lambda package: False)
    monkeypatch.setattr("realtime_pose.utils.extras.is_installed", lambda package: False)
    assert chosen(persons=4) == (
        "blazepose",
        "",
        "Finding people with BlazePose's detector, which misses small ones: the detector yolox needs onnxruntime; "
        'install it with: pip install "realtime-pose[onnx]".',
    )


def test_the_whole_frame_is_never_taken_unasked(chosen):
    for device in ("cpu", "cuda"):
        assert "whole-frame" not in chosen(persons=2, device=device, download=False)
    assert set(detectors._ON_CPU) == set(detectors._ON_GPU) == set(DETECTORS) - {"blazepose", "whole-frame"}


@pytest.mark.parametrize(("file", "name"), [("mine.onnx", "yolox"), ("m.safetensors", "rtdetr"), ("yolox-s", "yolox")])
def test_auto_takes_the_file_that_was_named(chosen, file, name):
    assert chosen("yolox-s", detector_checkpoint=file)[0] == name  # even for one person


def test_blazepose_uses_its_own_detector_unless_a_better_one_is_here(chosen, monkeypatch):
    monkeypatch.setattr(detectors, "download", never)
    assert chosen(estimator="blazepose", persons=3) == ("blazepose", "", "")
    assert chosen("yolox-tiny", estimator="blazepose", persons=3, device="cpu")[::2] == ("yolox", "")


def test_a_named_file_is_never_replaced(tmp_path):
    with pytest.raises(CheckpointError, match=r"none\.safetensors cannot be read"):
        build_detector(InferenceConfig(persons=2, detector_checkpoint=str(tmp_path / "none.safetensors")))


# --- from the hub -----------------------------------------------------------------------------------------------------


def test_rtdetr_comes_from_the_hub_once(folders, tmp_path, monkeypatch):
    content = rtdetr_file(tmp_path).read_bytes()
    with fake_hub(content) as hub:
        go_online(monkeypatch, hub.url)
        told, steps = [], []
        config = InferenceConfig(detector="rtdetr-r18", persons=2, device="cpu")
        detector = build_detector(config, told.append, lambda had, total: steps.append((had, total)))
        assert isinstance(detector, RtDetrDetector)
        assert told == ["Downloading the weights of rtdetr-r18 from PekingU/rtdetr_r18vd_coco_o365."]
        assert steps[-1] == (len(content), len(content))
        assert find_local("rtdetr-r18") == folders[1] / "rtdetr-r18.safetensors"
        build_detector(replace(config, download=False), told.append)
        assert len(told) == len(hub.ranges) == 1


@needs_yolox
def test_yolox_comes_from_its_authors_server(folders, monkeypatch):
    content = YOLOX_NANO.read_bytes()
    with fake_hub(content) as hub:
        go_online(monkeypatch, "http://127.0.0.1:9")  # not the hub
        entry = replace(read_detectors()["yolox-nano"], url=f"{hub.url}/files/yolox_nano.onnx", sha256=hub.etag)
        monkeypatch.setattr(manifest, "read_detectors", lambda: {"yolox-nano": entry})
        monkeypatch.setattr("realtime_pose.checkpoints.hub.find_entry", lambda name: entry)
        assert isinstance(build_detector(InferenceConfig(detector="yolox-nano"), lambda _: None), YoloxDetector)
        assert (folders[1] / "yolox-nano.onnx").read_bytes() == content
