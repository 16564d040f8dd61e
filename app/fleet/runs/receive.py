"""Runs that come from other machines: nothing in them is believed before it was checked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge_bench.app.fleet.docker.engine import platform_of
from edge_bench.app.fleet.docker.errors import EngineTrouble
from edge_bench.bench.analysis.comparison import compare
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Run
from edge_bench.bench.records.run_files import read_run, run_file_name, write_run

__all__ = ["COLLECTED_FILES", "JOURNAL_FILES", "MOST_BYTES", "RUN_FILES", "Expected", "keep", "newest_complete"]

#: What is fetched, by its whole name in the archive: Run files, and what a run has left that can go on.
RUN_FILES = re.compile(r"runs/run-[A-Za-z0-9-]{1,80}\.json")
JOURNAL_FILES = re.compile(r"runs/run-[A-Za-z0-9-]{1,80}\.journal")
#: What a swarm's collector has received, each node's in a folder of its own.
COLLECTED_FILES = re.compile(r"runs/[A-Za-z0-9]{1,64}/run-[0-9a-f]{64}\.json")
#: As large as a record may be, with the archive's own blocks.
MOST_BYTES = (512 << 20) + (1 << 20)


@dataclass(frozen=True)
class Expected:
    """What a Run has to be of."""

    bundle: Bundle
    settings: dict[str, Any]  # of `run`, where they were stated
    hostname: str
    platform: str


def newest_complete(paths: Iterable[Path], expected: Expected) -> Run:
    """The newest complete Run of those fetched, checked. EngineTrouble with what is wrong."""
    found: list[Run] = []
    wrong = "it ended, and there is no Run"
    for path in paths:
        try:
            run = _checked(read_run(path), expected)
        except EdgeBenchError as cause:
            wrong = f"its Run cannot be used: {cause.problem.replace(str(path.parent), '').lstrip('/')}"
            continue
        if run.complete:
            found.append(run)
        else:
            wrong = "its Run is not complete"
    if not found:
        raise EngineTrouble(wrong, "--resume asks again")
    return max(found, key=lambda run: run.ended)


def keep(run: Run, results: Path) -> Path:
    """Writes it among the results, once: where it is there already, that is it."""
    path = results / run_file_name(run.began, run.machine.hostname, run.run_id)
    if path.exists():
        if read_run(path).run_id == run.run_id:
            return path
        raise EngineTrouble(f"{path} is another Run already", "look at that machine")
    return write_run(run, results)


def _checked(run: Run, expected: Expected) -> Run:
    if not re.fullmatch(r"[0-9a-f]{8,64}", run.run_id) or not re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", run.began
    ):
        raise BadInput("its id or its time is none that `run` gives")
    if not _printable(msgspec.to_builtins(run)):
        raise BadInput("it holds control characters")
    if run.bundle.sha256 != expected.bundle.digest:
        raise BadInput("it is of another bundle")
    if run.machine.hostname != expected.hostname:
        raise BadInput("it is of another machine")
    if platform_of(run.machine.architecture) != expected.platform:
        raise BadInput(f"it was made on {run.machine.architecture}")
    stated = msgspec.structs.asdict(run.settings)
    if other := [name for name, value in expected.settings.items() if stated.get(name) != value]:
        raise BadInput(f"it was made with another {other[0]}")
    try:
        _fits(run, expected.bundle)
        compare([run])
    except EdgeBenchError:
        raise
    except Exception as cause:  # whatever is wrong in it, it is one machine's row and not the end of the others
        raise BadInput(f"its numbers do not fit each other: {type(cause).__name__}") from None
    return run


def _fits(run: Run, bundle: Bundle) -> None:
    """Images and labels are those of the bundle, and each result labels them all."""
    indices = unpack(run.images.indices).astype(np.int64)
    images, labels = bundle.test_set()
    if (
        run.images.total_images != len(images)
        or len(indices) > len(images)
        or (len(indices) and indices.max() >= len(images))
    ):
        raise BadInput("its images are not the bundle's")
    if labels is not None and not np.array_equal(unpack(run.images.labels), labels[indices]):
        raise BadInput("its labels are not the bundle's")
    for result in run.measured:
        if result.predictions is None or result.predictions.length != len(indices):
            raise BadInput(f"{result.configuration} has not labelled every image")


def _printable(value: Any) -> bool:
    """Whether every text can be shown on a terminal as it is."""
    if isinstance(value, str):
        return value.isprintable() or not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", value)
    if isinstance(value, dict):
        return all(_printable(key) and _printable(inner) for key, inner in value.items())
    return all(map(_printable, value)) if isinstance(value, list | tuple) else True
