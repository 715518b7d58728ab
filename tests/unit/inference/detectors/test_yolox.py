"""YOLOX: preprocessing, decoding, and refused files."""

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.detectors import CROWD, YOLOX_NANO, needs_crowd, needs_yolox

from realtime_pose.datatypes import Frame
from realtime_pose.errors import CheckpointError
from realtime_pose.inference.base import InferenceConfig
from realtime_pose.inference.detectors.yolox import YoloxDetector, letterbox

SIDE = 64  # 64 + 16 + 4 cells
CELLS = 84


def network(folder, answers, takes=(1, 3, SIDE, SIDE)):
    """A file with YOLOX's contract that gives the same outputs for every image."""
    constant = helper.make_node("Constant", [], ["output"], value=numpy_helper.from_array(answers.astype(np.float32)))
    graph = helper.make_graph(
        [constant],
        "yolox",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, takes)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, answers.shape)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), folder / "net.onnx")
    return str(folder / "net.onnx")


def answers_of(*cells):
    """Outputs (1, 84, 85) with only the given cells set: (cell, x, y, log w, log h, objectness, class, score)."""
    answers = np.zeros((1, CELLS, 85))
    for cell, x, y, w, h, objectness, kind, score in cells:
        answers[0, cell, :5] = x, y, w, h, objectness
        answers[0, cell, 5 + kind] = score
    return answers


def detect(folder, answers, height=SIDE, width=SIDE):
    detector = YoloxDetector(InferenceConfig(detector_checkpoint=network(folder, answers)))
    found = detector.detect(Frame(np.zeros((height, width, 3), np.uint8), 0, 0, 0))
    return [(box.bbox_xyxy_px.tolist(), round(box.score, 4)) for box in found]


def test_a_cell_gives_a_box_in_units_of_its_stride(tmp_path):
    # cell 8 * 3 + 2 of stride 8 is column 2, row 3: centre ((2 + 0.5) * 8, (3 + 0.25) * 8), size 8 * e^1, 8 * e^0.5
    (found,) = detect(tmp_path, answers_of((26, 0.5, 0.25, 1.0, 0.5, 0.9, 0, 0.8)))
    w, h = 8 * np.e / 2, 8 * np.exp(0.5) / 2
    assert np.allclose(found[0], [20 - w, 26 - h, 20 + w, 26 + h], atol=1e-4)
    assert found[1] == pytest.approx(0.72)


def test_every_stride_has_its_own_grid(tmp_path):
    # the first cells of strides 16 and 32, and the very last cell: column 1, row 1 of stride 32
    cells = [(64, 0.5, 0.5, 0, 0, 1, 0, 0.9), (80, 1.0, 0.5, 0, 0, 1, 0, 0.8), (83, 0.5, 0.5, -1, -1, 1, 0, 0.7)]
    boxes = [box for box, _ in detect(tmp_path, answers_of(*cells))]
    half = 16 / np.e
    assert np.allclose(boxes, [[0, 0, 16, 16], [16, 0, 48, 32], [48 - half] * 2 + [48 + half] * 2], atol=1e-3)


def test_boxes_are_scaled_back_to_the_image_and_end_at_its_border(tmp_path):
    cells = [(83, 0.5, 0.0, 0, 0, 1, 0, 0.9)]  # 32..64 by 16..48 of the network's 64
    assert detect(tmp_path, answers_of(*cells), height=96, width=128) == [([64, 32, 128, 96], 0.9)]


def test_only_people_count_and_only_sure_ones(tmp_path):
    cells = [(0, 0, 0, 1, 1, 0.9, 1, 0.9), (20, 0, 0, 1, 1, 0.5, 0, 0.59), (40, 0, 0, 1, 1, 0.5, 0, 0.61)]
    assert [score for _, score in detect(tmp_path, answers_of(*cells))] == [0.305]


def test_one_person_in_several_cells_is_one_person_and_neighbours_are_two(tmp_path):
    cells = [(26, 0.5, 0.5, 1, 1.5, 1, 0, 0.6), (27, -0.4, 0.5, 1, 1.5, 1, 0, 0.9), (30, 0, 0.5, 1, 1.5, 1, 0, 0.7)]
    found = detect(tmp_path, answers_of(*cells))
    assert [score for _, score in found] == [0.9, 0.7]


def test_no_people_is_an_empty_list(tmp_path):
    assert detect(tmp_path, answers_of()) == []


@pytest.mark.parametrize(
    ("height", "width", "inner"), [(480, 640, (312, 416)), (640, 480, (416, 312)), (9, 3, (416, 138))]
)
def test_the_image_keeps_its_proportions_and_the_rest_is_grey(height, width, inner):
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    picture, scale = letterbox(image, 416, 416)
    assert picture.shape == (1, 3, 416, 416)
    assert picture.dtype == np.float32
    assert scale == pytest.approx(416 / max(height, width))
    inside = picture[0, :, : inner[0], : inner[1]]
    expected = cv2.resize(image, inner[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.array_equal(inside.transpose(1, 2, 0), expected)  # blue, green, red in 0..255
    assert (picture[0, :, inner[0] :] == 114).all()
    assert (picture[0, :, :, inner[1] :] == 114).all()


@pytest.mark.parametrize(
    ("answers", "takes"),
    [
        (np.zeros((1, CELLS, 6)), (1, 3, SIDE, SIDE)),  # other classes
        (np.zeros((1, 83, 85)), (1, 3, SIDE, SIDE)),
        (np.zeros((1, CELLS, 85)), (1, 3, "height", "width")),
        (np.zeros((1, CELLS, 85)), (1, 3, 65, 64)),
        (np.zeros((1, 17, 64, 48)), (1, 3, 256, 192)),  # a ViTPose
    ],
)
def test_a_network_of_another_contract_is_refused_with_what_it_takes_and_gives(tmp_path, answers, takes):
    wanted = (
        r"net\.onnx takes \[1, 3, .* and gives \[1, .* wanted a YOLOX of COCO's classes .* get one with: realtime-pose"
    )
    with pytest.raises(CheckpointError, match=wanted):
        YoloxDetector(InferenceConfig(detector_checkpoint=network(tmp_path, answers, takes)))


@pytest.mark.parametrize("content", [None, b"", b"no network"])
def test_a_file_that_is_no_onnx_is_refused_without_output(tmp_path, content, capfd):
    if content is not None:
        (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"a\.onnx cannot be read as ONNX"):
        YoloxDetector(InferenceConfig(detector_checkpoint=str(tmp_path / "a.onnx")))
    assert capfd.readouterr() == ("", "")


@needs_yolox
@needs_crowd
def test_a_crowd_is_found_by_the_published_nano():
    detector = YoloxDetector(InferenceConfig(detector_checkpoint=str(YOLOX_NANO)))
    clip = cv2.VideoCapture(str(CROWD), cv2.CAP_FFMPEG)
    for index in range(5):
        found, image = clip.read()
        assert found
        boxes = detector.detect(Frame(image, index, 0, 0))
        assert 6 <= len(boxes) <= 12
        if index == 0:  # the four nearest, checked by eye
            nearest = sorted((box.bbox_xyxy_px.tolist() for box in boxes), key=lambda b: -b[3] + b[1])[:4]
            by_eye = [[760, 175, 910, 535], [596, 158, 667, 343], [502, 151, 565, 335], [765, 175, 825, 322]]
            assert np.allclose(nearest, by_eye, atol=8)
    clip.release()
