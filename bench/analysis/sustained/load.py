"""Whether each configuration of a Run with ``--duration`` stays as fast as in its first minutes."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np

from edge_bench.bench.analysis.sustained.bins import Bin, bins_of, covered_seconds, is_finished, starts
from edge_bench.bench.records.run import Configuration, Result, Run, Trial
from edge_bench.bench.stats.comparisons.level_change import (
    EARLY,
    LATE,
    MIDDLE,
    change_point,
    level_ratio,
    window,
)
from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict, verdicts

__all__ = ["Conditions", "Load", "Outcome", "loads_of"]


class Outcome(StrEnum):
    """What happened to the times of a configuration."""

    STEADY = "steady"
    SLOWER = "slower"
    FASTER = "faster"
    UNDECIDED = "undecided"
    UNFINISHED = "unfinished"  # interrupted or failed: there is no plateau to compare


_CHANGED = {Verdict.SLOWER: Outcome.SLOWER, Verdict.FASTER: Outcome.FASTER}


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Temperature and clock of the machine at one moment; None: unknown."""

    temperature_c: float | None
    clock_mhz: float | None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The sustained load of one configuration."""

    configuration: Configuration
    outcome: Outcome
    reason: str = ""  # why it is unfinished, or undecided unless the interval is neither within ±2 % nor beyond
    seconds: float  # for which it ran
    start_ms: float  # per image: median of the first tenth of the duration
    end_ms: float | None  # per image: median of the last three tenths; None if it did not get there
    ratio: Ratio | None  # of the end to the start
    changed_after_s: float | None = None  # when it became slower or faster
    at_start: Conditions
    at_change: Conditions | None = None
    at_end: Conditions
    highest_c: float | None  # highest temperature
    throttled_trials: int
    bins: list[Bin]


def loads_of(run: Run) -> list[Load]:
    """Return the load of each configuration with trials, in the order of the results; empty without ``--duration``.

    The outcome is about each configuration itself: times at its end to those at its start. Any slower or faster among
    all of them is wrong in at most 5 % (`verdicts`). The windows are fixed in advance (`level_change`).
    """
    settings = run.settings.sustained
    if settings is None or run.emulated:
        return []
    results = [_in_order(result) for result in run.results_with_trials]
    found = [_ratio(result.trials, settings.duration_s, LATE) for result in results]
    finished = [not result.failure and is_finished(result.trials, settings.duration_s) for result in results]
    judged = verdicts([ratio if done else None for ratio, done in zip(found, finished, strict=True)])
    return [
        _load(run, result, settings.duration_s, ratio, each)
        for result, ratio, each in zip(results, found, judged, strict=True)
    ]


def _in_order(result: Result) -> Result:
    return msgspec.structs.replace(result, trials=sorted(result.trials, key=lambda trial: trial.began_ns))


def _seconds(trials: Sequence[Trial]) -> Values:
    return np.array([trial.pass_seconds for trial in trials])


def _shares(trials: Sequence[Trial], duration_s: float) -> Values:
    """Return at which share of the duration each trial began."""
    return np.minimum(starts(trials) / duration_s, 1.0)  # a last trial may begin late, if the worker had to wait


def _part(trials: Sequence[Trial], duration_s: float, part: tuple[float, float]) -> Values:
    """Return the seconds per pass of the trials that began in a part of the duration."""
    return window(_seconds(trials), _shares(trials, duration_s), part)


def _ratio(trials: Sequence[Trial], duration_s: float, part: tuple[float, float]) -> Ratio | None:
    return level_ratio(_seconds(trials), _shares(trials, duration_s), part)


def _load(run: Run, result: Result, duration_s: float, ratio: Ratio | None, judged: Verdict | None) -> Load:
    trials, images = result.trials, run.images_per_pass
    outcome, reason = _outcome(result, duration_s, ratio, judged)
    start, end = (_part(trials, duration_s, part) for part in (EARLY, LATE))
    index = None
    if outcome in (Outcome.SLOWER, Outcome.FASTER):
        levels = float(np.median(start)), float(np.median(end))
        index = min(change_point(_seconds(trials), *levels), len(trials) - 1)
    temperatures = [trial.temperature_c for trial in trials if trial.temperature_c is not None]
    return Load(
        configuration=result.configuration,
        outcome=outcome,
        reason=reason,
        seconds=covered_seconds(trials),
        start_ms=1e3 * float(np.median(start)) / images,
        end_ms=1e3 * float(np.median(end)) / images if len(end) else None,
        ratio=ratio,
        changed_after_s=None if index is None else float(starts(trials)[index]),
        at_start=_conditions(trials[0]),
        at_change=None if index is None else _conditions(trials[index]),
        at_end=_conditions(trials[-1]),
        highest_c=max(temperatures, default=None),
        throttled_trials=sum(bool(trial.throttled) for trial in trials),
        bins=bins_of(trials, duration_s, images),
    )


def _conditions(trial: Trial) -> Conditions:
    return Conditions(temperature_c=trial.temperature_c, clock_mhz=trial.clock_mhz)


def _outcome(result: Result, duration_s: float, ratio: Ratio | None, judged: Verdict | None) -> tuple[Outcome, str]:
    if judged is None or ratio is None:
        return Outcome.UNFINISHED, result.failure.kind if result.failure else "interrupted"
    if judged in _CHANGED:
        return _CHANGED[judged], ""
    if ratio.interval is None:
        return Outcome.UNDECIDED, "too few trials for an interval"
    if between := _beyond_between(result.trials, duration_s):
        return Outcome.UNDECIDED, between
    return (Outcome.STEADY if judged is Verdict.SAME else Outcome.UNDECIDED), ""


def _beyond_between(trials: Sequence[Trial], duration_s: float) -> str:
    """Return that the times between start and end differ from the start; empty if they do not, or not clearly."""
    for low, high in MIDDLE:
        ratio = _ratio(trials, duration_s, (low, high))
        found = Verdict.UNDECIDED if ratio is None else verdict(ratio)
        if ratio is not None and found in (Verdict.SLOWER, Verdict.FASTER):
            change = abs(100 * (ratio.value - 1))
            return (
                f"{found} by {change:.0f} % between {100 * low:.0f} and {100 * high:.0f} % of the time, not at the end"
            )
    return ""
