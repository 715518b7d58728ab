"""Contract of an ONNX file: its inputs and outputs, checked against ViTPose's; nothing in the file is run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from realtime_pose.checkpoints.datasets import LAYOUT_OF, check_dataset, dataset_of, noted_dataset
from realtime_pose.errors import CheckpointError
from realtime_pose.skeletons import KeypointLayout
from realtime_pose.utils.extras import needs_extra

if TYPE_CHECKING:
    from onnx import ModelProto, ValueInfoProto

Shape = tuple[int | None, ...]

_INPUT = (3, 256, 192)
_HEATMAP = (64, 48)
_WANTED = "wanted float32 [N, 3, 256, 192] in and [N, keypoints, 64, 48] out"


@dataclass(frozen=True)
class OnnxContract:
    """Inputs and outputs of an ONNX file: crops (N, 3, H, W) in, heatmaps (N, K, H/4, W/4) out, both float32.

    Attributes:
        input_wh: Width and height of a crop in px.
        heatmap_wh: Width and height of a heatmap in cells.
        dataset: The data set of its keypoints: coco, coco_25, aic, mpii, ap10k, apt36k or wholebody.
        batch: Fixed batch size; None for any.
        input_name: The graph's name for its input.
        output_name: The graph's name for its output.
    """

    input_wh: tuple[int, int]
    heatmap_wh: tuple[int, int]
    dataset: str
    batch: int | None
    input_name: str
    output_name: str

    @property
    def layout(self) -> KeypointLayout:
        """The keypoints of its heatmaps."""
        return LAYOUT_OF[self.dataset]

    @property
    def keypoints(self) -> int:
        """Number of heatmaps."""
        return len(self.layout.names)

    @property
    def batched(self) -> bool:
        """Whether it takes any batch size."""
        return self.batch is None

    def __str__(self) -> str:
        crops = "any number of crops" if self.batch is None else f"{self.batch} crop{'s'[: self.batch - 1]}"
        return (
            f"an ONNX graph with ViTPose's contract ({self.keypoints} keypoints of {self.dataset}, {crops} at a time)"
        )


def is_onnx(path: Path) -> bool:
    """Whether a file's content looks like ONNX: a protobuf message whose first field is a small version number."""
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError:
        return False
    return len(start) == 2 and start[0] == 0x08 and 0 < start[1] < 0x40


def read_onnx_contract(path: Path, dataset: str = "") -> OnnxContract:
    """The inputs and outputs of an ONNX file, checked against those of every ViTPose.

    Args:
        path: The file; its name does not matter.
        dataset: The data set of a file with 17 keypoints; empty means COCO.

    Raises:
        UnknownChoiceError: There is no such data set.
        CheckpointError: It is not an ONNX file, its weights are missing, or its inputs or outputs differ.
        MissingPackageError: The package onnx is missing.
    """
    check_dataset(dataset)
    model = _read(path)
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    outputs = list(model.graph.output)
    if len(inputs) != 1 or len(outputs) != 1:
        raise CheckpointError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, wanted one each: {_WANTED}")
    in_shape, out_shape = _shape(inputs[0]), _shape(outputs[0])
    if None in out_shape[1:]:
        out_shape = _inferred(model, outputs[0].name) or out_shape
    floats = all(value.type.tensor_type.elem_type == 1 for value in (inputs[0], outputs[0]))  # TensorProto.FLOAT
    keypoints = out_shape[1] if len(out_shape) == 4 else None
    if len(in_shape) != 4 or in_shape[1:] != _INPUT or out_shape[2:] != _HEATMAP or keypoints is None or not floats:
        got = f"takes {_described(inputs[0], in_shape)} and gives {_described(outputs[0], out_shape)}"
        raise CheckpointError(f"{path} {got}, {_WANTED}")
    notes = {note.key: note.value for note in model.metadata_props}
    dataset = dataset_of(keypoints, noted_dataset(notes, dataset, str(path)), str(path))
    return OnnxContract(
        input_wh=_INPUT[:0:-1],
        heatmap_wh=_HEATMAP[::-1],
        dataset=dataset,
        batch=in_shape[0],
        input_name=inputs[0].name,
        output_name=outputs[0].name,
    )


def _read(path: Path) -> "ModelProto":
    with needs_extra("onnx", "reading an ONNX file"):
        import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        model = onnx.load(str(path), load_external_data=False)
    except OSError as exc:
        raise CheckpointError(f"{path} cannot be read ({exc.strerror}); give an .onnx file") from exc
    except (DecodeError, ValueError) as exc:
        raise CheckpointError(f"{path} is not an ONNX file, or truncated; wanted a ViTPose as .onnx") from exc
    if not model.graph.node:
        raise CheckpointError(f"{path} is not an ONNX file, or empty; wanted a ViTPose as .onnx")
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location" and not (path.parent / entry.value).is_file():
                raise CheckpointError(
                    f"{path} has its weights in other files, and {entry.value} is not beside it; "
                    "download all of its files"
                )
    return model


def _shape(value: "ValueInfoProto") -> Shape:
    """Its dimensions; None for a free one."""
    return tuple(d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim)


def _inferred(model: "ModelProto", name: str) -> Shape | None:
    """The shape of an output by ONNX's shape inference, where the exporter left it free."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model)
    return next((_shape(value) for value in inferred.graph.output if value.name == name), None)


def _described(value: "ValueInfoProto", shape: Shape) -> str:
    import onnx

    kind = onnx.TensorProto.DataType.Name(value.type.tensor_type.elem_type).lower()
    return f"{kind} [{', '.join('any' if n is None else str(n) for n in shape)}]"
