"""Differences between two Runs."""

from edge_bench.bench.records.run import Result, Run

__all__ = ["differences"]


def differences(run: Run, result: Result, other: Run, other_result: Result) -> list[str]:
    return []
