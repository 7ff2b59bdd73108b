"""Writes the network as one ONNX file and proves that it computes the same.

The graph takes the crop's bytes and does all pre-processing itself, uses the default operator domain only, has no
control flow and keeps its weights inside.
"""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from .data import SIDE_PX
from .network import PatchNetwork

OPSET = 17

TOLERANCE = 1e-3
"""Largest allowed difference between a logit of PyTorch and one of ONNX Runtime."""


def export(network: PatchNetwork, model: Path) -> Path:
    """Exports, checks and returns `model`.

    Input `crop` `uint8 [N, 256, 256, 3]`; outputs `patch_logits` `float32 [N, 32, 32]` and `logit` `float32 [N]`.
    Raises `ValueError` where the file breaks the contract or disagrees with the network.
    """
    example = torch.zeros(2, SIDE_PX, SIDE_PX, 3, dtype=torch.uint8)
    names = ["patch_logits", "logit"]
    axes = {name: {0: "N"} for name in ("crop", *names)}
    unfinished = model.with_suffix(".part")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.float().eval(),
            (example,),
            str(unfinished),
            input_names=["crop"],
            output_names=names,
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    check_contract(unfinished)
    difference = largest_difference(network, unfinished)
    if difference > TOLERANCE:
        raise ValueError(f"ONNX Runtime and PyTorch differ by {difference:.2e}, more than {TOLERANCE:.0e}")
    unfinished.rename(model)
    return model


def check_contract(model: Path) -> None:
    """Raises `ValueError` unless names, shapes, types and operators are what the detector was promised."""
    proto = onnx.load(str(model), load_external_data=False)
    onnx.checker.check_model(proto, full_check=True)
    domains = {(entry.domain, entry.version) for entry in proto.opset_import}
    foreign = {node.op_type for node in proto.graph.node if node.domain or node.op_type in ("Loop", "If", "Scan")}
    external = [tensor.name for tensor in proto.graph.initializer if tensor.external_data]
    if domains != {("", OPSET)} or foreign or external:
        raise ValueError(f"operator sets {domains}, operators not allowed {foreign}, external data {external}")
    found = [_signature(value) for value in (*proto.graph.input, *proto.graph.output)]
    if found != CONTRACT:
        raise ValueError(f"the graph has {found}, the contract is {CONTRACT}")


def largest_difference(network: PatchNetwork, model: Path, crops: np.ndarray | None = None) -> float:
    """Largest difference in any output over `crops` (`uint8 [N, 256, 256, 3]`; noise and edges when not given)."""
    crops = _test_crops() if crops is None else crops
    with torch.inference_mode():
        expected = network.float().eval()(torch.from_numpy(crops.copy()))
    found = open_session(model).run(["patch_logits", "logit"], {"crop": crops})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(expected, found, strict=True))


def open_session(model: Path) -> onnxruntime.InferenceSession:
    """Opens the file on one CPU thread, as production does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _test_crops() -> np.ndarray:
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (4, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    crops[1] = 128
    crops[2, :, SIDE_PX // 2 :] = 255
    crops[3] = np.arange(SIDE_PX, dtype=np.uint8)[None, :, None]
    return crops


def _signature(value: onnx.ValueInfoProto) -> tuple[str, int, list[int | str]]:
    tensor = value.type.tensor_type
    return value.name, tensor.elem_type, [d.dim_param or d.dim_value for d in tensor.shape.dim]


CONTRACT = [
    ("crop", onnx.TensorProto.UINT8, ["N", SIDE_PX, SIDE_PX, 3]),
    ("patch_logits", onnx.TensorProto.FLOAT, ["N", 32, 32]),
    ("logit", onnx.TensorProto.FLOAT, ["N"]),
]
