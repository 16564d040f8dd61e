"""One configuration over time: its series, and changes between their points."""

import msgspec

from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.records.run import Run
from edge_bench.bench.stats.ratios import Verdict
from tests.factories import machine, result, run


def on_day(day: int, whole: Run, **changes: object) -> Run:
    return msgspec.structs.replace(whole, began=f"2026-01-{day:02d}T00:00:00+00:00", run_id=f"{day:032d}", **changes)


def test_a_slowdown_is_marked_and_noise_is_not() -> None:
    runs = [on_day(n, run(result("dynamic", "litert", s))) for n, s in ((3, 1.05), (1, 1.0), (2, 1.001))]
    (series,) = history(runs)
    assert [point.began[8:10] for point in series.points] == ["01", "02", "03"]
    assert [point.verdict for point in series.points] == [None, Verdict.SAME, Verdict.SLOWER]


def test_other_changes_are_listed_with_a_change_of_time() -> None:
    before, after = result("dynamic", "litert", 1.0), result("dynamic", "litert", 0.5)
    runs = [
        on_day(1, run(msgspec.structs.replace(before, runtime_version="2.2"))),
        on_day(2, run(msgspec.structs.replace(after, runtime_version="2.3"), on=machine(governor="ondemand"))),
    ]
    (series,) = history(runs)
    assert series.points[1].verdict is Verdict.FASTER
    runtime, governor = series.points[1].changed
    assert all(value in runtime for value in ("litert", "2.2", "2.3"))
    assert "ondemand" in governor


def test_other_machines_bundles_and_settings_are_separate_series() -> None:
    one = result("dynamic", "litert", 1.0)
    threads = msgspec.structs.replace(one.configuration, threads=2)
    runs = [
        on_day(1, run(one)),
        on_day(2, run(one, on=machine(hostname="pi"))),
        on_day(3, run(one, bundle="other")),
        on_day(4, run(msgspec.structs.replace(one, configuration=threads))),
        on_day(5, run(one)),
    ]
    assert sorted(len(series.points) for series in history(runs)) == [1, 1, 1, 2]


def test_emulated_times_are_never_compared() -> None:
    emulated = machine(emulated=True)
    (series,) = history([on_day(n, run(result("dynamic", "litert", n), on=emulated)) for n in (1, 2)])
    assert series.emulated
    assert [(point.ratio, point.verdict) for point in series.points] == [(None, None)] * 2
