"""The question a person came with, for each pair of machines: the light model there against the original here."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.comparison import Row, Slack, compare
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL
from edge_bench.bench.records.run import Result, Run

__all__ = ["Headline", "headlines"]

#: Where the light model itself was not measured, the next best thing, in this order.
LIGHTER = (LIGHT, "int8", "float16", "float32")


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """One light configuration against one original, and what follows for where to run it."""

    base_run: Run
    light_run: Run
    base: Row
    light: Row
    slack: Slack | None  # None where a side is emulated, or the baseline is not the original

    @property
    def across(self) -> bool:
        """Whether the two ran on different machines."""
        return self.base_run is not self.light_run

    @property
    def emulated(self) -> bool:
        """Whether a side's times are those of an emulator."""
        return self.base.emulated or self.light.emulated


def headlines(runs: Sequence[Run]) -> list[Headline]:
    """One answer for each Run that has both sides, and one for each other machine against the host's original.

    The Runs are of one bundle. On each side the configuration with the lowest median time stands for its variant:
    that is the one a person would use. An emulator's times choose nothing: there it is the runtime that a real machine
    chose, or the first.
    """
    real = [found for run in runs if not run.emulated and (found := _fastest(run, LIGHTER))]
    runtime = real[0].configuration.runtime if real else ""
    return [answer for base, light in _pairs(runs) if (answer := _headline(base, light, runtime))]


def _pairs(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    hosts = [run for run in runs if _fastest(run, [ORIGINAL])]
    host = min(hosts, key=lambda run: run.emulated, default=None)  # a real one, if there is any
    for run in runs:
        yield run, run
        if host is not None and _place(run) != _place(host):
            yield host, run


def _place(run: Run) -> tuple[str, str, bool]:
    return run.machine.hostname, run.machine.architecture, run.emulated


def _fastest(run: Run, variants: Sequence[str], runtime: str = "") -> Result | None:
    """The first of the variants that was measured, on its fastest runtime; under an emulator on the one named."""
    for variant in variants:
        found = [result for result in run.measured if result.configuration.variant == variant]
        if found and run.emulated:
            return next((result for result in found if result.configuration.runtime == runtime), found[0])
        if found:
            return min(found, key=lambda result: float(np.median(result.pass_seconds())))
    return None


def _headline(base_run: Run, light_run: Run, runtime: str) -> Headline | None:
    base = _fastest(base_run, [ORIGINAL]) or (_fastest(base_run, ["float32"]) if base_run is light_run else None)
    light = _fastest(light_run, LIGHTER, runtime)
    if base is None or light is None or light.configuration.variant == base.configuration.variant:
        return None
    pair = [msgspec.structs.replace(base_run, results=[base])]
    if base_run is light_run:
        pair = [msgspec.structs.replace(base_run, results=[base, light])]
    else:
        pair.append(msgspec.structs.replace(light_run, results=[light]))
    comparison = compare(pair, base.configuration.variant)
    rows = comparison.rows
    first = next((row for row in rows if row.is_baseline), None)
    second = next((row for row in rows if not row.is_baseline), None)
    if first is None or second is None:
        return None
    slack = comparison.slacks[0] if comparison.slacks else None
    return Headline(base_run=base_run, light_run=light_run, base=first, light=second, slack=slack)
