"""Exceptions: the tree in the module's docstring, and helpful messages."""

import inspect
import re

from realtime_pose import errors
from realtime_pose.errors import ArrayShapeError, ConfigError, RealtimePoseError, UnknownChoiceError


def drawn_tree():
    """Name -> parent's name, from the drawing at the top of the module."""
    parents, above = {}, {}
    for line in errors.__doc__.splitlines():
        match = re.match(r"([│├└─ ]*)([A-Z]\w+)(  |$)", line)
        if match:
            depth = len(match[1]) // 4
            above[depth] = match[2]
            parents[match[2]] = above[depth - 1] if depth else None
    return parents


def real_tree():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if c.__module__ == errors.__name__]
    return {c.__name__: c.__base__.__name__ if c is not RealtimePoseError else None for c in classes}


def test_the_drawn_tree_is_the_real_one():
    assert drawn_tree() == real_tree()
    assert len(real_tree()) >= 10


def test_all_exceptions_have_one_base():
    assert all(issubclass(getattr(errors, name), RealtimePoseError) for name in real_tree())
    assert not issubclass(RealtimePoseError, OSError | ValueError)


def test_a_wrong_name_lists_the_right_ones_in_order():
    error = UnknownChoiceError("inference.estimator", "vitpos", iter(["vitpose", "replay"]))
    assert str(error) == "inference.estimator='vitpos' is not one of: replay, vitpose"
    assert error.known == ("replay", "vitpose")
    assert isinstance(error, ConfigError)


def test_a_wrong_name_need_not_be_text():
    assert str(UnknownChoiceError("body key", 3, {"height_m": 0})) == "body key=3 is not one of: height_m"


def test_a_wrong_shape_has_both_in_its_message():
    assert str(ArrayShapeError("xy_px", (2, 3), (None, 2))) == "xy_px has shape (2, 3), wanted (any, 2)"
