"""Array checks: shape, dtype, and read-only afterwards; reading of npz files."""

import io
import zipfile

import numpy as np
import pytest

from realtime_pose.errors import ArrayShapeError
from realtime_pose.utils import arrays
from realtime_pose.utils.arrays import as_float32, check_array, read_npz


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


def test_an_npz_file_is_read(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", one=np.arange(3), two=np.array(["x"]))
    got = read_npz(tmp_path / "a.npz")
    assert got["one"].tolist() == [0, 1, 2]
    assert got["two"].tolist() == ["x"]


def test_a_small_npz_file_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "_MAX_UNPACKED_BYTES", 1000)
    monkeypatch.setattr(arrays.np, "load", lambda *_, **__: pytest.fail("unpacked"))
    np.savez_compressed(tmp_path / "bomb.npz", zeros=np.zeros(1000))
    with pytest.raises(ValueError, match="unpacks to more than"):
        read_npz(tmp_path / "bomb.npz")


def test_an_npz_file_that_claims_more_than_it_has_is_refused(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(tmp_path / "lies.npz", "w") as packed:
        packed.writestr("a.npy", header.getvalue() + bytes(80))
    with pytest.raises(ValueError, match=r"damaged|EOF"):
        read_npz(tmp_path / "lies.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\3\4 cut off"])
def test_a_file_that_is_no_npz_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ValueError, match="it is not an npz file"):
        read_npz(tmp_path / "a.npz")
