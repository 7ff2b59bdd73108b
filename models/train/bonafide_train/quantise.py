"""Turns the exported file into one that computes in bytes, and says whether nobody would notice.

Stem, head and the two strided convolutions that see the residuals stay in float: the residuals are the evidence, the
head's sum is the answer. The blocks between become 8-bit operations of the default ONNX domain. Weights keep to seven bits, because processors without VNNI add
pairs of products in 16 bits and saturate with eight: scores would depend on the machine.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from . import metrics, splits
from .augment import redeliver
from .calibrate import threshold_for
from .data import SIDE_PX, Crop, PixelCache, read_table
from .evaluate import Scores, evaluate, read_scores
from .export import check_contract
from .tiers import TIERS

SAMPLE = 192
"""Training crops, each delivered at random, that fix the ranges of the planes."""

FLOAT_CONVOLUTIONS = 3
"""The stem's and the two strided ones; with the strided ones in bytes the AUC moves by 0.003 (EXPERIMENTS.md)."""

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
        op_types_to_quantize=["Conv", "Add", "Relu"],
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[*convolutions[:FLOAT_CONVOLUTIONS], convolutions[-1]],
        calibrate_method=CalibrationMethod.MinMax,
    )
    prepared.unlink()
    _forget_unused_domains(out)
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
    found = {"auc_steps": steps, "same_words": agreement, "ships": ships}
    (run / "int8.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def _forget_unused_domains(model: Path) -> None:
    """The tools announce operator sets that no node uses; the detector refuses what is not the default one."""
    proto = onnx.load(str(model))
    used = {node.domain for node in proto.graph.node}
    kept = [entry for entry in proto.opset_import if entry.domain in used]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
    onnx.save(proto, str(model))


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
