"""Findings about the energy of a run. None of them affects its times."""

from collections.abc import Sequence

from edge_bench.bench.analysis.energy.load import idle_load, load_shares
from edge_bench.bench.records.power import MeteredPower
from edge_bench.bench.records.run import Result
from edge_bench.bench.system.environment import LESS_LOAD
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.system.power.find import Search
from edge_bench.bench.wording import counted

__all__ = ["energy_findings", "meter_findings", "other_meter_finding"]


def meter_findings(search: Search) -> list[Finding]:
    """Return a finding if the machine has a meter that cannot be used."""
    if not search.problem:
        return []
    instead = f"the energy is from {search.meter.name}" if search.meter else "no energy"
    return [Finding(what=f"{instead}: {search.problem}", remedy=search.remedy, spoils=False)]


def other_meter_finding(earlier: MeteredPower) -> Finding:
    """Return the finding that the meter of an interrupted run is not available any more."""
    return Finding(
        what=f"trials since the run was resumed have no energy: its meter ({earlier.meter}) cannot be read now",
        remedy="measure again",
        spoils=False,
    )


def energy_findings(power: MeteredPower | None, results: Sequence[Result]) -> list[Finding]:
    """Return the findings that other programs took part of the metered energy."""
    if power is None:
        return []
    findings = []
    if (cores := idle_load(power)) is not None:
        findings.append(
            Finding(
                what=f"other programs used {cores:.1f} cores while the idle power was measured, so it is too high, and "
                "the energy above idle too low",
                remedy=LESS_LOAD,
                spoils=False,
            )
        )
    if shares := load_shares(results):
        findings.append(
            Finding(
                what=f"the meter counts other programs, too: they used up to {100 * max(shares):.0f} % of the "
                f"processor time in trials of {counted(len(shares), 'configuration')}, so the energy is too high",
                remedy=LESS_LOAD,
                spoils=False,
            )
        )
    return findings
