"""Parameters of made devices are recovered, and predictions cover what the devices would measure."""

import math

import msgspec
import numpy as np
import pytest

from edge_bench.bench.prediction.device_file import PARAMETERS, ParameterSet
from edge_bench.bench.prediction.fit import MeasuredModel, fit_parameters, weak_prior
from edge_bench.bench.prediction.latency_model import Hardware, Models, log_latencies
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.prediction.work import OperatorWork
from edge_bench.bench.stats.student import t_quantile
from tests.made.prediction.predictions import VALUES, mobile_operators, parameters

NETWORKS = [mobile_operators(size, width) for size in (96, 128, 160, 224) for width in (0.25, 0.5, 1.0)]
UNSEEN = [mobile_operators(size, width) for size in (112, 192) for width in (0.35, 1.4)]


def latency_ns(operators: list[OperatorWork], device: ParameterSet) -> float:
    hardware = Hardware(device.clock_ghz, device.overlap, device.cache_kb)
    return float(np.exp(log_latencies(Models.of([operators]), np.log(device.values), hardware)[0][0]))


def measured(device: ParameterSet, noise: float, seed: int) -> list[MeasuredModel]:
    draw = np.random.default_rng(seed)
    return [
        MeasuredModel(each, latency_ns(each, device) * math.exp(draw.normal(0, noise)) / 1e6, f"family {number % 3}")
        for number, each in enumerate(NETWORKS)
    ]


@pytest.mark.parametrize("overlap", [1.0, 2.0, 60.0])
def test_derivatives_are_those_of_differences(overlap: float) -> None:
    detectors = [[*each, OperatorWork("element_by_element", 0, 0, 1e5, 1e6)] for each in NETWORKS]
    models, point, hardware = Models.of([*NETWORKS, *detectors]), np.log(VALUES), Hardware(1.5, overlap, 512.0)
    derivatives = log_latencies(models, point, hardware)[1]
    for number in range(len(PARAMETERS)):
        step = np.eye(len(PARAMETERS))[number] * 1e-6
        difference = log_latencies(models, point + step, hardware)[0] - log_latencies(models, point - step, hardware)[0]
        assert derivatives[:, number] == pytest.approx(difference / 2e-6, abs=1e-5)


def test_predictions_of_made_devices_cover_their_latencies() -> None:
    prior, covered, errors, draw = weak_prior("xnnpack", "float32", "", 1, 1.5), [], [], np.random.default_rng(1)
    for seed in range(20):
        device = parameters([value * math.exp(draw.normal(0, 0.4)) for value in VALUES])
        fit = fit_parameters(measured(device, 0.02, seed), prior)
        for operators in UNSEEN:
            true, found = latency_ns(operators, device) / 1e6, predict_latency(operators, fit)
            covered.append(found.interval_90[0] <= true <= found.interval_90[1])
            errors.append(abs(found.milliseconds / true - 1))
    assert np.mean(covered) >= 0.9
    assert np.mean(errors) < 0.05


def test_a_parameter_that_the_models_depend_on_is_recovered_within_its_interval() -> None:
    device = parameters()
    fit = fit_parameters(measured(device, 0.01, 3), weak_prior("xnnpack", "float32", "", 1, 1.5))
    deviations = np.sqrt(np.diag(fit.covariance))
    for name, true, value, deviation in zip(PARAMETERS, VALUES, fit.values, deviations, strict=True):
        assert abs(math.log(value / true)) < t_quantile(5.0, 0.995) * deviation, name
    assert deviations[PARAMETERS.index("pointwise")] < 0.4


def test_without_measurements_the_fit_is_the_prior() -> None:
    prior = weak_prior("ruy", "int8", "per-tensor", 4, 1.8)
    assert fit_parameters([], prior) == prior


def test_more_measurements_narrow_the_interval() -> None:
    prior, rows = weak_prior("xnnpack", "float32", "", 1, 1.5), measured(parameters(), 0.02, 5)
    widths = [
        predict_latency(UNSEEN[0], fit_parameters(rows[:count], prior)).interval_90 for count in (0, 1, len(rows))
    ]
    assert widths[0][1] / widths[0][0] > widths[1][1] / widths[1][0] > widths[2][1] / widths[2][0]


def test_cycles_of_one_core_take_their_time_and_widen_the_interval() -> None:
    plain, suppression = NETWORKS[0], OperatorWork("element_by_element", 0.0, 0.0, 0.0)
    few, many = (
        predict_latency([*plain, OperatorWork("element_by_element", 0.0, 0.0, 0.0, cycles)], parameters())
        for cycles in (0.0, 1.5e9)
    )
    assert few == predict_latency([*plain, suppression], parameters())
    assert many.milliseconds - few.milliseconds == pytest.approx(1.5e9 / (parameters().clock_ghz * 1e6))
    assert many.interval_90[1] / many.interval_90[0] > 2 * few.interval_90[1] / few.interval_90[0]


def test_intervals_are_nested_and_shares_are_of_the_whole_time() -> None:
    found = predict_latency(UNSEEN[1], parameters())
    low_80, high_80 = found.interval_80
    assert found.interval_90[0] < low_80 < found.milliseconds < high_80 < found.interval_90[1]
    assert sum(found.shares.values()) == pytest.approx(1)
    assert 0 < found.memory_share < 1


def test_a_model_outside_the_fitted_sizes_has_a_wider_interval_that_says_so() -> None:
    inside = predict_latency(UNSEEN[1], parameters())
    outside = predict_latency(UNSEEN[1], msgspec.structs.replace(parameters(), range_macs=(1e3, 1e5)))
    assert inside.outside == 0
    assert outside.outside > 1
    assert outside.interval_90[1] > inside.interval_90[1]
    assert outside.milliseconds == inside.milliseconds


def test_twice_the_clock_halves_computing_but_not_memory() -> None:
    compute = [OperatorWork("pointwise", 1e9, 0.0, 1.0)]
    memory = [OperatorWork("element_by_element", 0.0, 1e8, 0.0)]
    ratios = [
        predict_latency(each, parameters(), 3.0).milliseconds / predict_latency(each, parameters(), 1.5).milliseconds
        for each in (compute, memory)
    ]
    assert ratios == pytest.approx([0.5, 1.0], abs=0.01)
