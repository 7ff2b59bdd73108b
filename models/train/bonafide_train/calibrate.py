"""Gives the logit a unit: fits llr = slope * logit + intercept and counts false alarms, on the calibration part.

Every calibration crop is seen in all three tiers, because production does not know how a picture was delivered;
pictures, not views, are counted. The result is checked on the test part, which fits nothing.
"""

import json
from pathlib import Path

import numpy as np

from . import metrics, splits
from .data import Crop, read_table
from .evaluate import Scores, read_scores
from .tiers import TIERS

FALSE_ALARM_COUNTS = (0, 1, 2, 3, 4, 6, 8, 11, 15, 21, 29, 40, 55, 75, 105, 145, 200)
"""Rows of the false-alarm table: how many real calibration pictures may reach the row's llr, in the worst tier."""


def calibrate(data: Path, run: Path) -> dict:
    """Reads `scores.tsv` of `run`, writes `calibration.json` there and returns its content."""
    crops, scores = read_table(data), read_scores(run / "scores.tsv")
    fitted = fit(splits.calibration(crops), scores)
    fitted["test"] = check(splits.test(crops), scores, fitted)
    (run / "calibration.json").write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in fitted.items() if name != "test"}, indent=1))
    return fitted


def fit(crops: list[Crop], scores: Scores) -> dict:
    """Fits line and false-alarm table on `crops`."""
    sides = [scores.sides(crops, tier) for tier in TIERS]
    real, synthetic = (np.concatenate(views) for views in zip(*sides, strict=True))
    slope, intercept = fit_line(real, synthetic)
    counts = len(sides[0][0]), len(sides[0][1])
    bound = float(np.log(min(counts) + 1))
    real_llrs = [np.clip(slope * views[0] + intercept, -bound, bound) for views in sides]
    return {
        "slope": slope,
        "intercept": intercept,
        "real_pictures": counts[0],
        "synthetic_pictures": counts[1],
        "bound": bound,
        "false_alarm": false_alarms(real_llrs, bound),
    }


def fit_line(real: np.ndarray, synthetic: np.ndarray, rounds: int = 50) -> tuple[float, float]:
    """Logistic regression by Newton's method, both classes weighing the same: returns slope and intercept.

    Targets are drawn in by one picture per class (Platt 1999), so that a separable sample stays finite. Raises
    `ValueError` when the slope is not above 0: such a detector must not ship.
    """
    logits = np.concatenate([real, synthetic])
    target = np.repeat([1 / (len(real) + 2), (len(synthetic) + 1) / (len(synthetic) + 2)], [len(real), len(synthetic)])
    weight = np.repeat([0.5 / len(real), 0.5 / len(synthetic)], [len(real), len(synthetic)])
    design = np.stack([logits, np.ones_like(logits)], axis=1)
    line = np.zeros(2)
    for _ in range(rounds):
        stated = 1 / (1 + np.exp(-np.clip(design @ line, -30, 30)))
        slope_of_loss = design.T @ (weight * (stated - target))
        curvature = (design * (weight * stated * (1 - stated))[:, None]).T @ design + 1e-9 * np.eye(2)
        line = line - np.linalg.solve(curvature, slope_of_loss)
    if not line[0] > 0:
        raise ValueError(f"the calibrated slope is {line[0]}: higher logits do not speak for synthetic")
    return float(line[0]), float(line[1])


def false_alarms(real_llrs: list[np.ndarray], bound: float) -> list[dict]:
    """Rows of llr and rate, llr falling; `real_llrs` holds the same real pictures once per tier.

    A row's rate is (k + 1) / (n + 1) with the k of the worst tier: an upper bound at every tier.
    """
    pictures = len(real_llrs[0])
    falling = [np.sort(llrs)[::-1] for llrs in real_llrs]
    rows: list[dict] = []
    for allowed in FALSE_ALARM_COUNTS:
        if allowed >= pictures:
            break
        llr = float(np.ceil(max(llrs[allowed] for llrs in falling) * 1e3) / 1e3 + 1e-3)
        reached = max(int((llrs >= llr).sum()) for llrs in falling)
        if llr < bound and (not rows or llr < rows[-1]["llr"]):
            rows.append({"llr": round(llr, 3), "rate": round((reached + 1) / (pictures + 1), 5)})
    return rows


def check(crops: list[Crop], scores: Scores, fitted: dict) -> dict:
    """What the calibration is worth on pictures of other sources, per tier."""
    found = {}
    for tier in TIERS:
        real, synthetic = (_llr(logits, fitted) for logits in scores.sides(crops, tier))
        both = np.concatenate([real, synthetic])
        labels = np.repeat([False, True], [len(real), len(synthetic)])
        row = {
            "cllr_bits": metrics.log_likelihood_ratio_cost(real, synthetic),
            "ece": metrics.expected_calibration_error(both, labels),
            "balanced_accuracy_at_llr_0": metrics.balanced_accuracy(real, synthetic, 0.0),
        }
        for promised in (0.01, 0.05):
            threshold = threshold_for(fitted["false_alarm"], promised)
            name = f"{promised * 100:.0f}pct"
            row[f"false_alarms_where_{name}_promised"] = float((real >= threshold).mean())
            row[f"detected_where_{name}_promised"] = float((synthetic >= threshold).mean())
        found[tier] = row
    return found


def threshold_for(rows: list[dict], rate: float) -> float:
    """Lowest llr of the table whose false-alarm rate is at most `rate`; infinite when no row promises it."""
    return min((row["llr"] for row in rows if row["rate"] <= rate), default=float("inf"))


def _llr(logits: np.ndarray, fitted: dict) -> np.ndarray:
    return np.clip(fitted["slope"] * logits + fitted["intercept"], -fitted["bound"], fitted["bound"])
