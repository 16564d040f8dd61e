"""Tables of an Offload: the comparison, the parts of a remote latency, predicted and measured times, and energy."""

from edge_bench.app.render.table import Table
from edge_bench.app.render.units import counted, percent, points_with_interval, seconds, significant, with_interval
from edge_bench.app.tables.offload.outputs import outputs_table
from edge_bench.app.tables.offload.rows import offload_records
from edge_bench.app.tables.offload.sentences import unit_of
from edge_bench.app.tables.shared import UNRELIABLE, UNRELIABLE_NOTE, failure_text, finding_notes, verdict_cell
from edge_bench.bench.offload.analysis.assessment import Assessment, Estimate, JudgedRatio, Row
from edge_bench.bench.offload.network.link_profiles import DIRECT, bits_as_text
from edge_bench.bench.offload.records.offload import Offload, OutputComparison
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["answers", "offload_tables", "slack_note"]

_VERDICTS = {Verdict.FASTER: "send", Verdict.SLOWER: "stay", Verdict.SAME: "the same", Verdict.UNDECIDED: "undecided"}
_PARTS = ("encode", "send", "network", "unpack", "queue", "compute", "rest of server", "receive", "decode")


def offload_tables(offload: Offload, assessment: Assessment) -> list[Table]:
    """Return all tables that have rows; the records of the first contain everything."""
    tables = [_comparison(offload, assessment), outputs_table(offload), _latency_parts(assessment)]
    if not offload.emulated:
        tables.append(_predictions(assessment))
    if assessment.energy != "none" and assessment.local_joules:
        tables.append(_energy(offload, assessment))
    return [table for table in tables if table.rows]


def answers(offload: Offload, assessment: Assessment) -> list[str]:
    """Return one sentence per link about its fastest payload: whether to send, and by how much."""
    if offload.emulated:
        return ["EMULATED: predictions are valid, times are not compared"]
    if assessment.local is None:
        return ["Nothing was measured locally, so nothing can be compared."]
    local_time = seconds(assessment.local.value)
    best: dict[str, Row] = {}
    for row in assessment.rows:
        if row.p50 and (row.link not in best or row.p50.ratio.value < _ratio(best[row.link])):
            best[row.link] = row
    sentences = [_sentence(row, local_time) for row in best.values()]
    if assessment.slack:
        sentences.append(_slack_sentence(assessment.slack, assessment, unit_of(offload)))
    return sentences


def slack_note(offload: Offload, assessment: Assessment) -> list[str]:
    """Return a note with what sending may cost; none without a direct path that was measured."""
    return [f"- {_slack_sentence(assessment.slack, assessment, unit_of(offload))}"] if assessment.slack else []


def _slack_sentence(slack: Estimate, assessment: Assessment, unit: str) -> str:
    """Return what sending may cost by median times, and the same by mean times."""
    low = slack.interval.low if slack.interval else slack.value
    high = slack.interval.high if slack.interval else slack.value
    if low > 0:
        use = "if sending costs more than this, running it locally is faster"
    elif high <= 0:
        use = "sending cannot be faster: the server does not compute faster"
    else:
        use = "undecided whether the server computes faster"
    text = f"Slack (local time minus the server's compute time): {_signed_with_interval(slack)} per {unit}; {use}"
    if assessment.mean_slack:
        text += f"; by mean times {_signed_with_interval(assessment.mean_slack)}"
    if assessment.mean_slack_rests_on_outlier:
        text += ", without an interval because an outlier dominates a mean"
    return f"{text}."


def _signed_with_interval(estimate: Estimate) -> str:
    interval = estimate.interval
    return _signed(estimate.value) + (f" [{_signed(interval.low)}, {_signed(interval.high)}]" if interval else "")


def _ratio(row: Row) -> float:
    return row.p50.ratio.value if row.p50 else float("inf")


def _sentence(row: Row, local_time: str) -> str:
    assert row.p50 is not None  # noqa: S101 - the caller has checked
    assert row.measured is not None  # noqa: S101 - given whenever p50 is
    path = "the real network" if row.link == DIRECT else row.link
    remote_time = seconds(row.measured.value)
    times = with_interval(row.p50.ratio.value, row.p50.ratio.interval)
    match row.p50.verdict:
        case Verdict.FASTER:
            decision = f"Send it ({row.payload}) over {path}"
        case Verdict.SLOWER:
            decision = f"Run it locally rather than send it ({row.payload}) over {path}"
        case Verdict.SAME:
            decision = f"Local and sent ({row.payload}) over {path} take the same time"
        case _:
            decision = f"Undecided between local and sent ({row.payload}) over {path}"
    return f"{decision}: {remote_time} remotely, {local_time} locally (p50), {times} × the local time."


