"""The short table of an Offload: local inference and every way to send the examples, the fastest first."""

from collections.abc import Sequence
from typing import NamedTuple

from edge_bench.app.render.short_table import Column, ShortTable
from edge_bench.app.render.units import counted, percent, shared_decimals, significant, size, with_interval
from edge_bench.app.tables.answer.cells import UNRELIABLE, inverse
from edge_bench.app.tables.answer.short import BEST
from edge_bench.app.tables.offload.sentences import unit_of
from edge_bench.bench.offload.analysis.assessment import Assessment, Estimate, Row
from edge_bench.bench.offload.analysis.recommendation import Recommendation, RecommendationKind
from edge_bench.bench.offload.network.link_profiles import DIRECT
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["left_out", "offload_short_table"]

LOCAL_NAME = "local"
#: Rows from which on only the fastest payload of each link is shown, and the most rows.
_MANY, _MOST = 12, 20
#: Order in which columns are reduced, the highest first.
_NETWORK, _SERVER, _SENT, _INTERVAL, _QUALITY = 9, 8, 7, 6, 5
_MARKED = (RecommendationKind.HERE, RecommendationKind.SEND, RecommendationKind.DEPENDS, RecommendationKind.TIE)


class _Line(NamedTuple):
    """A row of the table; ``row`` is None for local inference."""

    row: Row | None
    time: Estimate

    @property
    def name(self) -> str:
        """``local``, ``raw`` or ``raw over lte``."""
        if self.row is None:
            return LOCAL_NAME
        return self.row.payload if self.row.link == DIRECT else f"{self.row.payload} over {self.row.link}"


def offload_short_table(offload: Offload, assessment: Assessment, answer: Recommendation) -> ShortTable | None:
    """Return the configurations with one request in flight, by their median latency; None if nothing was measured."""
    lines = _lines(assessment)
    if not lines:
        return None
    columns = [Column("configuration", [line.name for line in lines], right=False, shrinks=True)]
    if not offload.emulated:
        columns += _times(lines, offload, assessment)
    columns += _quality(lines, assessment)
    remote = [line.row for line in lines]
    sent = [_bytes(row.bytes_up) if row else "" for row in remote]
    if not offload.emulated:
        for name, priority in (("server", _SERVER), ("network", _NETWORK)):
            columns.append(Column(f"{name}\nms", [_part(row, name) for row in remote], dropped=priority))
    columns.append(Column("sent", sent, dropped=_SENT))
    marked = answer.kind in _MARKED
    marks = [
        BEST if marked and (answer.here if line.row is None else line.row.name in answer.best) else "" for line in lines
    ]
    return ShortTable(_title(offload, assessment), columns, marks)


def left_out(assessment: Assessment) -> int:
    """Return how many measured configurations with one request in flight the table does not show."""
    return len(_sent(assessment)) - sum(line.row is not None for line in _lines(assessment))


def _sent(assessment: Assessment) -> list[Row]:
    return [row for row in assessment.rows if row.measured and row.in_flight == 1]


def _lines(assessment: Assessment) -> list[_Line]:
    lines = [_Line(row, row.measured) for row in _sent(assessment) if row.measured]
    lines.sort(key=lambda line: line.time.value)
    if len(lines) > _MANY:
        fastest = {line.row.link: line for line in reversed(lines) if line.row}
        lines = [line for line in lines if line.row and fastest[line.row.link] is line][:_MOST]
    if assessment.local is not None:
        lines.append(_Line(None, assessment.local))
    return sorted(lines, key=lambda line: line.time.value)


def _title(offload: Offload, assessment: Assessment) -> str:
    configuration, server, unit = offload.configuration, offload.server, unit_of(offload)
    trials = max((len(arm.trials) for arm in offload.arms), default=0)
    processes = max((len(arm.by_process("an image")) for arm in offload.arms), default=0)
    threads = counted(configuration.threads, "thread")
    served = f"{server.variant} on {server.runtime}, " if server.variant and server.runtime else ""
    unreliable = assessment.local_unstable or any(
        row.unstable or row.verdict_reliable is False for row in assessment.rows
    )
    parts = [
        f"{offload.bundle.model} on {offload.bundle.dataset}",
        f"local: {configuration.variant} on {configuration.runtime}, {threads}, {offload.machine.label}",
        f"server: {served}{server.hostname or server.url}",
        f"{counted(offload.timed, unit)} per pass",
        f"{counted(trials, 'trial')} in {counted(processes, 'process')}",
        *([] if offload.emulated else ["median latencies of single requests"]),
        *(["links are simulated"] if offload.links else []),
        *(["~ not reliable"] if unreliable and not offload.emulated else []),
    ]
    return "; ".join(parts)


