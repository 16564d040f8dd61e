"""What a night would measure, after all checks that need no measurement and no connection to an engine.

Each check is the code that the night itself uses, so that what passes here does not fail there for the same reason.
"""

import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.app.fleet.docker.engine import endpoint
from edge_bench.app.fleet.runs.spec import ENVIRONMENT
from edge_bench.app.nightly.notify.channels import channel_problems
from edge_bench.app.nightly.settings.keys import as_keys
from edge_bench.app.nightly.settings.reading import THIS_MACHINE, Model, NightlySettings
from edge_bench.app.nightly.upkeep.disk import require_night_space
from edge_bench.app.nightly.work.this_machine import error_in
from edge_bench.bench.errors import BadInput, EdgeBenchError, MissingDependency
from edge_bench.bench.io.disk_space import require_possible_folder
from edge_bench.bench.io.python_process import module_command, module_environment
from edge_bench.bench.measure.options.settings import selection, unused_processes
from edge_bench.bench.measure.plan import Selection, plan
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.files import FOLDER, read_recent_nights

__all__ = ["PlannedMeasurement", "planned_night"]

_NIGHTS = 14


class PlannedMeasurement(NamedTuple):
    """A model on an engine, as it would be measured."""

    model: str
    engine: str
    command: str
    notes: list[str]  # what would not be measured, and why


def planned_night(settings: NightlySettings) -> list[PlannedMeasurement]:
    """Return the measurements of a night. Raise EdgeBenchError for the first reason why one would fail."""
    existing = require_possible_folder(settings.results / FOLDER)
    require_night_space(existing, read_recent_nights(settings.results, _NIGHTS)[0])
    if problems := channel_problems(settings.notify):
        raise BadInput(f"{settings.path}: [notify] {problems[0]}", "mend it, or remove the channel from [notify]")
    for engine in settings.engines:
        try:
            endpoint(engine)
        except EdgeBenchError as cause:
            kind = MissingDependency if isinstance(cause, MissingDependency) else BadInput
            raise kind(f"engine {engine.name}: {cause.problem}", cause.remedy) from None
    return [made for model in settings.models for made in _planned(model, settings)]


def _planned(model: Model, settings: NightlySettings) -> Iterator[PlannedMeasurement]:
    for engine in settings.engine_names(model):
        is_here = engine == THIS_MACHINE
        own = settings.options.this_machine if is_here else ()
        arguments = [*map(str, model.paths), *model.data_options, *settings.options.everywhere, *own]
        try:
            notes = _checked_here(arguments, settings.results) if is_here else _checked_bundle(model, settings)
        except EdgeBenchError as cause:
            problem = f"{model.name} on {engine}: {as_keys(cause.problem)}"
            raise type(cause)(problem, as_keys(cause.remedy)) from None
        if unused := unused_processes(settings.options.stated):
            notes.append(as_keys(unused))
        yield PlannedMeasurement(model.name, engine, f"edge-bench run {shlex.join(arguments)}", notes)


def _checked_here(arguments: Sequence[str], results: Path) -> list[str]:
    """Check a measurement on this machine by `run --dry-run`; return the configurations that cannot be measured."""
    done = subprocess.run(
        [*module_command("edge_bench"), "run", *arguments, "--dry-run", "--results", str(results),
         "--format", "jsonl", "--quiet"],
        env=module_environment() | ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        problem, remedy = error_in(done.stderr.splitlines(), f"`run` ended with exit code {done.returncode}")
        error = BadInput if done.returncode == BadInput.exit_code else EdgeBenchError
        raise error(problem, remedy)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [f"{row['variant']} on {row['runtime']}: {as_keys(row['failure'])}" for row in rows if row["failure"]]


def _checked_bundle(model: Model, settings: NightlySettings) -> list[str]:
    """Check what can be known here of a bundle on another machine: whether its configurations exist."""
    if model.bundle is None:
        return []
    options = dict(zip(settings.options.everywhere[::2], settings.options.everywhere[1::2], strict=True))
    chosen: Selection = selection(
        options.get("--variant"), options.get("--runtime"), options.get("--threads"), options.get("--batch-size"),
        options.get("--scenario"),
    )  # fmt: skip
    plan(Bundle.open(model.bundle), chosen)
    return []
