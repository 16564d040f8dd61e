"""The main result for each pair of machines: the light model on one against the original on the other.

The repeats of a Run are one side, as in a Comparison.
"""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from edge_bench.bench.analysis.comparison.comparison import Row, Slack, compare
from edge_bench.bench.analysis.times.groups import repeats_together
from edge_bench.bench.analysis.times.machines import machine_key
from edge_bench.bench.analysis.times.timings import RunResult, joined_repeats
from edge_bench.bench.records.bundle import LIGHT, ORIGINAL
from edge_bench.bench.records.run import Result, Run

__all__ = ["Headline", "headlines"]

#: Variants that count as the light model, in order of preference.
LIGHTER = (LIGHT, "int8", "float16", "float32")


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """One light configuration compared with one original, with the slack of an offload."""

    base_run: Run  # the first of its repeats
    light_run: Run
    base: Row
    light: Row
    slack: Slack | None  # None if one of them is emulated, or if they are not the original and the light model
    across: bool  # whether the two ran on different machines

    @property
    def emulated(self) -> bool:
        """Whether the times of either were measured under emulation."""
        return self.base.emulated or self.light.emulated


def headlines(runs: Sequence[Run]) -> list[Headline]:
    """Return a headline for each Run with both models, and for each other machine against the host's original.

    The Runs must be of one bundle. Repeats of a Run (``Run.repeat_group``) have one headline, of all their trials. The
    configuration with the lowest median time represents its variant. Emulated times are not used for this choice: under
    emulation, the runtime is the one chosen on a real machine, otherwise the first.
    """
    groups = [_measured(group) for group in repeats_together(runs) if any(run.results_with_trials for run in group)]
    real = [item for group in groups if not group[0].run.emulated and (item := _fastest(group, LIGHTER))]
    runtime = real[0].result.configuration.runtime if real else ""
    return [headline for base, light in _pairs(groups) if (headline := _headline(base, light, runtime))]


def _measured(group: Sequence[Run]) -> list[RunResult]:
    return joined_repeats([RunResult(run, result) for run in group for result in run.results_with_trials])


def _pairs(groups: Sequence[list[RunResult]]) -> Iterator[tuple[list[RunResult], list[RunResult]]]:
    hosts = [group for group in groups if _fastest(group, [ORIGINAL])]
    host = min(hosts, key=lambda group: group[0].run.emulated, default=None)  # prefers one that is not emulated
    for group in groups:
        yield group, group
        if host is not None and machine_key(group[0].run.machine) != machine_key(host[0].run.machine):
            yield host, group


def _fastest(group: Sequence[RunResult], variants: Sequence[str], runtime: str = "") -> RunResult | None:
    """Return the fastest result of the first measured variant; in an emulated Run, its result on ``runtime``."""
    for variant in variants:
        items = [item for item in group if item.result.configuration.variant == variant]
        if items and items[0].run.emulated:
            return next((item for item in items if item.result.configuration.runtime == runtime), items[0])
        if items:
            return min(items, key=_median_seconds)
    return None


def _median_seconds(item: RunResult) -> float:
    return float(np.median(np.concatenate([each.result.pass_seconds() for each in item.all_runs])))


def _headline(base_group: list[RunResult], light_group: list[RunResult], runtime: str) -> Headline | None:
    across = base_group is not light_group
    base = _fastest(base_group, [ORIGINAL]) or (None if across else _fastest(base_group, ["float32"]))
    light = _fastest(light_group, LIGHTER, runtime)
    if base is None or light is None:
        return None
    variant = base.result.configuration.variant
    if light.result.configuration.variant == variant:
        return None
    comparison = compare(_only([base, light]), variant)
    base_row = next((row for row in comparison.rows if row.is_baseline), None)
    light_row = next((row for row in comparison.rows if not row.is_baseline), None)
    if base_row is None or light_row is None:
        return None
    slack = comparison.slacks[0] if comparison.slacks else None
    return Headline(base_run=base.run, light_run=light.run, base=base_row, light=light_row, slack=slack, across=across)


def _only(items: Sequence[RunResult]) -> list[Run]:
    """Return the Runs of these items, with no other results."""
    selected: dict[int, tuple[Run, list[Result]]] = {}
    for each in (each for item in items for each in item.all_runs):
        selected.setdefault(id(each.run), (each.run, []))[1].append(each.result)
    return [msgspec.structs.replace(run, results=results) for run, results in selected.values()]
