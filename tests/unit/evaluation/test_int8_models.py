"""Helpers of the int8 quantizers: batches and silenced third-party output. test_quantization.py runs the quantizers."""

import logging
import warnings
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.evaluation import int8_models
from realtime_pose.inference.runtimes.base import SourceModel


@pytest.mark.parametrize(("batch", "sizes"), [(None, [1] * 5), (2, [2, 2])])
def test_batches_have_the_models_fixed_size(batch, sizes):
    source = SourceModel("model", "0" * 64, onnx=Path("model.onnx"), batch=batch)
    batches = int8_models._batches(source, np.zeros((5, 3, 4, 4), np.float32))
    assert [len(crops) for crops in batches] == sizes


def test_third_party_output_is_silenced_and_the_log_level_restored(capfd):
    log = logging.getLogger("quantizer")
    log.setLevel(logging.INFO)
    with int8_models._quiet("quantizer"):
        print("progress")
        warnings.warn("deprecated", stacklevel=1)
        assert log.level == logging.ERROR
    assert log.level == logging.INFO
    assert capfd.readouterr().out == ""
