"""Differences between two separate Runs that may explain a difference in time, as short phrases."""

import datetime
from collections.abc import Iterator

import numpy as np

from edge_bench.bench.analysis.labels.same_images import differing_pixels
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.wording import counted

__all__ = ["differences", "seconds_apart"]

#: Temperatures differ if they are more degrees Celsius apart than this.
_WARMER = 5.0
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

_Pair = tuple[str, object, object]  # name, and the values of the two Runs; None or empty: unknown


def differences(
    run: Run, result: Result, other: Run, other_result: Result, *, machine: bool = True, apart: bool = True
) -> list[str]:
    """Return the differences from the first Run to the second: ``name before → after``.

    The first phrase is the time between them, unless ``apart`` is false. Properties of the model are excluded. Without
    ``machine``, properties of the machine itself are excluded, too, for a comparison of two machines: its name, CPU,
    cores, clock, temperature and the time between the Runs. Empty if both are the same Run.
    """
    if run is other:
        return []
    pairs = [*_software(run, result, other, other_result), *_settings(run, other)]
    pairs += _decoding(run, result, other, other_result)
    if machine:
        pairs = [*_hardware(run, other), *pairs, *_condition(run, result, other, other_result)]
    phrases = [_time_between(run, other)] if machine and apart else []
    phrases += [f"{name} {_text(before)} → {_text(after)}" for name, before, after in pairs if before != after]
    replaced = differing_pixels(run, other)
    if replaced:
        phrases.append(f"pixels of {counted(replaced, 'image')}")
    return [phrase for phrase in phrases if phrase]


def seconds_apart(run: Run, other: Run) -> float | None:
    """Return the seconds between the starts of two Runs; None if a time is invalid."""
    try:
        first, second = (datetime.datetime.fromisoformat(each.began) for each in (run, other))
        return abs((second - first).total_seconds())
    except (ValueError, TypeError):  # no date, or only one of them with a time zone
        return None


def _software(run: Run, result: Result, other: Run, other_result: Result) -> Iterator[_Pair]:
    before, after = run.machine, other.machine
    yield result.configuration.runtime, result.runtime_version, other_result.runtime_version
    # an older Run may state a delegate that ran no node
    if bool(result.delegations) == bool(other_result.delegations):
        yield "delegate", result.delegate or "none", other_result.delegate or "none"
        yield "delegated nodes", _nodes(result), _nodes(other_result)
    yield "delegate's library", _library(result), _library(other_result)
    yield "edge-bench", _tool_version(run), _tool_version(other)
    yield "Python", before.python, after.python
    yield "OS", before.os, after.os
    yield "kernel", before.kernel, after.kernel
    yield "governor", before.governor, after.governor
    yield "tuned", _tuned(run.tuned), _tuned(other.tuned)
    yield "CPU limit", _cores(before.cpu_limit), _cores(after.cpu_limit)
    yield "container", _yes_no(before.container), _yes_no(after.container)
    yield "sandbox", _parts(run.sandbox), _parts(other.sandbox)


def _settings(run: Run, other: Run) -> Iterator[_Pair]:
    before, after = run.settings, other.settings
    yield "images", f"{run.images_per_pass:,}", f"{other.images_per_pass:,}"
    for name in ("trials", "processes", "seed"):
        yield name, getattr(before, name), getattr(after, name)
    yield "resample", before.resample or "no", after.resample or "no"
    yield "scenario", before.scenario or "none", after.scenario or "none"
    yield "measured cores", before.cpus or "all", after.cpus or "all"
    yield "memory limit", _mebibytes(before.memory_limit), _mebibytes(after.memory_limit)
    yield "stateful", _yes_no(before.stateful), _yes_no(after.stateful)


def _decoding(run: Run, result: Result, other: Run, other_result: Result) -> Iterator[_Pair]:
    """Yield how outputs are read, if it is a choice and not a property of the model."""
    before, after = _decoding_of(run, result), _decoding_of(other, other_result)
    if isinstance(before, BoxDecoding) and isinstance(after, BoxDecoding):
        yield "images letterboxed", _yes_no(before.letterbox), _yes_no(after.letterbox)
        if before.form == after.form == "yolo":
            yield "least score of boxes", before.score_threshold, after.score_threshold
            yield "most overlap of boxes", before.iou_threshold, after.iou_threshold


