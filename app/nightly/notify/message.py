"""The text of a notification: what changed, where, since when, and how certain it is."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.nightly.judging.against_last import FAILS, LESS_ACCURATE
from edge_bench.app.nightly.notify.answer import answer_line
from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.units import significant
from edge_bench.bench.records.nights.night import ConfirmationKind, Finding, Night, Rule, SilentEngine, TimeRatio
from edge_bench.bench.wording import counted

__all__ = [
    "Message",
    "by_severity",
    "certainty",
    "change_line",
    "engine_line",
    "finding_details",
    "finding_line",
    "message_of",
    "refusal",
    "shown_ratio",
]

_MAX_SUBJECT = 300


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A notification, as a command or a webhook gets it as JSON."""

    subject: str  # the first sentence
    text: str  # all of it, for people
    night: int  # 0: none began
    began: str  # UTC, ISO 8601
    results: str
    changes: list[Finding] = []
    silent: list[SilentEngine] = []
    warnings: list[str] = []

    def as_json(self) -> bytes:
        """Return it as UTF-8 JSON."""
        return msgspec.json.encode(self)


def message_of(night: Night, results: Path) -> Message:
    """Return the notification of a night."""
    silent = [engine for engine in night.silent if engine.reported]
    changes = by_severity(night.reported)
    lines = [*map(finding_line, changes), *map(engine_line, silent), *night.warnings]
    subject = lines[0] if lines else answer_line(night)
    if len(lines) > 1:
        subject += f" (and {len(lines) - 1} more)"
    details: list[str] = []
    for finding in changes:
        below = [*finding_details(finding), _runs_line(finding)]
        details += ["", finding_line(finding), *(f"  {line}" for line in below)]
    for engine in silent:
        details += ["", engine_line(engine), *([f"  {one_line(engine.remedy)}"] if engine.remedy else [])]
    details += ["", *night.warnings] if night.warnings else []
    ending = [
        "",
        f"Night {night.number}, began {_date(night.began)} UTC. Results: {one_line(str(results))}",
        f"See all Runs: edge-bench history {one_line(str(results))}",
    ]
    return Message(
        subject=one_line(subject)[:_MAX_SUBJECT],
        text="\n".join([*details[1:], *ending]) + "\n",
        night=night.number,
        began=night.began,
        results=str(results),
        changes=changes,
        silent=silent,
        warnings=night.warnings,
    )


def refusal(problem: str, below: Sequence[str], now: datetime.datetime, results: Path) -> Message:
    """Return the notification that a night did not begin, with lines below the problem."""
    subject = one_line(f"No night: {problem}")[:_MAX_SUBJECT]
    began = now.isoformat(timespec="seconds")
    lines = [subject, *map(one_line, below), "", f"{_date(began)} UTC. Results: {one_line(str(results))}"]
    return Message(
        subject=subject, text="\n".join(lines) + "\n", night=0, began=began, results=str(results), warnings=[problem]
    )


def by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """Return the changes, the worst first."""
    return sorted(findings, key=_severity, reverse=True)


def finding_line(finding: Finding) -> str:
    """Return a sentence: what, where, since when, by how much, and how certain it is."""
    return one_line(f"{change_line(finding)}; {certainty(finding)}")


def change_line(finding: Finding) -> str:
    """Return the same without how certain it is."""
    what = f"{finding.verdict.capitalize()} on {finding.engine}"
    name = f"{finding.model}, {finding.configuration.variant} on {finding.configuration.runtime}"
    since = f"since {_date(finding.since)[:10]} (night {finding.since_night})"
    size = _size(finding)
    return one_line(f"{what} {since}: {name}{f', {size}' if size else ''}")


def engine_line(engine: SilentEngine) -> str:
    """Return a sentence about an engine without a Run."""
    kind = "Failed" if engine.answers else "Silent"
    last = f"last Run in the night of {engine.last_delivered[:10]}" if engine.last_delivered else "no Run yet"
    reason = f": {engine.reason}" if engine.reason else ""
    since = f"since {engine.since[:10]} (night {engine.since_night})"
    if engine.nights > 1:  # of one night, its number says so
        since += f", {counted(engine.nights, 'night')}"
    return one_line(f"{kind} {since}: {engine.engine}{reason}; {last}")


