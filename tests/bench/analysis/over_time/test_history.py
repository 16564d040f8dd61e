"""Series of one configuration: what belongs together, confirmed steps, outliers, creep, and what is shown of them."""

import datetime
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.history import answer, answers_table, history_table
from edge_bench.bench.analysis.over_time.changes import Kind
from edge_bench.bench.analysis.over_time.history import Series, history
from edge_bench.bench.analysis.times.timings import Estimator
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.chart_records import Mark
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import cut, machine, result, run

CHANGED = (Verdict.FASTER, Verdict.SLOWER)


def on_night(night: int, whole: Run, **changes: object) -> Run:
    began = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=night)
    return msgspec.structs.replace(whole, began=began.isoformat(), run_id=f"{night:032d}", **changes)


def nights(seconds: Sequence[float], noise: float = 0.01, seed: int = 0) -> list[Run]:
    """One Run per night, with normal noise between them."""
    luck = np.random.default_rng(seed).normal(0, noise, len(seconds))
    return [
        on_night(night, run(result("dynamic", "litert", float(value * np.exp(luck[night])))))
        for night, value in enumerate(seconds)
    ]


def one_series(runs: Sequence[Run]) -> Series:
    (series,) = history(runs)
    return series


def half(whole: Result) -> Run:
    """A Run of the first half of the images."""
    return run(cut(whole, 50), indices=np.arange(50))


def with_latencies(whole: Result, nanoseconds: Sequence[int]) -> Result:
    trials = [msgspec.structs.replace(trial, latencies=pack(np.array(nanoseconds))) for trial in whole.trials]
    return msgspec.structs.replace(whole, trials=trials)


@pytest.mark.parametrize(("after", "expected"), [(1.1, Verdict.SLOWER), (0.9, Verdict.FASTER)])
def test_a_step_is_marked_at_its_first_night_and_nowhere_else(after: float, expected: Verdict) -> None:
    series = one_series(nights([1.0] * 25 + [after] * 15))
    assert [(index, p.verdict) for index, p in enumerate(series.points) if p.verdict in CHANGED] == [(25, expected)]
    (step,) = series.changes
    assert (step.kind, step.index, step.verdict, step.lasts) == (Kind.STEP, 25, expected, True)
    assert step.ratio.interval is not None
    assert step.ratio.interval.low < after < step.ratio.interval.high
    assert "2026-01-26" in answer(series)
    assert series.points[25].ratio is not None
    assert series.points[25].ratio.value == pytest.approx(after, rel=0.04)  # to the nights before the step
    assert series.points[39].ratio is not None
    assert series.points[39].ratio.value == pytest.approx(1, rel=0.04)  # to the nights since then


@pytest.mark.slow
def test_a_plain_step_is_one_change() -> None:
    for seed in range(20):
        series = one_series(nights([1.0] * 20 + [0.8] * 20, noise=0.02, seed=seed))
        assert [change.index for change in series.changes] == [20]
        assert series.total is None


def test_a_creep_after_a_step_is_one_sentence_with_the_total() -> None:
    seconds = [1.0] * 20 + [1.2 * (1 + 0.001 * night) for night in range(45)]
    series = one_series(nights(seconds, noise=0.015, seed=1))
    assert [(change.kind, change.lasts) for change in series.changes] == [(Kind.STEP, True), (Kind.CREEP, True)]
    assert series.total is not None
    assert series.total.value == pytest.approx(np.mean(seconds[-7:]), rel=0.02)
    sentence = answer(series)
    assert sentence.count("%") == 1
    assert ";" not in sentence
    assert len(sentence) < 120


def test_a_step_back_soon_after_a_step_is_found() -> None:
    series = one_series(nights([1.0] * 20 + [1.2] * 4 + [1.0] * 10))
    assert [(change.index, change.verdict) for change in series.changes] == [(20, Verdict.SLOWER), (24, Verdict.FASTER)]
    assert [change.lasts for change in series.changes] == [False, True]
    assert series.changes[0].runs_after == 4


def test_a_step_of_three_deviations_is_found_by_several_nights() -> None:
    series = one_series(nights([1.0] * 30 + [1.09] * 10, noise=0.03, seed=3))
    assert [change.verdict for change in series.changes] == [Verdict.SLOWER]


def test_a_single_slow_night_is_an_outlier_and_in_no_reference() -> None:
    seconds = [1.0] * 40
    seconds[20] = 1.3
    series = one_series(nights(seconds))
    assert [index for index, point in enumerate(series.points) if point.mark is Mark.OUTLIER] == [20]
    assert series.points[20].verdict is Verdict.UNDECIDED
    assert not series.changes
    assert series.points[39].reference == pytest.approx(0.01, rel=0.01)  # 100 images
    assert answer(series) == "no change in 40 runs"


