"""Fixtures for the tests of live sinks."""

import pytest
from support.sockets import Ear


@pytest.fixture
def ear():
    """A receiver of datagrams."""
    ear = Ear()
    yield ear
    ear.close()
