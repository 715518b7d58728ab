"""Choice of the estimator, and the notice of every fallback."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save as to_bytes
from support.hub import fake_hub, go_online
from support.vitpose import huggingface_tensors, original_tensors, random_vitpose, save

from realtime_pose.checkpoints import manifest
from realtime_pose.errors import CheckpointError, ConfigError, UnknownChoiceError
from realtime_pose.inference import estimators
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.estimators import ESTIMATORS, build_estimator
from realtime_pose.inference.vitpose import estimator as vitpose
from realtime_pose.skeletons import AP10K17, COCO17
from realtime_pose.utils.paths import data_path

AUTO = InferenceConfig(estimator="auto", runtime="torch", precision="fp32", device="cpu")


class BlazePoseStandIn:
    """Replaces BlazePose in the table; only the choice is tested here."""

    name = "blazepose"

    def __init__(self, config: InferenceConfig) -> None:
        self.config = config


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """The only folder with checkpoints, empty; no hub, and a stand-in for BlazePose."""
    monkeypatch.setattr(manifest, "folders", lambda: (tmp_path,))
    monkeypatch.setattr("realtime_pose.checkpoints.hub.folders", lambda: (tmp_path,))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setitem(ESTIMATORS, "blazepose", f"{__name__}:BlazePoseStandIn")
    monkeypatch.setitem(sys.modules, __name__, sys.modules[BlazePoseStandIn.__module__])
    return tmp_path


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def hub(monkeypatch):
    """A hub that has ViTPose-S with random weights."""
    tensors = {name: tensor.contiguous() for name, tensor in huggingface_tensors(random_vitpose()).items()}
    with fake_hub(to_bytes(tensors)) as running:
        go_online(monkeypatch, running.url)
        yield running


def test_auto_offline_is_blazepose_and_names_the_cause(said):
    assert build_estimator(replace(AUTO, runtime="auto"), said.append).name == "blazepose"
    assert len(said) == 1
    assert said[0].startswith("Using BlazePose instead of ViTPose: HF_HUB_OFFLINE is set")


def test_auto_without_downloads_is_blazepose_and_names_the_cause(hub, said):
    assert build_estimator(replace(AUTO, download=False), said.append).name == "blazepose"
    assert "downloads are off" in said[0]
    assert hub.ranges == []


def test_auto_takes_the_smallest_that_is_here_without_asking_the_hub(folder, hub, said):
    save(huggingface_tensors(random_vitpose("b", "simple")), folder / "vitpose-b-simple.safetensors")
    assert build_estimator(AUTO, said.append).name == "vitpose-b"
    save(huggingface_tensors(random_vitpose()), folder / "vitpose-s.safetensors")
    assert build_estimator(AUTO, said.append).name == "vitpose-s"
    assert said == []
    assert hub.ranges == []


def test_auto_downloads_vitpose_s_where_nothing_is_here(folder, hub, said):
    steps: list[int] = []
    built = build_estimator(AUTO, said.append, lambda had, total: steps.append(total - had))
    assert built.name == "vitpose-s"
    assert said == ["Downloading the weights of vitpose-s from usyd-community/vitpose-plus-small."]
    assert steps[-1] == 0
    assert (folder / "vitpose-s.safetensors").is_file()


def test_auto_skips_damaged_weights_and_reports_it(folder, said):
    (folder / "vitpose-s.safetensors").write_bytes(b"")
    assert build_estimator(replace(AUTO, runtime="auto"), said.append).name == "blazepose"
    assert [sentence.partition(":")[0] for sentence in said] == [
        "Skipping vitpose-s",
        "Using BlazePose instead of ViTPose",
    ]
    assert "vitpose-s.safetensors is empty" in said[0]


def test_auto_uses_or_refuses_the_checkpoint_that_was_named(folder, said):
    path = save(huggingface_tensors(random_vitpose()), folder / "mine.safetensors")
    assert build_estimator(replace(AUTO, checkpoint=str(path)), said.append).name == "vitpose-s"
    with pytest.raises(CheckpointError, match=r"gone\.pth cannot be read"):
        build_estimator(replace(AUTO, checkpoint=str(folder / "gone.pth")), said.append)
    assert said == []


def test_auto_does_not_hide_a_device_that_is_not_here(folder, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    save(huggingface_tensors(random_vitpose()), folder / "vitpose-s.safetensors")
    with pytest.raises(ConfigError, match="device='cuda' is not on this machine"):
        build_estimator(replace(AUTO, device="cuda"))


def test_a_size_that_was_asked_for_is_downloaded_or_refused(hub, said):
    asked = replace(AUTO, estimator="vitpose-s")
    with pytest.raises(CheckpointError, match="vitpose-s are not on this machine and downloads are off"):
        build_estimator(replace(asked, download=False), said.append)
    assert build_estimator(asked, said.append).name == "vitpose-s"
    assert len(said) == 1


def test_a_download_of_another_size_than_it_should_be_is_refused(hub):
    with pytest.raises(CheckpointError, match=r"holds ViTPose-S .* wanted ViTPose-B"):
        build_estimator(replace(AUTO, estimator="vitpose-b"))


def test_a_name_of_the_manifest_serves_as_checkpoint(folder):
    save(huggingface_tensors(random_vitpose("b", "simple")), folder / "vitpose-b-simple.safetensors")
    built = build_estimator(replace(AUTO, estimator="vitpose-b", checkpoint="vitpose-b-simple"))
    assert built.checkpoint == folder / "vitpose-b-simple.safetensors"


def test_mmpose_needs_both_its_config_and_its_checkpoint(folder):
    path = save(huggingface_tensors(random_vitpose()), folder / "mine.safetensors")
    own = replace(AUTO, estimator="mmpose")
    config = str(data_path("configs/vitpose/vitpose-s.py"))
    with pytest.raises(ConfigError, match="--model-config is missing"):
        build_estimator(replace(own, checkpoint=str(path)))
    with pytest.raises(ConfigError, match="--checkpoint is missing"):
        build_estimator(replace(own, model_config=config))
    assert build_estimator(replace(own, checkpoint=str(path), model_config=config)).name == "vitpose-s"


def test_an_unknown_estimator_lists_the_known_ones():
    with pytest.raises(UnknownChoiceError, match="'vitpos' is not one of: auto, blazepose, mmpose, vitpose-b"):
        build_estimator(InferenceConfig(estimator="vitpos"))


def test_the_table_names_classes_that_exist():
    assert {name: value for name, value in ESTIMATORS.items() if name != "blazepose"} == dict.fromkeys(
        ("vitpose-s", "vitpose-b", "vitpose-l", "vitpose-h", "mmpose"), f"{vitpose.__name__}:ViTPoseEstimator"
    )
    assert vitpose.ViTPoseEstimator is not None


def test_choosing_needs_neither_torch_nor_mmpose():
    """BlazePose starts fast only if nothing heavy is imported before the choice is made."""
    code = f"import sys, {estimators.__name__}; print({{'torch', 'mmpose', 'mediapipe', 'httpx'}} & sys.modules.keys())"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_auto_takes_no_weights_for_other_keypoints_than_the_bodys(folder, said):
    save(original_tensors(random_vitpose("s")), folder / "easy-vitpose-s-ap10k.pth")
    assert build_estimator(AUTO, said.append).name == "blazepose"
    assert said[0].startswith("Using BlazePose instead of ViTPose: HF_HUB_OFFLINE is set")
    save(original_tensors(random_vitpose("s")), folder / "original-vitpose-s.pth")
    assert build_estimator(AUTO, said.append).layout is COCO17


@pytest.mark.parametrize("dataset", ["ap10k", "apt36k", "coco"])
def test_the_manifest_names_the_17_keypoints_of_its_files(folder, said, dataset):
    save(original_tensors(random_vitpose("s")), folder / f"easy-vitpose-s-{dataset}.pth")
    config = replace(AUTO, checkpoint=f"easy-vitpose-s-{dataset}")
    assert build_estimator(config, said.append).layout is (COCO17 if dataset == "coco" else AP10K17)
    with pytest.raises(CheckpointError, match="has 17 keypoints, wanted the 14 of aic"):
        build_estimator(replace(config, dataset="aic"), said.append)
