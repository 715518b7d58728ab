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


def _features(seed: int, count: int = 4) -> MirrorParts:
    rng = np.random.default_rng(seed)
    return MirrorParts(*(rng.normal(0, 0.5, (count, size)) for size in INPUT_COUNTS))


def test_the_mirrored_input_gives_the_mirrored_prediction() -> None:
    network, features = load_lifter_weights(), _features(0)
    plain, mirrored = network(features), network(MirrorParts(features.even, -features.odd))
    rows = list(LAYOUT.mirror)
    np.testing.assert_allclose(mirrored.xyz, plain.xyz[:, rows] * (-1, 1, 1), atol=1e-4)
    np.testing.assert_allclose(mirrored.error, plain.error[:, rows], rtol=1e-3)
    np.testing.assert_allclose(mirrored.up, plain.up * (-1, 1, 1), atol=1e-4)
    np.testing.assert_allclose(mirrored.up_error_rad, plain.up_error_rad, rtol=1e-3)
    np.testing.assert_allclose(mirrored.contact, plain.contact[:, ::-1], atol=1e-4)
    assert np.abs(plain.contact - plain.contact[:, ::-1]).max() > 1e-3  # not the same for both feet
    assert np.abs(plain.up[:, 0]).max() > 1e-3


def test_predictions_are_unit_vectors_positive_errors_and_probabilities() -> None:
    for scale in (0.0, 1.0, 50.0):
        features = _features(1)
        prediction = load_lifter_weights()(MirrorParts(features.even * scale, features.odd * scale))
        np.testing.assert_allclose(np.linalg.norm(prediction.up, axis=1), 1.0, atol=1e-6)
        assert (prediction.error > 0).all()
        assert (prediction.up_error_rad > 0).all()
        assert ((prediction.contact >= 0) & (prediction.contact <= 1)).all()
        assert all(np.isfinite(part).all() for part in prediction)
