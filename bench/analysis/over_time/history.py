"""Measurements over time: one series for each machine, bundle and configuration, with changes marked."""

from collections.abc import Sequence

import msgspec

from edge_bench.bench.analysis.labels.same_images import differing_pixels
from edge_bench.bench.analysis.times.timings import RunResult, seconds_per_image, time_ratio
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.stats.intervals import Interval, median, median_interval_over_processes
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict

__all__ = ["Point", "Series", "history", "not_in_history"]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One Run's measurement of a configuration."""

    run_id: str
    began: str  # UTC, ISO 8601
    images: int  # per pass
    correct: int | None  # correctly classified images; None if there are no true labels
    seen: int  # images that ``correct`` refers to
    accuracy_assumed: bool = False  # whether it depends on an assumption about images or labels
    trials: int
    image_seconds: list[float]  # seconds per image, one value per trial
    median: float  # seconds per image
    interval: Interval | None  # of the median
    ratio: Ratio | None  # to the previous point; None for the first point and for emulated times
    verdict: Verdict | None
    changed: list[str]  # other differences from the previous point, as text


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements of a configuration of one bundle on one machine, oldest first."""

    machine: str
    emulated: bool
    bundle: str  # SHA-256 of its manifest
    dataset: str
    configuration: Configuration
    points: list[Point]


def history(runs: Sequence[Run]) -> list[Series]:
    """Group all measured configurations of all Runs into series; Runs of different bundles are separate.

    A change of time is judged like any comparison of two Runs: by an interval over processes, and it counts only
    beyond 2 % (``bench/stats/ratios.py``).
    """
    series: dict[tuple[object, ...], list[RunResult]] = {}
    for run in sorted(runs, key=lambda run: (run.began, run.run_id)):
        machine = run.machine
        for result in run.results_with_trials:
            key = (machine.hostname, machine.architecture, run.emulated, run.bundle.sha256, result.configuration)
            series.setdefault(key, []).append(RunResult(run, result))
    return [_series(measurements) for measurements in series.values()]


def not_in_history(runs: Sequence[Run]) -> list[str]:
    """Return a note for each Run with configurations that have no times and so are in no series."""
    notes = []
    for run in sorted(runs, key=lambda run: (run.began, run.run_id)):
        missing = [result for result in run.results if not result.trials]
        reasons = dict.fromkeys(
            f"{result.configuration}: {result.failure.message if result.failure else 'not measured'}"
            for result in missing
        )
        if reasons:
            notes.append(f"run {run.run_id[:8]} of {run.began[:16].replace('T', ' ')} lacks {'; '.join(reasons)}")
    return notes


def _series(measurements: Sequence[RunResult]) -> Series:
    run, result = measurements[-1].run, measurements[-1].result
    previous: Sequence[RunResult | None] = [None, *measurements[:-1]]
    return Series(
        machine=run.machine.label,
        emulated=run.emulated,
        bundle=run.bundle.sha256,
        dataset=run.bundle.dataset,
        configuration=result.configuration,
        points=[_point(current, before) for current, before in zip(measurements, previous, strict=True)],
    )


def _point(current: RunResult, previous: RunResult | None) -> Point:
    run, result = current.run, current.result
    images = run.images_per_pass
    seconds = result.pass_seconds() / images
    correct, seen = run.correct(result) if run.scored(result) else (None, images)
    ratio = None
    if previous is not None:
        ratio, _ = time_ratio(current, previous)
    return Point(
        run_id=run.run_id,
        began=run.began,
        images=images,
        correct=correct,
        seen=seen,
        accuracy_assumed=run.accuracy_assumed,
        trials=len(result.trials),
        image_seconds=[float(value) for value in seconds],
        median=median(seconds),
        interval=median_interval_over_processes(seconds_per_image(current)),
        ratio=ratio,
        verdict=verdict(ratio) if ratio else None,
        changed=_changed(current, previous) if previous else [],
    )


def _changed(current: RunResult, previous: RunResult) -> list[str]:
    """Return the differences between two Runs that are the likeliest reasons for a changed time."""
    run, result, earlier, old = current.run, current.result, previous.run, previous.result
    replaced = differing_pixels(run, earlier)
    pairs = [
        ("images", f"{earlier.images_per_pass:,}", f"{run.images_per_pass:,}"),
        (result.configuration.runtime, old.runtime_version, result.runtime_version),
        ("edge-bench", _tool_version(earlier), _tool_version(run)),
        ("Python", earlier.machine.python, run.machine.python),
        ("kernel", earlier.machine.kernel, run.machine.kernel),
        ("governor", earlier.machine.governor, run.machine.governor),
        ("cores", str(earlier.machine.cores), str(run.machine.cores)),
        ("CPU", earlier.machine.cpu, run.machine.cpu),
    ]
    changed = [f"{name} {before or '?'} → {after or '?'}" for name, before, after in pairs if before != after]
    return changed + ([f"pixels of {replaced:,} images"] if replaced else [])


def _tool_version(run: Run) -> str:
    return f"{run.tool_version} ({run.tool_revision})"
