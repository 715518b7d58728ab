"""The lifter's network in ONNX Runtime: the same predictions as in numpy, its threads, and life without it."""

import sys

import numpy as np
import pytest

from realtime_pose.lifting.network import Prediction, load_lifter_weights
from realtime_pose.lifting.network_input import LAYOUT, MirrorParts, features_of
from realtime_pose.lifting.network_onnx import onnx_network
from realtime_pose.model3d.actor_truth import load_truth

_HEIGHT_MM = 1700.0


@pytest.fixture(scope="module")
def features() -> MirrorParts:
    """Of the actor, standing still in each of 60 frames; the vertical is known in every other one."""
    truth = load_truth("actor")
    camera = truth.intrinsics
    xy = (truth.keypoints_px[:600:10] - (camera.cx, camera.cy)) / (camera.fx, -camera.fy)
    window = np.repeat(xy[:, None], 7, axis=1).astype(np.float64)
    up = np.tile((0.0, 1.0, 0.0), (len(xy), 1))
    known = np.where(np.arange(len(xy)) % 2, 0.05, np.inf)
    return features_of(window, np.full(window.shape[:3], 0.9), up, known)[0]


def _away_mm(one: Prediction, other: Prediction) -> np.ndarray:
    return np.linalg.norm(one.xyz - other.xyz, axis=-1) * _HEIGHT_MM


def test_weights_of_8_bits_predict_what_numpy_predicts(features: MirrorParts) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    small, full = load_lifter_weights(), load_lifter_weights(quantize=False)
    got, wanted = small(features), full(features)
    away_mm = _away_mm(got, wanted)
    assert 0 < away_mm.mean() < 2.0
    assert away_mm.max() < 20.0
    np.testing.assert_allclose(got.up, wanted.up, atol=0.02)
    np.testing.assert_allclose(got.contact, wanted.contact, atol=0.1)
    np.testing.assert_allclose(got.error, wanted.error, rtol=0.15)


def test_weights_of_8_bits_keep_the_mirror_symmetry(features: MirrorParts) -> None:
    network = load_lifter_weights()
    plain, mirrored = network(features), network(MirrorParts(features.even, -features.odd))
    np.testing.assert_allclose(mirrored.xyz, plain.xyz[:, list(LAYOUT.mirror)] * (-1, 1, 1), atol=1e-4)
    np.testing.assert_allclose(mirrored.contact, plain.contact[:, ::-1], atol=1e-4)


def test_a_row_does_not_depend_on_the_others(features: MirrorParts) -> None:
    for quantize in (True, False):
        network = load_lifter_weights(quantize=quantize)
        both, alone = (network(MirrorParts(features.even[:n], features.odd[:n])) for n in (2, 1))
        np.testing.assert_allclose(both.xyz[:1], alone.xyz, atol=1e-5)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_without_the_packages_numpy_predicts(
    missing: str, features: MirrorParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    assert onnx_network([]) is None
    np.testing.assert_array_equal(
        _away_mm(load_lifter_weights()(features), load_lifter_weights(quantize=False)(features)), 0
    )


def test_it_runs_in_the_calling_thread(features: MirrorParts, monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    made: list[object] = []
    session = onnxruntime.InferenceSession

    def record(model: bytes, options: object, **settings: object) -> object:
        made.append(options)
        return session(model, options, **settings)

    monkeypatch.setattr(onnxruntime, "InferenceSession", record)
    load_lifter_weights()(features)
    assert [(o.intra_op_num_threads, o.inter_op_num_threads) for o in made] == [(1, 1)]
