"""Quality and agreement of the same variant on the same runtime on two machines, for tasks other than classify."""

import msgspec

from edge_bench.bench.analysis.quality.scored import agreement_of_outputs, first_measure
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.tasks.measures import Measure, TaskAgreement

__all__ = ["CrossMachineOutputs", "outputs_across"]


class CrossMachineOutputs(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of one variant on one runtime between this machine ("here") and the baseline's ("there")."""

    there: str  # label of the baseline's machine
    agreement: TaskAgreement
    quality_here: Measure | None = None  # the first measure of the task; None if true values are unknown
    quality_there: Measure | None = None


def outputs_across(run: Run, result: Result, other: Run, counterpart: Result | None) -> CrossMachineOutputs | None:
    """Return the agreement of a result with its counterpart on another machine; None if there are no such outputs."""
    if counterpart is None or not result.trials:
        return None
    agreement = agreement_of_outputs(run, result, other, counterpart)
    if agreement is None:
        return None
    return CrossMachineOutputs(
        there=other.machine.label,
        agreement=agreement,
        quality_here=first_measure(run, result),
        quality_there=first_measure(other, counterpart),
    )
