"""The form of attention that is exported gives the answers of the one that was trained, and goes away again."""

import pytest
import torch

from realtime_pose.inference.vit_backbone import split_attention
from realtime_pose.inference.vitpose_network import VitPoseNetwork


@pytest.fixture(scope="module")
def network() -> VitPoseNetwork:
    torch.manual_seed(3)
    return VitPoseNetwork(384, 2, 12, "classic", 17).eval()


def test_split_attention_answers_alike_and_is_undone(network):
    crops = torch.randn(2, 3, 256, 192)
    names = list(network.state_dict())
    with torch.inference_mode():
        (whole,) = network.backbone(crops)
        with split_attention(network):
            assert "backbone.layers.1.attn.query.weight" in network.state_dict()
            assert "backbone.layers.1.attn.qkv.weight" not in network.state_dict()
            (split,) = network.backbone(crops)
        (again,) = network.backbone(crops)
    assert whole.std() > 0.1
    assert 0 < (split - whole).abs().max() < 1e-4  # not the same sums, so not the same rounding
    assert torch.equal(again, whole)
    assert list(network.state_dict()) == names


def test_it_is_undone_when_the_export_fails_too(network):
    names = list(network.state_dict())
    with pytest.raises(RuntimeError, match="no"), split_attention(network):
        raise RuntimeError("no")
    assert list(network.state_dict()) == names


def test_a_network_without_our_attention_is_left_alone():
    plain = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with split_attention(plain):
        assert list(plain.state_dict()) == ["0.weight", "0.bias"]
