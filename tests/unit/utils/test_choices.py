"""Lazy tables: only the chosen module is imported."""

import sys

import pytest

from realtime_pose.errors import UnknownChoiceError
from realtime_pose.utils.choices import load_choice

TABLE = {"one": "lazy_one:thing", "two": "lazy_two:Kind.inner", "deep": "lazy_package.below:thing"}


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    (tmp_path / "lazy_one.py").write_text("thing = ['one']\n")
    (tmp_path / "lazy_two.py").write_text("raise RuntimeError('imported')\n")
    (tmp_path / "lazy_package").mkdir()
    (tmp_path / "lazy_package" / "__init__.py").write_text("")
    (tmp_path / "lazy_package" / "below.py").write_text("thing = ['deep']\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("lazy_")]:
        del sys.modules[name]


def test_only_the_chosen_one_is_imported():
    assert load_choice("setting", "one", TABLE) == ["one"]
    assert load_choice("setting", "deep", TABLE) == ["deep"]
    assert "lazy_two" not in sys.modules


def test_the_same_object_comes_each_time():
    assert load_choice("setting", "one", TABLE) is load_choice("setting", "one", TABLE)


@pytest.mark.parametrize("name", ["three", "", "One", "lazy_one:thing"])
def test_an_unknown_name_lists_the_known_ones_and_imports_nothing(name):
    with pytest.raises(UnknownChoiceError) as caught:
        load_choice("inference.detector", name, TABLE)
    assert str(caught.value) == f"inference.detector={name!r} is not one of: deep, one, two"
    assert (caught.value.setting, caught.value.got, caught.value.known) == (
        "inference.detector",
        name,
        ("deep", "one", "two"),
    )
    assert not [module for module in sys.modules if module.startswith("lazy_")]


def test_an_error_inside_a_choice_is_not_reported_as_a_wrong_name():
    with pytest.raises(RuntimeError, match="imported"):
        load_choice("setting", "two", TABLE)
