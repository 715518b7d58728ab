"""What the tests of live sinks share."""

import pytest
from support.sockets import Ear


@pytest.fixture
def ear():
    """A receiver of datagrams."""
    ear = Ear()
    yield ear
    ear.close()
