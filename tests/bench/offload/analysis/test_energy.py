"""Energy per image counts slow images, too; slack by median and by mean times."""

from typing import Any

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.offload.table import answers, offload_tables
from edge_bench.bench.io.record_codec import pack, unpack
from edge_bench.bench.offload.analysis.assessment import Row, assess
from edge_bench.bench.offload.analysis.energy import joules_by_process, local_joules, remote_joules
from edge_bench.bench.offload.records.offload import LOCAL, Arm, ArmTrial, Offload
from edge_bench.bench.records.power import power_from
from edge_bench.bench.records.run import Failure
from tests.bench.messages import numbers_in
from tests.factories import arm, offload

POWER = power_from("idle=1W,compute=10W,transmit=2W")


def with_slow_images(whole: Arm, count: int, factor: float, parts: tuple[str, ...] = ()) -> Arm:
    """The first images of each trial take ``factor`` times as long, in these parts, too."""

    def slowed(values: Any) -> Any:
        nanoseconds = unpack(values).astype(np.int64)
        nanoseconds[:count] = (nanoseconds[:count] * factor).astype(np.int64)
        return pack(nanoseconds)

    def trial_with(trial: ArmTrial) -> ArmTrial:
        latencies = slowed(trial.latencies)
        changed = {name: slowed(values) if name in parts else values for name, values in trial.parts.items()}
        elapsed = int(unpack(latencies).sum())
        return msgspec.structs.replace(trial, latencies=latencies, elapsed_ns=elapsed, parts=changed)

    return msgspec.structs.replace(whole, trials=[trial_with(trial) for trial in whole.trials])


def with_slow_trial(whole: Arm, factor: float) -> Arm:
    first, *others = whole.trials
    slow = with_slow_images(msgspec.structs.replace(whole, trials=[first]), 100, factor, tuple(first.parts)).trials
    return msgspec.structs.replace(whole, trials=[*slow, *others])


def only_row(made: Offload) -> Row:
    (row,) = assess(made).rows
    return row


def test_slow_images_cost_energy_that_a_median_leaves_out() -> None:
    local = with_slow_images(arm(4.0, where=LOCAL), 10, 6.0)
    assessment = assess(offload(local, arm(5.3), power=POWER))
    assert assessment.local
    assert assessment.local.value == pytest.approx(4.0e-3, rel=0.01)
    assert assessment.local_joules
    assert assessment.local_joules.value == pytest.approx(0.040 * 1.5, rel=0.01)


def test_one_slow_trial_costs_energy_too() -> None:
    local = with_slow_trial(arm(4.0, where=LOCAL), 10.0)
    joules = assess(offload(local, arm(5.3), power=POWER)).local_joules
    assert joules
    assert joules.value == pytest.approx(0.040 * (1 + 9 / 30), rel=0.01)
    assert joules.interval
    assert 0 <= joules.interval.low < joules.value < joules.interval.high


def test_slow_waits_cost_idle_power_and_slow_encoding_computing_power() -> None:
    local = arm(4.0, where=LOCAL)
    plain = only_row(offload(local, arm(5.3), power=POWER)).joules
    waits = only_row(offload(local, with_slow_images(arm(5.3), 10, 2.0), power=POWER)).joules
    encodes = only_row(offload(local, with_slow_images(arm(5.3), 10, 2.0, ("encode", "decode")), power=POWER)).joules
    assert plain
    assert waits
    assert encodes
    assert waits.value - plain.value == pytest.approx(0.53e-3 * 1, rel=0.05)
    assert encodes.value - plain.value == pytest.approx(0.07e-3 * 10 + 0.46e-3 * 1, rel=0.05)


def test_a_meters_energy_is_the_mean_over_its_trials() -> None:
    local = arm(4.0, where=LOCAL)
    trials = [
        msgspec.structs.replace(trial, joules=10.0 if trial.round == 0 else None if trial.round == 1 else 1.0)
        for trial in local.trials
    ]
    metered = offload(msgspec.structs.replace(local, trials=trials), arm(5.3), meter="hwmon ina219")
    assert list(joules_by_process(metered, metered.local).values()) == pytest.approx([(10 + 4) / 500] * 5)
    assert joules_by_process(metered, metered.remotes[0]) == {}


