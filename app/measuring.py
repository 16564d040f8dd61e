"""From paths of a bundle, or of models and data, to a Run on disk, and from paths to Runs."""

import os
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from bench.benchmark import run_benchmark
from bench.bundle import Bundle
from bench.compare import LIGHT
from bench.data.source import DataOptions, subject_from
from bench.emulation import emulation_signs
from bench.errors import ResultsError
from bench.machine import Machine, describe_machine
from bench.model_files import ModelFiles
from bench.plan import Planned, Selection, plan
from bench.progress import Progress
from bench.results import Configuration, Run, Settings, read_run, writable_folder, write_run
from bench.subject import Subject, subject_of

__all__ = ["measure_bundle", "measure_files", "read_runs", "runs_elsewhere"]

#: An emulator takes 50 to 300 times as long, and only its predictions count.
EMULATED_LIMIT = 500


def measure_bundle(
    folder: Path,
    selection: Selection,
    settings: Settings,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    given: Collection[str] | None = None,
) -> tuple[Run, Path]:
    """Measures a bundle's variants on its test set; see ``measure``."""
    bundle = Bundle.open(folder)
    if emulation_signs() and selection == Selection(variants=[], runtimes=[]) and settings.limit is None:
        selection = msgspec.structs.replace(selection, variants=[LIGHT])
        settings = msgspec.structs.replace(settings, limit=EMULATED_LIMIT)
        progress.say(
            f"EMULATED: the light model ({LIGHT}) on {EMULATED_LIMIT} images only; "
            "--variant, --runtime or --limit set something else"
        )
    planned = plan(bundle, selection)
    subject = subject_of(bundle, settings.limit, settings.seed)
    return measure(subject, planned, settings, results, progress, once=once, given=given)


def measure_files(
    paths: Sequence[Path],
    data: DataOptions,
    selection: Selection,
    settings: Settings,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    given: Collection[str] | None = None,
) -> tuple[Run, Path]:
    """Measures models by their files on anyone's data; see ``measure``."""
    writable_folder(results)
    if emulation_signs() and settings.limit is None:
        settings = msgspec.structs.replace(settings, limit=EMULATED_LIMIT)
        progress.say(f"EMULATED: at most {EMULATED_LIMIT} images; --limit sets another number")
    models = ModelFiles.open(paths, settings.timeout_s, data.image_size)
    planned = plan(models, selection)
    subject = subject_from(models, data, settings.limit, settings.seed, settings.timeout_s, progress)
    return measure(subject, planned, settings, results, progress, once=once, given=given)


def measure(
    subject: Subject,
    planned: Sequence[Planned],
    settings: Settings,
    results: Path,
    progress: Progress,
    *,
    once: bool = False,
    given: Collection[str] | None = None,
) -> tuple[Run, Path]:
    """Measures what is planned and writes the Run; bad input is found before anything is measured.

    With ``once`` a complete Run of the same models and data in ``results``, made on this machine with these libraries,
    is the answer, if its settings and configurations are those asked for; where ``given`` names the options that a
    person stated, only these have to be the same.
    Where the results folder can no longer be written at the end (a full disk, a card pulled out), the Run goes to the
    system's temporary folder instead; ResultsError where that fails too.
    """
    writable_folder(results)
    if once and (found := _measured_before(results, subject, planned, settings, given)):
        progress.say(f"{found[1]} has measured this bundle so already")
        return found
    run = run_benchmark(subject, planned, settings, progress)
    try:
        return run, write_run(run, results)
    except ResultsError as cause:
        path = write_run(run, Path(tempfile.gettempdir()))
        progress.say(f"! {cause.problem}; the Run was written to {path} instead")
        return run, path


def _measured_before(
    results: Path, subject: Subject, planned: Sequence[Planned], settings: Settings, given: Collection[str] | None
) -> tuple[Run, Path] | None:
    here, configurations = describe_machine(), [item.configuration for item in planned]
    for path in sorted(results.glob("run-*.json"), reverse=True):
        try:
            run = read_run(path)
        except ResultsError:
            continue
        if (
            run.complete
            and run.bundle.sha256 == subject.identity.sha256
            and _same(run.settings, settings, given)
            and _same_configurations([result.configuration for result in run.results], configurations, given)
            and _same_machine(run.machine, here)
        ):
            return run, path
    return None


def _same(one: Settings, other: Settings, given: Collection[str] | None) -> bool:
    names = [name for name in one.__struct_fields__ if given is None or name in given]
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _same_configurations(
    one: Sequence[Configuration], other: Sequence[Configuration], given: Collection[str] | None
) -> bool:
    if given is None:
        return list(one) == list(other)
    axes = [axis for axis in Configuration.__struct_fields__ if axis in given]
    return all({getattr(c, axis) for c in one} == {getattr(c, axis) for c in other} for axis in axes)


def _same_machine(one: Machine, other: Machine) -> bool:
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("hostname", "cpu", "architecture", "emulated", "libraries")
    )


def read_runs(paths: Sequence[Path], progress: Progress, *, one_bundle: bool = False) -> list[Run]:
    """The Runs of the named files, and of the Run files in the named folders, oldest first.

    With ``one_bundle``, of a folder with Runs of several bundles the newest Run's bundle counts, and it is said what
    was passed over; files named one by one are taken as they are.
    """
    runs: dict[Path, Run] = {}
    for path in paths:
        if not path.is_dir():
            runs[path] = read_run(path)
            continue
        inside = {file: read_run(file) for file in sorted(path.glob("run-*.json"))}
        if not inside:
            raise ResultsError(f"{path}: holds no Run files", "measure first with `edge-bench run`")
        newest = max(inside.values(), key=lambda run: run.began)
        others = [file.name for file, run in inside.items() if one_bundle and run.bundle.sha256 != newest.bundle.sha256]
        if others:
            progress.say(f"{path}: {len(others)} Runs of other bundles are left out: {', '.join(others)}")
        runs |= {file: run for file, run in inside.items() if file.name not in others}
    return list(runs.values())


def runs_elsewhere(folders: str | None, run: Run) -> list[Run]:
    """The newest complete Run of the same bundle from every other machine, in folders separated like PATH's.

    Other files in them are nobody's mistake here, and are passed over.
    """
    newest: dict[tuple[str, bool], Run] = {}
    for folder in filter(None, (folders or "").split(os.pathsep)):
        for path in sorted(Path(folder).glob("run-*.json")):
            try:
                other = read_run(path)
            except ResultsError:
                continue
            elsewhere = (other.machine.architecture, other.emulated) != (run.machine.architecture, run.emulated)
            if elsewhere and other.complete and other.measured and other.bundle.sha256 == run.bundle.sha256:
                newest[other.machine.architecture, other.emulated] = other
    return list(newest.values())
