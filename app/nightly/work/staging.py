"""The folder of a night in progress, and how finished Runs get from it into the results folder.

A Run is written there first. Its name is in the night's record before it is moved, so that a night that is interrupted
at any moment neither loses a Run nor has it twice.
"""

import shutil
from pathlib import Path

from edge_bench.app.nightly.settings.reading import THIS_MACHINE, folder_name
from edge_bench.app.nightly.work.outcome import EngineOutcome, Request
from edge_bench.bench.io.files import fsync_folder
from edge_bench.bench.measure.stored.matching import complete_runs
from edge_bench.bench.records.nights.files import FOLDER, MORE
from edge_bench.bench.records.nights.night import MeasurementState, Night

__all__ = ["keep_journals", "publish", "remove_staging", "runs_folder", "staged_outcomes", "staging_folder"]


def staging_folder(results: Path, number: int) -> Path:
    """Return the folder of a night in progress."""
    return results / FOLDER / f"staging-{number:06d}"


def runs_folder(results: Path, number: int, model: str, repeat: int = 0) -> Path:
    """Return the folder of the Runs of a model in a night in progress, or of its repetitions from 1 on."""
    folder = staging_folder(results, number) / "runs" / folder_name(model)
    return folder / f"repeat-{repeat}" if repeat else folder


def publish(night: Night, results: Path) -> None:
    """Move the Runs that the record names into the results folder, unless they are there.

    Further Runs and second measurements go into folders that no history reads: they are not other nights.
    """
    staged = {path.name: path for path in staging_folder(results, night.number).rglob("run-*.json")}
    for each in night.measurements:
        path = staged.get(each.run_file)
        if path and not (results / each.run_file).exists():
            path.replace(results / each.run_file)
        for name in each.more_runs:
            target = results / FOLDER / MORE / name
            if name in staged and not target.exists():
                target.parent.mkdir(exist_ok=True)
                staged[name].replace(target)
    for finding in night.findings:
        name = finding.confirmation.run_file if finding.confirmation else ""
        target = results / FOLDER / "confirmations" / name
        if name in staged and not target.exists():
            target.parent.mkdir(exist_ok=True)
            staged[name].replace(target)
    fsync_folder(results)


def staged_outcomes(request: Request) -> list[EngineOutcome]:
    """Return the finished Runs with times in the folders of a request, one of each of its engines."""
    found = dict[str, EngineOutcome]()
    for folder in (request.own_folder, request.fleet_folder):
        for run, path in complete_runs(folder):
            engine = THIS_MACHINE if folder == request.own_folder else run.machine.hostname
            if engine in request.engines and run.results_with_trials:
                found.setdefault(engine, EngineOutcome(engine, MeasurementState.DELIVERED, run=run, path=path))
    return list(found.values())


def keep_journals(results: Path, number: int) -> list[Path]:
    """Move the journals of runs that did not end to ``nights/unfinished``, where `compare` can read them."""
    kept, target = [], results / FOLDER / "unfinished"
    for path in sorted(staging_folder(results, number).rglob("run-*.journal")):
        target.mkdir(exist_ok=True)
        kept.append(path.replace(target / path.name))
    return kept


def remove_staging(results: Path) -> None:
    """Remove the folders of nights that are over, also of one that was interrupted at its very end."""
    for folder in (results / FOLDER).glob("staging-*"):
        shutil.rmtree(folder, ignore_errors=True)
