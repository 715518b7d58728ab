"""The wheel of this checkout, built once."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Path of the wheel."""
    builders = pytest.importorskip("hatchling.builders.wheel", reason="hatchling, which builds the wheel, is missing")
    built = builders.WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return Path(next(iter(built)))
