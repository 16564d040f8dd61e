"""Assessment of offloads with known times, accuracies and energies."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.offload.table import answers, offload_tables
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.offload.analysis.assessment import Row, assess, decision_map
from edge_bench.bench.offload.network.link_profiles import link_from
from edge_bench.bench.offload.records.files import read_offload, write_offload
from edge_bench.bench.offload.records.offload import LOCAL, Arm, Offload, ServerIdentity
from edge_bench.bench.records.power import power_from
from edge_bench.bench.records.run import Failure
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import arm, machine, offload

LTE = link_from("rtt=10ms,rate=1Mbit")


def only(*arms: Arm, **changes: object) -> Row:
    (row,) = assess(offload(*arms, **changes)).rows  # type: ignore[arg-type]
    return row


def test_verdicts_on_sending_need_the_whole_interval() -> None:
    for milliseconds, wanted in ((5.3, Verdict.SLOWER), (2.5, Verdict.FASTER), (4.01, Verdict.SAME)):
        row = only(arm(4.0, where=LOCAL), arm(milliseconds))
        assert row.p50
        assert row.p95
        assert row.throughput
        assert (row.p50.verdict, row.p95.verdict, row.throughput.verdict) == (wanted,) * 3
        assert row.p50.ratio.value == pytest.approx(milliseconds / 4.0, rel=0.005)
    noisy = only(arm(4.0, where=LOCAL, noise=0.1), arm(4.1, noise=0.1))
    assert noisy.p50
    assert noisy.p50.verdict is Verdict.UNDECIDED


def test_a_p95_needs_enough_latencies() -> None:
    few = [msgspec.structs.replace(trial, latencies=packed) for trial in arm(5.3).trials if (packed := _few(trial))]
    row = only(arm(4.0, where=LOCAL), msgspec.structs.replace(arm(5.3), trials=few))
    assert row.p50
    assert row.p95 is None


def _few(trial: object) -> object:
    from edge_bench.bench.io.record_codec import pack

    return pack([5_300_000] * 99)  # p95 needs 100


def test_the_latency_over_a_link_is_predicted_from_the_direct_path() -> None:
    sent = 5.3 + 10 + (1000 + 500) * 8 / 1e6 * 1e3
    measured = sent * 1.05
    made = offload(arm(4.0, where=LOCAL), arm(5.3), arm(measured, link=LTE.name, network=20.0), links=(LTE,))
    row = assess(made).rows[1]
    assert row.predicted == pytest.approx(sent / 1e3, rel=0.005)
    assert row.error == pytest.approx(-1 / 21, abs=0.005)


def test_the_latency_over_the_direct_path_is_predicted_from_its_probe() -> None:
    row = only(arm(4.0, where=LOCAL), arm(5.3))
    # encode, server, decode, HTTP (0.4 less 0.1), the round trip, 1000 bytes at 1 Gbit/s
    assert row.predicted == pytest.approx((0.5 + 4.0 + 0.2 + 0.3 + 0.1 + 0.008) / 1e3, rel=0.01)


def test_both_latencies_are_equal_at_the_break_even() -> None:
    here = 50.0
    row = assess(offload(arm(here, where=LOCAL), arm(5.3), arm(27.3, link=LTE.name, network=20.0), links=(LTE,))).rows[
        1
    ]
    assert row.break_even_rtt
    # here = what sending costs directly + the round trip + 12 ms of bytes
    assert row.break_even_rtt.value * 1e3 == pytest.approx(here - 5.3 - 12.0, rel=0.01)
    # 50 - 5.3 - 10 of round trip - 4 of the answer leave 30.7 ms for 1,000 bytes
    assert row.break_even_bps == pytest.approx(8000 / 30.7e-3, rel=0.02)
    hopeless = assess(offload(arm(4.0, where=LOCAL), arm(5.3), arm(27.3, link=LTE.name), links=(LTE,))).rows[1]
    assert hopeless.break_even_rtt
    assert hopeless.break_even_rtt.value < 0
    assert hopeless.break_even_bps is None


def test_slack_is_the_local_time_minus_the_servers() -> None:
    slack = assess(offload(arm(4.0, where=LOCAL), arm(5.3))).slack
    assert slack
    assert slack.value * 1e3 == pytest.approx(1.0, rel=0.02)
    assert slack.interval
    assert slack.interval.low < slack.value < slack.interval.high


def test_accuracies_are_compared_on_the_same_images() -> None:
    row = only(arm(4.0, where=LOCAL), arm(5.3), wrong=7)
    assert row.accuracy_difference
    assert row.accuracy_difference.value == pytest.approx(-0.07)
    assert row.agreement
    assert (row.agreement.same, row.agreement.differing) == (93, list(range(7)))


def test_energy_comes_from_stated_power_a_meter_or_neither() -> None:
    arms = (arm(4.0, where=LOCAL), arm(5.3))
    assert assess(offload(*arms)).energy == "none"
    assert assess(offload(*arms)).local_joules is None
    stated = assess(offload(*arms, power=power_from("idle=1W,compute=10W,transmit=2W")))
    assert stated.energy == "stated"
    assert stated.local_joules
    assert stated.local_joules.value == pytest.approx(0.040, rel=0.01)
    (row,) = stated.rows
    assert row.cheaper
    assert row.cheaper.verdict is Verdict.FASTER
    assert row.joules
    assert row.joules.value == pytest.approx(0.7e-3 * 10 + 0.2e-3 * 2 + 4.4e-3 * 1, rel=0.03)
    trials = [msgspec.structs.replace(trial, joules=5.0) for trial in arms[0].trials]
    metered = assess(offload(msgspec.structs.replace(arms[0], trials=trials), arms[1], meter="hwmon ina219"))
    assert metered.energy == "meter"
    assert metered.local_joules
    assert metered.local_joules.value == pytest.approx(0.05)


@pytest.mark.parametrize("side", ["machine", "server"])
def test_emulated_times_on_either_side_give_no_verdict(side: str) -> None:
    def made_with(emulated: bool) -> Offload:
        sides: dict[str, Any] = {
            "machine": machine(hostname="edge", emulated=emulated),
            "server": ServerIdentity(url="http://desk:8000", model="m", emulated=emulated),
        }
        return offload(arm(4.0, where=LOCAL), arm(50.0), power=power_from("pi4"), **{side: sides[side]})

    made, real = made_with(True), made_with(False)
    assessment = assess(made)
    (row,) = assessment.rows
    assert (row.p50, row.throughput, row.predicted, row.break_even_rtt, row.cheaper) == (None,) * 5
    assert row.accuracy_difference
    assert assessment.slack is None
    assert decision_map(made, "raw", np.array([1e-3]), np.array([1e6])) is None
    comparison = offload_tables(made, assessment)[0]
    assert comparison.records[0]["emulated"] is True
    assert comparison.title != offload_tables(real, assess(real))[0].title
    assert len(answers(made, assessment)) == 1


def test_several_in_flight_have_throughput_but_no_latency() -> None:
    row = only(arm(4.0, where=LOCAL), arm(5.3, in_flight=8))
    assert row.p50 is None
    assert row.throughput


def test_remote_wins_at_short_round_trips_and_local_at_long_ones() -> None:
    made = offload(arm(50.0, where=LOCAL), arm(5.3))
    rtts, rates = np.array([1e-3, 0.0445, 0.4]), np.array([1e5, 1e9])
    won = decision_map(made, "raw", rtts, rates)
    assert won is not None
    assert won.tolist() == [[-1, -1, -1], [1, 0, -1]]  # 44.7 ms break even on the fast link


def test_a_failed_way_is_a_row_with_its_reason() -> None:
    failed = Arm(
        where="remote", payload="png", link="direct", failure=Failure(kind="busy", message="full", remedy="wait")
    )
    made = offload(arm(4.0, where=LOCAL), arm(5.3), failed)
    comparison = offload_tables(made, assess(made))[0]
    _, measured, not_measured = comparison.records
    assert (measured["payload"], measured["p50_verdict"]) == ("raw", "slower")
    assert (not_measured["payload"], not_measured["p50_s"], not_measured["remark"]) == ("png", None, "full")
    assert ["png" in cells[0] for cells in comparison.rows] == [False, False, True]
    assert any(all(value in note for value in ("png", "full", "wait")) for note in comparison.notes)


def test_without_remote_results_the_local_ones_are_assessed() -> None:
    failed = Arm(where="remote", payload="raw", link="direct", failure=Failure(kind="unreachable", message="down"))
    made = offload(arm(4.0, where=LOCAL), failed, path=None)
    assessment = assess(made)
    assert assessment.local
    assert assessment.local.value * 1e3 == pytest.approx(4.0, rel=0.01)
    assert assessment.slack is None
    assert offload_tables(made, assessment)


def test_an_offload_is_read_as_it_was_written_and_invalid_ones_are_refused(tmp_path: Path) -> None:
    made = offload(arm(4.0, where=LOCAL), arm(5.3))
    path = write_offload(made, tmp_path)
    assert path.name.startswith("offload-")
    assert read_offload(path) == made
    whole = path.read_text()
    for old, new, named in (
        ('"local"', '"remote"', ""),
        ('"remote"', '"local"', ""),
        ('"encode"', '"decoded"', ""),
        ('"elapsed_ns": 4', '"elapsed_ns": -4', "elapsed_ns"),
        ('"dtype": "uint8"', '"dtype": "object"', "object"),
        ('"timed": 100', '"timed": 101', "101"),
        ('"round": 1,', '"round": 0,', ""),
    ):
        assert old in whole
        path.write_text(whole.replace(old, new))
        with pytest.raises(ResultsError) as caught:
            read_offload(path)
        assert str(path) in caught.value.problem
        assert named in caught.value.problem.replace(str(path), "")
