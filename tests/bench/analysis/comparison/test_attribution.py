"""Effects of single factors on time, in Runs with known effects."""

import msgspec
import pytest

from edge_bench.app.render.units import significant
from edge_bench.app.tables.runs.attribution import attribution_table
from edge_bench.bench.analysis.comparison.attribution import Effect
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.records.run import Result, Run
from edge_bench.bench.stats.ratios import Verdict
from tests.bench.messages import numbers_in
from tests.factories import group, machine, repeats, result, run

PI = machine(hostname="pi", architecture="aarch64")


def with_threads(measured: Result, threads: int) -> Result:
    configuration = msgspec.structs.replace(measured.configuration, threads=threads)
    return msgspec.structs.replace(measured, configuration=configuration)


def effects(*runs: Run) -> dict[tuple[str, str, str, int], Effect]:
    return {
        (
            effect.factor,
            effect.configuration.variant,
            effect.configuration.runtime,
            effect.configuration.threads,
        ): effect
        for effect in compare(runs).effects
    }


def test_effects_of_machine_runtime_precision_and_threads_are_separate() -> None:
    host = run(
        result("keras", "tensorflow", 1.0),
        result("float32", "tflite-runtime", 4.0),
        result("float32", "litert", 2.0),
        result("dynamic", "litert", 1.0),
        with_threads(result("dynamic", "litert", 0.6), 2),
    )
    edge = run(result("dynamic", "litert", 10.0), on=PI)
    found = effects(host, edge)
    assert set(found) == {
        ("machine", "dynamic", "litert", 1),
        ("runtime", "float32", "litert", 1),
        ("precision", "dynamic", "litert", 1),
        ("threads", "dynamic", "litert", 2),
    }
    ratios = {key[0]: effect.ratio.value for key, effect in found.items()}
    assert ratios == pytest.approx({"machine": 10, "runtime": 0.5, "precision": 0.5, "threads": 0.6}, rel=0.01)
    assert {effect.verdict for key, effect in found.items() if key[0] != "machine"} == {Verdict.FASTER}


def test_emulated_times_give_no_effect() -> None:
    emulated = machine(hostname="pi", architecture="aarch64", emulated=True, emulation_signs=["a sign"])
    edge = run(result("float32", "litert", 90.0), result("dynamic", "litert", 99.0), on=emulated)
    assert effects(run(result("dynamic", "litert", 1.0)), edge) == {}


def test_configurations_that_differ_in_two_factors_give_no_effect() -> None:
    assert effects(run(result("float32", "tflite-runtime", 4.0), result("dynamic", "litert", 1.0))) == {}


def test_each_effect_has_a_row_and_a_sentence() -> None:
    table = attribution_table(compare([run(result("float32", "litert", 2.0), result("dynamic", "litert", 1.0))]))
    assert table is not None
    (record,), (cells,), (sentence,) = table.records, table.rows, table.notes
    assert (record["factor"], record["from"], record["to"]) == ("precision", "float32", "dynamic")
    assert record["verdict"] == "faster"
    assert record["time_ratio"] == pytest.approx(0.5, rel=0.01)
    assert len(cells) == len(table.header)
    for value in ("precision", "float32", "dynamic", "litert", "desk", "faster"):
        assert value in sentence


def test_the_sentence_of_an_undecided_effect_states_no_difference() -> None:
    host = run(result("float32", "litert", 1.0, noise=0.3), result("dynamic", "litert", 1.03, noise=0.3))
    table = attribution_table(compare([host]))
    assert table is not None
    (record,), (sentence,) = table.records, table.notes
    assert record["verdict"] == "undecided"
    assert "undecided" in sentence
    percent = float(significant(100 * abs(record["time_ratio"] - 1), 2))
    assert percent not in numbers_in(sentence)


def versions(*runtime_versions: str) -> list[Run]:
    """The same configuration on a host and on a Pi, with these versions of the runtime."""
    return [
        run(msgspec.structs.replace(result("dynamic", "litert", seconds), runtime_version=version), on=on)
        for seconds, version, on in zip((1.0, 10.0), runtime_versions, (machine(), PI), strict=True)
    ]


def test_an_effect_between_machines_lists_other_differences() -> None:
    host, edge = versions("2.3", "2.3")
    edge = msgspec.structs.replace(edge, machine=msgspec.structs.replace(PI, kernel="7", cpu="A72", cores=4))
    comparison = compare([host, edge])
    (effect,) = comparison.effects
    assert effect.also_different == ["kernel 6 → 7"]  # CPU and cores are the machine
    assert effect.verdict is Verdict.SLOWER
    changed, alike = attribution_table(comparison), attribution_table(compare(versions("2.3", "2.3")))
    assert changed is not None
    assert alike is not None
    assert changed.title != alike.title
    assert "kernel 6 → 7" in next(iter(changed.notes))
    assert changed.records[0]["also_different"] == ["kernel 6 → 7"]


def test_an_effect_is_not_the_machines_if_the_runtimes_version_differs() -> None:
    comparison = compare(versions("2.14", "2.3"))
    (effect,) = comparison.effects
    assert (effect.factor, effect.verdict) == ("machine", None)
    assert effect.also_different == ["litert 2.14 → 2.3"]
    table = attribution_table(comparison)
    assert table is not None
    (record,), (cells,), (sentence,) = table.records, table.rows, table.notes
    assert record["verdict"] is None
    assert record["time_ratio"] == pytest.approx(10, rel=0.01)
    assert "litert 2.14 → 2.3" in sentence
    for text in (*cells, sentence):
        assert not any(word in text for word in ("slower", "faster"))


def test_effects_within_a_run_differ_in_nothing_else() -> None:
    host = run(
        msgspec.structs.replace(result("float32", "tflite-runtime", 4.0), runtime_version="2.14"),
        msgspec.structs.replace(result("float32", "litert", 2.0), runtime_version="2.3"),
    )
    (effect,) = compare([host]).effects
    assert (effect.factor, effect.verdict, effect.also_different) == ("runtime", Verdict.FASTER, [])


def test_two_containers_of_one_machine_are_no_two_machines() -> None:
    one, other = (machine(hostname=name, container=True) for name in ("0123456789ab", "ba9876543210"))
    assert effects(run(result("dynamic", "litert", 1.0), on=one), run(result("dynamic", "litert", 2.0), on=other)) == {}


def test_a_configuration_that_a_run_has_twice_differs_from_itself_in_nothing() -> None:
    slow, fast = result("float32", "litert", 2.0), result("float32", "litert", 1.0)
    dynamic = [result("dynamic", "litert", 0.5), with_threads(result("dynamic", "litert", 0.3), 2)]
    found = compare([run(slow, fast, *dynamic, *dynamic)]).effects
    assert {effect.factor for effect in found} == {"precision", "threads"}
    for effect in found:
        name = "variant" if effect.factor == "precision" else effect.factor
        assert getattr(effect.configuration, name) != getattr(effect.reference, name)


def test_effects_within_repeats_are_of_all_that_measured_both() -> None:
    host = run(result("float32", "litert", 2.0), result("dynamic", "litert", 1.0))
    failed = msgspec.structs.replace(host.results[0], trials=[])
    first = msgspec.structs.replace(host, run_id="e" * 32, results=[failed, host.results[1]])
    found = effects(*group([first, *repeats(host, 3)]))
    assert set(found) == {("precision", "dynamic", "litert", 1)}
