"""Profiles of known numbers."""

from typing import Any

import msgspec

from edge_bench.bench.records.profile import OperatorTime, Peaks, Profile
from edge_bench.bench.records.run import Configuration, Run
from tests.factories import result, run

__all__ = ["FLOAT32", "INT8", "PEAKS", "operator_time", "profile", "profiled_run"]


def operator_time(index: int, kind: str, microseconds: float, **changes: Any) -> OperatorTime:
    """Return an operator with a time, which covers the node of its index."""
    seconds = microseconds / 1e6
    fields: dict[str, Any] = {
        "index": index, "kind": kind, "name": f"{kind.lower()}_{index}", "nodes": [index], "kernel": "k",
        "seconds": seconds, "lower_seconds": seconds, "upper_seconds": seconds, "macs": 1000, "bytes_moved": 400,
        "precision": "float32",
    }  # fmt: skip
    return OperatorTime(**(fields | changes))


def profile(*operators: OperatorTime, invocation: float, **changes: Any) -> Profile:
    """Return a profile of these operators. ``invocation``: duration of an invocation in microseconds."""
    fields: dict[str, Any] = {
        "model": "m", "variant": "v", "sha256": "0" * 64, "runtime": "litert", "runtime_version": "2.3.0",
        "threads": 1, "batch_size": 1, "profiler": "p", "resolution_seconds": 1e-6, "processes": 3,
        "invocations": 300, "invocation_seconds": invocation / 1e6, "profiled_seconds": 1.5 * invocation / 1e6,
        "operators": list(operators), "model_nodes": len(operators),
    }  # fmt: skip
    return Profile(**(fields | changes))


PEAKS = Peaks(
    threads=1,
    macs_per_second={"float32": 50e9, "int8": 200e9},
    bytes_per_second=20e9,
    cached_bytes_per_second=80e9,
    cache_bytes=32 << 20,
    method="made",
)


def _cnn(variant: str, precision: str, item_bytes: int, layers: list[tuple[str, str, float, int, int]]) -> Profile:
    """Return a profile of layers: kind, name, microseconds, MACs and values moved. Quartiles are 2 % from the times."""
    operators = [
        operator_time(
            number, kind, microseconds, name=name, macs=macs, bytes_moved=values * item_bytes,
            precision=precision if macs else "", lower_seconds=0.98e-6 * microseconds,
            upper_seconds=1.02e-6 * microseconds,
        )
        for number, (kind, name, microseconds, macs, values) in enumerate(layers)
    ]  # fmt: skip
    total = sum(microseconds for _, _, microseconds, _, _ in layers)
    return profile(*operators, invocation=total + 2, variant=variant, resolution_seconds=0.0, peaks=PEAKS)


FLOAT32 = _cnn(
    "float32", "float32", 4,
    [
        ("CONV_2D", "net/conv2d/Relu;net/conv2d/Conv2D", 80, 884_736, 20_000),
        ("MAX_POOL_2D", "net/max_pooling2d/MaxPool", 10, 0, 20_000),
        ("CONV_2D", "net/activation/Relu;net/conv2d_1/Conv2D", 120, 4_718_592, 35_000),
        ("FULLY_CONNECTED", "net/dense/MatMul", 10, 40_960, 42_000),
        ("SOFTMAX", "Identity", 1, 0, 20),
    ],
)  # fmt: skip
#: The same model: convolutions are four times as fast, the dense layer is slower, and there is a quantization.
INT8 = _cnn(
    "int8", "int8", 1,
    [
        ("QUANTIZE", "tfl.quantize", 4, 0, 15_360),
        ("CONV_2D", "net/conv2d/Relu;net/conv2d/Conv2D", 20, 884_736, 20_000),
        ("MAX_POOL_2D", "net/max_pooling2d/MaxPool", 10, 0, 20_000),
        ("CONV_2D", "net/activation/Relu;net/conv2d_1/Conv2D", 30, 4_718_592, 35_000),
        ("FULLY_CONNECTED", "net/dense/MatMul", 12, 40_960, 42_000),
        ("SOFTMAX", "Identity_int8", 1, 0, 20),
    ],
)  # fmt: skip


def profiled_run(*profiles: Profile, **changes: Any) -> Run:
    """Return a Run with a configuration for each profile."""
    results = []
    for each in profiles:
        configuration = Configuration(
            variant=each.variant, runtime=each.runtime, threads=each.threads, batch_size=each.batch_size
        )
        made = result("x", "y", 100 * each.invocation_seconds)
        results.append(msgspec.structs.replace(made, configuration=configuration, profile=each))
    return msgspec.structs.replace(run(*results), **changes)
