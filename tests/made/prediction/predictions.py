"""Predictions, devices and models for tests."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.bench.prediction.answer import PredictedModel
from edge_bench.bench.prediction.device_file import FORMAT, Device, ParameterSet
from edge_bench.bench.prediction.predict import Prediction
from edge_bench.bench.prediction.work import OperatorWork
from tests.made.tflite import TfliteBuilder

__all__ = ["device", "mobile_operators", "parameters", "predicted", "refused", "small_model"]

#: Parameters of a made core in the order of PARAMETERS.
VALUES = [2.0, 3.0, 3.2, 0.9, 1.5, 3.0, 6.0, 5.0]


def parameters(values: list[float] | None = None, deviation: float = 0.05, **changes: object) -> ParameterSet:
    """Return a parameter set of a made core."""
    made = ParameterSet(
        kernels="xnnpack",
        precision="float32",
        scheme="",
        threads=1,
        clock_ghz=1.5,
        method="published",
        values=values or VALUES,
        covariance=(np.eye(8) * deviation**2).tolist(),
        between_families=0.03,
        residual=0.02,
        rows=12,
        families=["a", "b"],
        sources=["somebody"],
        range_macs=(1e6, 1e9),
    )
    return msgspec.structs.replace(made, **changes)


def device(*sets: ParameterSet, **changes: object) -> Device:
    """Return a made board."""
    made = Device(
        format=FORMAT,
        name="made",
        board="Made Board",
        core="Cortex-A72",
        order="out-of-order",
        cores=4,
        clock_ghz=1.5,
        clock_evidence="made",
        macs_per_cycle={"float32": 4.0, "int8": 8.0},
        isa=["neon"],
        memory_mb=[1024],
        reliable=True,
        parameters=list(sets) or [parameters()],
    )
    return msgspec.structs.replace(made, **changes)


def mobile_operators(size: int, width: float) -> list[OperatorWork]:
    """Return a network of depthwise and 1 × 1 convolutions for images of ``size`` pixels, as float32."""
    side, channels = size // 2, max(8, round(32 * width))
    found = [OperatorWork("first_convolution", side**2 * channels * 27.0, channels * 112.0, side**2 * channels * 4.0)]
    for _ in range(5):
        more = 2 * channels
        found += [
            OperatorWork("depthwise", side**2 * channels * 9.0, channels * 40.0, side**2 * channels * 8.0),
            OperatorWork("pointwise", side**2 * channels * more * 1.0, channels * more * 4.0, side**2 * more * 6.0),
            OperatorWork("convolution", side**2 * more * 72.0, more * 300.0, side**2 * more * 8.0),
            OperatorWork("element_by_element", 0.0, 0.0, side**2 * more * 8.0),
        ]
        side, channels = max(side // 2, 2), more
    return [*found, OperatorWork("dense", channels * 1000.0, channels * 4000.0, 4.0 * (channels + 1000))]


def predicted(name: str) -> PredictedModel:
    """Return a prediction with this name as every text."""
    prediction = Prediction(10.0, (9.0, 11.0), (8.0, 12.0), 10.1, (8.0, 13.0), {"pointwise": 0.75, "dense": 0.25}, 0.5,
                            0.1, 1.0)  # fmt: skip
    return PredictedModel(
        model=name, graph=name, other_graphs=[name], device=name, board=name, threads=4, runtime=name, kernels=name,
        precision=name, scheme=name, prediction=prediction, limited_by="compute", method="published", clock_ghz=1.5,
        fitted_clock_ghz=1.8, measured_with=name, rows=3, families=[name],
        sources=[name], unseen={"dense": 0.25}, unmodelled={name: 2}, unmodelled_share=0.01, memory_bytes=1000,
        device_memory_bytes=[512 << 20], calibrated=name, reliable=False, leave_one_out_error=0.1,
    )  # fmt: skip


def refused(name: str) -> PredictedModel:
    """Return a refusal with this name as every text."""
    return PredictedModel(
        model=name, device=name, board=name, threads=1, runtime=name, kernels=name, precision=name, scheme=name,
        refusal=name, remedy=name,
    )  # fmt: skip


def small_model(
    path: Path, *, kind: str = "float32", custom: int = 0, open_shape: Sequence[int] = (), others: Sequence[str] = ()
) -> Path:
    """Write a model with a first, a depthwise and a 1 × 1 convolution and a dense layer; return its path.

    kind: float32, int8 or dynamic; ``custom`` values of an operator that is not modelled
    open_shape: of the input, -1 for an open axis; ``others`` are signatures of a second graph
    """
    made = TfliteBuilder()
    values = "INT8" if kind == "int8" else "FLOAT32"
    weights, item = ("FLOAT32", np.float32) if kind == "float32" else ("INT8", np.int8)

    def weight(*shape: int) -> int:
        return made.tensor(*shape, data=np.ones(shape, item), kind=weights, scale=0 if kind == "float32" else 0.1)

    def layer(operator: str, inputs: int, shape: tuple[int, ...], *of_weights: int) -> int:
        return made.operator(operator, [inputs, weight(*of_weights)], [made.tensor(*shape, kind=values)])

    entry = made.tensor(1, 16, 16, 3, kind=values, open_shape=open_shape)
    first = layer("CONV_2D", entry, (1, 8, 8, 8), 8, 3, 3, 3)
    second = layer("DEPTHWISE_CONV_2D", first, (1, 8, 8, 8), 1, 3, 3, 8)
    third = layer("CONV_2D", second, (1, 8, 8, 16), 16, 1, 1, 8)
    flat = layer("FULLY_CONNECTED", third, (1, 10), 10, 1024)
    if custom:
        flat = made.operator("CUSTOM", [flat], [made.tensor(custom)], custom="Odd")
    graph = made.graph
    if others:
        made.signature("classify", {"x": entry}, {"y": flat})
        made.new_graph("second")
        end = made.operator("RELU", [made.tensor(1, 4)], [made.tensor(1, 4)])
        for key in others:
            made.signature(key, {"x": 0}, {"y": end}, graph=1)
        made.graph.inputs, made.graph.outputs = [0], [end]
        made.graph = graph
    return made.save(path, [entry], [flat])
