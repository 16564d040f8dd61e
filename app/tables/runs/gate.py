"""A Run against an older one: a row a configuration, and what the gate says of each in a sentence."""

from collections.abc import Sequence

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import significant, with_interval
from edge_bench.bench.analysis.regression_gate import Change, Judgement, Outcome

__all__ = ["changes_table", "failures"]


def changes_table(found: Sequence[Change], judgements: Sequence[Judgement], baseline: str) -> Table:
    """New against old; ``baseline`` names the old Run."""
    return Table(
        title=f"against {baseline}, each configuration with itself",
        header=("variant", "runtime", "threads", "batch", "time ×\n[95 %]", "verdict", "accuracy, points\n[95 %]",
                "gate"),
        rows=[_cells(change, judgements) for change in found],
        keys=4,
        notes=[sentence(judgement) for judgement in judgements],
        records=[_record(change, judgements) for change in found],
    )  # fmt: skip


def failures(judgements: Sequence[Judgement]) -> list[str]:
    """A sentence for each reason to fail."""
    return [sentence(judgement) for judgement in judgements if judgement.outcome is Outcome.FAILED]


def sentence(judgement: Judgement) -> str:
    """Say, `FAILED: dynamic on litert …: 1.12 × [1.09, 1.15] the baseline's time, all of it beyond 1.05 ×`."""
    word = "FAILED" if judgement.outcome is Outcome.FAILED else judgement.outcome
    start = f"{word}: {judgement.configuration}: "
    if judgement.interval is None or judgement.value is None:
        return f"{start}{judgement.quantity}: {judgement.remark}"
    where = {
        Outcome.FAILED: "all of it beyond",
        Outcome.PASSED: "all of it within",
        Outcome.UNDECIDED: "neither wholly beyond nor within",
    }[judgement.outcome]
    if judgement.quantity == "time":
        figure = f"{with_interval(judgement.value, judgement.interval)} × the baseline's time"
        return f"{start}{figure}, {where} {1 + judgement.limit:.3g} ×"
    interval = f"[{judgement.interval.low:+.2f}, {judgement.interval.high:+.2f}]"
    drop = f"a drop of {significant(judgement.limit, 2)}"
    return f"{start}accuracy {judgement.value:+.2f} {interval} points, {where} {drop}"


def _gate(change: Change, judgements: Sequence[Judgement]) -> str:
    mine = [judgement for judgement in judgements if judgement.configuration == change.configuration]
    order = (Outcome.FAILED, Outcome.UNDECIDED, Outcome.NOT_JUDGED, Outcome.PASSED)
    return next((str(outcome) for outcome in order if any(j.outcome is outcome for j in mine)), "")


def _cells(change: Change, judgements: Sequence[Judgement]) -> list[str]:
    configuration, difference = change.configuration, change.accuracy_difference
    return [
        configuration.variant,
        configuration.runtime,
        str(configuration.threads),
        str(configuration.batch_size),
        with_interval(change.ratio.value, change.ratio.interval) if change.ratio else "",
        str(change.verdict) if change.verdict else change.remark,
        f"{100 * difference.value:+.2f} [{100 * difference.interval.low:+.2f}, {100 * difference.interval.high:+.2f}]"
        if difference
        else "",
        _gate(change, judgements),
    ]


def _record(change: Change, judgements: Sequence[Judgement]) -> dict[str, object]:
    configuration, ratio, difference = change.configuration, change.ratio, change.accuracy_difference
    return {
        "machine": change.machine,
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "threads": configuration.threads,
        "batch_size": configuration.batch_size,
        "time_ratio": ratio.value if ratio else None,
        "time_ratio_low": ratio.interval.low if ratio and ratio.interval else None,
        "time_ratio_high": ratio.interval.high if ratio and ratio.interval else None,
        "verdict": str(change.verdict) if change.verdict else None,
        "accuracy_difference": difference.value if difference else None,
        "accuracy_difference_low": difference.interval.low if difference else None,
        "accuracy_difference_high": difference.interval.high if difference else None,
        "gate": _gate(change, judgements),
        "remark": change.remark,
    }
