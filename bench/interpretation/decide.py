"""Decision between interpretations of one model's inputs and outputs: stated, tested on labelled images, or refused."""

from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.dataset.sampling import draw_evenly
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidate, Candidates
from edge_bench.bench.interpretation.label_maps import LabelMap, LabelMaps
from edge_bench.bench.interpretation.predictions import CannotPredict
from edge_bench.bench.interpretation.question import Labels, Predictor, Question, TrueLabels
from edge_bench.bench.interpretation.refute import check_order, check_usual
from edge_bench.bench.records.interpretation import Interpretation, Source
from edge_bench.bench.stats.selection import ALPHA, select_best

__all__ = ["Decision", "decide"]

#: Labelled images of the first test, and of the second one if the first does not decide.
FIRST_TEST = 100
SECOND_TEST = 10_000  # enough to see differences of a percentage point; 50,000 would take minutes
#: Interpretations that are listed if none is clearly better.
_LISTED = 3


@dataclass(frozen=True)
class Decision:
    """What was decided."""

    candidate: Candidate
    label_map: LabelMap | None
    interpretations: tuple[Interpretation, ...]


@dataclass(frozen=True)
class _Tested:
    """The result of a test: pairs of indices (candidate, map), best first, and the images correct with each."""

    pairs: list[tuple[int, int]]
    correct: list[int]
    images: int
    clear: bool
    next_best: str  # description of the best pair that is clearly worse


def decide(question: Question, predictor: Predictor) -> Decision:
    """Return the interpretation to measure with.

    Raise BadInput if several are possible, none is clearly better on the labelled images, and --assume is not set.
    Without labels, or if the model cannot be run, the first candidates are assumed.
    """
    candidates, truth = question.candidates.options, question.truth
    if truth is None or not len(truth.values):
        return _untested(question, "there are no labels to test it with")
    if len(candidates) == len(truth.maps.options) == 1 and not _needs_order_check(truth):
        return _untested(question, "")
    try:
        tested, predicted, positions = _test(question.candidates, truth, predictor)
    except CannotPredict as cause:
        return _untested(question, f"it could not be tested: {cause}")
    number, map_number = tested.pairs[0]
    chosen = truth.maps.options[map_number]
    if not question.assume:
        if _needs_order_check(truth):  # first, so that no option with a wrong order is suggested
            check_order(question, truth, chosen, predicted, truth.values[positions])
        if not tested.clear:
            raise _undecided(question, truth.maps, tested)
        if len(candidates) > 1:
            check_usual(question, predictor, candidates[number], positions, chosen.outputs[truth.values[positions]])
    return Decision(candidates[number], chosen, _records(question, truth.maps, tested, predictor.runtime))


def _needs_order_check(truth: TrueLabels) -> bool:
    """Return whether the class of each output is known only by convention."""
    maps = truth.maps
    in_doubt = maps.source not in (Source.STATED, Source.MODEL)
    return in_doubt and (len(maps.options) > 1 or maps.options[0].by_rank or not truth.classes)


def _test(candidates: Candidates, truth: TrueLabels, predictor: Predictor) -> tuple[_Tested, Labels, Labels]:
    """Test all pairs of preprocessing and label map, on few images first; also return the best one's predictions.

    Both tests together have the error probability ALPHA.
    """
    labels = truth.values
    sizes = [FIRST_TEST, SECOND_TEST] if len(labels) > FIRST_TEST else [FIRST_TEST]
    stages = [(draw_evenly(labels, size, 0), ALPHA / len(sizes)) for size in sizes]
    pairs = [(number, other) for other in range(len(truth.maps.options)) for number in range(len(candidates.options))]
    for positions, alpha in stages:
        stage = _compare(pairs, candidates, truth, predictor, positions, alpha)
        if stage.decided:
            break
        pairs = [pairs[index] for index in sorted(stage.remaining)]
    shown = stage.rivals if stage.better_than_chance else stage.ranked[:_LISTED]
    worse = [index for index in stage.ranked if index not in stage.remaining]
    next_best = ""
    if worse:
        options = _options(candidates, truth.maps, stage.pairs[worse[0]])
        next_best = f"next best {stage.correct[worse[0]].sum():,} with {options}"
    tested = _Tested(
        pairs=[stage.pairs[index] for index in shown],
        correct=[int(stage.correct[index].sum()) for index in shown],
        images=len(positions),
        clear=len(stage.rivals) == 1 and stage.better_than_chance,
        next_best=next_best,
    )
    return tested, stage.predicted[stage.pairs[shown[0]][0]], positions


