"""The order of Runs, and what is noted about clocks."""

import datetime

import msgspec

from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.analysis.over_time.measured import MeasuredRun, measured
from edge_bench.bench.analysis.over_time.order import in_order, order_notes
from tests.factories import machine, result, run


def test_runs_are_in_the_order_of_their_starts_in_any_time_zone() -> None:
    early = msgspec.structs.replace(run(result("dynamic", "litert", 1.0)), began="2026-01-02T01:00:00+02:00")
    late = msgspec.structs.replace(early, run_id="late", began="2026-01-02T00:00:00+00:00")
    assert [each.run_id for each in in_order([measured(late), measured(early)])] == [early.run_id, "late"]
    assert [point.run_id for point in history([late, early])[0].points] == [early.run_id, "late"]


def test_signs_of_a_changed_clock_are_noted() -> None:
    def at(began: str, ended: str, name: str, host: str = "pi") -> MeasuredRun:
        whole = run(result("dynamic", "litert", 1.0), on=machine(hostname=host))
        times = {"began": f"{began}+00:00", "ended": ended and f"{ended}+00:00"}
        return measured(msgspec.structs.replace(whole, run_id=name, **times))

    now = datetime.datetime(2026, 2, 1, tzinfo=datetime.UTC)
    right = at("2026-01-01T10:00:00", "2026-01-01T11:00:00", "right")
    unknown = at("2026-01-01T11:00:00", "", "unknown")
    elsewhere = at("2026-01-01T10:30:00", "2026-01-01T10:40:00", "elsewhere", "desk")
    assert order_notes([right, unknown, elsewhere], now) == []
    for doubtful in (
        at("2026-01-02T10:00:00", "2026-01-01T20:00:00", "doubtful"),
        at("2026-01-01T10:30:00", "2026-01-01T10:40:00", "doubtful"),
        at("2027-01-01T10:00:00", "2027-01-01T11:00:00", "doubtful"),
    ):
        (note,) = order_notes([doubtful, right, unknown, elsewhere], now)
        assert "doubtful" in note
