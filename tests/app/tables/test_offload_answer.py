"""What `offload` answers in a terminal: where to run it, what both cost, whether times are reliable."""

import msgspec
import pytest

from edge_bench.app.tables.offload.table import offload_tables
from edge_bench.app.tables.offload.text import OffloadAnswered, offload_sentences, offload_text
from edge_bench.bench.offload.analysis.assessment import assess
from edge_bench.bench.offload.analysis.recommendation import Decision, RecommendationKind, recommend
from edge_bench.bench.offload.network.link_profiles import PROFILES, SWEEP
from edge_bench.bench.offload.records.offload import LOCAL, Arm, Offload
from edge_bench.bench.records.run import Failure
from edge_bench.bench.system.machine import Finding
from tests.factories import arm, machine, offload

LTE, WIFI = PROFILES["lte"], PROFILES["wifi"]
DOWN = Failure(kind="unreachable", message="connection refused", remedy="start it")


def subject(made: Offload) -> OffloadAnswered:
    assessment = assess(made)
    return OffloadAnswered(made, assessment, offload_tables(made, assessment), "in the report")


def lines(made: Offload, width: int = 80) -> list[str]:
    text = offload_text(subject(made), width).split("\n")
    assert len(text) <= 30
    assert max(map(len, text)) <= width
    assert not any(line.endswith(("-", "/")) for line in text)
    return text


def one_process(made: Offload) -> Offload:
    return msgspec.structs.replace(
        made, arms=[msgspec.structs.replace(each, trials=each.trials[:6]) for each in made.arms]
    )


FAILED = Arm(where="remote", payload="raw", link="direct", failure=DOWN)
#: First lines, as docs/offload.md has them.
ANSWERS = {
    RecommendationKind.HERE: (
        offload(arm(3.0, where=LOCAL), arm(9.3), arm(9.9, payload="png")),
        "Run it locally: 3.10× faster than the server [",
    ),
    RecommendationKind.SEND: (
        offload(arm(30.0, where=LOCAL), arm(9.9), arm(9.3, payload="png")),
        "Send it to desk as png: 3.22× faster than local inference [",
    ),
    RecommendationKind.DEPENDS: (
        offload(arm(30.0, where=LOCAL), arm(9.3), arm(90, link="lte"), links=(LTE,)),
        "It depends on the link: send it over direct; run it locally over lte",
    ),
    RecommendationKind.TIE: (
        offload(arm(4.0, where=LOCAL, noise=0.05), arm(4.05, noise=0.05)),
        "No clear winner: running it locally and sending it are within ",
    ),
    RecommendationKind.NO_INTERVAL: (
        one_process(offload(arm(3.0, where=LOCAL), arm(9.3))), "No verdict on speed: times of one process",
    ),
    RecommendationKind.EMULATED: (
        offload(arm(3.0, where=LOCAL), arm(9.3), machine=machine(emulated=True)),
        "No verdict on speed: the times are EMULATED",
    ),
    RecommendationKind.NOTHING_THERE: (
        offload(arm(3.0, where=LOCAL), FAILED), "No answer: nothing could be sent to http://desk:8000",
    ),
    RecommendationKind.NOTHING_HERE: (
        offload(Arm(where=LOCAL, failure=DOWN), arm(9.3)), "No answer: nothing could be run locally",
    ),
    RecommendationKind.NOTHING: (
        offload(Arm(where=LOCAL, failure=DOWN), FAILED),
        "No answer: nothing could be measured, neither locally nor on the server",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ANSWERS)
def test_first_lines(kind: RecommendationKind) -> None:
    made, first = ANSWERS[kind]
    assert recommend(made, assess(made)).kind is kind
    for width in (80, 100, 140):
        assert lines(made, width)[0].startswith(first)
    failed = kind in (RecommendationKind.NOTHING, RecommendationKind.NOTHING_HERE, RecommendationKind.NOTHING_THERE)
    assert ("connection refused" in lines(made)[1]) is failed
    timed = kind in (RecommendationKind.HERE, RecommendationKind.SEND, RecommendationKind.DEPENDS)
    assert any(line.startswith("▸") for line in lines(made)) is (timed or kind is RecommendationKind.TIE)


def test_the_second_line_has_what_both_cost_and_the_third_whether_times_are_reliable() -> None:
    load = Finding(what="load in 4 of 30 trials: other processes took CPU time", remedy="stop them", spoils=True)
    made = offload(arm(3.0, where=LOCAL), arm(9.3), wrong=7)
    _, second, third = lines(made)[:3]
    assert second.startswith("3.00 ms/image locally, 9.30 remotely")
    assert "accuracy −7.00" in second
    assert third.startswith("Times are reliable")
    assert "server 4.0, network 0.60" in offload_sentences(subject(made))[1]
    assert lines(msgspec.structs.replace(made, findings=[load]))[2].startswith("! Times are not reliable: load")
    unstable = lines(offload(arm(3.0, where=LOCAL), arm(30.0, noise=0.2)))
    assert "1 of 2" in unstable[2]
    assert sum("] ~" in line for line in unstable) == 1


def test_over_a_link_sending_needs_one_payload_and_running_it_here_all_of_them() -> None:
    some = offload(arm(5.0, where=LOCAL), arm(9.0), arm(3.0, payload="png"))
    (link,) = recommend(some, assess(some)).links
    assert (link.decision, link.row.payload) == (Decision.SEND, "png")
    noisy = offload(arm(5.0, where=LOCAL), arm(9.0), arm(5.2, payload="png", noise=0.2))
    (link,) = recommend(noisy, assess(noisy)).links
    assert (link.decision, link.row.payload) == (Decision.UNDECIDED, "png")


def test_rows_are_sorted_by_time_and_a_sweep_shows_the_fastest_payload_of_each_link() -> None:
    arms = [
        arm(6 + number + more, link=link.name, payload=payload)
        for number, link in enumerate(SWEEP)
        for more, payload in ((0.3, "raw"), (0.0, "png"))
    ]
    text = lines(offload(arm(5.0, where=LOCAL), *arms, links=SWEEP))
    assert text[0].startswith("Run it locally: at least 1.20× faster than the server [")
    assert text[0].endswith("(12 links)")
    assert sum(line[2:].startswith("png ") for line in text) == 12
    assert not any(line[2:].startswith("raw ") for line in text)
    assert any("12 slower configurations" in line for line in text)


def test_verdicts_are_corrected_for_the_number_of_ways() -> None:
    arms = [arm(4.2, noise=0.02, payload=f"p{number}") for number in range(12)]
    alone, together = (
        assess(offload(arm(4.0, where=LOCAL, noise=0.02), *some)).rows[0].p50 for some in (arms[:1], arms)
    )
    assert alone is not None
    assert together is not None
    assert alone.ratio == together.ratio
    assert (alone.verdict, together.verdict) == ("slower", "undecided")


def test_the_same_failure_of_several_configurations_is_one_note() -> None:
    busy = Failure(kind="busy", message="the queue is full")
    failed = [Arm(where="remote", payload=each, link="direct", failure=busy) for each in ("png", "jpeg")]
    text = lines(offload(arm(3.0, where=LOCAL), arm(9.3), *failed))
    assert sum("queue is full" in line for line in text) == 1
    assert any(line.startswith("! 2 configurations: busy") for line in text)