@dataclass(frozen=True)
class _Stage:
    """The comparison of all pairs on some images."""

    pairs: list[tuple[int, int]]
    predicted: dict[int, Labels]  # by candidate
    correct: list[npt.NDArray[np.bool_]]  # by pair
    groups: tuple[tuple[int, ...], ...]  # of pairs that may be the best and predict the same
    better_than_chance: bool

    @property
    def rivals(self) -> list[int]:
        """One pair of each group."""
        return [group[0] for group in self.groups]

    @property
    def remaining(self) -> list[int]:
        """All pairs that may be the best."""
        return [index for group in self.groups for index in group]

    @property
    def ranked(self) -> list[int]:
        """All pairs, the most accurate first."""
        return sorted(range(len(self.pairs)), key=lambda index: (-int(self.correct[index].sum()), index))

    @property
    def decided(self) -> bool:
        """Whether one pair is left, so that no more images are needed."""
        return len(self.remaining) == 1 and self.better_than_chance


def _compare(
    pairs: list[tuple[int, int]],
    candidates: Candidates,
    truth: TrueLabels,
    predictor: Predictor,
    positions: Labels,
    alpha: float,
) -> _Stage:
    predicted = {
        number: predictor.predict(candidates.options[number], positions)
        for number in dict.fromkeys(number for number, _ in pairs)
    }
    targets = [truth.maps.options[other].outputs[truth.values[positions]] for _, other in pairs]
    outputs = [predicted[number] for number, _ in pairs]
    correct = [output == target for output, target in zip(outputs, targets, strict=True)]
    same = [(output.tobytes(), target.tobytes()) for output, target in zip(outputs, targets, strict=True)]
    groups = select_best(correct, alpha, same).groups
    # a choice among candidates must beat one label for all images; without a choice, any accuracy is accepted
    most_frequent = np.bincount(truth.values[positions]).argmax() == truth.values[positions]
    beaten = select_best([most_frequent, correct[groups[0][0]]], alpha).groups == ((1,),)
    a_choice = len(set(same)) > 1 or len(pairs) < len(candidates.options) * len(truth.maps.options)
    return _Stage(pairs, predicted, correct, groups, better_than_chance=beaten or not a_choice)


def _options(
    candidates: Candidates, maps: LabelMaps, pair: tuple[int, int], in_doubt: tuple[bool, bool] | None = None
) -> str:
    """Return the options that state a pair. By default, leave out options with only one candidate."""
    of_pixels, of_labels = in_doubt or (len(candidates.options) > 1, len(maps.options) > 1)
    words = [candidates.options[pair[0]].option] if of_pixels else []
    words += [maps.options[pair[1]].option] if of_labels else []
    return " ".join(words)


def _undecided(question: Question, maps: LabelMaps, tested: _Tested) -> BadInput:
    listed = tested.pairs[:_LISTED]
    in_doubt = len({number for number, _ in listed}) > 1, len({other for _, other in listed}) > 1
    choices = [
        f"{_options(question.candidates, maps, pair, in_doubt)} ({correct:,} of {tested.images:,} correct)"
        for pair, correct in zip(listed, tested.correct, strict=False)
    ]
    by_rank = any(maps.options[other].by_rank for _, other in listed)
    names = ", or --classes FILE with the names of all outputs" if in_doubt[1] and by_rank else ""
    return BadInput(
        f"{question.model}: the labelled images do not show which is right: {'; '.join(choices)}",
        f"use one of these options, or more labelled images{names}; --assume continues with the first option",
    )


def _untested(question: Question, why: str) -> Decision:
    """Return the first candidate. It is marked as assumed if there are several."""
    candidate = question.candidates.options[0]
    records = [_record("preprocessing", question.candidates, candidate, question, why)]
    if question.truth is None:
        return Decision(candidate, None, tuple(records))
    maps = question.truth.maps
    records.append(_record("labels", maps, maps.options[0], question, why))
    return Decision(candidate, maps.options[0], tuple(records))


def _record(
    subject: str, known: Candidates | LabelMaps, chosen: Candidate | LabelMap, question: Question, why: str
) -> Interpretation:
    several = len(known.options) > 1
    return Interpretation(
        subject=subject,
        value=chosen.text,
        source=Source.ASSUMED if several else known.source,
        reason=why if several else known.reason,
        option=chosen.option if several else "",
        variant=question.about,
    )


def _records(question: Question, maps: LabelMaps, tested: _Tested, runtime: str) -> tuple[Interpretation, ...]:
    """Return the records of a tested interpretation. One that is not clearly better is marked as assumed."""
    source = Source.TESTED if tested.clear else Source.ASSUMED
    reason = f"{tested.correct[0]:,} of {tested.images:,} correct on {runtime}"
    if others := tested.next_best if tested.clear else "others are not clearly worse":
        reason += f", {others}"
    (number, map_number), records = tested.pairs[0], []
    for subject, known, index in (
        ("preprocessing", question.candidates, number), ("labels", maps, map_number)
    ):  # fmt: skip
        chosen = known.options[index]
        record = _record(subject, known, chosen, question, reason)
        several = len(known.options) > 1
        records.append(msgspec.structs.replace(record, source=source) if several else record)
    return tuple(records)
