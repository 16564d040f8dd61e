"""What --find-fastest prints: the probability of the winner, its cost in quality, and what was left out."""

import msgspec
import numpy as np

from edge_bench.app.tables.answer.text import Answered, answer_sentences, answer_text
from edge_bench.app.tables.runs.run import run_table
from edge_bench.bench.analysis.comparison.comparison import compare
from edge_bench.bench.io.record_codec import pack
from edge_bench.bench.records.run import Run
from tests.bench.analysis.fastest.searches import searched_run

FIRST = {"a": 0.010, "b": 0.0101, "c": 0.02, "d": 0.03}


def answered(made: Run) -> Answered:
    measured = made.results_with_trials
    return Answered([made], compare([made]) if measured else None, [run_table(made)], "--why")


def sentences(made: Run) -> list[str]:
    return answer_sentences(answered(made))


def test_the_winner_has_its_probability_and_the_next_is_named() -> None:
    first, second, third = sentences(searched_run(FIRST, {"a": 0.010, "b": 0.012}))
    assert first.startswith("Fastest: a on litert, 0.1")
    assert first.endswith(" ms/image; probability over 99 %")
    doubtful = msgspec.structs.replace(searched_run(FIRST, {"a": 0.010, "b": 0.012}), trusted=False)
    assert sentences(doubtful)[0].endswith("probability over 99 % ~")
    assert "next: b on litert, 1.20× slower [" in second
    assert "accuracy" in second
    assert "reliable" in third
    assert all(len(line) <= 80 for line in answer_text(answered(searched_run(FIRST, FIRST)), 80).split("\n"))


def test_it_is_undecided_for_a_tie_and_for_configurations_left_out() -> None:
    assert sentences(searched_run(FIRST, {"a": 0.010, "b": 0.0101}))[0].startswith("No clear winner: a on litert and b")
    open_ = searched_run({"a": 0.010, "b": 0.011, "c": 0.0101}, {"a": 0.010, "b": 0.013})
    assert sentences(open_)[0].startswith("No clear winner: a on litert leads, but 1 configuration ")
    assert "! first round: 1 of 1 configuration" in answer_text(answered(open_), 200)
    assert sentences(searched_run(FIRST))[0] == "No answer: interrupted in the first round"


def test_a_winner_that_loses_accuracy_says_so_and_names_another() -> None:
    lossy = searched_run(FIRST, {"a": 0.010, "b": 0.012}, {"a": 30})
    second = sentences(lossy)[1]
    assert second.startswith("! accuracy −25.00 ")
    assert second.endswith("against b on litert; without loss: b on litert, 1.20× slower")


def test_without_true_values_the_winner_has_its_agreement() -> None:
    times = {"int8": 0.010, "float32": 0.012}
    made = searched_run(times | {"slow": 0.03}, times, {"int8": 30})
    images = msgspec.structs.replace(made.images, labels=pack(np.zeros(0, np.int64)))
    unlabelled = msgspec.structs.replace(made, images=images)
    assert "75.0 % of labels equal those of float32" in sentences(unlabelled)[1]


def test_rows_have_both_rounds() -> None:
    table = run_table(searched_run(FIRST, {"a": 0.010, "b": 0.012}))
    rows = {each["variant"]: each for each in table.records}
    assert rows["a"]["probability_fastest"] > 0.99
    assert rows["b"]["probability_fastest"] is None
    assert (rows["c"]["trials"], rows["c"]["pass_median_s"], rows["c"]["failure"]) == (0, None, None)
    assert abs(rows["c"]["first_round_median_s"] - 0.02) < 0.001
