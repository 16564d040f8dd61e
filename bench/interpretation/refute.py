"""Checks that refute the best interpretation: another order of classes, or an unusual preprocessing, fits better."""

from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.candidates import Candidate
from edge_bench.bench.interpretation.label_maps import LabelMap
from edge_bench.bench.interpretation.order_check import better_placement, exchanged_classes
from edge_bench.bench.interpretation.question import Labels, Predictor, Question, TrueLabels
from edge_bench.bench.stats.selection import select_best
from edge_bench.bench.wording import abbreviate, counted

__all__ = ["check_order", "check_usual"]


def check_order(question: Question, truth: TrueLabels, chosen: LabelMap, predicted: Labels, labels: Labels) -> None:
    """Raise BadInput if the predictions contradict the outputs that the order of class names gives to the classes."""
    remedy = "list the names of the outputs, one per line, with --classes FILE; --assume keeps this order"
    if not truth.classes:
        remedy = f"correct the labels; --label-offset {chosen.outputs[0]} states that they are output numbers"
    problem = f"{question.model}: {chosen.text} do not fit its outputs"
    arguments = (predicted, labels, chosen.outputs, question.outputs)
    table = better_placement(*arguments)
    if table is not None:
        right, better = predicted == chosen.outputs[labels], predicted == table[labels]
        if chosen.by_rank or select_best([right, better]).groups == ((1,),):
            raise BadInput(
                f"{problem}: {right.sum():,} of {counted(len(labels), 'image')} are correct, but "
                f"{better.sum():,} if some of "
                "the model's classes are missing from the data",
                remedy,
            )
    if moved := exchanged_classes(*arguments):
        known = truth.classes
        names = abbreviate([known[label] if label < len(known) else f"label {label}" for label in moved])
        raise BadInput(f"{problem}: nearly all images of {names} get another class's output", remedy)


def check_usual(
    question: Question, predictor: Predictor, adopted: Candidate, positions: Labels, outputs: Labels
) -> None:
    """Raise BadInput if a preprocessing that is not among the candidates is clearly better than the adopted one.

    ``outputs`` are the true outputs of the images at ``positions``, [images] each.
    """
    correct = predictor.predict(adopted, positions) == outputs
    for rare in question.rare(adopted):
        better = predictor.predict(rare, positions) == outputs
        if select_best([correct, better]).groups == ((1,),):
            raise BadInput(
                f"{question.model}: no common preprocessing fits: {correct.sum():,} of "
                f"{counted(len(outputs), 'image')} are "
                f"correct with {adopted.option}, but {better.sum():,} with {rare.option}",
                "set the preprocessing of the model's training with --scale and --offset",
            )