def _decoding_of(run: Run, result: Result) -> Decoding | None:
    """Return how the outputs of a result were read, even if its variant was renamed for a comparison."""
    variant = result.configuration.variant
    return run.decodings.get(variant) or run.decodings.get(variant.rpartition("@")[0])


def _hardware(run: Run, other: Run) -> Iterator[_Pair]:
    before, after = run.machine, other.machine
    if machine_key(before) != machine_key(after):
        yield "machine", before.label, after.label
    yield "CPU", before.cpu, after.cpu
    yield "cores", before.cores, after.cores
    yield "highest clock", _megahertz(before.frequency_mhz), _megahertz(after.frequency_mhz)


def _condition(run: Run, result: Result, other: Run, other_result: Result) -> Iterator[_Pair]:
    """Yield the sensor readings; temperatures only if they are known and more than 5 °C apart."""
    names = ("before the run", "after the run", "of the trials")
    for name, before, after in zip(names, _temperatures(run, result), _temperatures(other, other_result), strict=True):
        if before is not None and after is not None and abs(after - before) > _WARMER:
            yield f"temperature {name}", f"{before:.0f}", f"{after:.0f} °C"
    yield "throttled trials", _throttled(result), _throttled(other_result)
    if run.trusted is not None and other.trusted is not None:
        yield "trusted", _yes_no(run.trusted), _yes_no(other.trusted)


def _throttled(result: Result) -> int:
    return sum(bool(trial.throttled) for trial in result.trials)


def _temperatures(run: Run, result: Result) -> tuple[float | None, ...]:
    """Return the degrees Celsius before the run and after it, and the median after the trials."""
    trials = [trial.temperature_c for trial in result.trials if trial.temperature_c is not None]
    return (
        run.state_before.temperature_c if run.state_before else None,
        run.state_after.temperature_c if run.state_after else None,
        float(np.median(trials)) if trials else None,
    )


def _time_between(run: Run, other: Run) -> str:
    """Return ``measured 3 days apart``, or that the Runs overlapped on one machine; empty if the times are unknown."""
    apart = seconds_apart(run, other)
    if apart is None:
        return ""
    earlier = min((run, other), key=lambda each: datetime.datetime.fromisoformat(each.began))
    if apart < earlier.wall_seconds and machine_key(run.machine) == machine_key(other.machine):
        return "measured at the same time"
    return f"measured {_duration(apart)} apart"


def _duration(seconds: float) -> str:
    name, size = next((each for each in _UNITS if seconds >= each[1]), _UNITS[-1])
    return counted(round(seconds / size), name)


def _text(value: object) -> str:
    return "?" if value is None or value == "" else str(value)


def _tool_version(run: Run) -> str:
    return f"{run.tool_version} ({run.tool_revision})" if run.tool_revision else run.tool_version


def _parts(sandbox: list[str] | None) -> str:
    return "" if sandbox is None else " and ".join(sorted(sandbox)) or "none"


def _tuned(settings: list[str] | None) -> str:
    return "" if settings is None else " and ".join(settings) or "no"


def _cores(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:g} cores"


def _megahertz(frequency: float | None) -> str:
    return "" if frequency is None else f"{frequency:,.0f} MHz"


def _mebibytes(size: int | None) -> str:
    return "none" if size is None else f"{size / (1 << 20):,.0f} MiB"


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


def _library(result: Result) -> str:
    """Return the version of the delegate's library and the start of its checksum; ``none`` without one."""
    library = result.delegate_library
    if library is None:
        return "none"
    reported = next((each.version for each in result.delegations if each.version), "")
    return " ".join(part for part in (reported or library.version, library.sha256[:8]) if part)


def _nodes(result: Result) -> str:
    """Return the delegated nodes, such as ``XNNPACK 9 of 13``; empty if they were not counted, as in older Runs."""
    return ", ".join(f"{each.name} {each.nodes} of {each.total_nodes}" for each in result.delegations)
