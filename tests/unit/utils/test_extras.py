"""Optional packages: what is found, and the error for what is missing or does not import."""

import sys

import pytest

from realtime_pose.errors import MissingPackageError
from realtime_pose.utils.extras import check_installed, is_installed, needs_extra


def test_a_missing_package_is_named_by_its_top_module(monkeypatch):
    monkeypatch.setitem(sys.modules, "nowhere", None)
    with (
        pytest.raises(
            MissingPackageError, match=r'^a figure needs nowhere; install it with: pip install "realtime-pose\[x\]"$'
        ),
        needs_extra("x", "a figure"),
    ):
        import nowhere.deeper  # noqa: F401
    with pytest.raises(MissingPackageError) as caught:
        check_installed("x", "a figure", "json", "nowhere")
    assert (caught.value.package, caught.value.command) == ("nowhere", 'pip install "realtime-pose[x]"')


def test_a_package_of_another_version_is_named_with_the_reason():
    with (
        pytest.raises(MissingPackageError, match=r"^this needs json \(cannot import name 'absent'"),
        needs_extra("x", "this"),
    ):
        from json import absent  # noqa: F401


def test_installed_packages_pass_and_other_errors_pass_through():
    check_installed("x", "this", "json", "email")
    assert not is_installed("no_such_package")
    with needs_extra("x", "this"):
        import json  # noqa: F401
    with pytest.raises(ZeroDivisionError), needs_extra("x", "this"):
        raise ZeroDivisionError
    with pytest.raises(MissingPackageError, match=r"^inner needs inside; "), needs_extra("x", "outer"):
        check_installed("y", "inner", "inside")
