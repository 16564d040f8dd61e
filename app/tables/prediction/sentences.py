"""The answer of ``predict`` in sentences, and its notes."""

import math
from collections.abc import Sequence

from edge_bench.app.render.units import significant, size
from edge_bench.app.tables.prediction.wording import in_words, kind_name, method_text
from edge_bench.bench.prediction.answer import PredictedModel
from edge_bench.bench.prediction.predict import Prediction
from edge_bench.bench.wording import counted, listed, with_article

__all__ = ["prediction_notes", "prediction_sentences"]

#: A model this many times larger or smaller than those of the fit is mentioned, and called an extrapolation.
_FAR, _VERY_FAR = 1.5, 3.0


def prediction_sentences(predicted: Sequence[PredictedModel]) -> list[str]:
    """Return the answer in one sentence: the fastest prediction of the first model, and what it is founded on."""
    found = [each for each in predicted if each.prediction]
    if not found:
        return ["PREDICTED: nothing. The table gives the reasons."]
    devices, models = {each.device for each in found}, {each.model for each in found}
    fastest = min(found, key=_median)
    one, several = _prediction(fastest), len(devices) > 1 or len(models) > 1 or len(found) > 1
    start = "the fastest is " if several else ""
    threads = counted(fastest.threads, "thread")
    graph = f" ({fastest.graph})" if fastest.graph else ""
    place = f"{start}{fastest.model}{graph} on {with_article(fastest.board)} with {threads}"
    trust = method_text(fastest)
    if math.exp(one.outside) > _VERY_FAR or fastest.unseen:
        trust += "; an extrapolation, because the model is unlike those"
    return [f"PREDICTED: {place}: {in_words(one.milliseconds, one.interval_90)}, from {trust}."]


def prediction_notes(predicted: Sequence[PredictedModel]) -> list[str]:
    """Return what a reader has to know about the predictions."""
    notes = ["predicted, not measured: medians of single inferences on an idle board with a 64-bit system"]
    notes += dict.fromkeys(text for each in predicted for text in _notes(each))
    measured = sorted({each.measured_with for each in predicted if each.measured_with and not each.calibrated})
    if measured:
        notes.append(f"the published latencies are of {listed(measured)}, not of LiteRT, which has newer kernels")
    sources = sorted({source for each in predicted for source in each.sources})
    if sources:
        notes.append(f"sources: {', '.join(sources)}")
    return notes


def _notes(each: PredictedModel) -> list[str]:
    if each.refusal:
        return [f"{each.model} on {each.device}: {each.refusal}; {each.remedy}"]
    notes = []
    prediction = _prediction(each)
    name = f"{each.model} on {each.device}"
    if each.other_graphs:
        notes.append(
            f"{each.model}: only {each.graph} is predicted, not {counted(len(each.other_graphs), 'other signature')}: "
            f"{listed(each.other_graphs)}"
        )
    sizes = [size(each_size) for each_size in each.device_memory_bytes if each_size < each.memory_bytes]
    if sizes:
        notes.append(
            f"{name}: needs at least {size(each.memory_bytes)} of memory, so it does not fit into the "
            f"{counted(len(sizes), 'version')} with {listed(sizes)}"
        )
    if abs(each.clock_ghz - each.fitted_clock_ghz) > 0.005 * each.fitted_clock_ghz:
        notes.append(
            f"{name}: no latencies at {each.clock_ghz:g} GHz are known; they are of {each.fitted_clock_ghz:g} GHz, "
            "and the interval is wider for it"
        )
    if (factor := math.exp(prediction.outside)) > _FAR:
        notes.append(f"{name}: {significant(factor, 2)}× outside the sizes of the models of the fit")
    for kind, share in each.unseen.items():
        notes.append(f"{name}: {share:.0%} of the time in {kind_name(kind)}, more than in any model of the fit")
    if each.unmodelled:
        names = ", ".join(f"{kind} ({count})" if count > 1 else kind for kind, count in each.unmodelled.items())
        notes.append(
            f"{each.model}: the time of {names} is not predicted; it is not in the median, and the interval is wider "
            "for it"
        )
    if not each.reliable:
        notes.append(f"{each.device} was calibrated with --force on a machine that was not reliable")
    if each.leave_one_out_error is not None:
        notes.append(f"{each.device}: leave-one-out error of the calibration {each.leave_one_out_error:.0%}")
    return notes


def _prediction(each: PredictedModel) -> Prediction:
    if each.prediction is None:
        raise ValueError("no prediction")
    return each.prediction


def _median(each: PredictedModel) -> float:
    return _prediction(each).milliseconds
