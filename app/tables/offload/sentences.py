"""The answer of an Offload in at most three lines: where to run it, what that costs, and whether times are reliable."""

from collections.abc import Callable

from edge_bench.app.render.text.wrapping import first_that_fits, middle_shortened, wrapped
from edge_bench.app.render.units import counted, shared_decimals, significant, size, with_interval
from edge_bench.app.tables.answer.cells import inverse, joined
from edge_bench.app.tables.answer.reliability import EMULATED_TIMES, MEASURE_ON_DEVICE, Reliable, reliability_texts
from edge_bench.app.tables.answer.sentences import listed, share_text
from edge_bench.bench.offload.analysis.assessment import Assessment, Row
from edge_bench.bench.offload.analysis.recommendation import Decision, OfLink, Recommendation, RecommendationKind
from edge_bench.bench.offload.network.link_profiles import DIRECT
from edge_bench.bench.offload.records.offload import Offload
from edge_bench.bench.stats.accuracy import decidable
from edge_bench.bench.stats.ratios import Ratio

__all__ = ["offload_lines", "offload_reliability", "quality_clause", "unit_of"]

_MAX_NAME = 24


def offload_lines(offload: Offload, assessment: Assessment, answer: Recommendation, width: int) -> list[str]:
    """Return the answer: where to run it, what both cost, whether times are reliable; one line each if they fit."""
    found = _Sentences(offload, assessment, answer)
    reliable = offload_reliability(offload, assessment)
    if answer.kind is RecommendationKind.EMULATED:
        last = [MEASURE_ON_DEVICE]
    else:
        last = reliability_texts(reliable) if reliable and answer.links else []
    texts = [found.first(), *found.second(), last]
    return [line for each in texts if each for line in wrapped(first_that_fits(width, each), width)]


def offload_reliability(offload: Offload, assessment: Assessment) -> Reliable | None:
    """Return how far times can be relied on; None without times."""
    measured = [arm for arm in offload.arms if arm.trials]
    if offload.emulated or not measured:
        return None
    unstable = sum([assessment.local_unstable, *(row.unstable for row in assessment.rows)])
    return Reliable(assessment.trusted, next(iter(assessment.reasons), None), unstable, len(measured), "configuration")


def unit_of(offload: Offload) -> str:
    """Return what one example is: an image, or an inference if the inputs are no images."""
    return "inference" if offload.comparison else "image"


def quality_clause(offload: Offload, row: Row) -> str:
    """Return what sending costs in accuracy, or how far labels or outputs agree; empty if nothing is known."""
    if difference := row.accuracy_difference:
        if not difference.only_first and not difference.only_second:
            return "same accuracy"
        low, high = difference.interval.low, difference.interval.high
        chance = "" if decidable(difference) and not low <= 0 <= high else " (chance)"
        return f"accuracy {100 * difference.value:+.2f}{chance}".replace("-", "−")
    if row.agreement and row.agreement.total:
        return f"{row.agreement.same:,} of {counted(row.agreement.total, 'label')} as local"
    if offload.comparison:
        return f"{offload.comparison.identical:,} of {counted(offload.comparison.examples, 'output')} identical"
    return ""


