"""Measures the ONNX file itself: scores every dev crop at every tier, then reports figures.

Scores go to `scores.tsv` (one row per crop, tier or gate), figures to `figures.json` in the run's folder.
"""

import csv
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from . import metrics, splits
from .data import Crop, PixelCache, read_table
from .export import open_session
from .tiers import GATES, TIERS, deliver, treat


@dataclass(frozen=True)
class Scores:
    """Logits by delivery (a tier, or `gate:` and a treatment) and member name."""

    logits: dict[str, dict[str, float]]

    def of(self, crops: list[Crop], delivery: str) -> np.ndarray:
        """Logits of `crops` in their order, `float64 [n]`."""
        return np.array([self.logits[delivery][crop.member] for crop in crops])

    def sides(self, crops: list[Crop], delivery: str) -> tuple[np.ndarray, np.ndarray]:
        """Logits of the real and of the synthetic ones among `crops`."""
        return tuple(self.of([c for c in crops if c.synthetic is side], delivery) for side in (False, True))


def evaluate(data: Path, cache: Path, model: Path, run: Path, show_test: bool = False) -> dict:
    """Scores the dev crops, writes both files into `run` and returns the figures.

    Prints what a choice between models may rest on, the calibration part; the test part only with `show_test`.
    """
    run.mkdir(parents=True, exist_ok=True)
    crops = read_table(data)
    scores = _score_all(crops, PixelCache(cache), open_session(model))
    write_scores(scores, run / "scores.tsv")
    figures = summarise(crops, scores)
    (run / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    _show(figures if show_test else for_choosing(figures))
    return figures


def summarise(crops: list[Crop], scores: Scores) -> dict:
    """Pooled figures per tier, figures per source, bias gates; all on the test part but for `choice` and marked rows."""
    test, calibration = splits.test(crops), splits.calibration(crops)
    return {
        "tiers": {tier: _pooled(test, scores, tier) for tier in TIERS},
        "choice": {tier: _pooled(calibration, scores, tier) for tier in TIERS},
        "sources": [
            *_sources(test, test, scores, ""),
            *_sources(calibration, calibration, scores, CALIBRATION_REMARK),
            *_sources(splits.same_sheet(crops), test, scores, "same sheets as training"),
        ],
        "gates": _gates(test, scores),
    }


def for_choosing(figures: dict) -> dict:
    """The figures without those of the test part, which would be spent by looking before a model is chosen."""
    rows = [row for row in figures["sources"] if row["remark"] == CALIBRATION_REMARK]
    return {"tiers": figures["choice"], "sources": rows}


def write_scores(scores: Scores, path: Path) -> None:
    """Writes one row per delivery and member."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        writer.writerow(["delivery", "member", "logit"])
        for delivery, logits in scores.logits.items():
            writer.writerows([delivery, member, f"{logit:.5f}"] for member, logit in logits.items())


def read_scores(path: Path) -> Scores:
    """Reads what `write_scores` wrote."""
    logits: dict[str, dict[str, float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            logits.setdefault(row["delivery"], {})[row["member"]] = float(row["logit"])
    return Scores(logits)


def _score_all(crops: list[Crop], pixels: PixelCache, session: onnxruntime.InferenceSession) -> Scores:
    dev = [crop for crop in crops if crop.split == "dev"]
    real = [crop for crop in splits.test(crops) if not crop.synthetic]
    logits = {tier: _score(dev, session, _delivered(pixels, tier)) for tier in TIERS}
    logits |= {f"gate:{gate}": _score(real, session, _treated(pixels, gate)) for gate in GATES}
    return Scores(logits)


def _delivered(pixels: PixelCache, tier: str) -> Callable[[Crop], np.ndarray]:
    return lambda crop: deliver(pixels[crop.row], crop.member, tier)


def _treated(pixels: PixelCache, gate: str) -> Callable[[Crop], np.ndarray]:
    return lambda crop: treat(pixels[crop.row], gate)


def _score(
    crops: list[Crop], session: onnxruntime.InferenceSession, view: Callable[[Crop], np.ndarray]
) -> dict[str, float]:
    started, found = time.monotonic(), {}
    for start in range(0, len(crops), BATCH):
        group = crops[start : start + BATCH]
        batch = np.stack([view(crop) for crop in group])
        logits = session.run(["logit"], {"crop": batch})[0]
        found.update(zip((crop.member for crop in group), map(float, logits), strict=True))
    print(f"{len(crops)} crops in {time.monotonic() - started:.0f} s", flush=True)
    return found


def _pooled(crops: list[Crop], scores: Scores, tier: str) -> dict:
    real, synthetic = scores.sides(crops, tier)
    low, high = metrics.auc_interval(real, synthetic)
    return {
        "auc": metrics.auc(real, synthetic),
        "auc_low_95": low,
        "auc_high_95": high,
        "auc_mean_of_sources": _mean_of_sources(crops, scores, tier),
        "tpr_at_fpr_1pct": metrics.true_positive_rate(real, synthetic, 0.01),
        "tpr_at_fpr_5pct": metrics.true_positive_rate(real, synthetic, 0.05),
        "real_pictures": len(real),
        "synthetic_pictures": len(synthetic),
    }


def _mean_of_sources(crops: list[Crop], scores: Scores, tier: str) -> float:
    """Mean AUC over all pairs of a real and a synthetic source: every source weighs the same."""
    groups = {side: _by_source([c for c in crops if c.synthetic is side]) for side in (False, True)}
    pairs = [
        metrics.auc(scores.of(real, tier), scores.of(synthetic, tier))
        for real in groups[False].values()
        for synthetic in groups[True].values()
    ]
    return float(np.mean(pairs))


def _sources(crops: list[Crop], against: list[Crop], scores: Scores, remark: str) -> list[dict]:
    rows = []
    for name, group in sorted(_by_source(crops).items()):
        synthetic = group[0].synthetic
        other = [crop for crop in against if crop.synthetic is not synthetic]
        row = {"name": name, "label": "synthetic" if synthetic else "real", "remark": remark, "pictures": len(group)}
        for tier in TIERS:
            sides = scores.of(group, tier), scores.of(other, tier)
            row[f"auc_{tier}"] = metrics.auc(*(reversed(sides) if synthetic else sides))
        rows.append(row)
    return rows


def _gates(test: list[Crop], scores: Scores) -> dict:
    """False alarms among treated real pictures where 5 % of the untreated ones raise one."""
    real = [crop for crop in test if not crop.synthetic]
    threshold = np.quantile(scores.of(real, "clean"), 0.95)
    return {gate: float((scores.of(real, f"gate:{gate}") > threshold).mean()) for gate in GATES}


def _by_source(crops: list[Crop]) -> dict[str, list[Crop]]:
    groups: dict[str, list[Crop]] = {}
    for crop in crops:
        groups.setdefault(crop.source, []).append(crop)
    return groups


def _show(figures: dict) -> None:
    for tier, row in figures["tiers"].items():
        print(tier, " ".join(f"{name}={value:.3f}" for name, value in row.items()))
    for row in figures["sources"]:
        aucs = " ".join(f"{row[f'auc_{tier}']:.3f}" for tier in TIERS)
        print(f"{aucs}  {row['label']:9} n={row['pictures']:3} {row['name']} {row['remark']}")
    if "gates" in figures:
        print("gates (base 0.05):", figures["gates"])


BATCH = 8

CALIBRATION_REMARK = "calibration part"
