"""Turns the exported file into one that computes in bytes, and says whether nobody would notice.

The stem's kernels are fractions of small whole numbers and its planes come in steps, so the stem in bytes is exact. The
convolutions after it become 8-bit operations of the default ONNX domain; the sums of the skip connections and the
head, which sums up the answer, stay in float. Weights keep to seven bits, because processors without VNNI add pairs of products
in 16 bits and saturate with eight: scores would depend on the machine.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from . import metrics, splits
from .augment import redeliver
from .calibrate import threshold_for
from .data import SIDE_PX, Crop, PixelCache, read_table
from .evaluate import Scores, evaluate, read_scores
from .export import check_contract, open_session
from .network import STEPS, PhaseStem, Stem
from .tiers import TIERS

SAMPLE = 192
"""Training crops, each delivered at random, that fix the ranges of the planes."""

STEM_FRACTIONS = (128, 64, 48)
"""Denominators that make the kernels of a plane whole numbers: colours (and their bias), first and second residual."""

BATCH = 8

SEED = 11

LARGEST_AUC_STEP = 0.002
"""Most that the AUC of any tier may move."""

SMALLEST_AGREEMENT = 0.995
"""Least share of dev crops whose word stays the same, over the tiers."""

NO_EVIDENCE_NATS = -0.7
"""Below this the default policy says `no_evidence`."""

LIKELY_RATE, SUSPICIOUS_RATE = 0.01, 0.05
"""False-alarm rates of the default policy's words."""


def quantise(data: Path, cache: Path, model: Path, out: Path) -> Path:
    """Writes `out`, the 8-bit form of `model`, with ranges taken from training crops; the same input, the same file."""
    crops, pixels = splits.training(read_table(data)), PixelCache(cache)
    out.parent.mkdir(parents=True, exist_ok=True)
    prepared = out.with_suffix(".prepared")
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    convolutions = [node.name for node in onnx.load(str(prepared)).graph.node if node.op_type == "Conv"]
    quantize_static(
        str(prepared),
        str(out),
        _Sample(crops, pixels),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "Relu"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[convolutions[0], convolutions[-1]],
        calibrate_method=CalibrationMethod.MinMax,
    )
    prepared.unlink()
    proto = onnx.load(str(out))
    _stem_in_bytes(proto.graph)
    _forget_unused_domains(proto)
    onnx.save(proto, str(out))
    _centre(proto, model, out, list(_Sample(crops, pixels).batches))
    check_contract(out)
    return out


def compare(data: Path, cache: Path, run: Path, small: Path) -> dict:
    """Scores `small` as `evaluate` does, into `run/int8`, and holds it against the scores of `run`.

    Returns the steps of the AUC per tier, the share of equal words, and `ships`: whether both bounds are kept.
    """
    evaluate(data, cache, small, run / "int8")
    crops = read_table(data)
    before, after = read_scores(run / "scores.tsv"), read_scores(run / "int8" / "scores.tsv")
    fitted = json.loads((run / "calibration.json").read_text(encoding="utf-8"))
    test = splits.test(crops)
    steps = {tier: metrics.auc(*after.sides(test, tier)) - metrics.auc(*before.sides(test, tier)) for tier in TIERS}
    dev = [crop for crop in crops if crop.split == "dev"]
    agreement = float(np.mean([_words(before, dev, tier, fitted) == _words(after, dev, tier, fitted) for tier in TIERS]))
    ships = max(map(abs, steps.values())) <= LARGEST_AUC_STEP and agreement >= SMALLEST_AGREEMENT
    digest = hashlib.sha256(small.read_bytes()).hexdigest()
    found = {"sha256": digest, "auc_steps": steps, "same_words": agreement, "ships": ships}
    (run / "int8.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def _centre(proto: onnx.ModelProto, model: Path, out: Path, feeds: list[dict]) -> None:
    """Takes the mean difference of the logits over `feeds` out of the head's bias; saves `out` again."""
    sessions = open_session(model), open_session(out)
    before, after = (np.concatenate([session.run(["logit"], feed)[0] for feed in feeds]) for session in sessions)
    head = [node for node in proto.graph.node if node.op_type == "Conv"][-1]
    bias = next(tensor for tensor in proto.graph.initializer if tensor.name == head.input[2])
    centred = numpy_helper.to_array(bias) - (after - before).mean(dtype=np.float32)
    bias.CopyFrom(numpy_helper.from_array(centred, bias.name))
    onnx.save(proto, str(out))


def _stem_in_bytes(graph: onnx.GraphProto) -> None:
    """Replaces everything before the first rounded plane by one 8-bit convolution that gives the same planes."""
    rounded = next(node for node in graph.node if node.op_type == "QuantizeLinear")
    planes, step, middle = rounded.output[0], "planes_step", "planes_middle"
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] == planes:
            node.input[1:] = [step, middle]
    replaced = _behind(graph, planes)
    kept = [node for node in graph.node if node.output[0] not in replaced]
    kernels = next(node for node in graph.node if node.op_type == "Conv").input[1]
    shape = next(tuple(tensor.dims) for tensor in graph.initializer if tensor.name == kernels)
    stem = next(made for made in (Stem(), PhaseStem()) if made.weight.shape == shape)
    values = _stem_values(stem) | {step: np.float32(1 / STEPS), middle: np.uint8(128)}
    names = [name for name in values if name.startswith("stem_")]
    front = [
        helper.make_node("Transpose", ["crop"], ["crop_planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Pad", ["crop_planes", "edges"], ["crop_padded"], mode="edge"),
        helper.make_node("QLinearConv", ["crop_padded", *names, step, middle, "bias"], [planes], strides=[stem.stride] * 2),
    ]
    del graph.node[:]
    graph.node.extend([*front, *kept])
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in values.items())
    used = {name for node in graph.node for name in node.input}
    unused = [tensor for tensor in graph.initializer if tensor.name not in used]
    for tensor in unused:
        graph.initializer.remove(tensor)


