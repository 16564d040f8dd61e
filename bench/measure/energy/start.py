"""The power meter of a run: found before the first trial, with the idle power of the machine."""

import time
from collections.abc import Callable

from edge_bench.bench.measure.energy.findings import meter_findings, other_meter_finding
from edge_bench.bench.measure.trust import duration_findings
from edge_bench.bench.progress import Progress, duration_text
from edge_bench.bench.records.journal.entries import Entry, FindingAdded, PowerMeasured
from edge_bench.bench.records.power import NO_ENERGY, MeteredPower, StatedPower
from edge_bench.bench.records.run import Run, Settings
from edge_bench.bench.system.emulation.signs import emulation_signs
from edge_bench.bench.system.power.find import Search, find_meter
from edge_bench.bench.system.power.meters import REAL_TIME, Meter, Timer
from edge_bench.bench.system.sensors import Sensors
from edge_bench.bench.worker.durations import IDLE

__all__ = ["chosen_meter", "idle_power", "idle_seconds", "start_metering"]

#: The idle time is divided into parts of this many seconds, or longer ones if the meter is slow.
_PART_S = 1.0


def idle_seconds(settings: Settings) -> float:
    """Return how long a run with these settings measures the idle power; 0 without a meter."""
    return IDLE.seconds() if not emulation_signs() and chosen_meter(settings.power).meter else 0.0


def start_metering(
    begun: Run,
    earlier: MeteredPower | None,
    add: Callable[[Entry], None],
    progress: Progress,
) -> Meter | None:
    """Find the meter and measure the idle power, before any worker is started; return the meter, None without one.

    ``add`` records both. ``earlier`` has what an interrupted run recorded: its idle power is kept, and a meter that is
    another one now is not used, so that a Run never has readings of two meters.
    """
    if begun.machine.emulated:
        return None
    search = chosen_meter(begun.settings.power)
    meter = search.meter
    if earlier is not None:
        if meter is not None and (meter.source, meter.name) == (earlier.source, earlier.meter):
            return meter
        add(FindingAdded(finding=other_meter_finding(earlier)))
        return None
    findings = [*meter_findings(search), *(duration_findings((IDLE,)) if meter is not None else [])]
    for finding in findings:
        add(FindingAdded(finding=finding))
    if meter is not None:
        seconds = IDLE.seconds()
        progress.say(f"idle power: {duration_text(seconds)} before the first trial, by {meter.name}")
        add(PowerMeasured(power=idle_power(meter, seconds, Sensors())))
    return meter


def chosen_meter(stated: StatedPower | str | None) -> Search:
    """Return the meter for a value of --power: the best one for None, none for a stated power."""
    if stated is None:
        return find_meter()
    return find_meter(file=stated) if isinstance(stated, str) and stated != NO_ENERGY else Search(None)


def idle_power(meter: Meter, seconds: float, sensors: Sensors, timer: Timer = REAL_TIME) -> MeteredPower:
    """Return the meter with the power of the machine while this process sleeps for ``seconds``."""
    count = max(1, int(seconds / max(_PART_S, 2 * meter.least_trial_s)))
    before, own_ns, watts = sensors.read(), time.process_time_ns(), list[float]()
    for _ in range(count):
        with meter.watch() as watched:
            began = timer.now_ns()
            timer.sleep(seconds / count)
            elapsed = timer.now_ns() - began
        if (power := watched.mean_power_w(began, elapsed)) is not None:
            watts.append(power)
    after, own_ns = sensors.read(), time.process_time_ns() - own_ns
    busy = None if before.busy_ns is None or after.busy_ns is None else max(0, after.busy_ns - before.busy_ns - own_ns)
    return MeteredPower(
        source=meter.source,
        meter=meter.name,
        least_trial_s=meter.least_trial_s,
        idle_w=watts,
        idle_seconds=seconds,
        idle_other_cpu_ns=busy,
    )
