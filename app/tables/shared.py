"""Cells, notes and record fields that several tables have in common."""

from collections.abc import Sequence
from typing import Any

from edge_bench.bench.records.run import Configuration, Failure
from edge_bench.bench.stats.ratios import Ratio
from edge_bench.bench.system.machine import Finding

__all__ = ["configuration_cells", "failure_text", "finding_notes", "ratio_record"]


def configuration_cells(configuration: Configuration) -> list[str]:
    """Return the key columns of a configuration: variant, runtime, threads, batch size."""
    return [configuration.variant, configuration.runtime, str(configuration.threads), str(configuration.batch_size)]


def failure_text(failure: Failure, trials: int) -> str:
    """Return ``kind after 3 trials: message (remedy)``; ``trials`` is the number of completed trials."""
    completed = f" after {trials} trials" if trials else ""
    remedy = f" ({failure.remedy})" if failure.remedy else ""
    return f"{failure.kind}{completed}: {failure.message}{remedy}"


def finding_notes(findings: Sequence[Finding]) -> list[str]:
    """Return one note per finding; ``!`` marks those that make times unreliable."""
    return [f"{'!' if finding.spoils else '-'} {finding.what}: {finding.remedy}" for finding in findings]


def ratio_record(ratio: Ratio | None) -> dict[str, Any]:
    """Return the record fields of a ratio of times and its interval; values are None if unknown."""
    interval = ratio.interval if ratio else None
    return {
        "time_ratio": ratio.value if ratio else None,
        "time_ratio_low": interval.low if interval else None,
        "time_ratio_high": interval.high if interval else None,
    }
