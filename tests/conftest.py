"""Fixtures for all tests."""

import os
import sys

import pytest

os.environ.pop("COLUMNS", None)  # workers of pytest-xdist have one, and a console made at import would keep that width
if "PYTEST_XDIST_WORKER" in os.environ:  # there is a worker for each core: more threads would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def _temporary_cache_folder(tmp_path_factory):
    """A temporary cache folder for the program, so that tests leave nothing in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _restore_main_module():
    """Streamlit replaces `__main__` with a page, which processes spawned by a later test would then run."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