def _behind(graph: onnx.GraphProto, value: str) -> set[str]:
    """Names of the value and of all that it is made of."""
    found, makers = {value}, {node.output[0]: node for node in graph.node}
    waiting = [value]
    while waiting:
        maker = makers.get(waiting.pop())
        new = set(maker.input) - found if maker else set()
        found |= new
        waiting += new
    return found


def _stem_values(stem: Stem) -> dict[str, np.ndarray]:
    """The stem's kernels and bias as whole numbers; raises `ValueError` where they are none."""
    weight, bias = (tensor.double().numpy() for tensor in stem.kernels())
    fractions = np.repeat(STEM_FRACTIONS, len(weight) // len(STEM_FRACTIONS)).astype(np.float64)
    whole, whole_bias = weight * fractions[:, None, None, None], bias * fractions
    for exact in (whole, whole_bias):
        if np.abs(exact - exact.round()).max() > 1e-4:
            raise ValueError("the stem's kernels are no whole numbers of their fractions")
    return {
        "stem_crop_step": np.float32(1),
        "stem_crop_zero": np.uint8(0),
        "stem_kernels": whole.round().astype(np.int8),
        "stem_kernel_steps": (1 / fractions).astype(np.float32),
        "stem_kernel_zeros": np.zeros(len(weight), np.int8),
        "bias": whole_bias.round().astype(np.int32),
        "edges": np.array([0, 0, 2, 2, 0, 0, 2, 2], np.int64),
    }


def _forget_unused_domains(proto: onnx.ModelProto) -> None:
    """The tools announce operator sets that no node uses; the detector refuses what is not the default one."""
    used = {node.domain for node in proto.graph.node}
    kept = [entry for entry in proto.opset_import if entry.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)


def _words(scores: Scores, crops: list[Crop], tier: str, fitted: dict) -> np.ndarray:
    """The default policy's word for every crop, as a number: 0 `no_evidence` to 3 `likely_synthetic`."""
    llrs = np.clip(fitted["slope"] * scores.of(crops, tier) + fitted["intercept"], -fitted["bound"], fitted["bound"])
    steps = [threshold_for(fitted["false_alarm"], rate) for rate in (SUSPICIOUS_RATE, LIKELY_RATE)]
    return np.searchsorted([NO_EVIDENCE_NATS, *steps], llrs, side="right")


class _Sample(CalibrationDataReader):
    """Batches of delivered training crops."""

    def __init__(self, crops: list[Crop], pixels: PixelCache) -> None:
        self.batches = self._all(crops, pixels)

    def get_next(self) -> dict | None:
        return next(self.batches, None)

    def _all(self, crops: list[Crop], pixels: PixelCache) -> Iterator[dict]:
        rows = np.random.default_rng(SEED).choice(len(crops), SAMPLE, replace=len(crops) < SAMPLE)
        views = [redeliver(pixels[crops[row].row], [SEED, place], SIDE_PX) for place, row in enumerate(rows)]
        for start in range(0, SAMPLE, BATCH):
            yield {"crop": np.stack(views[start : start + BATCH])}
