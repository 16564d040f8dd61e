"""Find the Runs and journals in a results folder with the same models, data, settings and machine as a request."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.analysis.labels.same_images import same_content
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.locks import is_locked
from edge_bench.bench.measure.recording.started_run import images_of
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.records.delegate import DelegateLibrary
from edge_bench.bench.records.journal.journal import JOURNAL, read_journal
from edge_bench.bench.records.manifest import Preprocessing
from edge_bench.bench.records.run import BundleIdentity, Configuration, Images, Result, Run, Settings
from edge_bench.bench.records.run_files import read_run
from edge_bench.bench.system.machine import Machine, describe_machine

__all__ = [
    "Journals",
    "complete_runs",
    "finished_runs",
    "matching_journals",
    "matching_runs",
    "same_machine",
    "same_settings",
]

#: Options whose values have another name in Settings.
_FIELDS = {"budget": "budget_s", "find_fastest": "first_round", "duration": "sustained", "cooldown": "sustained"}


def matching_runs(
    results: Path, request: BenchmarkRequest, explicit_options: Collection[str] | None
) -> Iterator[tuple[Run, Path]]:
    """Yield the complete Runs in ``results`` that answer a request, newest first.

    They have the same models, preprocessing, labels, classes and pixels, and were made on this machine with the same
    libraries, settings and configurations. If ``explicit_options`` names the options that the user set, only these
    must be the same.
    """
    machine, configurations = describe_machine(), [item.configuration for item in request.planned]
    libraries = [item.delegate.record for item in request.planned]
    images: Images | None = None
    for run, path in complete_runs(results):
        if not (
            _same_models(run, request.workload.identity, request.workload.shared.preprocessing)
            and same_settings(run.settings, request.settings, explicit_options)
            and _same_configurations([result.configuration for result in run.results], configurations, explicit_options)
            and same_machine(run.machine, machine)
            and _checksums(result.delegate_library for result in run.results) == _checksums(libraries)
        ):
            continue
        if request.bundle is None:  # a bundle's checksum includes its images and labels
            images = images or images_of(request.workload)  # deferred, since this reads all pixels
            if not same_content(run.images, images):
                continue
        yield run, path


class Journals(NamedTuple):
    """Journals of a results folder, newest first, each with its own Run before the first trial."""

    unfinished: list[tuple[Run, Path]]  # of runs that were interrupted
    running: list[tuple[Run, Path]]  # of runs that a process is measuring


def matching_journals(results: Path, wanted: Run, *, patience: float = 0) -> Journals:
    """Return the journals of runs like ``wanted``, a Run before its first trial.

    All options must be the same, not only those that were set. A run that ends within ``patience`` seconds does not
    count as running.
    """
    found = Journals([], [])
    for path in sorted(results.glob(f"run-*{JOURNAL}"), reverse=True):
        try:
            begun, _ = read_journal(path)
        except ResultsError:
            continue
        if begun.results == wanted.results and _same_run(begun, wanted):
            with contextlib.suppress(OSError):  # removed, because its run has ended
                (found.running if is_locked(path, patience) else found.unfinished).append((begun, path))
    return found


def finished_runs(results: Path, wanted: Run) -> list[tuple[Run, Path]]:
    """Return the complete Runs of the same request as ``wanted``, a Run before its first trial.

    They are sorted, newest first.
    """
    return [
        (run, path)
        for run, path in complete_runs(results)
        if _same_run(run, wanted) and list(map(_identity, run.results)) == list(map(_identity, wanted.results))
    ]


def complete_runs(results: Path) -> Iterator[tuple[Run, Path]]:
    """Yield the complete Runs in a folder, newest first; skip unreadable files."""
    for path in sorted(results.glob("run-*.json"), reverse=True):
        try:
            run = read_run(path)
        except ResultsError:
            continue
        if run.complete:
            yield run, path


def _same_run(run: Run, wanted: Run) -> bool:
    """Return whether two Runs have the same models, preprocessing, settings, images and machine."""
    return (
        _same_models(run, wanted.bundle, wanted.preprocessing)
        and run.settings == wanted.settings
        and run.images == wanted.images
        and same_machine(run.machine, wanted.machine)
        and run.sandbox in (None, wanted.sandbox)  # one value per Run, for all its workers
    )


def _checksums(libraries: Iterable[DelegateLibrary | None]) -> set[str]:
    return {each.sha256 for each in libraries if each is not None}


def _identity(result: Result) -> tuple[Configuration, str, str, set[str]]:
    """Return the parts of a result that exist before its first trial."""
    return result.configuration, result.sha256, result.runtime_version, _checksums([result.delegate_library])


def _same_models(run: Run, identity: BundleIdentity, preprocessing: Preprocessing | None) -> bool:
    """Return whether a Run has the same bundle, or the same model files and data, and the same interpretation."""
    return (
        run.bundle.sha256 == identity.sha256
        and run.bundle.classes == identity.classes
        and run.preprocessing in (None, preprocessing)  # None: an old Run, whose bundle's checksum includes it
    )


def same_settings(first: Settings, second: Settings, explicit_options: Collection[str] | None) -> bool:
    """Return whether two Settings are the same, in the fields of ``explicit_options`` if these are given."""
    wanted = None
    if explicit_options is not None:
        # with any options, a Run without an accuracy, with a search or a sustained load, or on other cores is of
        # another kind
        kinds = {"stateful", "first_round", "sustained", "cpus"}
        wanted = {*(_FIELDS.get(name, name) for name in explicit_options), *kinds}
    names = [name for name in first.__struct_fields__ if wanted is None or name in wanted]
    return all(getattr(first, name) == getattr(second, name) for name in names)


def _same_configurations(
    first: Sequence[Configuration], second: Sequence[Configuration], explicit_options: Collection[str] | None
) -> bool:
    if explicit_options is None:
        return list(first) == list(second)
    # without --delegate, a Run of one has no answer
    axes = [axis for axis in Configuration.__struct_fields__ if axis in {*explicit_options, "delegate"}]
    return all({getattr(c, axis) for c in first} == {getattr(c, axis) for c in second} for axis in axes)


def same_machine(first: Machine, second: Machine) -> bool:
    """Return whether two descriptions are of one machine with the same libraries."""
    return all(
        getattr(first, name) == getattr(second, name)
        for name in ("hostname", "cpu", "architecture", "emulated", "libraries")
    )
