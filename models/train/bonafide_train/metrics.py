"""Figures over scores. Scores rise with the belief that a picture is synthetic; arrays are one-dimensional."""

import numpy as np


def auc(real: np.ndarray, synthetic: np.ndarray) -> float:
    """Chance that a synthetic picture scores above a real one, ties counting half; NaN when a side is empty."""
    if not len(real) or not len(synthetic):
        return float("nan")
    ordered = np.sort(real)
    below = np.searchsorted(ordered, synthetic, side="left")
    not_above = np.searchsorted(ordered, synthetic, side="right")
    return float((below + not_above).mean() / 2 / len(real))


def true_positive_rate(real: np.ndarray, synthetic: np.ndarray, false_positive_rate: float) -> float:
    """Share of synthetic pictures above the lowest threshold that at most this share of real ones exceeds."""
    allowed = int(np.floor(false_positive_rate * len(real)))
    threshold = np.sort(real)[::-1][allowed]
    return float((synthetic > threshold).mean())


def balanced_accuracy(real: np.ndarray, synthetic: np.ndarray, threshold: float) -> float:
    """Mean of the shares of real pictures below and of synthetic ones at or above the threshold."""
    return float(((real < threshold).mean() + (synthetic >= threshold).mean()) / 2)


def auc_interval(real: np.ndarray, synthetic: np.ndarray, draws: int = 500) -> tuple[float, float]:
    """95 % interval of the AUC by bootstrap over pictures, with a fixed seed."""
    random = np.random.default_rng(0)
    values = [auc(random.choice(real, len(real)), random.choice(synthetic, len(synthetic))) for _ in range(draws)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def log_likelihood_ratio_cost(real: np.ndarray, synthetic: np.ndarray) -> float:
    """C_llr in bits of llr in nats: 0 is perfect, 1 is worth nothing, above 1 misleads."""
    return float((np.logaddexp(0, real).mean() + np.logaddexp(0, -synthetic).mean()) / 2 / np.log(2))


def expected_calibration_error(llr: np.ndarray, synthetic: np.ndarray, bins: int = 10) -> float:
    """Mean distance of stated and found probability over equal bins, both classes weighing the same."""
    stated = 1 / (1 + np.exp(-llr))
    weight = np.where(synthetic, 0.5 / max(synthetic.sum(), 1), 0.5 / max((~synthetic).sum(), 1))
    place = np.minimum((stated * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weight * (stated - synthetic), minlength=bins)
    return float(np.abs(gaps).sum())
