"""Wait until the machine has cooled down."""

import time
from collections.abc import Callable

from edge_bench.bench.progress import Progress, duration_text
from edge_bench.bench.records.settings.settings import Sustained
from edge_bench.bench.system.machine import Finding

__all__ = ["MAX_COOLDOWN_SECONDS", "cool_down"]

#: A machine that is still too warm after this time is unlikely to become cooler.
MAX_COOLDOWN_SECONDS = 900.0
_POLL_SECONDS = 1.0


def cool_down(
    settings: Sustained,
    name: str,
    progress: Progress,
    temperature: Callable[[], float | None],
    *,
    first: bool,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Finding | None:
    """Wait before configuration ``name`` runs; return a finding if the machine is not as cool as it should be.

    temperature: returns that of the hottest zone in °C; None without a sensor
    first: whether no configuration ran before, so that a pause between configurations does not apply
    """
    if settings.cooldown_s is not None and not first:
        progress.advance(0, f"cooling down for {duration_text(settings.cooldown_s)}")
        sleep(settings.cooldown_s)
    if settings.cooldown_c is None:
        return None
    began = clock()
    while (found := temperature()) is not None and found > settings.cooldown_c:
        if clock() - began >= MAX_COOLDOWN_SECONDS:
            return _finding(f"{name} began at {found:.0f} °C: after {duration_text(MAX_COOLDOWN_SECONDS)} of cooling "
                            f"down, the machine was not at {settings.cooldown_c:g} °C",
                            "improve the cooling, or use a higher --cooldown")  # fmt: skip
        progress.advance(0, f"cooling down from {found:.0f} °C to {settings.cooldown_c:g} °C")
        sleep(_POLL_SECONDS)
    if found is None:
        return _finding(f"--cooldown {settings.cooldown_c:g}C had no effect: this machine has no temperature sensor",
                        "use a pause such as --cooldown 5m")  # fmt: skip
    return None


def _finding(what: str, remedy: str) -> Finding:
    return Finding(what=what, remedy=remedy, spoils=False)