def _comparison(offload: Offload, assessment: Assessment) -> Table:
    emulated = "EMULATED: " if offload.emulated else ""
    configuration = offload.configuration
    quality = "outputs\nas local" if offload.comparison else "accuracy minus\nlocal, points [95 %]"
    header = [
        "configuration", "p50, ms\n[95 %]", "× local, p50\n[95 %]", "p50", "× local, p95\n[95 %]", "p95",
        f"time per {unit_of(offload)}\n× local [95 %]", "through-\nput", quality, "bytes\nup / down",
    ]  # fmt: skip
    accuracy = assessment.local_accuracy
    local = [
        f"local: {configuration.variant} on {configuration.runtime}{UNRELIABLE if assessment.local_unstable else ''}",
        _milliseconds(assessment.local), "", "",
        f"p95 {significant(assessment.local_p95 * 1e3)} ms" if assessment.local_p95 else "", "",
        f"{significant(assessment.local_images_per_second)} images/s" if assessment.local_images_per_second else "", "",
        f"{percent(accuracy[0] / accuracy[1])} % right" if accuracy else "", "",
    ]  # fmt: skip
    return Table(
        title=f"{emulated}{offload.bundle.model} on {offload.bundle.dataset}: local on {offload.machine.label}, "
        f"remote on {offload.server.label}; "
        f"{counted(offload.timed, 'example' if offload.comparison else 'image')} per pass",
        header=header,
        rows=[local, *(_comparison_row(row, offload.comparison) for row in assessment.rows)],
        keys=1,
        notes=_notes(offload, assessment),
        records=offload_records(offload, assessment),
    )


def _comparison_row(row: Row, comparison: OutputComparison | None) -> list[str]:
    if row.measured is None:
        return [row.name, "failed (below)", *[""] * 8]
    accuracy = ""
    if row.accuracy_difference:
        accuracy = points_with_interval(row.accuracy_difference.value, row.accuracy_difference.interval)
    elif row.agreement:
        accuracy = f"{row.agreement.same:,} of {counted(row.agreement.total, 'label')} as local"
    elif comparison:
        accuracy = f"{comparison.identical:,} of {comparison.examples:,} identical"
    return [
        f"{row.name}{UNRELIABLE if row.unstable else ''}", _milliseconds(row.measured),
        *_time_cells(row, row.p50), *_time_cells(row, row.p95), *_time_cells(row, row.throughput), accuracy,
        f"{row.bytes_up:,.0f} / {row.bytes_down:,.0f}",
    ]  # fmt: skip


def _time_cells(row: Row, judged: JudgedRatio | None) -> tuple[str, str]:
    """Return the ratio and its verdict, which is marked if it is not reliable and says why it has no interval."""
    ratio, verdict = _ratio_cells(judged)
    return ratio, verdict_cell(verdict, row.verdict_reliable, row.no_interval) if judged else ""


def _ratio_cells(judged: JudgedRatio | None) -> tuple[str, str]:
    if judged is None:
        return "", ""
    return with_interval(judged.ratio.value, judged.ratio.interval), _VERDICTS[judged.verdict]


def _notes(offload: Offload, assessment: Assessment) -> list[str]:
    notes = answers(offload, assessment)
    notes += [f"NOTE: {offload.bundle.note}"] if offload.bundle.note else []
    times = "an example in memory to its outputs" if offload.comparison else "an image's pixels to its label"
    notes.append(
        f"p50 and p95 are from {times}, within a pass; send and stay only if the whole interval is beyond ±2 %, "
        "corrected for the number of rows"
    )
    if offload.path:
        path = offload.path
        up = f", {bits_as_text(round(path.up_bps, -5))}/s up" if path.up_bps and path.up_bps > 1e5 else ""
        notes.append(
            f"the network to {offload.server.url}: {seconds(path.rtt_s)} per round trip, {seconds(path.empty_s)} per "
            f"request without content{up}"
        )
    notes += [f"- {link.name} is {link.figures}: {link.source}" for link in offload.links if link.source]
    if offload.links:
        notes.append(
            "links are simulated by a proxy in front of this network: connections are warm, without slow start"
        )
    if not offload.complete:
        notes.append("! INTERRUPTED: only the trials before the interruption are included")
    notes += [f"! {reason.what}: {reason.remedy}" for reason in assessment.reasons if reason.spread]
    if assessment.local_unstable or any(row.unstable or row.verdict_reliable is False for row in assessment.rows):
        notes.append(UNRELIABLE_NOTE)
    notes += finding_notes(offload.findings)
    notes += [f"! {arm.name}: {failure_text(arm.failure, len(arm.trials))}" for arm in offload.arms if arm.failure]
    return list(dict.fromkeys(notes))


