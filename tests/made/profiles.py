"""Profiles of known times, and Runs that have them."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.bench.records.profile import OperatorTime, Peaks, Profile
from edge_bench.bench.records.run import Run
from tests.factories import result, run

__all__ = ["FLOAT32", "INT8", "PEAKS", "operator", "profile", "profiled_run"]

PEAKS = Peaks(
    threads=1,
    macs_per_second={"float32": 50e9, "int8": 200e9},
    bytes_per_second=20e9,
    cached_bytes_per_second=80e9,
    cache_bytes=32 << 20,
    method="made",
)


def operator(kind: str, name: str, microseconds: float, spread: float = 0.02, **changes: Any) -> OperatorTime:
    """Return an operator whose quartiles are ``spread`` from its time; its index is set by `profile`."""
    seconds = microseconds / 1e6
    times = {
        "seconds": seconds, "lower_seconds": seconds * (1 - spread), "upper_seconds": seconds * (1 + spread),
    }  # fmt: skip
    return OperatorTime(**({"index": 0, "kind": kind, "name": name, "precision": "float32", **times} | changes))


def profile(operators: Sequence[OperatorTime], between: float = 2.0, **changes: Any) -> Profile:
    """Return a profile of these operators in their order, with ``between`` microseconds between them."""
    placed = [msgspec.structs.replace(each, index=number, nodes=[number]) for number, each in enumerate(operators)]
    seconds = sum(each.seconds for each in placed) + between / 1e6
    fields: dict[str, Any] = {
        "model": "m", "variant": "float32", "sha256": "", "runtime": "litert", "threads": 1, "batch_size": 1,
        "profiler": "made", "processes": 3, "invocations": 90, "invocation_seconds": seconds,
        "profiled_seconds": seconds, "operators": placed, "model_nodes": len(placed), "peaks": PEAKS,
    }  # fmt: skip
    return Profile(**(fields | changes))


def _layers(quantized: bool) -> list[OperatorTime]:
    """A small CNN. Quantized: convolutions four times as fast, the dense layer slower, and a quantization."""
    size, precision = (1, "int8") if quantized else (4, "float32")
    convolutions = 0.25 if quantized else 1.0
    layers = [
        operator("CONV_2D", "net/conv2d/Relu;net/conv2d/Conv2D", 80 * convolutions, macs=884_736,
                 bytes_moved=20_000 * size, precision=precision),
        operator("MAX_POOL_2D", "net/max_pooling2d/MaxPool", 10, macs=0, bytes_moved=20_000 * size, precision=""),
        operator("CONV_2D", "net/activation/Relu;net/conv2d_1/Conv2D", 120 * convolutions, macs=4_718_592,
                 bytes_moved=35_000 * size, precision=precision),
        operator("FULLY_CONNECTED", "net/dense/MatMul", 12 if quantized else 10, macs=40_960,
                 bytes_moved=42_000 * size, precision=precision),
        operator("SOFTMAX", "Identity", 1, macs=0, bytes_moved=20 * size, precision=""),
    ]  # fmt: skip
    quantize = operator("QUANTIZE", "tfl.quantize", 4, macs=0, bytes_moved=5 * 3_072, precision="")
    return [quantize, *layers] if quantized else layers


FLOAT32 = profile(_layers(quantized=False))
INT8 = profile(_layers(quantized=True), variant="int8")


def profiled_run(*profiles: Profile, **changes: Any) -> Run:
    """Return a Run with a configuration for each profile."""
    results = [
        msgspec.structs.replace(result(each.variant, each.runtime, 100 * each.invocation_seconds), profile=each)
        for each in profiles
    ]
    return msgspec.structs.replace(run(*results), **changes)
