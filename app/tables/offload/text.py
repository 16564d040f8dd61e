"""What ``offload`` prints in a terminal: the recommendation, a row for each configuration, and few notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from edge_bench.app.render.table import Table
from edge_bench.app.render.text.short_table import short_table_lines
from edge_bench.app.render.units import significant, with_interval
from edge_bench.app.tables.answer.cells import inverse
from edge_bench.app.tables.answer.layout import UNLIMITED, laid_out
from edge_bench.app.tables.answer.notes import shown_notes
from edge_bench.app.tables.answer.reliability import reason_is_whole
from edge_bench.app.tables.offload.sentences import offload_lines, offload_reliability
from edge_bench.app.tables.offload.short import left_out, offload_short_table
from edge_bench.app.tables.offload.table import slack_note
from edge_bench.app.tables.shared import finding_notes
from edge_bench.bench.offload.analysis.assessment import Assessment, JudgedRatio, Row
from edge_bench.bench.offload.analysis.recommendation import Recommendation, recommend
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["OffloadAnswered", "offload_sentences", "offload_text"]

_SEND_OR_STAY = {Verdict.FASTER: "sending is", Verdict.SLOWER: "running it locally is"}


@dataclass(frozen=True)
class OffloadAnswered:
    """An Offload, its assessment, and its tables with all columns."""

    offload: Offload
    assessment: Assessment
    tables: Sequence[Table]
    more: str  # how to see all notes

    @cached_property
    def answer(self) -> Recommendation:
        """Where to run it."""
        return recommend(self.offload, self.assessment)


def offload_sentences(subject: OffloadAnswered, width: int = UNLIMITED) -> list[str]:
    """Return the lines of the answer."""
    return offload_lines(subject.offload, subject.assessment, subject.answer, width)


def offload_text(
    subject: OffloadAnswered, width: int, *, wide: bool = False, why: bool = False, limit: bool = True
) -> str:
    """Return the answer in at most three lines of ``width`` characters, a table that fits it, and at most five notes.

    wide: the tables with all columns instead of the short one, in blocks of ``width`` if ``limit``
    why: all notes
    """
    return laid_out(
        offload_sentences(subject, width),
        lambda: _short(subject, width),
        lambda: shown_notes(_notes(subject, width), width, subject.more),
        subject.tables,
        width if limit else None,
        wide=wide,
        why=why,
    )


def _short(subject: OffloadAnswered, width: int) -> list[list[str]]:
    table = offload_short_table(subject.offload, subject.assessment, subject.answer)
    if table is None:
        return []
    more = left_out(subject.assessment)
    return [[*short_table_lines(table, width), *([f"  and {more} slower configurations (--wide)"] if more else [])]]


def _notes(subject: OffloadAnswered, width: int) -> list[str]:
    """Return the notes, most important first; those with ``!`` make a number doubtful."""
    offload, assessment = subject.offload, subject.assessment
    reliable = offload_reliability(offload, assessment)
    reason = None if reason_is_whole(reliable, width) or reliable is None else reliable.reason
    notes = [
        *(["! INTERRUPTED: only the trials before the interruption are included"] if not offload.complete else []),
        *_failures(subject),
        *([f"! {reason.what}: {reason.remedy}"] if reason else []),
        *([f"NOTE: {offload.bundle.note}"] if offload.bundle.note else []),
        *_throughput(subject),
        *_other_verdicts(subject),
        *slack_note(offload, assessment),
        *finding_notes([each for each in offload.findings if not each.spoils]),
        *(f"- {link.name} is {link.figures}: {link.source}" for link in offload.links if link.source),
    ]
    return list(dict.fromkeys(notes))


def _failures(subject: OffloadAnswered) -> list[str]:
    """Return a note for each reason, without the one that the answer has."""
    failed: dict[tuple[str, str, str], list[str]] = {}
    for arm in subject.offload.arms:
        if failure := arm.failure:
            failed.setdefault((failure.kind, failure.message, failure.remedy), []).append(arm.name)
    known = subject.answer.failure
    return [
        f"! {_configurations(names)}: {kind}: {message}{f' ({remedy})' if remedy else ''}"
        for (kind, message, remedy), names in failed.items()
        if known is None or (kind, message, remedy) != (known.kind, known.message, known.remedy)
    ]


def _configurations(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} configurations"


def _throughput(subject: OffloadAnswered) -> list[str]:
    """Return what is faster for many images, if several requests are sent at once."""
    rows = [row for row in subject.assessment.rows if row.in_flight > 1 and row.throughput]
    if not rows:
        return []
    best = min(rows, key=lambda row: row.throughput.ratio.value if row.throughput else float("inf"))
    assert best.throughput is not None  # noqa: S101 - all of these have one
    text = _verdict_text(best.throughput, f"throughput, {_name(best)}")
    return [f"- {text}{' ~' if best.verdict_reliable is False else ''}"]


def _other_verdicts(subject: OffloadAnswered) -> list[str]:
    """Return the verdicts on slow requests and on energy, if they are not those on the median latency."""
    notes = []
    for of_link in subject.answer.links:
        row = of_link.row
        for judged, what in ((row.p95, "p95"), (row.cheaper, "energy of this device")):
            if judged and row.p50 and (judged.verdict is not row.p50.verdict or what != "p95"):
                notes.append(f"- {_verdict_text(judged, f'{what}, {_name(row)}', energy=what != 'p95')}")
    return notes


def _name(row: Row) -> str:
    return row.name.removeprefix("remote ")


def _verdict_text(judged: JudgedRatio, what: str, *, energy: bool = False) -> str:
    """Return ``what: sending is 1.30× faster than running it locally [1.20, 1.40]``."""
    if judged.verdict not in _SEND_OR_STAY:
        return f"{what}: {judged.verdict}, {with_interval(judged.ratio.value, judged.ratio.interval)} × local"
    ratio = inverse(judged.ratio) if judged.verdict is Verdict.FASTER else judged.ratio
    interval = f" {with_interval(ratio.value, ratio.interval).split(' ', 1)[1]}" if ratio.interval else ""
    word = "cheaper" if energy else "faster"
    return f"{what}: {_SEND_OR_STAY[judged.verdict]} {significant(ratio.value)}× {word}{interval}"
