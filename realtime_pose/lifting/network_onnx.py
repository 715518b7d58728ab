"""The lifter's network in ONNX Runtime, with 8-bit weights: a quarter of the memory to read, which is what takes time.

Only where the extra `onnx` is installed. The graph is made in memory. The first and the last layer, a tenth of the
weights, stay float32: 8 bits of the keypoints would lose too much.
"""

from collections.abc import Callable, Iterable

import numpy as np

from realtime_pose.utils.arrays import Float32, as_float32

Weights = tuple[Float32, Float32, Float32]
"""Of one layer: even weights (O, I), even bias (O,), odd weights (O, I)."""

_BLOCK = 32  # weights that share a scale
_INT8_PRODUCTS = 4  # "accuracy_level" of MatMulNBits: inputs are quantized by block too
_CONTRIB = "com.microsoft"


def onnx_network(layers: Iterable[Weights]) -> Callable[[Float32, Float32], tuple[Float32, Float32]] | None:
    """`network.LifterWeights`'s layers as a function of even (N, I) and odd (N, J) inputs; None without the packages.

    It runs in the calling thread: the runtime's own threads would spin on the cores that the pose model needs.
    """
    try:
        import onnx  # noqa: F401 - makes the graph
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised, not logged
    session = onnxruntime.InferenceSession(_Graph().model(list(layers)), options, providers=["CPUExecutionProvider"])

    def run(even: Float32, odd: Float32) -> tuple[Float32, Float32]:
        return tuple(session.run(None, {"even": even, "odd": odd}))

    return run


class _Graph:
    """An ONNX graph under construction; values are named by their number."""

    def __init__(self) -> None:
        self._nodes: list[object] = []
        self._constants: list[object] = []

    def model(self, layers: list[Weights]) -> bytes:
        """The serialised network."""
        from onnx import TensorProto, helper

        first, *blocks, last = layers
        # The halves that `_relu` leaves out are in the weights that follow: it doubles with its input.
        *blocks, last = ((as_float32(even / 2), bias, as_float32(odd / 2)) for even, bias, odd in (*blocks, last))
        x = self._relu(*self._layer(self._product, first, "even", "odd"))
        for one, two in zip(blocks[::2], blocks[1::2], strict=True):
            y = self._relu(*self._layer(self._int8_product, one, *x))
            y = self._relu(*self._layer(self._int8_product, two, *y))
            x = self._add("Add", x[0], y[0]), self._add("Add", x[1], y[1])
        outputs = self._layer(self._product, last, *x)
        widths = {"even": first[0].shape[1], "odd": first[2].shape[1]}
        graph = helper.make_graph(
            self._nodes,
            "lifter",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", n]) for name, n in widths.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            self._constants,
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(_CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()

    def _layer(self, product: Callable[[str, Float32], str], weights: Weights, even: str, odd: str) -> tuple[str, str]:
        even_weights, bias, odd_weights = weights
        return self._add("Add", product(even, even_weights), self._constant(bias)), product(odd, odd_weights)

    def _relu(self, even: str, odd: str) -> tuple[str, str]:
        """`network._relu`, without halving."""
        one, other = (self._add("Relu", self._add(kind, even, odd)) for kind in ("Add", "Sub"))
        return self._add("Add", one, other), self._add("Sub", one, other)

    def _product(self, x: str, weights: Float32) -> str:
        """x @ weights.T."""
        return self._add("Gemm", x, self._constant(weights), transB=1)

    def _int8_product(self, x: str, weights: Float32) -> str:
        """x @ weights.T in 8 bits, each block of weights with its own scale."""
        rows, columns = weights.shape
        blocks = -(-columns // _BLOCK)
        padded = np.pad(weights, ((0, 0), (0, blocks * _BLOCK - columns))).reshape(rows, blocks, _BLOCK)
        scale = np.maximum(np.abs(padded).max(axis=2) / 127, np.finfo(np.float32).tiny)
        quantized = (np.rint(padded / scale[..., None]) + 128).astype(np.uint8)
        constants = self._constant(quantized), self._constant(scale.reshape(-1))
        settings = {"K": columns, "N": rows, "bits": 8, "block_size": _BLOCK, "accuracy_level": _INT8_PRODUCTS}
        return self._add("MatMulNBits", x, *constants, domain=_CONTRIB, **settings)

    def _constant(self, value: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def _add(self, kind: str, *inputs: str, domain: str = "", **settings: int) -> str:
        """Add a node; its output's name."""
        from onnx import helper

        name = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], domain=domain, **settings))
        return name