class _Sentences:
    def __init__(self, offload: Offload, assessment: Assessment, answer: Recommendation) -> None:
        self._offload, self._assessment, self._answer = offload, assessment, answer
        server = offload.server
        self._server = middle_shortened(server.hostname or server.url, _MAX_NAME)

    def first(self) -> list[str]:
        kind, url = self._answer.kind, self._offload.server.url
        return {
            RecommendationKind.NOTHING: lambda: [
                "No answer: nothing could be measured, neither locally nor on the server"
            ],
            RecommendationKind.NOTHING_HERE: lambda: ["No answer: nothing could be run locally"],
            RecommendationKind.NOTHING_THERE: lambda: [f"No answer: nothing could be sent to {url}"],
            RecommendationKind.NO_COMMON_ROUND: lambda: [
                "No answer: local and remote inference have no round in common"
            ],
            RecommendationKind.EMULATED: lambda: [EMULATED_TIMES],
            RecommendationKind.NO_INTERVAL: lambda: [
                "No verdict on speed: times of one process have no interval. Use --processes 5."
            ],
            RecommendationKind.HERE: self._run_here,
            RecommendationKind.SEND: self._send,
            RecommendationKind.DEPENDS: self._depends,
            RecommendationKind.TIE: self._tie,
        }[kind]()

    def second(self) -> list[list[str]]:
        """Return what both cost, or why one is missing, each from the longest text to the shortest."""
        if failure := self._answer.failure:
            reason = [f"! {failure.kind}: {failure.message}"]
            return [reason, [f"{failure.remedy[0].upper()}{failure.remedy[1:]}"]] if failure.remedy else [reason]
        if not self._answer.links:
            texts = [quality_clause(self._offload, row) for row in self._assessment.rows if row.measured]
            return [[text] for text in texts[:1] if text]
        return [self._costs(self._answer.links[0].row)]

    def _run_here(self) -> list[str]:
        return self._all(
            "Run it locally",
            lambda ratio, over: f"{significant(ratio.value)}× faster than the server{over}{_interval(ratio)}",
            lambda ratio: ratio,
        )

    def _send(self) -> list[str]:
        payloads = list(dict.fromkeys(each.row.payload for each in self._answer.links))
        payload = f" as {payloads[0]}" if len(payloads) == 1 else ""
        return self._all(
            f"Send it to {self._server}{payload}",
            lambda ratio, over: f"{significant(ratio.value)}× faster than local inference{over}{_interval(ratio)}",
            inverse,
        )

    def _all(self, start: str, text: Callable[[Ratio, str], str], speed: Callable[[Ratio], Ratio]) -> list[str]:
        """Return a recommendation for all links, with the smallest ratio of speeds."""
        links = self._answer.links
        speeds = [speed(each.row.p50.ratio) for each in links if each.row.p50]
        least = min(speeds, key=lambda ratio: ratio.value)
        if len(links) == 1:
            over = "" if links[0].link == DIRECT else f" over {middle_shortened(links[0].link, _MAX_NAME)}"
            return [f"{start}: {text(least, over)}", f"{start}: {text(least, '')}"]
        return [
            f"{start}: over all {len(links)} links at least {text(least, '')}",
            f"{start}: at least {text(least, '')} ({counted(len(links), 'link')})",
        ]

    def _depends(self) -> list[str]:
        words = {
            Decision.SEND: "send it over", Decision.SAME: "the same over", Decision.UNDECIDED: "undecided over",
            Decision.HERE: "run it locally over",
        }  # fmt: skip
        groups = {
            word: links
            for decision, word in words.items()
            if (links := [each for each in self._answer.links if each.decision is decision])
        }
        named = [f"{word} {listed([_link(each) for each in links])}" for word, links in groups.items()]
        counts = [f"{word} {len(links)}" for word, links in groups.items()]
        of_all = f"It depends on the link ({len(self._answer.links)}): {'; '.join(counts)}"
        return [*(f"{start}: {'; '.join(named)}" for start in ("It depends on the link", "It depends")), of_all]

    def _tie(self) -> list[str]:
        links = self._answer.links
        spread = max(max(each.ratio, 1 / each.ratio) - 1 for each in links)
        over = f" over {_link(links[0])}" if len(links) == 1 and links[0].link != DIRECT else ""
        over = f" over all {len(links)} links" if len(links) > 1 else over
        same = all(each.decision is Decision.SAME for each in links)
        word = "Equally fast" if same else "No clear winner"
        return [f"{word}: running it locally and sending it{over} are within {share_text(spread)}"]

    def _costs(self, row: Row) -> list[str]:
        """Return the local and the remote time with its parts, the bytes and the quality, shortened step by step."""
        assert self._assessment.local is not None  # noqa: S101 - there is a ratio to it
        assert row.measured is not None  # noqa: S101
        here, away = 1e3 * self._assessment.local.value, 1e3 * row.measured.value
        decimals = shared_decimals([here, away])
        local, remote = (with_interval(value, None, most=decimals) for value in (here, away))
        payload = row.payload + ("" if row.link == DIRECT else f" over {middle_shortened(row.link, _MAX_NAME)}")
        times = f"{local} ms/{unit_of(self._offload)} locally, {remote} remotely"
        server, network = (1e3 * value for value in _server_and_network(row))
        parts = f" (server {significant(server, 2)}, network {significant(network, 2)})"
        sent = f"{counted(round(row.bytes_up), 'byte') if row.bytes_up < 1024 else size(round(row.bytes_up))} sent"
        quality = quality_clause(self._offload, row)
        ladder = ([f"{times} as {payload}{parts}", sent, quality], [f"{times}{parts}", sent, quality],
                  [times, sent, quality], [times, sent])  # fmt: skip
        return [joined(each) for each in ladder]


def _server_and_network(row: Row) -> tuple[float, float]:
    """Return the median seconds of the server, and of the network in both directions."""
    part = row.parts
    return part["server"], part["send"] + max(0.0, part["wait"] - part["server"]) + part["receive"]


def _link(each: OfLink) -> str:
    return middle_shortened(each.link, _MAX_NAME)


def _interval(ratio: Ratio) -> str:
    return f" {with_interval(ratio.value, ratio.interval).split(' ', 1)[1]}" if ratio.interval else ""