def certainty(finding: Finding) -> str:
    """Return how a change was found and whether it was measured again."""
    nights = f"{counted(finding.nights_after, 'night')} after {counted(finding.nights_before, 'night')}"
    found = {
        Rule.HISTORY: f"found by the rules of `history` from {nights}",
        Rule.EARLY: f"found by the test for short series from {nights}"
        + (f" (p = {finding.p_value:.1g})" if finding.p_value is not None else ""),
        Rule.NEW_MODEL: "with a new model",
        Rule.ACCURACY: "on the same examples as in the last compared night",
        Rule.FAILURE: "it had times in the last compared night",
    }[finding.rule]
    return f"{found}, {_again(finding)}" if _again(finding) else found


def _again(finding: Finding) -> str:
    confirmation = finding.confirmation
    if confirmation is None:
        return ""
    if confirmation.kind is ConfirmationKind.NONE:
        return f"not measured again: {confirmation.reason}"
    ratio = f" ({_times(confirmation.ratio)})" if confirmation.ratio else ""
    verdict = finding.verdict
    outcome = {True: f"again {verdict}", False: f"not {verdict}", None: "undecided"}[confirmation.confirmed]
    if confirmation.kind is ConfirmationKind.INTERLEAVED:
        confirmed = {True: "confirmed", False: "not confirmed", None: "undecided"}[confirmation.confirmed]
        return f"{confirmed} by old and new model interleaved{ratio}"
    return f"measured once more the same night: {outcome}{ratio}"


def shown_ratio(finding: Finding) -> TimeRatio | None:
    """Return the ratio of times that the notification states: of old and new model interleaved, if there is one."""
    confirmation = finding.confirmation
    if confirmation and confirmation.kind is ConfirmationKind.INTERLEAVED and confirmation.ratio:
        return confirmation.ratio
    return finding.ratio


def _size(finding: Finding) -> str:
    if ratio := shown_ratio(finding):
        return _times(ratio)
    if finding.verdict == LESS_ACCURATE and finding.points is not None:
        interval = ""
        if finding.points_low is not None and finding.points_high is not None:
            interval = f" [{finding.points_low:.2f}, {finding.points_high:.2f}]"
        return f"{finding.points:+.2f} points{interval}"
    return finding.reason if finding.verdict == FAILS else ""


def _times(ratio: TimeRatio) -> str:
    interval = "" if ratio.low is None or ratio.high is None else f" [{ratio.low:.3g}, {ratio.high:.3g}]"
    return f"{significant(ratio.value)}× the time{interval}"


def finding_details(finding: Finding) -> Sequence[str]:
    """Return the machine of a change, and what else changed since the last good night."""
    changed = [one_line(each) for each in finding.differences]
    first = f"Changed since the last good night: {'; '.join(changed)}" if changed else (
        "Nothing that a Run records changed since the last good night: versions, kernel, governor, temperature, "
        "throttling, model and data are the same"
    )  # fmt: skip
    if finding.verdict == FAILS and not finding.run_id:
        first = "The model has no Run since, so what else changed is not known"
    lines = [f"Machine: {one_line(finding.machine)}", first]
    if finding.confirmation and finding.confirmation.kind is ConfirmationKind.REPEATED:
        lines.append(
            "The second measurement is of tonight's state: the state of the nights before cannot be measured again"
        )
    return lines


def _runs_line(finding: Finding) -> str:
    return f"Runs: last good {finding.last_good_run[:8] or 'none'}, first changed {finding.run_id[:8] or 'none'}"


def _severity(finding: Finding) -> tuple[int, float]:
    order = (FAILS, LESS_ACCURATE, "slower")
    rank = len(order) - order.index(finding.verdict) if finding.verdict in order else 0
    return rank, finding.ratio.value if finding.ratio else 0.0


def _date(text: str) -> str:
    return text[:16].replace("T", " ")
