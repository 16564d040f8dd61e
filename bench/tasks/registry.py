"""All tasks, by name. A task is a function per question: measures of quality, their differences, agreement."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.errors import BadInput
from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement

__all__ = ["TASKS", "Positions", "Task", "task_named"]

Positions = npt.NDArray[np.int64]
Common = tuple[Positions, Positions]  # positions of the same examples in the first outputs and in the second


@dataclass(frozen=True)
class Task:
    """What a model's outputs mean.

    measures: quality of outputs against true values (None: in the outputs, or unknown), with a seed for resamples; the
    first is the one in tables. Empty if true values are unknown.
    differences: of the same measures, the first outputs minus the second, on common examples
    agreement: of two configurations' outputs on common examples
    """

    name: str
    summary: str  # for help and documentation
    measures: Callable[[TaskOutputs, TaskTruth | None, int], Sequence[Measure]]
    differences: Callable[[TaskOutputs, TaskOutputs, TaskTruth | None, Common, int], Sequence[MeasureDifference]]
    agreement: Callable[[TaskOutputs, TaskOutputs, Common], TaskAgreement]


TASKS: Mapping[str, Task] = {}


def task_named(name: str) -> Task:
    """Return the task of that name; raise BadInput if there is none."""
    if name not in TASKS:
        raise BadInput(f"no task is called {name[:40]!r}", f"there are: {', '.join(['classify', *TASKS])}")
    return TASKS[name]
