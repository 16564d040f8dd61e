"""Which operators explain the difference of two profiles, and the sentence about it."""

import msgspec
import pytest

from edge_bench.app.tables.profiles.difference import difference_sentences, profile_names
from edge_bench.bench.analysis.profiles.difference import profile_difference
from edge_bench.bench.analysis.profiles.pairs import profile_pairs
from edge_bench.bench.records.profile import OperatorTime, Profile
from tests.made.profiles import FLOAT32, INT8, operator_time, profile, profiled_run


def sentences(first: Profile, second: Profile) -> list[str]:
    return difference_sentences(profile_difference(first, second), profile_names([first, second]))


def varying(each: OperatorTime, spread: float) -> OperatorTime:
    return msgspec.structs.replace(
        each, lower_seconds=each.seconds * (1 - spread), upper_seconds=each.seconds * (1 + spread)
    )


def test_the_operators_that_explain_the_difference_are_named() -> None:
    found = profile_difference(FLOAT32, INT8)
    # 223 and 79 µs
    assert [each.operator.index for each in found.named] == [2, 0]
    assert [each.share for each in found.named] == pytest.approx([90 / 144, 60 / 144])
    assert [each.operator.kind for each in found.unmatched] == ["QUANTIZE"]
    assert sum(each.share or 0 for each in found.contributions) == pytest.approx(1)
    assert found.outside_share == pytest.approx(0)
    first, only = sentences(FLOAT32, INT8)
    assert first == "int8 is 2.82× faster than float32: conv2d_1 explains 62 % of the difference, conv2d 42 %."
    assert "quantize" in only
    assert sentences(INT8, FLOAT32)[0] == first


def test_operators_that_reduce_the_difference_and_time_outside_are_stated() -> None:
    slow = profile(operator_time(0, "CONV_2D", 100), operator_time(1, "ADD", 10), invocation=150)
    fast = profile(operator_time(0, "CONV_2D", 20), operator_time(1, "ADD", 30), invocation=60, variant="w")
    found = profile_difference(slow, fast)
    assert [each.share for each in found.named] == pytest.approx([80 / 90])
    assert [each.share for each in found.opposed] == pytest.approx([-20 / 90])
    assert found.outside_share == pytest.approx(30 / 90)
    assert "33 % is outside the operators" in sentences(slow, fast)[0]


def test_differences_within_the_spread_or_below_the_resolution_are_not_named() -> None:
    assert profile_difference(FLOAT32, FLOAT32).named == []
    wide = msgspec.structs.replace(FLOAT32, operators=[varying(each, 0.9) for each in FLOAT32.operators])
    found = profile_difference(wide, INT8)
    assert not found.differs
    assert {each.share for each in found.contributions} == {None}
    # only the second convolution varies: it is not named, and the other is
    part = [varying(each, 0.8 if each.index == 2 else 0.02) for each in FLOAT32.operators]
    found = profile_difference(msgspec.structs.replace(FLOAT32, operators=part), INT8)
    assert [each.operator.index for each in found.named] == [0]
    coarse = msgspec.structs.replace(FLOAT32, resolution_seconds=70e-6)
    assert [each.operator.index for each in profile_difference(coarse, INT8).named] == [2]


def test_times_are_per_example() -> None:
    operators = [msgspec.structs.replace(each, seconds=4 * each.seconds, lower_seconds=4 * each.lower_seconds,
                                         upper_seconds=4 * each.upper_seconds) for each in INT8.operators]  # fmt: skip
    batched = msgspec.structs.replace(
        INT8, batch_size=4, operators=operators, invocation_seconds=4 * INT8.invocation_seconds
    )
    one, four = (profile_difference(FLOAT32, each) for each in (INT8, batched))
    assert [each.share for each in one.contributions] == pytest.approx([each.share for each in four.contributions])


def test_pairs_of_runs_are_the_same_configuration_otherwise_each_against_the_baseline() -> None:
    faster = msgspec.structs.replace(INT8, variant="fast", invocation_seconds=1e-6)
    one = profiled_run(FLOAT32, INT8, faster)
    pairs = profile_pairs([one], one.results[0].configuration)
    assert [(a.configuration.variant, b.configuration.variant) for a, b in pairs] == [
        ("float32", "fast"), ("float32", "int8"),
    ]  # fmt: skip
    again = profiled_run(INT8)
    ((first, second),) = profile_pairs([one, again])
    assert (first.run, second.run, first.configuration) == (one, again, second.configuration)
    emulated = profiled_run(msgspec.structs.replace(INT8, emulated=True))
    assert profile_pairs([profiled_run(FLOAT32), emulated]) == []


def test_names_of_profiles_say_what_differs() -> None:
    threads = msgspec.structs.replace(INT8, threads=2)
    assert profile_names([INT8, threads]) == ["int8 · 1 thread", "int8 · 2 threads"]
    assert profile_names([INT8, INT8], ["A", "B"]) == ["int8 · A", "int8 · B"]
    assert profile_names([INT8, INT8]) == ["int8 (1)", "int8 (2)"]
