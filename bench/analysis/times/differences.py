"""Differences between two separate Runs that may explain a difference in time, as short phrases."""

import datetime
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.labels.same_images import Pixels, differing_pixels, pixels_of
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.records.outputs.decoding import BoxDecoding, Decoding
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.wording import counted

__all__ = [
    "Conditions",
    "Readings",
    "conditions_of",
    "differences",
    "differences_over_time",
    "readings_of",
    "seconds_apart",
]

#: Temperatures differ if they are more degrees Celsius apart than this.
_WARMER = 5.0
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))

_Value = str | int | float | None  # None or empty: unknown
_Condition = tuple[str, _Value]  # name and value


class Conditions(msgspec.Struct, frozen=True, array_like=True):
    """What may explain the times of a result, except the model: equal in most Runs of a machine."""

    machine_key: tuple[str, ...]
    machine: str  # its name
    hardware: tuple[_Condition, ...]
    runtime: tuple[str, str]  # name and version
    delegates: tuple[_Condition, ...]
    delegates_counted: bool  # whether the nodes of delegates are known. An older Run may state one that ran no node
    others: tuple[_Condition, ...]  # software and settings
    outputs: tuple[_Condition, ...]  # how outputs are read, if it is a choice and not a property of the model


class Readings(msgspec.Struct, frozen=True, array_like=True):
    """Readings of sensors around a result, different in each Run."""

    temperatures: tuple[float | None, float | None, float | None]  # °C, by `_READ`
    throttled: int  # number of trials
    trusted: bool | None  # None: an older Run


#: When temperatures are read; that of the trials is their median.
_READ = ("before the run", "after the run", "of the trials")


def conditions_of(run: Run, result: Result) -> Conditions:
    """Return what may explain the times of a result, except the model."""
    return Conditions(
        machine_key(run.machine),
        run.machine.label,
        tuple(_hardware(run)),
        (result.configuration.runtime, result.runtime_version),
        (("delegate", result.delegate or "none"), ("delegated nodes", _nodes(result))),
        bool(result.delegations),
        (*_software(run, result), *_settings(run)),
        tuple(_outputs(_decoding_of(run, result))),
    )


def readings_of(run: Run, result: Result) -> Readings:
    """Return the readings of sensors around a result."""
    trials = [trial.temperature_c for trial in result.trials if trial.temperature_c is not None]
    temperatures = (
        run.state_before.temperature_c if run.state_before else None,
        run.state_after.temperature_c if run.state_after else None,
        float(np.median(trials)) if trials else None,
    )
    return Readings(temperatures, sum(bool(trial.throttled) for trial in result.trials), run.trusted)


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
    sides = conditions_of(run, result), conditions_of(other, other_result)
    phrases = [_time_between(run, other)] if machine and apart else []
    phrases += _different_conditions(*sides, machine=machine)
    if machine:
        phrases += _different_readings(readings_of(run, result), readings_of(other, other_result))
    return [phrase for phrase in [*phrases, *_different_pixels(pixels_of(run), pixels_of(other))] if phrase]


def differences_over_time(
    before: tuple[Conditions, Readings, Pixels], after: tuple[Conditions, Readings, Pixels]
) -> list[str]:
    """Return the same as `differences` without the time between the Runs, from what was derived from each of them."""
    return [
        *_different_conditions(before[0], after[0], machine=True),
        *_different_readings(before[1], after[1]),
        *_different_pixels(before[2], after[2]),
    ]


def _different_conditions(before: Conditions, after: Conditions, *, machine: bool) -> list[str]:
    if before is after:
        return []
    phrases = []
    if machine:
        if before.machine_key != after.machine_key:
            phrases += _phrases([("machine", before.machine)], [("machine", after.machine)])
        phrases += _phrases(before.hardware, after.hardware)
    phrases += _phrases([before.runtime], [(before.runtime[0], after.runtime[1])])
    if before.delegates_counted == after.delegates_counted:
        phrases += _phrases(before.delegates, after.delegates)
    return [*phrases, *_phrases(before.others, after.others), *_phrases(before.outputs, after.outputs)]


def _phrases(before: Sequence[_Condition], after: Sequence[_Condition]) -> list[str]:
    """Return the differences of conditions that both sides have."""
    found = dict(after)
    return [
        f"{name} {_text(value)} → {_text(found[name])}"
        for name, value in before
        if name in found and value != found[name]
    ]


def _different_readings(before: Readings, after: Readings) -> list[str]:
    """Return the differences of readings; temperatures only if they are known and more than 5 °C apart."""
    phrases = [
        f"temperature {name} {first:.0f} → {second:.0f} °C"
        for name, first, second in zip(_READ, before.temperatures, after.temperatures, strict=True)
        if first is not None and second is not None and abs(second - first) > _WARMER
    ]
    if before.throttled != after.throttled:
        phrases.append(f"throttled trials {before.throttled} → {after.throttled}")
    if None not in (before.trusted, after.trusted) and before.trusted != after.trusted:
        phrases.append(f"trusted {_yes_no(bool(before.trusted))} → {_yes_no(bool(after.trusted))}")
    return phrases


def _different_pixels(before: Pixels, after: Pixels) -> list[str]:
    replaced = 0 if before is after else differing_pixels(before, after)
    return [f"pixels of {counted(replaced, 'image')}"] if replaced else []


def seconds_apart(run: Run, other: Run) -> float | None:
    """Return the seconds between the starts of two Runs; None if a time is invalid."""
    try:
        first, second = (datetime.datetime.fromisoformat(each.began) for each in (run, other))
        return abs((second - first).total_seconds())
    except (ValueError, TypeError):  # no date, or only one of them with a time zone
        return None


def _software(run: Run, result: Result) -> Iterator[_Condition]:
    machine = run.machine
    yield "delegate's library", _library(result)
    yield "edge-bench", _tool_version(run)
    yield "Python", machine.python
    yield "OS", machine.os
    yield "kernel", machine.kernel
    yield "governor", machine.governor
    yield "tuned", _tuned(run.tuned)
    yield "CPU limit", _cores(machine.cpu_limit)
    yield "container", _yes_no(machine.container)
    yield "sandbox", _parts(run.sandbox)


def _settings(run: Run) -> Iterator[_Condition]:
    settings = run.settings
    yield "images", f"{run.images_per_pass:,}"
    for name in ("trials", "processes", "seed"):
        yield name, getattr(settings, name)
    yield "resample", settings.resample or "no"
    yield "scenario", settings.scenario or "none"
    yield "measured cores", settings.cpus or "all"
    yield "memory limit", _mebibytes(settings.memory_limit)
    yield "stateful", _yes_no(settings.stateful)


def _outputs(decoding: Decoding | None) -> Iterator[_Condition]:
    if isinstance(decoding, BoxDecoding):
        yield "images letterboxed", _yes_no(decoding.letterbox)
        if decoding.form == "yolo":
            yield "least score of boxes", decoding.score_threshold
            yield "most overlap of boxes", decoding.iou_threshold


def _decoding_of(run: Run, result: Result) -> Decoding | None:
    """Return how the outputs of a result were read, even if its variant was renamed for a comparison."""
    variant = result.configuration.variant
    return run.decodings.get(variant) or run.decodings.get(variant.rpartition("@")[0])


def _hardware(run: Run) -> Iterator[_Condition]:
    yield "CPU", run.machine.cpu
    yield "cores", run.machine.cores
    yield "highest clock", _megahertz(run.machine.frequency_mhz)


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
