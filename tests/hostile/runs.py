"""Runs in which every text is hostile."""

import msgspec
import numpy as np

from edge_bench.bench.records.run import Run
from tests.fuzz import seeds
from tests.made.graph.task_runs import task_result, task_run, tensors
from tests.struct_paths import with_every_text

#: Texts that a record cannot be read without, or that edge-bench chooses from a list.
FIXED = (
    "schema_version", "began", "dtype", "data", "source", "run_id", "task", "where", "payload", "link", "parts",
    "links", "arms",
)  # fmt: skip


def hostile_runs(name: str) -> list[Run]:
    """Two Runs of two machines, whose configurations have names of their own so that there is something to compare."""
    first, other = (with_every_text(each, name, but=FIXED) for each in seeds.runs())
    results = [
        msgspec.structs.replace(
            result, configuration=msgspec.structs.replace(result.configuration, runtime=f"{name}{number}")
        )
        for number, result in enumerate(first.results)
    ]
    machine = msgspec.structs.replace(other.machine, hostname=f"{name}2")
    return [
        msgspec.structs.replace(first, results=results),
        msgspec.structs.replace(other, results=results, machine=machine),
    ]


def hostile_tensors(name: str) -> Run:
    """A Run with two configurations that differ in an output of this name."""
    values = np.arange(40, dtype=np.float32).reshape(20, 2)
    results = [task_result("x", tensors(**{name: values + number, "b": values})) for number in range(2)]
    named = [
        msgspec.structs.replace(
            each, configuration=msgspec.structs.replace(each.configuration, variant=f"{name}{number}")
        )
        for number, each in enumerate(results)
    ]
    return task_run("tensor", *named, examples=20)
