"""The same configuration over time: one series for each machine, bundle and configuration, with changes marked."""

from collections.abc import Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.timings import RunResult, seconds_per_image, time_ratio
from edge_bench.bench.records.run import Configuration, Result, Run
from edge_bench.bench.stats.intervals import Interval, median_interval_over_processes
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict

__all__ = ["Point", "Series", "history"]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One Run's measurement of a configuration."""

    run_id: str
    began: str  # UTC, ISO 8601
    images: int
    correct: int | None  # None where there are no true labels
    seen: int  # images that it is of
    trials: int
    image_seconds: list[float]  # seconds an image, one a trial
    median: float  # seconds an image
    interval: Interval | None
    ratio: Ratio | None  # to the point before; None for the first and for emulated times
    verdict: Verdict | None
    changed: list[str]  # what else is not as it was at the point before, in words


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """All measurements of a configuration of one bundle on one machine, oldest first."""

    machine: str
    emulated: bool
    bundle: str  # SHA-256 of its manifest
    dataset: str
    configuration: Configuration
    points: list[Point]


def history(runs: Sequence[Run]) -> list[Series]:
    """Sorts all measured configurations of all Runs into series; Runs of different bundles are kept apart.

    A change of time is judged like any comparison of two Runs: by an interval over processes, and only
    beyond 2 % is it one (``bench/stats/ratios.py``).
    """
    series: dict[tuple[object, ...], list[tuple[Run, Result]]] = {}
    for run in sorted(runs, key=lambda run: (run.began, run.run_id)):
        for result in run.measured:
            c = result.configuration
            series.setdefault(
                (
                    run.machine.hostname,
                    run.machine.architecture,
                    run.emulated,
                    run.bundle.sha256,
                    (c.variant, c.runtime, c.threads, c.batch_size),
                ),
                [],
            ).append((run, result))
    return [_series(measurements) for measurements in series.values()]


def _series(measurements: Sequence[tuple[Run, Result]]) -> Series:
    run, result = measurements[-1]
    before: Sequence[tuple[Run, Result] | None] = [None, *measurements[:-1]]
    return Series(
        machine=run.machine.label,
        emulated=run.emulated,
        bundle=run.bundle.sha256,
        dataset=run.bundle.dataset,
        configuration=result.configuration,
        points=[_point(now, earlier) for now, earlier in zip(measurements, before, strict=True)],
    )


def _point(now: tuple[Run, Result], before: tuple[Run, Result] | None) -> Point:
    run, result = now
    images = run.images_per_pass
    seconds = result.pass_seconds() / images
    correct, seen = run.correct(result) if run.scored(result) else (None, images)
    ratio = None
    if before is not None:
        ratio, _ = time_ratio(RunResult(*now), RunResult(*before))
    return Point(
        run_id=run.run_id,
        began=run.began,
        images=images,
        correct=correct,
        seen=seen,
        trials=len(result.trials),
        image_seconds=[float(value) for value in seconds],
        median=float(np.median(seconds)),
        interval=median_interval_over_processes(seconds_per_image(RunResult(*now))),
        ratio=ratio,
        verdict=verdict(ratio) if ratio else None,
        changed=_changed(now, before) if before else [],
    )


def _changed(now: tuple[Run, Result], before: tuple[Run, Result]) -> list[str]:
    """What a person would ask about first when a time has changed."""
    (run, result), (earlier, old) = now, before
    pairs = [
        ("images", f"{earlier.images_per_pass:,}", f"{run.images_per_pass:,}"),
        (result.configuration.runtime, old.runtime_version, result.runtime_version),
        ("edge-bench", _tool(earlier), _tool(run)),
        ("Python", earlier.machine.python, run.machine.python),
        ("kernel", earlier.machine.kernel, run.machine.kernel),
        ("governor", earlier.machine.governor, run.machine.governor),
        ("cores", str(earlier.machine.cores), str(run.machine.cores)),
        ("CPU", earlier.machine.cpu, run.machine.cpu),
    ]
    return [f"{name} {was or '?'} → {became or '?'}" for name, was, became in pairs if was != became]


def _tool(run: Run) -> str:
    return f"{run.tool_version} ({run.tool_revision})"