def test_an_outlier_among_the_first_nights_does_not_hide_a_step() -> None:
    series = one_series(nights([1.0, 1.5, *[1.0] * 10, *[1.1] * 3]))
    assert series.points[1].mark is Mark.OUTLIER
    assert [change.index for change in series.changes] == [12]


def test_a_slow_last_night_awaits_confirmation() -> None:
    series = one_series(nights([1.0] * 20 + [1.2]))
    assert series.points[-1].mark is Mark.UNCONFIRMED
    assert series.points[-1].verdict not in CHANGED
    assert "20 %" in answer(series) or "19 %" in answer(series) or "21 %" in answer(series)


def test_a_creep_that_no_single_night_shows_is_found_once() -> None:
    series = one_series(nights([1 + 0.001 * night for night in range(60)], noise=0.02))
    (creep,) = series.changes
    assert (creep.kind, creep.verdict, creep.lasts) == (Kind.CREEP, Verdict.SLOWER, True)
    assert creep.index < 50
    assert creep.ratio.value > 1.02
    assert series.points[creep.index].verdict is Verdict.SLOWER
    assert f"{100 * (creep.ratio.value - 1):.1f} %" in answer(series)


def test_a_creep_that_is_fast_for_its_noise_is_found_as_steps_with_their_total() -> None:
    series = one_series(nights([1 + 0.002 * night for night in range(100)], noise=0.002))
    assert len(series.changes) > 1
    assert {change.verdict for change in series.changes} == {Verdict.SLOWER}
    assert series.total is not None
    assert series.total.value > series.changes[-1].ratio.value
    assert f"{100 * (series.total.value - 1):.0f} %" in answer(series)


def test_changes_within_two_percent_do_not_count() -> None:
    series = one_series(nights([1.0] * 30 + [1.015] * 60, noise=0.001))
    assert not series.changes
    assert not any(point.verdict in CHANGED for point in series.points)


def test_nights_without_any_variation_are_judged() -> None:
    def night(number: int, seconds: float) -> Run:
        same = result("dynamic", "litert", 1.0)
        trials = [msgspec.structs.replace(trial, elapsed_ns=int(1e9 * seconds)) for trial in same.trials]
        return on_night(number, run(msgspec.structs.replace(same, trials=trials)))

    series = one_series([night(number, 1.0 if number < 10 else 1.1) for number in range(12)])
    assert [change.index for change in series.changes] == [10]


def test_few_nights_get_no_verdict_but_their_ratio() -> None:
    series = one_series(nights([1.0, 2.0, 1.0]))
    assert [point.verdict for point in series.points] == [None] * 3
    assert [point.mark for point in series.points] == [Mark.TOO_FEW] * 3
    assert series.points[1].ratio is not None
    assert series.points[1].ratio.value == pytest.approx(2, rel=0.05)
    assert series.points[1].ratio.interval is None
    assert answer(series).startswith("too few runs: 3")


def test_other_changes_are_listed_with_a_change_of_time() -> None:
    before, after = result("dynamic", "litert", 1.0), result("dynamic", "litert", 0.4)
    runs = [on_night(n, run(msgspec.structs.replace(before, runtime_version="2.2"))) for n in range(8)]
    newer = run(msgspec.structs.replace(after, runtime_version="2.3"), on=machine(governor="ondemand"))
    series = one_series([*runs, on_night(8, newer), on_night(9, newer)])
    assert series.points[8].verdict is Verdict.FASTER
    runtime, governor = series.points[8].changed
    assert all(value in runtime for value in ("litert", "2.2", "2.3"))
    assert "ondemand" in governor
    assert "2.50× faster" in answer(series)


def test_changes_shortly_before_a_step_are_listed_with_it() -> None:
    """By chance a step begins a Run later than its reason."""
    runs = nights([1.0] * 16 + [1.2] * 3, noise=0.01)
    for night, whole in enumerate(runs):
        (measured,) = whole.results
        measured = msgspec.structs.replace(measured, runtime_version="2.1" if night < 14 else "2.2")
        runs[night] = msgspec.structs.replace(whole, results=[measured])
    series = one_series(runs)
    (step,) = series.changes
    assert step.index == 16
    (text,) = step.differences
    assert "2.1 → 2.2" in text
    table = history_table([series])
    assert [number for number, row in enumerate(table.rows) if text in row[-1]] == [14, 16]
    assert [record["changed_around"] for record in table.records if record["changed_around"] is not None] == [text]


def test_a_difference_in_the_row_of_the_step_is_not_repeated() -> None:
    runs = nights([1.0] * 16 + [1.2] * 3)
    runs[16:] = [msgspec.structs.replace(each, machine=machine(governor="ondemand")) for each in runs[16:]]
    row = history_table([one_series(runs)]).rows[16]
    assert row[-1].count("ondemand") == 1


