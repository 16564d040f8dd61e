"""Devices by when they last delivered a Run."""

import datetime
import re
from collections.abc import Sequence

import msgspec

from edge_bench.app.dashboard.ages import CLOCK_TOLERANCE_S, seconds_since
from edge_bench.app.dashboard.elements import listed
from edge_bench.app.dashboard.nights.overview import NightsNow
from edge_bench.app.dashboard.snapshot import RunFact, Snapshot
from edge_bench.app.tables.over_time.names import lasting_change
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.nights.night import SilentEngine
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["Device", "devices_of", "devices_sentence", "natural", "verdict_of"]

#: Silent, unknown, alive.
_ORDER = (True, None, False)


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A machine, with its last Run."""

    name: str
    last: RunFact | None = None  # None: an engine of the nights that never delivered one
    too_old: bool | None = None  # whether its last Run is; None: unknown, as it began in the future or at no valid time
    silent_since_night: int | None = None  # if its engine is silent in the nights
    runs: int = 0
    series: int = 0  # configurations with times
    slower: int = 0  # configurations that are slower since a change that lasts
    faster: int = 0

    @property
    def silent(self) -> bool | None:
        """Whether its last Run is too old, or its engine is silent; None: unknown."""
        return True if self.silent_since_night else self.too_old


def devices_of(
    snapshot: Snapshot, now: datetime.datetime, silent_after_s: float, nights: NightsNow | None = None
) -> list[Device]:
    """Return the devices: silent ones first, then unknown ones, then those with slower configurations, then by name.

    A device is also silent if its engine is silent in the nights.
    """
    by_name: dict[str, list[RunFact]] = {}
    for run in snapshot.runs:
        by_name.setdefault(run.machine, []).append(run)
    by_machine: dict[str, list[Series]] = {}
    names = {run.run_id: run.machine for run in snapshot.runs}
    for series in snapshot.series:
        by_machine.setdefault(names[series.points[-1].run_id], []).append(series)
    engines = nights.silent_by_run() if nights else {}
    devices = []
    for name, runs in by_name.items():
        last, all_series = runs[-1], by_machine.get(name, [])
        since = _silent_since_night([engines[run.run_id] for run in runs if run.run_id in engines], last)
        verdicts = [verdict for series in all_series if (verdict := verdict_of(series, nights))]
        devices.append(
            Device(
                name=name,
                last=last,
                too_old=_too_old(last, now, silent_after_s),
                silent_since_night=since,
                runs=len(runs),
                series=len(all_series),
                slower=verdicts.count(Verdict.SLOWER),
                faster=verdicts.count(Verdict.FASTER),
            )
        )
    for engine in nights.never_delivered() if nights else []:
        devices.append(Device(name=engine.engine, silent_since_night=engine.since_night))
    return sorted(devices, key=lambda each: (_ORDER.index(each.silent), -each.slower, natural(each.name)))


def natural(name: str) -> list[tuple[str, int]]:
    """Return a key that sorts pi2 before pi10."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d{0,9})", name)]


def _too_old(last: RunFact, now: datetime.datetime, silent_after_s: float) -> bool | None:
    since = seconds_since(last.began, now)
    return None if since is None or since < -CLOCK_TOLERANCE_S else since > silent_after_s


def _silent_since_night(engines: Sequence[SilentEngine | None], last: RunFact) -> int | None:
    """Return the night since which all engines of a device are silent, if it delivered no other Run since then."""
    silent = [each for each in engines if each is not None]
    if not silent or len(silent) < len(engines) or last.began >= silent[-1].since:
        return None
    return silent[-1].since_night


def verdict_of(series: Series, nights: NightsNow | None) -> str:
    """Return slower or faster, from a change that lasts; the nights come first."""
    by_nights = [each.finding.verdict for _, each in nights.found_in(series)] if nights else []
    of_times = [each for each in by_nights if each in (Verdict.SLOWER, Verdict.FASTER)]
    if of_times:
        return of_times[0]
    change = lasting_change(series)
    return str(change.verdict) if change else ""


def devices_sentence(devices: Sequence[Device], hours: float) -> str:
    """Return how many devices delivered a Run lately, and which did not."""
    devices = [device for device in devices if device.last]
    if not devices:
        return "No device has delivered a Run."
    silent = [device.name for device in devices if device.too_old]
    unknown = [device.name for device in devices if device.too_old is None]
    one, alive = len(devices) == 1, len(devices) - len(silent) - len(unknown)
    parts = []
    if alive == len(devices):
        parts.append(f"{'The device' if one else f'All {alive} devices'} delivered a Run in the last {hours:g} hours.")
    if silent:
        parts.append(f"{len(silent)} of {len(devices)} devices silent for more than {hours:g} hours: {listed(silent)}.")
    if unknown:
        parts.append(f"Unknown whether alive, because of a wrong clock: {listed(unknown)}.")
    return " ".join(parts)
