"""Choice of the device, and the errors for devices that are not available."""

import pytest
import torch

from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.inference.devices import pick_device


@pytest.fixture(autouse=True)
def _a_machine_without_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def test_auto_without_a_gpu_is_the_cpu():
    assert pick_device("auto") == pick_device("cpu") == "cpu"


def test_auto_without_torch_is_the_cpu(monkeypatch):
    monkeypatch.setattr("realtime_pose.inference.devices.is_installed", lambda package: False)
    assert pick_device("auto") == "cpu"


def test_a_device_that_is_not_here_is_refused_and_those_that_are_here_are_named():
    with pytest.raises(ConfigError, match=r"device='cuda' is not on this machine, which has: cpu"):
        pick_device("cuda")


def test_intels_gpu_is_left_to_openvino():
    assert pick_device("gpu") == "gpu"


@pytest.mark.parametrize("name", ["tpu", "cpu:1", "cuda:x", "mps:0", ""])
def test_an_unknown_device_lists_the_known_ones(name):
    with pytest.raises(UnknownChoiceError, match="auto, cpu, cuda, gpu, mps"):
        pick_device(name)


def test_one_gpu_of_several(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert pick_device("auto") == "cuda"
    assert pick_device("cuda:1") == "cuda:1"
    with pytest.raises(ConfigError, match=r"which has: cpu, cuda:0 to cuda:1"):
        pick_device("cuda:2")
