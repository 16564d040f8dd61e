"""Benchmark scenarios and their batch sizes."""

from collections.abc import Sequence
from enum import StrEnum

from edge_bench.bench.errors import BadInput

__all__ = ["Scenario", "batch_sizes_for"]

#: Batch sizes of the offline scenario, one of which has the highest throughput.
OFFLINE_BATCH_SIZES = (1, 8, 32, 100)


class Scenario(StrEnum):
    """How the model is used. The names are those of MLPerf Inference."""

    OFFLINE = "offline"  # all images are available: maximize throughput with any batch size
    SINGLE_STREAM = "single-stream"  # one image at a time: minimize latency


def batch_sizes_for(scenario: Scenario | None, stated: Sequence[int] | None) -> Sequence[int] | None:
    """Return the batch sizes to measure, None for each runtime's default; raise BadInput if the options conflict."""
    if scenario is Scenario.OFFLINE:
        return stated or OFFLINE_BATCH_SIZES
    if scenario is Scenario.SINGLE_STREAM:
        if stated and list(stated) != [1]:
            raise BadInput("--scenario single-stream measures one image at a time", "omit --batch-size, or use 1")
        return (1,)
    return stated
