"""The fit of the calibration, on machines that are made of known parameters."""

import math

import msgspec
import numpy as np
import pytest

from edge_bench.bench.device_calibration.fitting import MeasuredNetwork, fit_networks
from edge_bench.bench.device_calibration.networks import NETWORKS, write_network
from edge_bench.bench.prediction.device_file import PARAMETERS, ParameterSet
from edge_bench.bench.prediction.fit import MeasuredModel, weak_prior
from edge_bench.bench.prediction.model_operators import read_operators
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.prediction.work import OperatorWork
from edge_bench.bench.stats.student import t_quantile

#: Parameters of a core with a wide and one with a narrow vector unit, of a slow in-order core, and of an odd one.
MACHINES = {
    "wide": (18.0, 65.0, 55.0, 5.5, 40.0, 8.0, 100.0, 1.3),
    "narrow": (2.0, 6.5, 6.0, 1.4, 4.0, 1.5, 4.0, 4.0),
    "in-order": (0.9, 3.0, 2.5, 0.5, 2.0, 0.6, 1.2, 9.0),
    "slow memory": (4.0, 14.0, 12.0, 3.0, 8.0, 0.5, 0.8, 2.0),
}
CLOCK_GHZ, CACHE_KB, NOISE = 1.8, 1024.0, 0.04


@pytest.fixture(scope="module")
def operators(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[OperatorWork]]:
    """The operators of every int8 network."""
    folder, found = tmp_path_factory.mktemp("networks"), {}
    for network in NETWORKS:
        write_network(network, folder / "network.tflite", quantized=True)
        found[network.name] = read_operators(folder / "network.tflite").operators
    return found


def true_set(values: tuple[float, ...]) -> ParameterSet:
    zero = np.zeros((len(PARAMETERS), len(PARAMETERS))).tolist()
    return msgspec.structs.replace(
        weak_prior("xnnpack", "int8", "per-channel", 1, CLOCK_GHZ, CACHE_KB), values=list(values), covariance=zero
    )


def measured(operators: dict[str, list[OperatorWork]], true: ParameterSet, seed: int) -> list[MeasuredNetwork]:
    """Return the networks as measured on that machine, with log-normal differences between networks."""
    differences = np.random.default_rng(seed).normal(0, NOISE, len(NETWORKS))
    return [
        MeasuredNetwork(
            MeasuredModel(
                operators[network.name],
                predict_latency(operators[network.name], true).milliseconds * math.exp(difference),
                network.name,
            ),
            p90_ratio=1.05,
        )
        for network, difference in zip(NETWORKS, differences, strict=True)
    ]


def other_model() -> list[OperatorWork]:
    """A model that is none of the networks: seven kinds of operators in other proportions."""
    return [
        OperatorWork("first_convolution", 10.8e6, 900, 552_000),
        *[OperatorWork("depthwise", 1.8e6, 1200, 500_000)] * 5,
        *[OperatorWork("pointwise", 25e6, 66_000, 600_000)] * 5,
        *[OperatorWork("convolution", 20e6, 150_000, 200_000)] * 4,
        *[OperatorWork("element_by_element", 0, 0, 300_000)] * 6,
        OperatorWork("dense", 1e6, 1_000_000, 2000),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("values", MACHINES.values(), ids=MACHINES)
def test_the_fit_contains_the_true_parameters_and_predicts_another_model(
    values: tuple[float, ...], operators: dict[str, list[OperatorWork]]
) -> None:
    true, truth = true_set(values), np.log(values)
    for seed in range(3):
        fitted = fit_networks(measured(operators, true, seed), "int8", 1, CLOCK_GHZ, CACHE_KB)
        parameters = fitted.parameters
        deviations = np.sqrt(np.diag(parameters.covariance))
        width = t_quantile(parameters.degrees_of_freedom, 0.995) * deviations
        assert (np.abs(np.log(parameters.values) - truth) < width).all()
        assert parameters.method == "own calibration"
        prediction = predict_latency(other_model(), parameters)
        wanted = predict_latency(other_model(), true).milliseconds
        assert prediction.interval_90[0] < wanted < prediction.interval_90[1]
        assert prediction.milliseconds == pytest.approx(wanted, rel=0.15)
        assert prediction.interval_90[1] < 1.7 * prediction.milliseconds
        assert fitted.error < 0.5


@pytest.mark.slow
def test_intervals_contain_new_models_as_often_as_they_state(operators: dict[str, list[OperatorWork]]) -> None:
    inside = []
    for seed in range(20):
        true = true_set(MACHINES["narrow" if seed % 2 else "wide"])
        parameters = fit_networks(measured(operators, true, 100 + seed), "int8", 1, CLOCK_GHZ, CACHE_KB).parameters
        prediction = predict_latency(other_model(), parameters)
        drawn = math.exp(np.random.default_rng(seed).normal(0, NOISE))
        wanted = predict_latency(other_model(), true).milliseconds * drawn
        inside.append(prediction.interval_90[0] < wanted < prediction.interval_90[1])
    assert np.mean(inside) >= 0.85


@pytest.mark.slow
def test_a_disturbed_network_widens_the_intervals(operators: dict[str, list[OperatorWork]]) -> None:
    rows = measured(operators, true_set(MACHINES["narrow"]), seed=1)
    slow = msgspec.structs.replace(rows[2].measured, milliseconds=3 * rows[2].measured.milliseconds)
    quiet = fit_networks(rows, "int8", 1, CLOCK_GHZ, CACHE_KB)
    disturbed = fit_networks(
        [*rows[:2], msgspec.structs.replace(rows[2], measured=slow), *rows[3:]], "int8", 1, CLOCK_GHZ, CACHE_KB
    )
    assert disturbed.error > 2 * quiet.error
    assert disturbed.parameters.between_families > 3 * quiet.parameters.between_families


def test_fewer_networks_than_parameters_are_refused(operators: dict[str, list[OperatorWork]]) -> None:
    rows = measured(operators, true_set(MACHINES["wide"]), 0)[: len(PARAMETERS) - 1]
    with pytest.raises(ValueError, match="7"):
        fit_networks(rows, "int8", 1, CLOCK_GHZ, CACHE_KB)
