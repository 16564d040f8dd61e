"""The answer to "run it here, or send it there?", for each link and for all of them."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from edge_bench.bench.offload.analysis.assessment import Assessment, Row
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.records.run import Failure
from edge_bench.bench.stats.ratios import Verdict

__all__ = ["Decision", "OfLink", "Recommendation", "RecommendationKind", "recommend"]


class Decision(StrEnum):
    """What is faster over one link, by the median latency of single requests."""

    SEND = "send"
    HERE = "run locally"
    SAME = "same"
    UNDECIDED = "undecided"


class RecommendationKind(StrEnum):
    """What the answer can say; docs/offload.md has the first line of each."""

    SEND = "send"  # over every link
    HERE = "run locally"  # whatever the link
    DEPENDS = "depends on the link"
    TIE = "no clear winner"
    NO_INTERVAL = "no interval"  # a single process: nothing shows how far times vary
    EMULATED = "emulated"
    NOTHING_HERE = "nothing measured locally"
    NOTHING_THERE = "nothing sent"
    NOTHING = "nothing measured"
    NO_COMMON_ROUND = "no common round"  # interrupted before both had a trial in one round


class OfLink(msgspec.Struct, frozen=True, kw_only=True):
    """The decision about one link, and the payload that it rests on."""

    link: str
    decision: Decision
    row: Row  # with a ratio: the fastest payload, or the one that leaves the decision open

    @property
    def ratio(self) -> float:
        """Latency there divided by that here."""
        assert self.row.p50 is not None  # noqa: S101 - rows without a ratio have no decision
        return self.row.p50.ratio.value


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """The recommendation, and what it rests on."""

    kind: RecommendationKind
    links: list[OfLink] = []  # the fastest first; empty unless there are ratios
    failure: Failure | None = None  # the most frequent one of the side that is missing
    here: bool = False  # whether running it here is recommended over some link, or not slower than the best
    best: list[str] = []  # names of the rows that are recommended, or not slower than the best


def recommend(offload: Offload, assessment: Assessment) -> Recommendation:
    """Return what is faster, by the verdicts on median latencies of single requests.

    Over a link, sending is recommended if a payload is faster than running it here, and running it here only if that
    is faster than every payload.
    """
    if missing := _missing(offload, assessment):
        return missing
    if offload.emulated:
        return Recommendation(kind=RecommendationKind.EMULATED)
    rows = [row for row in assessment.rows if row.p50]
    if not rows:
        return Recommendation(kind=RecommendationKind.NO_COMMON_ROUND)
    names = dict.fromkeys(row.link for row in rows)
    links = sorted((_of_link([row for row in rows if row.link == name]) for name in names), key=lambda each: each.ratio)
    if all(row.p50 and row.p50.ratio.interval is None for row in rows):
        return Recommendation(kind=RecommendationKind.NO_INTERVAL, links=links)
    open_ = (Decision.SAME, Decision.UNDECIDED)
    return Recommendation(
        kind=_kind({each.decision for each in links}),
        links=links,
        here=any(each.decision is not Decision.SEND for each in links),
        best=[each.row.name for each in links if each.decision is Decision.SEND or each.decision in open_],
    )


def _missing(offload: Offload, assessment: Assessment) -> Recommendation | None:
    """Return the recommendation if nothing was measured on one side."""
    here, there = assessment.local is not None, any(row.measured for row in assessment.rows)
    if here and there:
        return None
    kind = RecommendationKind.NOTHING_HERE if there else RecommendationKind.NOTHING_THERE
    missing = [offload.local] if there else offload.remotes
    if not here and not there:
        kind, missing = RecommendationKind.NOTHING, offload.arms
    failures = Counter((each.kind, each.message, each.remedy) for arm in missing if (each := arm.failure))
    found = failures.most_common(1)
    failure = Failure(kind=found[0][0][0], message=found[0][0][1], remedy=found[0][0][2]) if found else None
    return Recommendation(kind=kind, failure=failure)


def _kind(decisions: set[Decision]) -> RecommendationKind:
    if decisions == {Decision.SEND}:
        return RecommendationKind.SEND
    if decisions == {Decision.HERE}:
        return RecommendationKind.HERE
    return RecommendationKind.DEPENDS if decisions & {Decision.SEND, Decision.HERE} else RecommendationKind.TIE


def _of_link(rows: Sequence[Row]) -> OfLink:
    """Return the decision about a link from its rows, all of which have a ratio."""
    verdicts = {
        Verdict.FASTER: Decision.SEND, Verdict.UNDECIDED: Decision.UNDECIDED, Verdict.SAME: Decision.SAME,
        Verdict.SLOWER: Decision.HERE,
    }  # fmt: skip
    for verdict, decision in verdicts.items():
        judged = [row for row in rows if row.p50 and row.p50.verdict is verdict]
        if judged:
            row = min(judged, key=lambda row: row.p50.ratio.value if row.p50 else float("inf"))
            return OfLink(link=row.link, decision=decision, row=row)
    raise ValueError("a link without a ratio has no decision")
