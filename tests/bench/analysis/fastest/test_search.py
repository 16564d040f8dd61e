"""The rule that chooses finalists, and what both rounds show about the fastest configuration."""

import msgspec
import pytest

from edge_bench.bench.analysis.answer.answer import AnswerKind, answer_of, no_answer
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.analysis.fastest.finalists import choose_finalists
from edge_bench.bench.analysis.fastest.search import Search, search_of
from edge_bench.bench.records.run import Failure, Run
from tests.bench.analysis.fastest.searches import searched_run
from tests.factories import run

BROKEN = Failure(kind="crashed", message="crashed")
#: Seconds per pass. Only a and b are near each other.
FAR = {"a": 0.010, "b": 0.0101, "c": 0.02, "d": 0.03}


def found(made: Run) -> Search:
    search = search_of(made)
    assert search is not None
    return search


def failing(made: Run, number: int) -> Run:
    results = list(made.results)
    results[number] = msgspec.structs.replace(results[number], trials=[], failure=BROKEN)
    return msgspec.structs.replace(made, results=results)


def test_finalists_are_the_fastest_and_all_that_are_not_slower() -> None:
    assert choose_finalists(searched_run(FAR)) == [0, 1]
    assert choose_finalists(searched_run({"slow": 0.02, "fast": 0.01, "slower": 0.03})) == [1, 0]  # at least two
    equal = {str(number): 0.01 for number in range(6)}
    assert len(choose_finalists(searched_run(equal, noise=0.02))) == 6
    assert len(choose_finalists(searched_run(equal, noise=0.02, finalists=3))) == 3
    assert choose_finalists(failing(searched_run(FAR), 0)) == [1, 2]


def test_the_fastest_without_a_loss_of_quality_is_always_a_finalist() -> None:
    wrong = {"a": 30, "b": 30, "c": 5, "d": 5}
    assert choose_finalists(searched_run(FAR, wrong=wrong)) == [0, 1, 2]
    assert choose_finalists(searched_run(FAR, wrong={"a": 8, "b": 8})) == [0, 1]  # three images are chance
    assert choose_finalists(searched_run(FAR, wrong={"a": 30})) == [0, 1]


def test_only_the_second_round_decides() -> None:
    made = searched_run(FAR, {"a": 0.012, "b": 0.010})
    search, answer = found(made), answer_of(compare([made]))
    assert (search.lead.variant, search.open) == ("b", [])
    assert [each.variant for each in search.finalists] == ["a", "b"]
    assert search.probability == pytest.approx(1, abs=1e-3)
    assert answer.kind is AnswerKind.FASTEST
    assert answer.best[0].configuration.variant == "b"
    assert answer.baseline is not None
    assert answer.baseline.variant == "a"  # the fastest of the first round, however fast the second is
    tie = searched_run(FAR, {"a": 0.010, "b": 0.0101})
    assert answer_of(compare([tie])).kind is AnswerKind.TIE


def test_a_configuration_left_out_without_evidence_makes_it_undecided() -> None:
    made = searched_run({"a": 0.010, "b": 0.011, "c": 0.0101, "d": 0.03}, {"a": 0.010, "b": 0.013})
    assert [each.variant for each in found(made).open] == ["c"]
    assert answer_of(compare([made])).kind is AnswerKind.OPEN


def test_a_finalist_that_fails_excludes_no_other() -> None:
    first = {"a": 0.010, "b": 0.0101, "c": 0.011, "d": 0.03}
    whole = searched_run(first, {"a": 0.010, "b": 0.02})
    assert found(whole).open == []
    assert answer_of(compare([whole])).kind is AnswerKind.FASTEST
    # b took as long as c in the first round, to which it is now compared
    slower = failing(searched_run(first | {"b": 0.011}, {"a": 0.010, "b": 0.02}), 0)
    assert [each.variant for each in found(slower).open] == ["c"]
    assert answer_of(compare([slower])).kind is AnswerKind.OPEN
    alone = failing(whole, 0)
    assert answer_of(compare([alone])).kind is AnswerKind.FASTEST  # not the only configuration


def test_the_quality_is_compared_with_the_best_of_all_also_of_those_left_out() -> None:
    search = found(searched_run(FAR, {"a": 0.01, "b": 0.02}, {"a": 30, "b": 5, "c": 4}))
    assert search.cost.reference.variant == "c"
    assert search.cost.loses
    assert search.cost.difference is not None
    assert search.cost.difference.value == pytest.approx(-0.26)
    assert search.without_loss is not None
    assert search.without_loss.variant == "b"
    assert not found(searched_run(FAR, {"a": 0.01, "b": 0.02}, {"a": 5, "c": 4})).cost.loses


def test_there_is_no_outcome_without_a_second_round() -> None:
    assert search_of(searched_run(FAR)) is None
    answer = no_answer([searched_run(FAR)])
    assert (answer.kind, answer.in_first_round) == (AnswerKind.NOTHING, True)
    both = failing(failing(searched_run(FAR, {"a": 0.01, "b": 0.02}), 0), 1)
    assert search_of(both) is None
    assert no_answer([both]).configurations == 2
    assert search_of(run(*(each for each in searched_run(FAR, FAR).results))) is None
