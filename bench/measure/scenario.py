"""What a user of the model waits for, and so which batch sizes are measured."""

from collections.abc import Sequence
from enum import StrEnum

from edge_bench.bench.errors import BadInput

__all__ = ["Scenario", "batch_sizes_for"]

#: Batch sizes that the offline scenario sweeps for the most images a second.
OFFLINE_BATCH_SIZES = (1, 8, 32, 100)


class Scenario(StrEnum):
    """What a user of the model waits for. The names are MLPerf Inference's."""

    OFFLINE = "offline"  # all images are there: the most images a second, whatever the batch
    SINGLE_STREAM = "single-stream"  # one image at a time: the least latency


def batch_sizes_for(scenario: Scenario | None, stated: Sequence[int] | None) -> Sequence[int] | None:
    """The batch sizes of a scenario; None where each runtime has its own. BadInput where the two contradict."""
    if scenario is Scenario.OFFLINE:
        return stated or OFFLINE_BATCH_SIZES
    if scenario is Scenario.SINGLE_STREAM:
        if stated and list(stated) != [1]:
            raise BadInput("--scenario single-stream is one image at a time", "leave --batch-size out, or say 1")
        return (1,)
    return stated