def test_several_in_flight_cost_no_more_than_computing_all_the_time() -> None:
    made = offload(arm(4.0, where=LOCAL), arm(0.4, in_flight=8), power=POWER)  # encoding alone takes 0.7 ms
    joules = only_row(made).joules
    assert joules
    assert joules.value == pytest.approx(0.4e-3 * 10, rel=0.02)


def test_without_power_or_trials_there_is_no_energy() -> None:
    made = offload(arm(4.0, where=LOCAL), Arm(where="remote", payload="raw", link="direct"), power=POWER)
    assert joules_by_process(made, made.remotes[0]) == {}
    assert joules_by_process(msgspec.structs.replace(made, power=None), made.local) == {}


def test_slack_is_of_medians_and_of_means() -> None:
    local = with_slow_images(arm(4.0, where=LOCAL), 10, 6.0)
    assessment = assess(offload(local, arm(5.3)))
    assert assessment.slack
    assert assessment.slack.value == pytest.approx(1.0e-3, rel=0.03)
    assert assessment.mean_slack
    assert assessment.mean_slack.value == pytest.approx(3.0e-3, rel=0.03)
    assert assessment.mean_slack.interval
    assert not assessment.mean_slack_rests_on_outlier


@pytest.mark.parametrize("side", ["local", "server"])
def test_a_mean_slack_on_an_outlier_has_no_interval(side: str) -> None:
    local, remote = arm(4.0, where=LOCAL), arm(5.3)
    made = offload(with_slow_trial(local, 10.0), remote) if side == "local" else offload(
        local, with_slow_trial(remote, 10.0)
    )  # fmt: skip
    assessment = assess(made)
    assert assessment.slack
    assert assessment.slack.value == pytest.approx(1.0e-3, rel=0.05)
    assert assessment.mean_slack
    assert assessment.mean_slack.interval is None
    assert assessment.mean_slack_rests_on_outlier
    record = offload_tables(made, assessment)[0].records[0]
    assert record["slack_mean_s"] == assessment.mean_slack.value
    assert record["slack_mean_rests_on_outlier"] is True
    assert any("outlier" in sentence for sentence in answers(made, assessment))


def test_slack_is_from_another_payload_if_the_first_one_failed() -> None:
    failed = Arm(where="remote", payload="png", link="direct", failure=Failure(kind="busy", message="full"))
    assessment = assess(offload(arm(4.0, where=LOCAL), failed, arm(5.3)))
    assert assessment.slack
    assert assessment.slack.value == pytest.approx(1.0e-3, rel=0.03)
    assert assessment.mean_slack


def test_a_slack_that_may_be_zero_is_undecided() -> None:
    made = offload(arm(3.0, where=LOCAL, noise=0.1), arm(5.3, noise=0.1))
    assessment = assess(made)
    assert assessment.slack
    assert assessment.slack.interval
    assert assessment.slack.interval.low < 0 < assessment.slack.interval.high
    assert "undecided" in answers(made, assessment)[-1]
    decided = offload(arm(4.0, where=LOCAL), arm(5.3))
    sentence = answers(decided, assess(decided))[-1]
    assert "undecided" not in sentence
    assert numbers_in(sentence)[0] == pytest.approx(1.0, rel=0.05)


def test_local_inference_computes_and_remote_inference_mostly_waits() -> None:
    power = power_from("idle=2W,compute=6W,transmit=4W")
    assert local_joules(power, 0.5) == pytest.approx(3.0)
    # 0.1 s encoding and decoding, 0.2 s on the link, 0.7 s waiting
    assert remote_joules(power, 1.0, 0.1, 0.2) == pytest.approx(0.1 * 6 + 0.2 * 4 + 0.7 * 2)


def test_parts_that_overlap_cost_no_more_than_the_whole_time() -> None:
    power = power_from("idle=2W,compute=6W,transmit=4W")
    assert remote_joules(power, 1.0, 3.0, 2.0) == pytest.approx(6.0)
    assert remote_joules(power, 1.0, 0.7, 2.0) == pytest.approx(0.7 * 6 + 0.3 * 4)
