"""Array checks: shape, dtype, and read-only afterwards."""

import numpy as np
import pytest

from realtime_pose.errors import ArrayShapeError
from realtime_pose.utils.arrays import as_float32, check_array


@pytest.mark.parametrize(
    ("shape", "wanted"), [((3, 2), (3, 2)), ((3, 2), (None, 2)), ((0, 2), (None, 2)), ((), ()), ((4,), (None,))]
)
def test_a_right_array_passes_and_is_read_only_from_then_on(shape, wanted):
    array = np.zeros(shape, np.float32)
    check_array("xy_px", array, wanted)
    assert not array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        array[...] = 1
    check_array("xy_px", array, wanted)  # checking again is fine


@pytest.mark.parametrize(
    ("shape", "wanted", "said"),
    [
        ((3, 2), (2, 3), "xy_px has shape (3, 2), wanted (2, 3)"),
        ((3,), (3, 1), "xy_px has shape (3,), wanted (3, 1)"),
        ((3, 2, 1), (3, 2), "xy_px has shape (3, 2, 1), wanted (3, 2)"),
        ((), (4,), "xy_px has shape (), wanted (4)"),
        ((5, 4), (None, 3), "xy_px has shape (5, 4), wanted (any, 3)"),
        ((0,), (4,), "xy_px has shape (0,), wanted (4)"),
    ],
)
def test_a_wrong_shape_is_refused_with_both_shapes_and_left_alone(shape, wanted, said):
    array = np.zeros(shape, np.float32)
    with pytest.raises(ArrayShapeError) as caught:
        check_array("xy_px", array, wanted)
    assert str(caught.value) == said
    assert (caught.value.got, caught.value.wanted) == (shape, wanted)
    assert array.flags.writeable


@pytest.mark.parametrize(
    ("array", "got"),
    [
        (np.zeros(2), "float64"),
        (np.zeros(2, np.int64), "int64"),
        (np.zeros(2, ">f4"), ">f4"),
        ([0.0, 0.0], "list"),
        (None, "NoneType"),
        (np.float32(0), "float32"),
    ],
    ids=str,
)
def test_a_wrong_type_is_refused_by_name(array, got):
    with pytest.raises(TypeError, match=f"^score must be an array of float32, got {got}$"):
        check_array("score", array, (2,))


def test_other_element_types_can_be_wanted():
    check_array("image", np.zeros((2, 2), np.uint8), (2, 2), np.uint8)
    check_array("flag", np.zeros(2, np.bool_), (2,), np.bool_)
    with pytest.raises(TypeError, match="image must be an array of uint8, got float32"):
        check_array("image", np.zeros((2, 2), np.float32), (2, 2), np.uint8)


def test_as_float32_is_a_copy():
    mine = np.ones(3, np.float32)
    theirs = as_float32(mine)
    check_array("theirs", theirs, (3,))
    mine[0] = 7
    assert theirs.tolist() == [1, 1, 1]
    assert as_float32([1, 2]).dtype == np.float32
