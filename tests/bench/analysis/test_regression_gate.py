"""The gate fails only where the whole interval is beyond the limit, and never passes what it could not look at."""

from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.analysis.regression_gate import Change, Judgement, Limits, Outcome, changes, judge
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.records.run import Failure, Run
from tests.command_line import CommandLine, assert_refused
from tests.factories import machine, result, run

OLD = run(result("dynamic", "litert", 1.0), result("float32", "litert", 2.0))
BOTH = Limits(slower=0.05, accuracy_drop=0.5)


def judged(new: Run, limits: Limits = BOTH) -> dict[tuple[str, str], Judgement]:
    found: list[Change] = changes([new], OLD)
    return {(j.configuration.variant, j.quantity): j for j in judge(found, limits)}


def test_the_same_again_passes() -> None:
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
    other = msgspec.structs.replace(other, bundle=msgspec.structs.replace(other.bundle, dataset_sha256="other"))
    with pytest.raises(ResultsError, match="different data"):
        changes([other], OLD)


def test_what_no_longer_runs_fails() -> None:
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


def test_a_gate_that_looks_at_nothing_does_not_pass() -> None:
    with pytest.raises(BadInput, match="no configuration is in both"):
        changes([run(result("int8", "litert", 1.0))], OLD)
    emulated = machine(emulated=True, emulation_signs=["a sign"])
    found = changes([run(result("dynamic", "litert", 1.0), on=emulated)], OLD)
    with pytest.raises(BadInput, match="the time of no configuration: EMULATED"):
        judge(found, BOTH)
    assert [j.quantity for j in judge(found, Limits(accuracy_drop=5))] == ["accuracy"]


def test_without_predictions_the_time_is_judged_and_the_accuracy_is_not() -> None:
    blind = msgspec.structs.replace(result("dynamic", "litert", 1.0), predictions=None)
    found = changes([run(blind)], OLD)
    assert [judgement.outcome for judgement in judge(found, Limits(slower=0.05))] == [Outcome.PASSED]
    with pytest.raises(BadInput, match="the accuracy of no configuration"):
        judge(found, BOTH)


def test_the_command_line_ends_with_3_and_says_why(edge_bench: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    slower = run(result("dynamic", "litert", 1.2), result("float32", "litert", 2.0))
    (tmp_path / "new.json").write_bytes(encode_record(slower))
    arguments = ("compare", "new.json", "--baseline", "old.json")
    plain = edge_bench(*arguments)
    assert plain.returncode == 0, plain.stderr
    assert "slower" in plain.stdout
    gated = edge_bench(*arguments, "--fail-if-slower", "5%", "--fail-if-accuracy-drops", 40)
    assert_refused(gated, "1 of 4 limits", "dynamic on litert", "1.05 ×", code=3)
    assert "passed: float32" in gated.stdout
    assert edge_bench(*arguments, "--fail-if-slower", "30%").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--fail-if-slower", "5%"), "older Run"),
        (("--baseline", "old.json", "--fail-if-slower", "fast"), "--fail-if-slower"),
        (("--baseline", "nowhere.json"), "no such file"),
        (("--baseline", "old.json", "--fail-if-accuracy-drops", -1), "--fail-if-accuracy-drops"),
    ],
)
def test_what_makes_no_sense_is_refused(
    edge_bench: CommandLine, tmp_path: Path, arguments: tuple[object, ...], words: str
) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    assert_refused(edge_bench("compare", "old.json", *arguments), words)
