"""The same weights give transformers' heatmaps, from whatever family of files, in our network and in mmpose's.

Weights are random and of the true shapes. The quick tests take S at its full depth and one layer of the wider models;
the slow ones take B, L and H whole.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.vitpose import (
    EXPERTS,
    PLUS,
    SIZES,
    heatmaps_of,
    huggingface_tensors,
    mmpose_tensors,
    original_tensors,
    plus_models,
    plus_tensors,
    random_vitpose,
    split_tensors,
)

from realtime_pose.checkpoints import VitPoseWeights, recognise_vitpose
from realtime_pose.inference.vitpose.mmpose_compat import load_mmpose_model
from realtime_pose.inference.vitpose.network import VitPoseNetwork
from realtime_pose.utils.paths import data_path

FAMILIES = {"mmpose": mmpose_tensors, "original": original_tensors, "huggingface": huggingface_tensors}
FILE = Path("weights.file")

every_family = pytest.mark.parametrize("family", FAMILIES)
both_decoders = pytest.mark.parametrize("decoder", ["classic", "simple"])
every_dataset = pytest.mark.parametrize("dataset", PLUS)


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(1, 3, 256, 192)).astype(np.float32)


def our_heatmaps(weights: VitPoseWeights, size: str, crops: np.ndarray) -> np.ndarray:
    width, _, heads = SIZES[size]
    with torch.device("meta"):
        network = VitPoseNetwork(width, weights.layers, heads, weights.decoder, weights.keypoints)
    network.load_state_dict(weights.tensors, assign=True)
    with torch.inference_mode():
        return network.eval()(torch.from_numpy(crops)).numpy()


def assert_same_heatmaps(ours: np.ndarray, theirs: np.ndarray) -> None:
    assert theirs.std() > 0.05  # flat heatmaps would prove nothing
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() < 1e-4


@every_family
@both_decoders
def test_vitpose_s(crops, family, decoder):
    model = random_vitpose("s", decoder)
    weights = recognise_vitpose(FAMILIES[family](model), FILE)
    assert (weights.size, weights.decoder, weights.dataset, weights.heads) == ("s", decoder, "coco", ("coco",))
    assert_same_heatmaps(our_heatmaps(weights, "s", crops), heatmaps_of(model, crops))


@both_decoders
@pytest.mark.parametrize("size", SIZES)
def test_a_layer_of_every_size_from_every_family_and_as_mmpose_builds_it(tmp_path, crops, decoder, size):
    model = random_vitpose(size, decoder, layers=1)
    theirs = heatmaps_of(model, crops)
    for named in FAMILIES.values():
        weights = recognise_vitpose(named(model), FILE)
        assert_same_heatmaps(our_heatmaps(weights, size, crops), theirs)
    suffix = "-simple" if decoder == "simple" else ""
    text = data_path(f"configs/vitpose/vitpose-{size}{suffix}.py").read_text("utf-8")
    shallow = tmp_path / "shallow.py"
    shallow.write_text(text.replace("num_layers=", "num_layers=1 if True else "), "utf-8")
    network = load_mmpose_model(shallow, weights.tensors, "the test").network
    with torch.inference_mode():
        assert_same_heatmaps(network(torch.from_numpy(crops)).numpy(), theirs)
    random_vitpose.cache_clear()


@pytest.mark.slow
@both_decoders
@pytest.mark.parametrize("size", ["b", "l", "h"])
def test_the_wider_models_whole(crops, decoder, size):
    random_vitpose.cache_clear()
    model = random_vitpose(size, decoder)
    weights = recognise_vitpose(original_tensors(model), FILE)
    assert weights.size == size
    assert_same_heatmaps(our_heatmaps(weights, size, crops), heatmaps_of(model, crops))
    random_vitpose.cache_clear()


# --- experts and heads of several data sets ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plus_s():
    """ViTPose+-S: transformers' model of each data set, and the original repository's file of them all."""
    models = plus_models(random_vitpose("s", experts=EXPERTS))
    return models, plus_tensors(models)


@every_dataset
def test_each_expert_and_head_of_an_original_file(crops, plus_s, dataset):
    models, tensors = plus_s
    weights = recognise_vitpose(tensors, FILE, dataset)
    assert (weights.dataset, weights.heads, weights.keypoints) == (dataset, tuple(PLUS), PLUS[dataset])
    theirs = heatmaps_of(models[dataset], crops, list(PLUS).index(dataset))
    assert_same_heatmaps(our_heatmaps(weights, "s", crops), theirs)
    if dataset != "coco":
        of_another = heatmaps_of(models[dataset], crops, 0)
        assert np.abs(theirs - of_another).max() > 1e-2  # the experts do differ


@pytest.fixture(scope="module")
def shallow_plus_s():
    models = plus_models(random_vitpose("s", experts=EXPERTS, layers=2))
    return models, plus_tensors(models)


@every_dataset
@pytest.mark.parametrize("keep_experts", [False, True])
def test_each_file_that_the_original_tool_splits_off(crops, shallow_plus_s, dataset, keep_experts):
    """The data set follows from the number of keypoints, or from the kept expert that was joined."""
    models, tensors = shallow_plus_s
    split = split_tensors(tensors, dataset, keep_experts=keep_experts)
    told = "" if keep_experts or PLUS[dataset] != 17 else dataset
    weights = recognise_vitpose(split, FILE, told)
    assert weights.dataset == dataset
    theirs = heatmaps_of(models[dataset], crops, list(PLUS).index(dataset))
    assert_same_heatmaps(our_heatmaps(weights, "s", crops), theirs)


@every_dataset
def test_cocos_split_file_still_gives_every_data_set(crops, shallow_plus_s, dataset):
    models, tensors = shallow_plus_s
    weights = recognise_vitpose(split_tensors(tensors, "coco", keep_experts=False), FILE, dataset)
    theirs = heatmaps_of(models[dataset], crops, list(PLUS).index(dataset))
    assert_same_heatmaps(our_heatmaps(weights, "s", crops), theirs)


def test_hugging_faces_vitpose_plus(crops):
    model = random_vitpose("s", experts=EXPERTS)
    weights = recognise_vitpose(huggingface_tensors(model), FILE)
    assert (weights.dataset, weights.heads) == ("coco", ("coco",))
    assert_same_heatmaps(our_heatmaps(weights, "s", crops), heatmaps_of(model, crops, 0))


@pytest.mark.parametrize("size", ["b", "l", "h"])
def test_a_layer_with_experts_of_the_wider_models(crops, size):
    models = plus_models(random_vitpose(size, experts=EXPERTS, layers=1))
    weights = recognise_vitpose(plus_tensors(models), FILE, "wholebody")
    theirs = heatmaps_of(models["wholebody"], crops, list(PLUS).index("wholebody"))
    assert_same_heatmaps(our_heatmaps(weights, size, crops), theirs)
    random_vitpose.cache_clear()
