"""Profiles of known numbers."""

from typing import Any

from edge_bench.bench.records.profile import OperatorTime, Profile

__all__ = ["operator_time", "profile"]


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
    """Return a profile of these operators, and of an invocation of so many microseconds."""
    fields: dict[str, Any] = {
        "model": "m", "variant": "v", "sha256": "0" * 64, "runtime": "litert", "runtime_version": "2.3.0",
        "threads": 1, "batch_size": 1, "profiler": "p", "resolution_seconds": 1e-6, "processes": 3,
        "invocations": 300, "invocation_seconds": invocation / 1e6, "profiled_seconds": 1.5 * invocation / 1e6,
        "operators": list(operators), "model_nodes": len(operators),
    }  # fmt: skip
    return Profile(**(fields | changes))
