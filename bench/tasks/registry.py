"""All tasks, by name."""

from collections.abc import Mapping

from edge_bench.bench.errors import BadInput
from edge_bench.bench.tasks.detection.task import DETECT
from edge_bench.bench.tasks.scores.tasks import BINARY, MULTILABEL, REGRESS
from edge_bench.bench.tasks.segmentation.task import SEGMENT
from edge_bench.bench.tasks.task import Common, Positions, Task
from edge_bench.bench.tasks.tensors.task import TENSOR

__all__ = ["TASKS", "Common", "Positions", "Task", "task_named"]

TASKS: Mapping[str, Task] = {task.name: task for task in (TENSOR, REGRESS, BINARY, MULTILABEL, DETECT, SEGMENT)}


def task_named(name: str) -> Task:
    """Return the task of that name; raise BadInput if there is none."""
    if name not in TASKS:
        raise BadInput(f"unknown task {name[:40]!r}", f"choose from {', '.join(['classify', *TASKS])}")
    return TASKS[name]