def test_other_machines_bundles_settings_and_image_counts_are_separate_series() -> None:
    one = result("dynamic", "litert", 1.0)
    threads = msgspec.structs.replace(one.configuration, threads=2)
    plain = run(one)
    runs = [
        on_night(1, plain),
        on_night(2, run(one, on=machine(hostname="pi"))),
        on_night(3, run(one, bundle="other")),
        on_night(4, run(msgspec.structs.replace(one, configuration=threads))),
        on_night(5, plain),
        on_night(6, half(one)),
        on_night(7, plain, settings=msgspec.structs.replace(plain.settings, resample=50)),
        on_night(8, plain, settings=msgspec.structs.replace(plain.settings, resample=100)),
    ]
    found = history(runs)
    assert sorted(len(series.points) for series in found) == [1, 1, 1, 1, 1, 1, 2]
    assert [series.images for series in found if series.resample or series.images == 50] == [50, 50, 100]


def test_two_image_counts_in_turn_are_no_changes() -> None:
    """With overhead per pass, 100 and 50 images take different times per image."""
    runs = [
        on_night(night, run(result("dynamic", "litert", 1.0)) if night % 2 else half(result("dynamic", "litert", 0.6)))
        for night in range(40)
    ]
    found = history(runs)
    assert [len(series.points) for series in found] == [20, 20]
    assert not any(series.changes for series in found)


def test_containers_with_random_hostnames_are_one_machine() -> None:
    one = result("dynamic", "litert", 1.0)

    def inside(name: str, memory: int = 4 << 30) -> Run:
        return run(one, on=machine(hostname=name, container=True, board="Pi 4", memory_bytes=memory))

    ids = ["0123456789ab", "fedcba987654", "00112233aabb"]
    runs = [on_night(number, inside(name, (4 << 30) + number)) for number, name in enumerate(ids)]
    larger, named = inside(ids[0], 8 << 30), inside("kitchen")
    on_host = run(one, on=machine(hostname=ids[0], board="Pi 4"))
    found = history([*runs, on_night(7, larger), on_night(8, named), on_night(9, on_host)])
    assert [len(series.points) for series in found] == [3, 1, 1, 1]
    assert not any(name in found[0].machine for name in ids)
    assert "kitchen" in found[2].machine
    assert len({series.machine for series in found}) == 4, "all are told apart by their names"


def test_medians_and_ratios_are_of_median_invocations_if_all_nights_have_enough() -> None:
    fast = with_latencies(result("dynamic", "litert", 1.0), [1_000_000] * 70 + [9_000_000] * 30)
    slow = with_latencies(result("dynamic", "litert", 1.0), [2_000_000] * 70 + [9_000_000] * 30)
    series = one_series([*(on_night(night, run(fast)) for night in range(8)), on_night(8, run(slow))])
    assert series.estimator is Estimator.TYPICAL
    assert [point.median for point in series.points] == pytest.approx([0.001] * 8 + [0.002])
    last = series.points[-1]
    assert last.ratio is not None
    assert last.reference is not None
    assert last.ratio.value == pytest.approx(last.median / last.reference)
    series = one_series([on_night(0, run(fast)), on_night(1, run(result("dynamic", "litert", 1.0)))])
    assert series.estimator is Estimator.WHOLE
    assert [point.median for point in series.points] == pytest.approx([0.01, 0.01], rel=0.01)


def test_latencies_of_zero_leave_whole_passes() -> None:
    broken = with_latencies(result("dynamic", "litert", 1.0), [0] * 100)
    assert one_series([on_night(0, run(broken))]).estimator is Estimator.WHOLE


def test_emulated_times_are_never_compared() -> None:
    emulated = machine(emulated=True)
    series = one_series([on_night(n, run(result("dynamic", "litert", 1 + n), on=emulated)) for n in range(12)])
    assert series.emulated
    assert {(point.ratio, point.verdict, point.mark) for point in series.points} == {(None, None, None)}
    assert not series.changes
    assert "EMULATED" in answer(series)


def test_records_name_the_change_its_size_and_the_answer() -> None:
    runs = nights([1.0] * 20 + [1.1] * 5)
    other = on_night(30, run(result("dynamic", "litert", 1.0), on=machine(hostname="pi")))
    found = history([*runs, other])
    table, answers = history_table(found), answers_table(found)
    assert len(table.records) == 26
    assert {record["change"] for record in table.records} <= {None, "same", "undecided", "slower"}
    (step,) = [record for record in table.records if record["change"] == "slower"]
    assert (step["began"][:10], step["change_kind"], step["mark"]) == ("2026-01-21", "step", "step")
    assert step["change_ratio_low"] < 1.1 < step["change_ratio_high"]
    assert step["time_ratio"] == pytest.approx(step["image_median_ms"] / step["reference_ms"])
    assert [record["answer"] for record in answers.records] == [answer(series) for series in found]
    assert len(answers.rows) == 2
    assert len(set(answers.groups)) == 2
