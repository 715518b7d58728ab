"""What every test runs under."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_traces_in_the_users_cache(tmp_path_factory):
    """What the program makes and keeps, tests make and throw away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
