"""The gate fails only if the whole interval is beyond the limit, and never passes without having judged anything."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.runs.gate import changes_table
from edge_bench.bench.analysis.gate.pairing import pair_runs
from edge_bench.bench.analysis.gate.regression_gate import Change, Judgement, Limits, Outcome, changes, judge
from edge_bench.bench.analysis.times.earlier_runs import EarlierRuns
from edge_bench.bench.errors import BadInput, GateNotMet, ResultsError
from edge_bench.bench.io.record_codec import encode_record, pack
from edge_bench.bench.records.run import Failure, Run
from edge_bench.bench.stats.comparisons.separate_runs import VariationSource
from edge_bench.bench.stats.ratios import Verdict
from tests.command_line import CommandLine, Refuses, call_here
from tests.factories import machine, repeats, result, run

OLD = run(result("dynamic", "litert", 1.0), result("float32", "litert", 2.0))
BOTH = Limits(slower=0.05, accuracy_drop=0.5)


OLDS = repeats(OLD, seed=1)


def judged(new: Run, limits: Limits = BOTH, variation: float = 0.003) -> dict[tuple[str, str], Judgement]:
    """The judgements on five Runs like ``new`` against five old ones."""
    found: list[Change] = changes(pair_runs(repeats(new, variation=variation, seed=2), OLDS))
    return {(j.configuration.variant, j.quantity): j for j in judge(found, limits)}


def test_an_unchanged_configuration_passes() -> None:
    outcomes = {j.outcome for j in judged(run(result("dynamic", "litert", 1.0)), Limits(slower=0.05)).values()}
    assert outcomes == {Outcome.PASSED}


def test_slower_beyond_the_limit_fails_and_a_little_slower_does_not() -> None:
    found = judged(run(result("dynamic", "litert", 1.2), result("float32", "litert", 2.06)), Limits(slower=0.05))
    assert found["dynamic", "time"].outcome is Outcome.FAILED
    assert found["float32", "time"].outcome is Outcome.PASSED


def test_a_noisy_slowdown_is_undecided() -> None:
    found = judged(run(result("dynamic", "litert", 1.08)), Limits(slower=0.05), variation=0.05)
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
        pair_runs([msgspec.structs.replace(other, bundle=bundle)], [OLD])
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
        pair_runs([run(result("int8", "litert", 1.0))], [OLD])
    assert "dynamic" in caught.value.remedy
    assert "float32" in caught.value.remedy
    emulated = machine(emulated=True, emulation_signs=["a sign"])
    found = changes(pair_runs([run(result("dynamic", "litert", 1.0), on=emulated)], [OLD], across=True))
    with pytest.raises(BadInput) as caught:
        judge(found, BOTH)
    assert found[0].ratio is None
    assert found[0].remark
    assert found[0].remark in caught.value.problem
    assert [j.quantity for j in judge(found, Limits(accuracy_drop=5))] == ["accuracy"]


def test_without_predictions_the_time_is_judged_and_the_accuracy_is_not() -> None:
    blind = msgspec.structs.replace(result("dynamic", "litert", 1.0), predictions=None)
    found = changes(pair_runs(repeats(run(blind)), OLDS))
    assert [judgement.outcome for judgement in judge(found, Limits(slower=0.05))] == [Outcome.PASSED]
    with pytest.raises(BadInput):
        judge(found, BOTH)


def test_one_run_each_decides_little_and_earlier_runs_decide_more() -> None:
    """An unchanged configuration, and one that is 8 % slower: a single Run may be off by as much."""
    new = run(result("dynamic", "litert", 1.08), result("float32", "litert", 2.0))
    pairing = pair_runs([new], [OLD])
    alone = changes(pairing)
    assert [change.verdict for change in alone] == [Verdict.UNDECIDED, Verdict.UNDECIDED]
    assert all(change.separation and change.separation.source is VariationSource.ASSUMED for change in alone)
    informed = changes(pairing, EarlierRuns(repeats(OLD, count=10, seed=3)))
    assert [change.verdict for change in informed] == [Verdict.SLOWER, Verdict.SAME]
    assert all(change.separation and change.separation.source is VariationSource.EARLIER for change in informed)
    outcomes = [judgement.outcome for judgement in judge(informed, Limits(slower=0.05))]
    assert outcomes == [Outcome.FAILED, Outcome.PASSED]


def test_a_large_difference_needs_one_run_each() -> None:
    found = changes(pair_runs([run(result("dynamic", "litert", 1.3))], [OLD]))
    assert [judgement.outcome for judgement in judge(found, Limits(slower=0.05))] == [Outcome.FAILED]


def test_another_machine_or_runtime_is_judged_only_on_request() -> None:
    elsewhere = run(result("dynamic", "litert", 1.0), on=machine(hostname="pi"))
    with pytest.raises(BadInput) as caught:
        pair_runs([elsewhere], [OLD])
    assert "pi" in caught.value.problem
    upgraded = run(msgspec.structs.replace(result("dynamic", "litert", 1.0), runtime_version="2.3"))
    with pytest.raises(BadInput) as caught:
        pair_runs([upgraded], [OLD])
    assert "2.3" in caught.value.problem
    for new in (elsewhere, upgraded):
        (pair,) = pair_runs([new], [OLD], across=True).pairs
        assert [side.result.configuration.variant for side in (pair.new, pair.old)] == ["dynamic", "dynamic"]
    with pytest.raises(BadInput):  # which of them?
        pair_runs([elsewhere], [OLD, run(result("dynamic", "litert", 1.0), on=machine(hostname="nas"))], across=True)


def test_each_machine_is_compared_with_its_own_baseline() -> None:
    here, pi = run(result("dynamic", "litert", 1.0)), run(result("dynamic", "litert", 9.0), on=machine(hostname="pi"))
    old = [msgspec.structs.replace(each, run_id=f"old {each.machine.hostname}") for each in (pi, here)]
    pairing = pair_runs([here, pi], old)
    assert [pair.new.run.machine.hostname for pair in pairing.pairs] == ["desk", "pi"]
    assert all(pair.new.run.machine == pair.old.run.machine for pair in pairing.pairs)


def test_a_configuration_that_failed_in_one_of_several_runs_fails() -> None:
    broken = msgspec.structs.replace(
        result("dynamic", "litert", 1.0),
        trials=[],
        predictions=None,
        failure=Failure(kind="crashed", message="SIGSEGV"),
    )
    whole = repeats(run(result("dynamic", "litert", 1.0), result("float32", "litert", 2.0)), count=3, seed=2)
    for position in range(3):
        news = list(whole)
        news[position] = msgspec.structs.replace(news[position], results=[broken, news[position].results[1]])
        found = {(j.configuration.variant, j.quantity): j for j in judge(changes(pair_runs(news, OLDS)), BOTH)}
        assert found["dynamic", "time"].outcome is Outcome.FAILED
        assert found["dynamic", "accuracy"].outcome is Outcome.FAILED
        assert "SIGSEGV" in found["dynamic", "time"].remark
        assert found["float32", "time"].outcome is Outcome.PASSED


def test_the_least_accurate_of_several_runs_is_judged() -> None:
    good, bad = run(result("dynamic", "litert", 1.0)), run(result("dynamic", "litert", 1.0, wrong=40))
    for news in ([good, bad], [bad, good]):
        numbered = [msgspec.structs.replace(each, run_id=f"new {number}") for number, each in enumerate(news)]
        (judgement,) = judge(changes(pair_runs(numbered, OLDS)), Limits(accuracy_drop=5))
        assert judgement.outcome is Outcome.FAILED
        assert judgement.value == pytest.approx(-40)


def test_each_machine_has_its_own_outcome() -> None:
    """The same configuration passes here and fails on the other machine."""
    pi = machine(hostname="pi")
    old = [*OLDS, *repeats(run(*OLD.results, on=pi), seed=4)]
    slower = [result("dynamic", "litert", 1.3), result("float32", "litert", 2.6)]
    new = [*repeats(OLD, seed=5), *repeats(run(*slower, on=pi), seed=6)]
    found = changes(pair_runs(new, old))
    judgements = judge(found, Limits(slower=0.05))
    table = changes_table(found, judgements)
    outcomes = {(record["machine"][:2], record["gate"]) for record in table.records}
    assert outcomes == {("de", "passed"), ("pi", "failed")}
    assert {row[-1] for row in table.rows if row[0].startswith("pi")} == {"failed"}


def test_runs_of_different_models_are_no_repeats_and_a_run_is_not_its_own_baseline() -> None:
    other = msgspec.structs.replace(run(result("dynamic", "litert", 1.0), bundle="another"), run_id="another")
    with pytest.raises(BadInput) as caught:
        pair_runs([run(result("dynamic", "litert", 1.0))], [OLDS[0], other])
    assert "another" in caught.value.problem
    with pytest.raises(BadInput):
        pair_runs([OLDS[0]], [OLDS[0]])
    fewer = msgspec.structs.replace(OLD, run_id="fewer", settings=msgspec.structs.replace(OLD.settings, resample=50))
    with pytest.raises(BadInput) as caught:
        pair_runs([OLDS[1], fewer], [OLDS[0]])
    assert "50" in caught.value.problem
    pairing = pair_runs([OLDS[0]], OLDS)
    assert [len(pair.old.all_runs) for pair in pairing.pairs] == [4, 4]
    assert any(OLDS[0].run_id[:8] in note for note in pairing.notes)


def test_without_labels_the_reason_is_the_labels() -> None:
    new, old = (
        msgspec.structs.replace(each, images=msgspec.structs.replace(each.images, labels=pack(np.array([], np.int64))))
        for each in (run(result("dynamic", "litert", 1.0)), OLDS[0])
    )
    with pytest.raises(BadInput) as caught:
        judge(changes(pair_runs([new], [old])), Limits(accuracy_drop=1))
    assert "labels" in caught.value.problem


def test_one_failure_among_many_judgements_must_be_beyond_chance() -> None:
    """Nine configurations, one just beyond the limit: as the only one it fails, as one of nine it is undecided."""
    names = [f"v{number}" for number in range(9)]
    old = run(*(result(name, "litert", 1.0) for name in names))
    new = run(*(result(name, "litert", 1.06 if name == "v3" else 1.0) for name in names))

    def outcomes(first: Run, second: Run) -> list[Outcome]:
        pairing = pair_runs(repeats(first, variation=0.013, seed=12), repeats(second, variation=0.013, seed=19))
        return [judgement.outcome for judgement in judge(changes(pairing), Limits(slower=0.05))]

    alone = outcomes(run(new.results[3]), run(old.results[3]))
    assert (alone, outcomes(new, old)[3]) == ([Outcome.FAILED], Outcome.UNDECIDED)


@pytest.mark.slow
def test_compare_ends_with_3_and_names_the_configuration_that_failed(edge_bench: CommandLine, tmp_path: Path) -> None:
    slower = run(result("dynamic", "litert", 1.2), result("float32", "litert", 2.0))
    for folder, runs in (("old", OLDS), ("new", repeats(slower, seed=2))):
        (tmp_path / folder).mkdir()
        for number, each in enumerate(runs):
            (tmp_path / folder / f"run-{number}.json").write_bytes(encode_record(each))
    arguments = ("compare", "new", "--baseline", "old", "--format", "json")
    limits = ("--fail-if-slower", "5%", "--fail-if-accuracy-drops", 40)
    gated = call_here(*arguments, *limits, cwd=tmp_path)
    assert gated.code == 3
    assert isinstance(gated.error, GateNotMet)
    text = f"{gated.error.problem} {gated.error.remedy}"
    assert "dynamic" in text
    assert "float32" not in text
    found = {row["variant"]: (row["verdict"], row["gate"], row["runs"]) for row in json.loads(gated.stdout)}
    assert found == {"dynamic": ("slower", "failed", 5), "float32": ("same", "passed", 5)}
    assert edge_bench(*arguments, *limits).returncode == 3

    plain = call_here(*arguments, cwd=tmp_path)
    assert (plain.code, plain.error) == (0, None)
    assert json.loads(plain.stdout)[0]["verdict"] == "slower"
    assert call_here(*arguments, "--fail-if-slower", "30%", cwd=tmp_path).code == 0
    one = call_here(
        "compare", "new/run-0.json", "--baseline", "old/run-0.json", "--history", "old", "--format", "json",
        cwd=tmp_path,
    )  # fmt: skip
    assert {row["run_variation_source"] for row in json.loads(one.stdout)} == {"earlier runs"}
    wide = call_here("compare", "new/run-0.json", "--baseline", "old/run-0.json", "--format", "json", cwd=tmp_path)
    assert {row["run_variation_source"] for row in json.loads(wide.stdout)} == {"assumed"}
    several = [part for number in range(3) for part in ("--baseline", f"old/run-{number}.json")]
    listed = call_here("compare", "new", *several, "--format", "json", cwd=tmp_path)
    assert {row["baseline_runs"] for row in json.loads(listed.stdout)} == {3}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--fail-if-slower", "5%"), "--baseline"),
        (("--baseline", "old.json", "--fail-if-slower", "fast"), "--fail-if-slower"),
        (("--baseline", "nowhere.json"), "nowhere.json"),
        (("--baseline", "old.json", "--baseline", "float32"), "float32"),
        (("--across",), "--baseline"),
        (("--baseline", "keras", "--fail-if-slower", "5%"), "keras"),
        (("--baseline", "float32", "--fail-if-slower", "5%", "--across"), "--across"),
        (("--baseline", "old.json", "--fail-if-accuracy-drops", "inf"), "--fail-if-accuracy-drops"),
        (("--baseline", "old.json"), "baseline"),
        (("--baseline", "old.json", "--history", "nowhere.json"), "nowhere.json"),
        (("--baseline", "old.json", "--fail-if-accuracy-drops", -1), "--fail-if-accuracy-drops"),
    ],
)
def test_bad_options_of_the_gate_are_refused(
    refuses: Refuses, tmp_path: Path, arguments: tuple[object, ...], named: str
) -> None:
    (tmp_path / "old.json").write_bytes(encode_record(OLD))
    error = refuses("compare", "old.json", *arguments)
    assert named in f"{error.problem} {error.remedy}"
