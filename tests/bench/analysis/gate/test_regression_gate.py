"""The gate fails only if the whole interval is beyond the limit, and never passes without having judged anything."""

import json
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Change, Judgement, Limits, Outcome, changes, judge
from edge_bench.bench.errors import BadInput, GateNotMet, ResultsError
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.run import Failure, Run
from tests.command_line import CommandLine, Refuses, call_here
from tests.factories import machine, result, run

OLD = run(result("dynamic", "litert", 1.0), result("float32", "litert", 2.0))
BOTH = Limits(slower=0.05, accuracy_drop=0.5)


def judged(new: Run, limits: Limits = BOTH) -> dict[tuple[str, str], Judgement]:
    found: list[Change] = changes(pair_runs([new], OLD))
    return {(j.configuration.variant, j.quantity): j for j in judge(found, limits)}


def test_an_unchanged_configuration_passes() -> None:
    outcomes = {j.outcome for j in judged(run(result("dynamic", "litert", 1.0)), Limits(slower=0.05)).values()}
    assert outcomes == {Outcome.PASSED}


def test_slower_beyond_the_limit_fails_and_a_little_slower_does_not() -> None:
    found = judged(run(result("dynamic", "litert", 1.2), result("float32", "litert", 2.06)), Limits(slower=0.05))
    assert found["dynamic", "time"].outcome is Outcome.FAILED
    assert found["float32", "time"].outcome is Outcome.PASSED


def test_a_noisy_slowdown_is_undecided() -> None:
    found = judged(run(result("dynamic", "litert", 1.08, noise=0.2)), Limits(slower=0.05))
    assert found["dynamic", "time"].outcome is Outcome.UNDECIDED


def test_accuracy_fails_only_when_the_interval_is_beyond_the_drop() -> None:
    lost_a_third = judged(run(result("dynamic", "litert", 1.0, wrong=30)))
    assert lost_a_third["dynamic", "accuracy"].outcome is Outcome.FAILED
    lost_two = judged(run(result("dynamic", "litert", 1.0, wrong=2)))
    assert lost_two["dynamic", "accuracy"].outcome is Outcome.UNDECIDED


def test_another_model_on_the_same_data_is_compared_and_other_data_is_refused() -> None:
    assert judged(run(result("dynamic", "litert", 1.0), bundle="another"))
    other = run(result("dynamic", "litert", 1.0))
    bundle = msgspec.structs.replace(other.bundle, dataset="fashion", dataset_sha256="other")
    with pytest.raises(ResultsError) as caught:
        pair_runs([msgspec.structs.replace(other, bundle=bundle)], OLD)
    assert "fashion" in caught.value.problem


def test_a_configuration_that_no_longer_runs_fails() -> None:
    broken = msgspec.structs.replace(
        result("dynamic", "litert", 1.0),
        trials=[],
        predictions=None,
        failure=Failure(kind="crashed", message="SIGSEGV"),
    )
    found = judged(run(broken, result("float32", "litert", 2.0)))
    assert found["dynamic", "time"].outcome is Outcome.FAILED
    assert "SIGSEGV" in found["dynamic", "time"].remark
    assert found["float32", "time"].outcome is Outcome.PASSED


def test_a_gate_that_can_judge_nothing_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        pair_runs([run(result("int8", "litert", 1.0))], OLD)
    assert "dynamic" in caught.value.remedy
    assert "float32" in caught.value.remedy
    emulated = machine(emulated=True, emulation_signs=["a sign"])
    found = changes(pair_runs([run(result("dynamic", "litert", 1.0), on=emulated)], OLD))
    with pytest.raises(BadInput) as caught:
        judge(found, BOTH)
    assert found[0].ratio is None
    assert found[0].remark
    assert found[0].remark in caught.value.problem
    assert [j.quantity for j in judge(found, Limits(accuracy_drop=5))] == ["accuracy"]


def test_without_predictions_the_time_is_judged_and_the_accuracy_is_not() -> None:
    blind = msgspec.structs.replace(result("dynamic", "litert", 1.0), predictions=None)
    found = changes(pair_runs([run(blind)], OLD))
    assert [judgement.outcome for judgement in judge(found, Limits(slower=0.05))] == [Outcome.PASSED]
    with pytest.raises(BadInput):
        judge(found, BOTH)


def test_compare_ends_with_3_and_names_the_configuration_that_failed(edge_bench: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    slower = run(result("dynamic", "litert", 1.2), result("float32", "litert", 2.0))
    (tmp_path / "new.json").write_bytes(encode_record(slower))
    arguments = ("compare", "new.json", "--baseline", "old.json", "--format", "json")
    limits = ("--fail-if-slower", "5%", "--fail-if-accuracy-drops", 40)
    gated = call_here(*arguments, *limits, cwd=tmp_path)
    assert gated.code == 3
    assert isinstance(gated.error, GateNotMet)
    text = f"{gated.error.problem} {gated.error.remedy}"
    assert "dynamic" in text
    assert "float32" not in text
    found = {row["variant"]: (row["verdict"], row["gate"]) for row in json.loads(gated.stdout)}
    assert found == {"dynamic": ("slower", "failed"), "float32": ("same", "passed")}
    assert edge_bench(*arguments, *limits).returncode == 3

    plain = call_here(*arguments, cwd=tmp_path)
    assert (plain.code, plain.error) == (0, None)
    assert json.loads(plain.stdout)[0]["verdict"] == "slower"
    assert call_here(*arguments, "--fail-if-slower", "30%", cwd=tmp_path).code == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--fail-if-slower", "5%"), "--baseline"),
        (("--baseline", "old.json", "--fail-if-slower", "fast"), "--fail-if-slower"),
        (("--baseline", "nowhere.json"), "nowhere.json"),
        (("--baseline", "old.json", "--fail-if-accuracy-drops", -1), "--fail-if-accuracy-drops"),
    ],
)
def test_bad_options_of_the_gate_are_refused(
    refuses: Refuses, tmp_path: Path, arguments: tuple[object, ...], named: str
) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    error = refuses("compare", "old.json", *arguments)
    assert named in f"{error.problem} {error.remedy}"