def _times(lines: Sequence[_Line], offload: Offload, assessment: Assessment) -> list[Column]:
    """Return the times and the speeds against local inference, with what is not reliable marked."""
    most = shared_decimals([1e3 * line.time.value for line in lines])
    unstable = [assessment.local_unstable if line.row is None else line.row.unstable for line in lines]
    pad = " " * len(UNRELIABLE) if any(unstable) else ""

    def cells(*, interval: bool) -> list[str]:
        texts = (
            with_interval(line.time.value, line.time.interval if interval else None, scale=1e3, most=most)
            for line in lines
        )
        return [f"{text}{UNRELIABLE if varies else pad}" for text, varies in zip(texts, unstable, strict=True)]

    header = f"ms/{unit_of(offload)}"
    has_interval = any(line.time.interval for line in lines)
    time = Column(f"{header}{' [95 %]' if has_interval else ''}{pad}", cells(interval=True),
                  narrow=(f"{header}{pad}", cells(interval=False)), narrowed=_INTERVAL)  # fmt: skip
    return [time, *_speed(lines)]


def _speed(lines: Sequence[_Line]) -> list[Column]:
    if not any(line.row and line.row.p50 for line in lines):
        return []
    doubtful = [line.row is not None and line.row.verdict_reliable is False for line in lines]
    judged = sum(line.row is not None and line.row.p50 is not None for line in lines)
    if sum(doubtful) == judged:  # all are: the heading is marked instead of each
        return [Column(f"vs local{UNRELIABLE}", [_speed_text(line.row) for line in lines])]
    pad = " " * len(UNRELIABLE) if any(doubtful) else ""
    cells = [
        f"{_speed_text(line.row)}{UNRELIABLE if doubt else pad}" for line, doubt in zip(lines, doubtful, strict=True)
    ]
    return [Column(f"vs local{pad}", cells)]


def _speed_text(row: Row | None) -> str:
    if row is None:
        return "baseline"
    if row.p50 is None:
        return ""
    ratio, verdict = row.p50.ratio, row.p50.verdict
    if row.no_interval or verdict in (Verdict.SAME, Verdict.UNDECIDED):
        return "no interval" if row.no_interval else str(verdict)
    speed = inverse(ratio) if verdict is Verdict.FASTER else ratio
    return f"{significant(speed.value)}× {verdict}"


def _quality(lines: Sequence[_Line], assessment: Assessment) -> list[Column]:
    """Return the accuracy of each configuration, or without true values the share of labels that are as local."""
    if assessment.local_accuracy:
        correct, total = assessment.local_accuracy
        differences = [
            0.0 if line.row is None else each.value if (each := line.row.accuracy_difference) else None
            for line in lines
        ]
        cells = ["" if each is None else f"{percent(correct / total + each, 1)} %" for each in differences]
        return [Column("accuracy", cells, dropped=_QUALITY)]
    agreements = [line.row.agreement if line.row else None for line in lines]
    shares = [f"{percent(each.same / each.total, 1)} %" if each and each.total else "" for each in agreements]
    return [Column("labels\nas local", shares, dropped=_QUALITY)] if any(shares) else []


def _part(row: Row | None, name: str) -> str:
    """Return the median milliseconds of the server, or of the network in both directions."""
    if row is None or not row.parts:
        return ""
    part = row.parts
    network = part["send"] + max(0.0, part["wait"] - part["server"]) + part["receive"]
    return significant(1e3 * (part["server"] if name == "server" else network))


def _bytes(count: float) -> str:
    return f"{count:,.0f} B" if count < 1024 else size(round(count))
