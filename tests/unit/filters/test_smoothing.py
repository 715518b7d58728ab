import numpy as np
import pytest
from support.people import make_pose

from realtime_pose.body.settings import BodyConfig
from realtime_pose.body.smoothing_presets import SMOOTHING_PRESETS
from realtime_pose.datatypes import JointRotations
from realtime_pose.errors import UnknownChoiceError
from realtime_pose.filters.chain import FilterChain
from realtime_pose.filters.smoothing import OneEuroPoseFilter
from realtime_pose.kinematics import forward_kinematics
from realtime_pose.skeletons import HUMANOID
from realtime_pose.utils import rotations as rot
from realtime_pose.utils.arrays import as_float32

FRAME_NS = 33_333_333


def at(pose, root_m, time_ns=0, score=None):
    from dataclasses import replace

    return replace(
        pose, root_m=as_float32(root_m), time_ns=time_ns, score=pose.score if score is None else as_float32(score)
    )


@pytest.mark.parametrize("name", [n for n, preset in SMOOTHING_PRESETS.items() if preset])
def test_every_preset_reduces_noise(name):
    chain = FilterChain(BodyConfig(smoothing=name))
    rng = np.random.default_rng(0)
    still = make_pose(0)
    raw, calm = [], []
    for i in range(60):
        noise = rot.from_rotvec(0.05 * rng.normal(size=(17, 3)))
        local = rot.multiply(still.rotations.local_xyzw, noise)
        pose = at(still, (0.01 * rng.normal(), 0.9, 0.0), i * FRAME_NS)
        from dataclasses import replace

        pose = replace(pose, rotations=JointRotations(HUMANOID, as_float32(local)))
        raw.append(forward_kinematics(pose))
        calm.append(forward_kinematics(chain.apply(pose)))
    shake = [np.linalg.norm(np.diff(x, n=2, axis=0), axis=-1).mean() for x in (raw, calm)]
    assert shake[1] < 0.7 * shake[0]


def test_presets_follow_in_the_order_of_their_names():
    """A step of the root: crisp follows fastest."""
    after = {}
    for name in ("crisp", "balanced", "smooth"):
        stage = FilterChain(BodyConfig(smoothing=name)).smoothing
        stage.apply(at(make_pose(0), (0, 0.9, 0)))
        after[name] = float(stage.apply(at(make_pose(0), (0.1, 0.9, 0), FRAME_NS)).root_m[0])
    assert after["crisp"] > after["balanced"] > after["smooth"] > 0


@pytest.mark.parametrize("back_ns", [FRAME_NS, 10**9])
def test_time_that_runs_backwards_does_not_show(back_ns):
    """A filter that starts from scratch would make the pose jump by its lag."""
    stage = OneEuroPoseFilter(SMOOTHING_PRESETS["smooth"])
    times_ns = [i * FRAME_NS - (i >= 20) * back_ns for i in range(30)]
    path = [stage.apply(at(make_pose(0), (0.05 * i, 0.9, 0), t)).root_m[0] for i, t in enumerate(times_ns)]
    assert 0.05 * 29 - path[-1] > 0.02  # it lags
    assert np.diff(path[5:]).max() < 0.06


def test_the_preset_none_smooths_nothing():
    assert FilterChain(BodyConfig(smoothing="none")).smoothing is None
    assert isinstance(FilterChain(BodyConfig()).smoothing, OneEuroPoseFilter)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(UnknownChoiceError, match="balanced, crisp, none, smooth"):
        FilterChain(BodyConfig(smoothing="silky"))
