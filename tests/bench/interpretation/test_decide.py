"""Decisions between interpretations, with predictions from a table."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidate, Candidates
from edge_bench.bench.interpretation.decide import Decision, decide
from edge_bench.bench.interpretation.label_maps import ClassLabels, LabelMap, LabelMaps, label_maps
from edge_bench.bench.interpretation.predictions import CannotPredict
from edge_bench.bench.interpretation.question import Question, TrueLabels
from edge_bench.bench.preprocessing.presets import PRESETS
from edge_bench.bench.records.interpretation import Source

CLASSES = ["ant", "bee", "cow", "dog"]
RAW, UNIT, SIGNED = (
    Candidate(PRESETS[name].preprocessing(), name, f"--preprocess {name}") for name in ("raw", "unit", "imagenet-tf")
)
PRESENT = Candidates((RAW, UNIT, SIGNED), Source.DEFAULT)


class Table:
    """A model with known predictions by candidate; it counts how many images it was asked for."""

    def __init__(self, predictions: dict[str, npt.NDArray[Any]]) -> None:
        self.runtime, self._predictions = "litert 2.3", predictions
        self.asked: list[tuple[str, int]] = []

    def predict(self, candidate: Candidate, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self.asked.append((candidate.text, len(positions)))
        found: npt.NDArray[Any] = self._predictions[candidate.text][positions]
        return found


class Broken:
    runtime = ""

    def predict(self, candidate: Candidate, positions: npt.NDArray[Any]) -> npt.NDArray[Any]:
        raise CannotPredict("it cannot be loaded")


def offset(number: int, by_rank: bool = True) -> LabelMap:
    return LabelMap(np.arange(4) + number, f"plus {number}", f"--label-offset {number}", by_rank)


ONE_MAP = LabelMaps((offset(0),), Source.DEFAULT)


def question(labels: npt.NDArray[Any] | None, **changes: Any) -> Question:
    truth = None if labels is None else TrueLabels(labels, changes.pop("maps", ONE_MAP), CLASSES)
    fields: dict[str, Any] = {"model": "m", "about": "", "outputs": 4, "candidates": PRESENT, "truth": truth}
    return Question(**(fields | changes))


def labels_of(count: int) -> npt.NDArray[Any]:
    return np.arange(count) % 4


def wrong(labels: npt.NDArray[Any], images: int) -> npt.NDArray[Any]:
    """Return predictions of which the first ``images`` are wrong."""
    return np.where(np.arange(len(labels)) < images, (labels + 1) % 4, labels)


def sources(decision: Decision) -> list[Source]:
    return [record.source for record in decision.interpretations]


def test_the_clearly_better_candidate_is_adopted() -> None:
    labels = labels_of(40)
    model = Table({"raw": np.zeros(40, int), "unit": labels, "imagenet-tf": np.ones(40, int)})

    decision = decide(question(labels), model)

    assert decision.candidate is UNIT
    assert sources(decision) == [Source.TESTED, Source.DEFAULT]


def test_without_a_clear_winner_nothing_is_adopted() -> None:
    labels = labels_of(40)
    model = Table({"raw": np.zeros(40, int), "unit": wrong(labels, 3), "imagenet-tf": wrong(labels, 5)})

    with pytest.raises(BadInput) as caught:
        decide(question(labels), model)

    assert "--preprocess unit" in caught.value.problem
    assert "--preprocess imagenet-tf" in caught.value.problem
    assert "--preprocess raw" not in caught.value.problem
    assert "--assume" in caught.value.remedy


def test_assume_takes_the_most_accurate_one_and_marks_it() -> None:
    labels = labels_of(40)
    model = Table({"raw": np.zeros(40, int), "unit": wrong(labels, 5), "imagenet-tf": wrong(labels, 3)})

    decision = decide(question(labels, assume=True), model)

    assert decision.candidate is SIGNED
    assert sources(decision)[0] is Source.ASSUMED


def test_few_images_decide_first_and_all_only_if_they_must() -> None:
    labels = labels_of(400)
    clear = Table({"raw": np.zeros(400, int), "unit": labels, "imagenet-tf": np.ones(400, int)})
    close = Table({"raw": np.zeros(400, int), "unit": labels, "imagenet-tf": wrong(labels, 12)})

    decide(question(labels), clear)
    decision = decide(question(labels), close)

    assert {count for _, count in clear.asked} == {100}
    assert {name for name, count in close.asked if count == 400} == {"unit", "imagenet-tf"}
    assert decision.candidate is UNIT


def test_candidates_equal_on_the_first_images_are_decided_on_all_images() -> None:
    labels = labels_of(400)
    differing = wrong(labels, 400)
    model = Table({"raw": np.zeros(400, int), "unit": labels, "imagenet-tf": labels.copy()})
    decide(question(labels), model)
    first = sorted({count for _, count in model.asked})
    model = Table({"raw": np.zeros(400, int), "unit": differing, "imagenet-tf": labels})

    assert first == [100, 400]
    assert decide(question(labels), model).candidate is SIGNED


def test_no_candidate_is_tested_on_more_than_ten_thousand_images() -> None:
    labels = labels_of(30_000)
    model = Table({"raw": np.zeros(30_000, int), "unit": labels, "imagenet-tf": labels.copy()})

    decide(question(labels), model)

    assert {count for _, count in model.asked} == {100, 10_000}


def test_label_maps_are_tested_together_with_preprocessings() -> None:
    labels = labels_of(40)
    model = Table({"raw": labels, "unit": np.zeros(40, int), "imagenet-tf": np.full(40, 9)})
    model_maps = LabelMaps((offset(0, by_rank=False), offset(1, by_rank=False)), Source.DEFAULT)
    two = question(labels, outputs=5, maps=model_maps)

    with pytest.raises(BadInput):  # raw with no offset and unit with one are equally good
        decide(two, Table({"raw": labels, "unit": wrong(labels, 1) + 1, "imagenet-tf": np.full(40, 9)}))
    assert decide(two, model).candidate is RAW


def test_an_order_that_does_not_fit_the_images_is_refused() -> None:
    labels = labels_of(40)
    exchanged = np.array([1, 0, 2, 3])[labels]
    single = Candidates((UNIT,), Source.STATED)

    with pytest.raises(BadInput) as caught:
        decide(question(labels, candidates=single), Table({"unit": exchanged}))

    assert "--classes" in caught.value.remedy


def test_a_preprocessing_that_only_a_rare_one_explains_is_refused() -> None:
    labels = labels_of(40)
    rare = Candidate(PRESETS["unit"].preprocessing(), "rare", "--scale=1 --offset=-128")
    model = Table(
        {"raw": np.zeros(40, int), "unit": wrong(labels, 12), "imagenet-tf": np.ones(40, int), "rare": labels}
    )

    assert decide(question(labels), model).candidate is UNIT
    with pytest.raises(BadInput) as caught:
        decide(question(labels, rare=lambda _: [rare]), model)
    assert "--scale=1" in caught.value.problem


def test_a_stated_offset_does_not_state_the_order() -> None:
    labels = labels_of(40)
    exchanged = np.array([1, 0, 2, 3])[labels]
    found = label_maps(
        ClassLabels(np.arange(4), CLASSES, "alphabetical", "photos"), 4, None, DataOptions(label_offset=0)
    )
    single = question(labels, candidates=Candidates((UNIT,), Source.STATED), maps=found)

    with pytest.raises(BadInput):
        decide(single, Table({"unit": exchanged}))


def test_a_stated_order_is_not_questioned() -> None:
    labels = labels_of(40)
    stated = question(
        labels, candidates=Candidates((UNIT,), Source.STATED), maps=LabelMaps((offset(0),), Source.STATED)
    )

    assert sources(decide(stated, Broken())) == [Source.STATED, Source.STATED]


def test_without_labels_the_first_candidate_is_assumed() -> None:
    decision = decide(question(None), Broken())

    assert decision.candidate is RAW
    assert sources(decision) == [Source.ASSUMED]


def test_a_model_that_cannot_be_run_is_left_to_the_run_to_report() -> None:
    decision = decide(question(labels_of(40)), Broken())

    assert sources(decision) == [Source.ASSUMED, Source.DEFAULT]


def test_a_choice_that_is_no_better_than_one_label_for_all_images_is_refused() -> None:
    """The model was trained with an order of the classes that nothing states, so that a useless candidate is best."""
    labels = labels_of(40)
    model = Table({"raw": (labels + 1) % 4, "unit": np.zeros(40, int), "imagenet-tf": (labels + 2) % 4})

    with pytest.raises(BadInput):
        decide(question(labels), model)


def test_candidates_that_all_fail_alike_have_one_accuracy() -> None:
    """No candidate gets finite scores, so that the accuracy is 0 with each."""
    labels, nothing = labels_of(40), np.full(40, -1)

    decision = decide(question(labels), Table({"raw": nothing, "unit": nothing, "imagenet-tf": nothing}))

    assert decision.candidate is RAW
    assert sources(decision)[0] is Source.TESTED
