"""Records of an Offload for programs: seconds, bytes, and shares from 0 to 1."""

from collections.abc import Sequence
from typing import Any

import msgspec

from edge_bench.bench.offload.analysis.assessment import Assessment, Estimate, Row
from edge_bench.bench.offload.analysis.recommendation import recommend
from edge_bench.bench.offload.records.offload import Offload

__all__ = ["offload_records"]


def offload_records(offload: Offload, assessment: Assessment) -> Sequence[dict[str, Any]]:
    """Return the record of local inference, then one per combination of payload, link and images in flight."""
    answer = recommend(offload, assessment)
    local: dict[str, Any] = {
        "configuration": "local",
        "machine": offload.machine.hostname,
        "emulated": offload.emulated,
        "answer": str(answer.kind),
        "best": answer.here,
        "trusted": assessment.trusted,
        "not_trusted_because": "; ".join(reason.what for reason in assessment.reasons),
        "unstable": assessment.local_unstable,
        "p50_s": assessment.local.value if assessment.local else None,
        **_interval("p50", assessment.local),
        "p95_s": assessment.local_p95,
        "images_a_second": assessment.local_images_per_second,
        "joules": assessment.local_joules.value if assessment.local_joules else None,
        "slack_s": assessment.slack.value if assessment.slack else None,
        "slack_mean_s": assessment.mean_slack.value if assessment.mean_slack else None,
        "slack_mean_rests_on_outlier": assessment.mean_slack_rests_on_outlier,
    }
    outputs = {} if offload.comparison is None else {"outputs": msgspec.to_builtins(offload.comparison)}
    return [
        local,
        *(_record(row, assessment) | {"best": row.name in answer.best} | outputs for row in assessment.rows),
    ]


def _interval(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    interval = estimate.interval if estimate else None
    return {f"{name}_low_s": interval.low if interval else None, f"{name}_high_s": interval.high if interval else None}


def _record(row: Row, assessment: Assessment) -> dict[str, Any]:
    record: dict[str, Any] = {
        "configuration": row.name,
        "payload": row.payload,
        "link": row.link,
        "in_flight": row.in_flight,
    }
    for name, judged in (("p50", row.p50), ("p95", row.p95), ("throughput", row.throughput), ("energy", row.cheaper)):
        record |= {
            f"{name}_ratio": judged.ratio.value if judged else None,
            f"{name}_low": judged.ratio.interval.low if judged and judged.ratio.interval else None,
            f"{name}_high": judged.ratio.interval.high if judged and judged.ratio.interval else None,
            f"{name}_verdict": judged.verdict.value if judged else None,
        }
    return record | {
        "verdict_reliable": row.verdict_reliable,
        "verdict_reason": row.no_interval,
        "unstable": row.unstable,
        **_interval("p50", row.measured),
        "p50_s": row.measured.value if row.measured else None,
        "predicted_s": row.predicted,
        "prediction_error": row.error,
        "break_even_rtt_s": row.break_even_rtt.value if row.break_even_rtt else None,
        "break_even_up_bps": row.break_even_bps,
        "bytes_up": row.bytes_up,
        "bytes_down": row.bytes_down,
        "accuracy_difference": row.accuracy_difference.value if row.accuracy_difference else None,
        "joules": row.joules.value if row.joules else None,
        "energy": assessment.energy,
        "remark": row.remark,
        "parts_s": msgspec.to_builtins(row.parts),
    }
