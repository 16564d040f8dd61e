"""The gate on two models of the same Run."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.gate.regression_gate import Limits, Outcome, changes, judge
from edge_bench.bench.analysis.gate.within_runs import pair_within
from edge_bench.bench.errors import BadInput, GateNotMet
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.run import Failure
from tests.command_line import call_here
from tests.factories import group, machine, repeats, result, run


@pytest.mark.parametrize(
    ("factor", "wrong", "outcomes"),
    [
        (1.0, 0, {Outcome.PASSED}),
        (1.1, 0, {Outcome.FAILED, Outcome.PASSED}),
        (0.5, 0, {Outcome.PASSED}),
        (1.0, 30, {Outcome.PASSED, Outcome.FAILED}),
    ],
)
def test_a_model_is_judged_by_the_baseline_s_trials_of_the_same_run(
    factor: float, wrong: int, outcomes: set[Outcome]
) -> None:
    measured = run(result("head/model", "litert", factor, wrong=wrong), result("base/model", "litert", 1))
    for name in ("base", "base/model", "base/model/litert"):
        (change,) = found = changes(pair_within([measured], name))
        assert (change.configuration.variant, change.baseline.variant) == ("head/model", "base/model")
        assert change.separation is None  # the trials are of the same rounds
        assert {each.outcome for each in judge(found, Limits(slower=0.05, accuracy_drop=5))} == outcomes


def test_each_of_several_models_has_the_baseline_of_its_name_and_settings() -> None:
    one = run(
        *(result(f"{side}/{name}", "litert", 1) for side in ("base", "head") for name in ("a", "b")),
        result("new", "litert", 1),
        result("head/a", "tflite-runtime", 1),
    )
    pairing = pair_within([one], "base")
    assert [
        (pair.new.result.configuration.variant, pair.old.result.configuration.variant) for pair in pairing.pairs
    ] == [
        ("head/a", "base/a"),
        ("head/b", "base/b"),
    ]
    assert [note.split(": ")[1].split(",")[0] for note in pairing.notes] == [
        "new on litert",
        "head/a on tflite-runtime",
    ]


def test_repeats_are_one_side_and_other_machines_have_their_own() -> None:
    whole = run(result("head/model", "litert", 1.1), result("base/model", "litert", 1))
    slow = group(repeats(whole, count=3, variation=0.2))  # the speed of a Run cancels
    (change,) = changes(pair_within(slow, "base"))
    assert change.ratio is not None
    assert change.ratio.value == pytest.approx(1.1, rel=0.005)
    assert change.ratio.interval is not None
    assert change.ratio.interval.low > 1.09
    other = run(result("head/model", "litert", 1), result("base/model", "litert", 1), on=machine(hostname="pi"))
    assert len(pair_within([whole, other], "base").pairs) == 2


def test_a_model_that_no_longer_runs_fails() -> None:
    failed = msgspec.structs.replace(
        result("head/model", "litert", 1), trials=[], failure=Failure(kind="cannot load", message="unknown operator")
    )
    (judgement,) = judge(
        changes(pair_within([run(failed, result("base/model", "litert", 1))], "base")), Limits(slower=0.05)
    )
    assert (judgement.outcome, judgement.remark) == (Outcome.FAILED, "unknown operator")


@pytest.mark.parametrize("failing", ["head/model", "base/model"])
def test_a_gate_without_a_pair_is_refused(failing: str) -> None:
    lost = Failure(kind="cannot load", message="unknown operator")
    results = [result("head/model", "litert", 1), result("base/model", "litert", 1)]
    lone = [each for each in results if each.configuration.variant != failing]
    with pytest.raises(BadInput):
        pair_within([run(*lone)], "base")
    if failing == "base/model":
        broken = msgspec.structs.replace(results[1], trials=[], failure=lost)
        with pytest.raises(BadInput):
            pair_within([run(results[0], broken)], "base")


def test_other_models_are_no_repeats() -> None:
    results = result("head/model", "litert", 1), result("base/model", "litert", 1)
    with pytest.raises(BadInput):
        pair_within([run(*results), run(*results, bundle="other")], "base")


def test_the_command_judges_both_limits_and_fails_with_3(tmp_path: Path) -> None:
    slower = run(result("head/model", "litert", 1.1), result("base/model", "litert", 1))
    (tmp_path / "run-1.json").write_bytes(encode_record(slower))
    arguments = ("compare", "run-1.json", "--baseline", "base", "--fail-if-slower")
    failed = call_here(*arguments, "5%", "--format", "json", cwd=tmp_path)
    assert (failed.code, type(failed.error)) == (3, GateNotMet)
    assert '"gate": "failed"' in failed.stdout
    assert call_here(*arguments, "15%", cwd=tmp_path).code == 0
