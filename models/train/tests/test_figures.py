"""Figures and calibration on scores whose answers are known."""

import numpy as np
import pytest

from bonafide_train import metrics
from bonafide_train.calibrate import false_alarms, fit_line, threshold_for


def check_auc(real, synthetic, expected):
    assert metrics.auc(np.array(real, float), np.array(synthetic, float)) == pytest.approx(expected)


def test_auc():
    check_auc([0, 1], [2, 3], 1.0)
    check_auc([2, 3], [0, 1], 0.0)
    check_auc([1, 1], [1, 1], 0.5)
    check_auc([0, 2], [1, 3], 0.75)


def test_auc_of_an_empty_side_is_not_a_number():
    assert np.isnan(metrics.auc(np.array([]), np.array([1.0])))


def test_true_positives_at_a_false_positive_rate():
    real, synthetic = np.arange(100.0), np.array([98.5, 99.5, 50.0, 200.0])
    assert metrics.true_positive_rate(real, synthetic, 0.01) == 0.75
    assert metrics.true_positive_rate(real, synthetic, 0.0) == 0.5


def test_evidence_of_nothing_costs_one_bit():
    nothing = np.zeros(10)
    assert metrics.log_likelihood_ratio_cost(nothing, nothing) == pytest.approx(1.0)
    assert metrics.log_likelihood_ratio_cost(nothing - 20, nothing + 20) == pytest.approx(0.0, abs=1e-6)


def test_a_calibrated_score_has_no_calibration_error():
    llr = np.array([np.log(3.0)] * 4 + [-np.log(3.0)] * 4)
    synthetic = np.array([True, True, True, False, True, False, False, False])
    assert metrics.expected_calibration_error(llr, synthetic) == pytest.approx(0.0, abs=1e-9)


def test_two_bells_give_their_likelihood_ratio():
    random = np.random.default_rng(0)
    real, synthetic = random.normal(-1, 1, 4000), random.normal(1, 1, 1000)
    slope, intercept = fit_line(real, synthetic)
    assert slope == pytest.approx(2.0, abs=0.2)
    assert intercept == pytest.approx(0.0, abs=0.15)


def test_a_separable_sample_stays_finite():
    slope, intercept = fit_line(np.array([-2.0, -1.0]), np.array([1.0, 2.0]))
    assert 0 < slope < 100 and abs(intercept) < 1


def test_a_detector_that_points_the_wrong_way_is_refused():
    with pytest.raises(ValueError, match="slope"):
        fit_line(np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.0, 1.5]))


def test_false_alarm_rows_are_ordered_and_never_too_low():
    random = np.random.default_rng(1)
    tiers = [random.normal(-1, 1, 200), random.normal(-0.8, 1, 200)]
    rows = false_alarms(tiers, bound=5.3)
    llrs, rates = [row["llr"] for row in rows], [row["rate"] for row in rows]
    assert llrs == sorted(llrs, reverse=True) and rates == sorted(rates)
    assert rates[0] == pytest.approx(1 / 201, abs=1e-5)
    for row in rows:
        assert row["rate"] >= max((tier >= row["llr"]).mean() for tier in tiers)


def test_no_row_no_promise():
    rows = [{"llr": 2.0, "rate": 0.01}, {"llr": 1.0, "rate": 0.05}, {"llr": 0.0, "rate": 0.4}]
    assert threshold_for(rows, 0.05) == 1.0
    assert threshold_for(rows, 0.001) == float("inf")
