"""The lifter's network: its weights' file, mirror symmetry, and one BLAS thread."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from realtime_pose.errors import CheckpointError
from realtime_pose.lifting.network import LifterWeights, load_lifter_weights
from realtime_pose.lifting.network_input import INPUT_COUNTS, LAYOUT, MirrorParts

CODE = """
import numpy as np
from threadpoolctl import threadpool_info
from realtime_pose.lifting.network import load_lifter_weights

load_lifter_weights()
np.ones((500, 500)) @ np.ones((500, 500))
print([pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"])
"""


def test_the_lifter_leaves_the_cores_to_the_pose_model():
    printed = subprocess.run(
        [sys.executable, "-c", CODE],
        env={"OPENBLAS_NUM_THREADS": "4", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(printed.strip(" []\n").split(", ")) == {"1"}


def test_weights_that_are_not_the_lifters_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(CheckpointError, match="realtime-pose train lifter"):
        load_lifter_weights(tmp_path / "none.safetensors")
    (tmp_path / "torn.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match="cannot read"):
        load_lifter_weights(tmp_path / "torn.safetensors")
    save_file({"first.even.weight": np.zeros((8, 5), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="lack"):
        load_lifter_weights(tmp_path / "other.safetensors")
    parts = {"even.weight": np.zeros((8, 5)), "even.bias": np.zeros(8), "odd.weight": np.zeros((8, 6))}
    with pytest.raises(CheckpointError, match=r"have \(5, 6\) inputs"):
        LifterWeights({f"{layer}.{part}": value for layer in ("first", "last") for part, value in parts.items()})


def test_the_mirrored_input_gives_the_mirrored_prediction() -> None:
    network, rng = load_lifter_weights(), np.random.default_rng(0)
    even, odd = (rng.normal(0, 0.5, (1, count)) for count in INPUT_COUNTS)
    plain, mirrored = network(MirrorParts(even, odd)), network(MirrorParts(even, -odd))
    rows = list(LAYOUT.mirror)
    np.testing.assert_allclose(mirrored.xyz, plain.xyz[:, rows] * (-1, 1, 1), atol=1e-4)
    np.testing.assert_allclose(mirrored.error, plain.error[:, rows], rtol=1e-3)
