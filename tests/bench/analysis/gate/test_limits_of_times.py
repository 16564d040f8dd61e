"""Which interval of times the gate judges by, and how many Runs would decide an undecided time."""

from edge_bench.app.tables.runs.gate import changes_table
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Limits, Outcome, changes, judge
from tests.bench.messages import numbers_in
from tests.factories import repeats, result, run

OLD = run(result("dynamic", "litert", 1.0))


def test_a_limit_is_judged_by_the_interval_that_is_printed() -> None:
    """Four Runs of each side have a 90 % interval that is beyond the limit, while their 95 % interval is not."""
    slower = run(result("dynamic", "litert", 1.08))
    found = changes(pair_runs(repeats(slower, count=4, variation=0.016, seed=4), repeats(OLD, 4, 0.016, 54)))
    (judgement,) = judge(found, Limits(slower=0.05))
    ratio = found[0].ratio
    assert ratio is not None
    assert ratio.interval is not None
    assert judgement.interval is not None
    assert judgement.confidence == 0.90
    assert judgement.outcome is Outcome.FAILED
    assert ratio.interval.low < 1.05 < judgement.interval.low
    table = changes_table(found, [judgement])
    (record,) = table.records
    assert (record["gate_time_low"], record["gate_time_confidence"]) == (judgement.interval.low, 0.90)
    assert {90, round(judgement.interval.low, 3)} <= set(numbers_in(table.notes[0]))


def test_one_run_of_each_side_is_judged_by_the_95_percent_interval() -> None:
    (judgement,) = judge(changes(pair_runs([run(result("dynamic", "litert", 1.0))], [OLD])), Limits(slower=0.05))
    assert judgement.confidence == 0.95


def test_an_undecided_time_states_how_many_runs_it_needs() -> None:
    new = run(result("dynamic", "litert", 1.10))
    found = changes(pair_runs([new], [OLD]))
    (judgement,) = judge(found, Limits(slower=0.05))
    assert (judgement.outcome, judgement.runs_needed) == (Outcome.UNDECIDED, 6)  # with the assumed 3 %
    table = changes_table(found, [judgement])
    assert any({6, 80, 3.0} <= set(numbers_in(note)) for note in table.notes)
    assert [record["gate_runs_needed"] for record in table.records] == [6]
    close = changes(pair_runs([run(result("dynamic", "litert", 1.051))], [OLD]))
    (judgement,) = judge(close, Limits(slower=0.05))
    assert judgement.runs_needed is None
    assert any(100 in numbers_in(note) for note in changes_table(close, [judgement]).notes)
    passed = judge(changes(pair_runs(repeats(OLD, seed=2), repeats(OLD, seed=1))), Limits(slower=0.05))
    assert [(each.outcome, each.runs_needed) for each in passed] == [(Outcome.PASSED, None)]
