"""The main result for each pair of machines: the light model on one against the original on the other."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.comparison.comparison import Row, Slack, compare
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL
from edge_bench.bench.records.run import Result, Run

__all__ = ["Headline", "headlines"]

#: Variants that stand for the light model, in order of preference.
LIGHTER = (LIGHT, "int8", "float16", "float32")


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """One light configuration compared with one original, with the slack of an offload."""

    base_run: Run
    light_run: Run
    base: Row
    light: Row
    slack: Slack | None  # None if one of them is emulated, or if they are not the original and the light model

    @property
    def across(self) -> bool:
        """Whether the two ran on different machines."""
        return self.base_run is not self.light_run

    @property
    def emulated(self) -> bool:
        """Whether the times of either were measured under emulation."""
        return self.base.emulated or self.light.emulated


def headlines(runs: Sequence[Run]) -> list[Headline]:
    """Return a headline for each Run with both models, and for each other machine against the host's original.

    The Runs must be of one bundle. The configuration with the lowest median time represents its variant, as a user
    would choose it. Emulated times are not used to choose: under emulation it is the runtime chosen on a real machine,
    otherwise the first.
    """
    real = [result for run in runs if not run.emulated and (result := _fastest(run, LIGHTER))]
    runtime = real[0].configuration.runtime if real else ""
    return [headline for base, light in _pairs(runs) if (headline := _headline(base, light, runtime))]


def _pairs(runs: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    hosts = [run for run in runs if _fastest(run, [ORIGINAL])]
    host = min(hosts, key=lambda run: run.emulated, default=None)  # prefers one that is not emulated
    for run in runs:
        yield run, run
        if host is not None and machine_key(run.machine) != machine_key(host.machine):
            yield host, run


def _fastest(run: Run, variants: Sequence[str], runtime: str = "") -> Result | None:
    """Return the fastest result of the first measured variant; in an emulated Run, its result on ``runtime``."""
    for variant in variants:
        results = [result for result in run.results_with_trials if result.configuration.variant == variant]
        if results and run.emulated:
            return next((result for result in results if result.configuration.runtime == runtime), results[0])
        if results:
            return min(results, key=lambda result: float(np.median(result.pass_seconds())))
    return None


def _headline(base_run: Run, light_run: Run, runtime: str) -> Headline | None:
    base = _fastest(base_run, [ORIGINAL]) or (_fastest(base_run, ["float32"]) if base_run is light_run else None)
    light = _fastest(light_run, LIGHTER, runtime)
    if base is None or light is None or light.configuration.variant == base.configuration.variant:
        return None
    results = [(base_run, [base, light])] if base_run is light_run else [(base_run, [base]), (light_run, [light])]
    pair = [msgspec.structs.replace(run, results=selected) for run, selected in results]
    comparison = compare(pair, base.configuration.variant)
    base_row = next((row for row in comparison.rows if row.is_baseline), None)
    light_row = next((row for row in comparison.rows if not row.is_baseline), None)
    if base_row is None or light_row is None:
        return None
    slack = comparison.slacks[0] if comparison.slacks else None
    return Headline(base_run=base_run, light_run=light_run, base=base_row, light=light_row, slack=slack)