def _latency_parts(assessment: Assessment) -> Table:
    rows = [
        [row.name, *(significant(value * 1e3) for value in _parts_of(row).values())]
        for row in assessment.rows
        if row.parts and row.in_flight == 1
    ]
    return Table(
        title="Parts of the remote time, ms (medians)",
        header=["configuration", *_PARTS],
        rows=rows,
        keys=1,
        notes=[
            "network is the time between sending and the answer that the server does not account for; send and "
            "receive are the system calls alone"
        ],
        records=[{"configuration": row.name, **_parts_of(row)} for row in assessment.rows if row.parts],
    )


def _parts_of(row: Row) -> dict[str, float]:
    """Return the parts of a remote latency in their order, in seconds; they add up to about the latency."""
    part = row.parts
    known_server_time = part["queue"] + part["unpack"] + part["compute"]
    return {
        "encode": part["encode"],
        "send": part["send"],
        "network": max(0.0, part["wait"] - part["server"]),
        "unpack": part["unpack"],
        "queue": part["queue"],
        "compute": part["compute"],
        "rest of server": max(0.0, part["server"] - known_server_time),
        "receive": part["receive"],
        "decode": part["decode"],
    }


def _predictions(assessment: Assessment) -> Table:
    rows = [
        [
            row.name,
            significant(row.predicted * 1e3) if row.predicted is not None else "",
            _milliseconds(row.measured),
            f"{100 * row.error:+.1f} %" if row.error is not None else "",
            _milliseconds(row.break_even_rtt),
            _bandwidth(row),
        ]
        for row in assessment.rows
        if row.break_even_rtt
    ]
    return Table(
        title="Predicted and measured times, and break-even links",
        header=["configuration", "predicted\nms", "measured, ms\n[95 %]", "error", "break-even round trip\nms [95 %]",
                "break-even\nbandwidth up"],
        rows=rows,
        keys=1,
        notes=[
            "predicted = encode + bytes up / bandwidth + round trip + server + bytes down / bandwidth + "
            "decode + the cost of HTTP on the real network",
            "below the break-even round trip, at the link's bandwidths, sending is faster; if it is negative, no link "
            "is fast enough",
        ],
    )  # fmt: skip


def _bandwidth(row: Row) -> str:
    if row.link == DIRECT:
        return ""
    return f"{bits_as_text(float(f'{row.break_even_bps:.3g}'))}/s" if row.break_even_bps else "none is enough"


def _energy(offload: Offload, assessment: Assessment) -> Table:
    source = f"meter: {offload.meter}" if assessment.energy == "meter" else "power set with --power"
    rows = [["local", _millijoules(assessment.local_joules), "", ""]]
    rows += [[row.name, _millijoules(row.joules), *_ratio_cells(row.cheaper)] for row in assessment.rows if row.joules]
    notes = []
    if assessment.energy == "stated" and offload.power:
        power = offload.power
        notes = [
            f"from the power set with --power: {power.idle_w:g} W idle, {power.compute_w:g} W computing, "
            f"{power.transmit_w:g} W transmitting ({power.source}); the server's energy is not included"
        ]
    return Table(
        title=f"Mean energy of this device per {unit_of(offload)} ({source})",
        header=["configuration", f"mJ/{unit_of(offload)}\n[95 %]", "× local\n[95 %]", "cheaper to"],
        rows=rows,
        keys=1,
        notes=notes,
    )


def _milliseconds(estimate: Estimate | None) -> str:
    """Return an estimate in seconds (or joules) as milliseconds (or millijoules), with its interval."""
    return "" if estimate is None else with_interval(estimate.value, estimate.interval, scale=1e3)


_millijoules = _milliseconds


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else ''}{seconds(abs(value))}"
