"""Models with random weights: they are complete, repeatable, and can be timed at int8."""

import numpy as np
import pytest
import torch
from support.actor_frames import actor_frame, actor_truth

from realtime_pose.checkpoints import load_vitpose
from realtime_pose.datatypes import PersonBox
from realtime_pose.errors import ConfigError, UnknownChoiceError
from realtime_pose.evaluation import random_models
from realtime_pose.evaluation.random_models import GroundTruthEstimator, quantize_on_noise, write_random_vitpose
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.runtimes.choose import choose_runtime
from realtime_pose.inference.vitpose.models import load_model
from realtime_pose.skeletons import COCO17, COCO17_FEET_HANDS


def test_random_weights_are_a_complete_and_repeatable_vitpose(tmp_path):
    state = torch.random.get_rng_state()
    first = write_random_vitpose("s", tmp_path / "a.safetensors")
    assert torch.equal(torch.random.get_rng_state(), state)  # the global generator is untouched
    torch.manual_seed(5)
    second = write_random_vitpose("s", tmp_path / "b.safetensors")
    weights = load_vitpose(first)
    assert (weights.size, weights.decoder, weights.layout) == ("s", "classic", COCO17)
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(UnknownChoiceError, match="size='xl' is not one of: b, h, l, s"):
        write_random_vitpose("xl", tmp_path / "c.safetensors")


def test_true_keypoints_are_returned_after_the_estimator_ran():
    class Working:
        name, runtime, precision, device, layout, finds_people = "x", "torch", "fp32", "cpu", COCO17, False
        asked, closed, model_hash = None, False, "0" * 64

        def estimate(self, frame, boxes):
            self.asked = (frame, list(boxes))
            return []

        def close(self):
            self.closed = True

    working, frame = Working(), actor_frame(7)
    boxes = [PersonBox(np.array([0, 0, 9, 9], np.float32), 1.0, track_id) for track_id in (4, 2)]
    estimator = GroundTruthEstimator(working)
    found = estimator.estimate(frame, boxes)
    assert working.asked == (frame, boxes)
    assert [person.track_id for person in found] == [4, 2]
    body = actor_truth().keypoints_px[7, COCO17_FEET_HANDS.rows(COCO17.names)]
    np.testing.assert_array_equal(found[0].xy_px, body)
    assert found[0].score.min() == 1
    assert found[1].score.max() == 0  # further boxes get no keypoints
    estimator.close()
    assert working.closed


@pytest.mark.slow
def test_an_int8_model_can_be_made_from_noise(tmp_path, monkeypatch):
    monkeypatch.setattr(random_models, "_NOISE_CROPS", 2)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    config = InferenceConfig(
        checkpoint=str(write_random_vitpose("s", tmp_path / "s.safetensors")), runtime="openvino", precision="int8"
    )
    with pytest.raises(ConfigError, match="make the int8 model first"):
        _open(config)
    quantize_on_noise(config)
    runtime = _open(config)
    assert (runtime.runtime, runtime.precision) == ("openvino", "int8")
    assert runtime.heatmaps(np.zeros((1, 3, 256, 192), np.float32)).shape == (1, 17, 64, 48)


def _open(config):
    model = load_model(config)
    return choose_runtime(model.source, model.geometry, "cpu", config.runtime, config.precision)
