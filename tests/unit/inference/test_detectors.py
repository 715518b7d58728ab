"""The table of detectors."""

from dataclasses import replace

import pytest

from realtime_pose.errors import UnknownChoiceError
from realtime_pose.inference import detectors
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors import DETECTORS, build_detector


class Recorder:
    def __init__(self, config):
        self.config = config


def test_the_named_one_is_built_with_the_settings(monkeypatch):
    monkeypatch.setattr(detectors, "load_choice", lambda setting, name, table: {"mine": Recorder}[name])
    config = replace(InferenceConfig(), detector="mine")
    assert build_detector(config).config is config


def test_the_default_is_in_the_table():
    assert InferenceConfig().detector in DETECTORS


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UnknownChoiceError, match=r"^inference\.detector='yolo' is not one of: .*blazepose"):
        build_detector(replace(InferenceConfig(), detector="yolo"))
