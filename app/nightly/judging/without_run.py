"""Models of which an engine delivers no Run any more, although it delivers Runs of other models."""

from collections.abc import Sequence

from edge_bench.app.nightly.judging.against_last import FAILS
from edge_bench.bench.records.nights.night import Finding, Measurement, MeasurementState, Night, Rule

__all__ = ["failing_models"]


def failing_models(tonight: Night, earlier: Sequence[Night], silent_after: int) -> list[Finding]:
    """Return a finding for each configuration of the models that an engine can no longer measure.

    A failure is found in the first night, a lost connection after ``silent_after`` nights. Neither is found again
    before the model has another Run. An engine without any Run is silent: that is reported by itself.
    """
    delivered = {each.engine for each in tonight.measurements if each.state is MeasurementState.DELIVERED}
    return [
        finding
        for each in tonight.measurements
        if each.engine in delivered and each.state in (MeasurementState.FAILED, MeasurementState.SILENT)
        for finding in _findings(each, tonight, earlier, silent_after)
    ]


def _findings(failed: Measurement, tonight: Night, earlier: Sequence[Night], silent_after: int) -> list[Finding]:
    first, nights = tonight, 1
    for night in reversed(earlier):
        before = next((each for each in night.measurements if _same(each, failed)), None)
        if before and before.state is MeasurementState.DELIVERED:
            due = failed.state is MeasurementState.FAILED or nights >= silent_after
            return _made(failed, before, first, nights) if due else []
        if any(_same(each, failed) and each.verdict == FAILS for each in night.findings):
            return []
        if before and before.state is not MeasurementState.WAITING:
            first, nights = night, nights + 1
    return []


def _same(each: Measurement | Finding, failed: Measurement) -> bool:
    return (each.model, each.engine) == (failed.model, failed.engine)


def _made(failed: Measurement, good: Measurement, first: Night, nights: int) -> list[Finding]:
    return [
        Finding(
            model=failed.model, engine=failed.engine, machine=good.machine, configuration=level.configuration,
            verdict=FAILS, rule=Rule.FAILURE, since_night=first.number, since=first.began, nights_before=1,
            nights_after=nights, reason=failed.reason, last_good_run=good.run_id, reported=True,
        )
        for level in good.levels
    ]  # fmt: skip
