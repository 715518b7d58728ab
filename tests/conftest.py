"""What every test runs under."""

import os
import sys

import pytest

os.environ.pop("COLUMNS", None)  # workers of pytest-xdist have one, and a console made at import would keep that width


@pytest.fixture(scope="session", autouse=True)
def _no_traces_in_the_users_cache(tmp_path_factory):
    """What the program makes and keeps, tests make and throw away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _the_main_module_stays():
    """Streamlit puts a page in the place of `__main__`, which processes that a later test spawns would then run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
