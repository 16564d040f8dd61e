"""Devices by when they last delivered a Run."""

import datetime
import re
from collections.abc import Sequence

import msgspec

from edge_bench.app.dashboard.snapshot import RunFact, Snapshot
from edge_bench.app.tables.over_time.names import lasting_change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["Device", "age", "devices_of", "devices_sentence"]

#: Most names of silent devices in a sentence.
_NAMED = 5
#: Silent, unknown, alive.
_ORDER = (True, None, False)
#: Clocks of two machines may differ by so many seconds.
_CLOCK_TOLERANCE_S = 60.0


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, with its last Run."""

    name: str
    last: RunFact
    silent: bool | None  # whether its last Run is too old; None: unknown, as it began in the future or at no valid time
    runs: int
    series: int  # configurations with times
    slower: int  # configurations that are slower since a change that lasts
    faster: int


def devices_of(snapshot: Snapshot, now: datetime.datetime, silent_after_s: float) -> list[Device]:
    """Return the devices: silent ones first, then unknown ones, then those with slower configurations, then by name."""
    by_name: dict[str, list[RunFact]] = {}
    for run in snapshot.runs:
        by_name.setdefault(run.machine, []).append(run)
    by_machine: dict[str, list[Series]] = {}
    names = {run.run_id: run.machine for run in snapshot.runs}
    for series in snapshot.series:
        by_machine.setdefault(names[series.points[-1].run_id], []).append(series)
    devices = [_device(name, runs, by_machine.get(name, []), now, silent_after_s) for name, runs in by_name.items()]
    return sorted(devices, key=lambda each: (_ORDER.index(each.silent), -each.slower, _natural(each.name)))


def _natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts pi2 before pi10."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d{0,9})", name)]


def _device(
    name: str, runs: Sequence[RunFact], all_series: Sequence[Series], now: datetime.datetime, silent_after_s: float
) -> Device:
    last = runs[-1]
    verdicts = [change.verdict for series in all_series if (change := lasting_change(series))]
    since = _seconds_since(last.began, now)
    return Device(
        name=name,
        last=last,
        silent=None if since is None or since < -_CLOCK_TOLERANCE_S else since > silent_after_s,
        runs=len(runs),
        series=len(all_series),
        slower=verdicts.count(Verdict.SLOWER),
        faster=verdicts.count(Verdict.FASTER),
    )


def _seconds_since(began: str, now: datetime.datetime) -> float | None:
    try:
        then = datetime.datetime.fromisoformat(began)
    except ValueError:
        return None
    return (now - (then if then.tzinfo else then.replace(tzinfo=datetime.UTC))).total_seconds()


def age(began: str, now: datetime.datetime) -> str:
    """Return how long ago a Run began: ``3 h ago``; that a clock is wrong, if it began in the future."""
    seconds = _seconds_since(began, now)
    if seconds is None:
        return "unknown"
    if seconds < -_CLOCK_TOLERANCE_S:
        return "in the future: its clock is wrong"
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


def devices_sentence(devices: Sequence[Device], hours: float) -> str:
    """Return how many devices delivered a Run lately, and which did not."""
    if not devices:
        return "No device has delivered a Run."
    silent = [device.name for device in devices if device.silent]
    unknown = [device.name for device in devices if device.silent is None]
    one, alive = len(devices) == 1, len(devices) - len(silent) - len(unknown)
    parts = []
    if alive == len(devices):
        parts.append(f"{'The device' if one else f'All {alive} devices'} delivered a Run in the last {hours:g} hours.")
    if silent:
        parts.append(
            f"{len(silent)} of {len(devices)} devices silent for more than {hours:g} hours: {_listed(silent)}."
        )
    if unknown:
        parts.append(f"Unknown whether alive, because of a wrong clock: {_listed(unknown)}.")
    return " ".join(parts)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
