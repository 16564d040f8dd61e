"""The definition of a task: one function for each question of tables, comparisons, the gate and the report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.outputs.union import TaskOutputs, TaskTruth
from edge_bench.bench.tasks.measures import Measure, MeasureDifference, TaskAgreement

__all__ = ["Common", "Positions", "Task"]

Positions = npt.NDArray[np.int64]
Common = tuple[Positions, Positions]  # positions of the same examples in the first outputs and in the second


@dataclass(frozen=True)
class Task:
    """The meaning of a model's outputs.

    measures: quality of outputs against true values (None: in the outputs, or unknown), with a seed for resamples, or
    None for no intervals; the first is the one in tables. Empty if true values are unknown.
    differences: of the same measures, the first outputs minus the second, on common examples; the true values are of
    the first outputs' examples
    agreement: of two configurations' outputs on common examples
    """

    name: str
    summary: str  # for help and documentation
    measures: Callable[[TaskOutputs, TaskTruth | None, int | None], Sequence[Measure]]
    differences: Callable[[TaskOutputs, TaskOutputs, TaskTruth | None, Common, int], Sequence[MeasureDifference]]
    agreement: Callable[[TaskOutputs, TaskOutputs, Common], TaskAgreement]
    scoring: str = ""  # description of its measures, as a phrase for notes below tables; empty if it has none
