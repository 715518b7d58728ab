"""The studio and the tests' fake have the interface that page and server use."""

import inspect

import pytest
from support.fake_studio import FakeStudio

from realtime_pose.config import AppConfig
from realtime_pose.interface.dashboard.engine.api import StudioApi
from realtime_pose.interface.dashboard.engine.state import Folders
from realtime_pose.interface.dashboard.engine.studio import Studio

MEMBERS = sorted(name for name in vars(StudioApi) if not name.startswith("_"))


@pytest.fixture(params=[Studio, FakeStudio])
def studio(request, tmp_path):
    made = Studio(AppConfig(), Folders(tmp_path, tmp_path)) if request.param is Studio else FakeStudio(tmp_path)
    yield made
    made.close()


def parameters_of(function):
    return [(p.name, p.kind) for p in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_is_there_with_its_parameters(studio, name):
    wanted = vars(StudioApi)[name]
    found = inspect.getattr_static(type(studio), name, None)
    if isinstance(wanted, property):
        assert hasattr(studio, name)
        assert not callable(found)
    else:
        assert parameters_of(found) == parameters_of(wanted)


def test_there_are_members():
    assert {"start", "stop", "state", "config"} <= set(MEMBERS)
