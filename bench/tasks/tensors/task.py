"""Any outputs as a task: no quality, only numerical agreement."""

import math
from typing import Any

import numpy as np

from edge_bench.bench.records.outputs.union import TaskOutputs, TensorOutputs
from edge_bench.bench.tasks.measures import TaskAgreement, not_comparable
from edge_bench.bench.tasks.task import Common, Task
from edge_bench.bench.tasks.tensors.agreement import (
    OutputAgreement,
    identical_examples,
    output_agreements,
    partners,
)
from edge_bench.bench.wording import counted

__all__ = ["TENSOR"]

#: A wrong pair differs more than quantization could explain.
_BY_ORDER = "; outputs were paired by their order, as their names differ"


def _no_quality(*_: object) -> list[Any]:
    return []


def _agreement(outputs: TaskOutputs, others: TaskOutputs, common: Common) -> TaskAgreement:
    """Return the share of identical examples, and the differences of the output that differs most.

    The signal of the SNR are the values of ``others``, the baseline.
    """
    if not isinstance(outputs, TensorOutputs) or not isinstance(others, TensorOutputs):
        raise ValueError("the outputs are not tensors")
    examples = len(common[0])
    try:
        agreement = output_agreements(others.outputs, outputs.outputs, (common[1], common[0]))
        found = agreement.outputs
        pairs = partners(outputs.outputs, others.outputs)[1]
    except ValueError as cause:
        return not_comparable(examples, cause)
    if not found or not examples:
        return not_comparable(examples, "no output" if examples else "no common example")
    same = [identical_examples(first, second, common) for first, second in pairs]
    known = [each for each in same if each is not None]
    identical = int(np.count_nonzero(np.all(known, axis=0))) if len(known) == len(same) else None
    worst = max(found, key=_distance)
    listed = worst.worst_example if worst.worst and not worst.worst.same else None
    return TaskAgreement(
        share=None if identical is None else identical / examples,
        text=_counted(identical, examples)
        + ("" if identical == examples else _text(worst, several=len(found) > 1))
        + (_BY_ORDER if agreement.by_order else ""),
        examples=examples,
        identical=identical,
        worst=[] if listed is None else [listed],
    )


def _counted(identical: int | None, examples: int) -> str:
    """Return how many examples have the same bytes; empty if none can, because types or scales differ."""
    if identical is None:
        return ""
    return f"{identical:,} of {examples:,} identical" + ("" if identical == examples else "; ")


def _distance(output: OutputAgreement) -> tuple[float, float, float]:
    """Return how much an output differs: values finite in one only, noise to signal, largest difference."""
    difference = output.difference
    if difference.same:
        return 0.0, -math.inf, 0.0
    noise = math.inf if difference.snr_db is None else -difference.snr_db
    return difference.mismatched / max(1, difference.values), noise, difference.max_abs or 0.0


def _text(output: OutputAgreement, *, several: bool) -> str:
    """Return the differences of an output; one of several is named, as the worst of them."""
    start = f"{output.name}: " if several else ""
    difference = output.difference
    if not output.compared:
        reason = "outputs of other shapes" if output.other_shapes else "no values of common examples are stored"
        return f"{start}{reason}"
    if difference.same:
        return f"{start}equal values in {counted(output.compared, 'compared example')}"
    parts = [
        f"{name} {value:{form}}{unit}"
        for name, value, form, unit in (
            ("max |Δ|", difference.max_abs, ".3g", ""),
            ("RMS", difference.rms, ".3g", ""),
            ("cosine", difference.cosine, ".6f", ""),
            ("SNR", difference.snr_db, ".1f", " dB"),
        )
        if value is not None
    ]
    if difference.mismatched:
        parts.append(f"values not finite on one side: {difference.mismatched:,}")
    if output.other_shapes:
        parts.append(f"examples of other shapes: {output.other_shapes:,}")
    if output.sampled:
        parts.append("from a sample of the values")
    return f"{start}{', '.join(parts)}; worst example {output.worst_example}"


TENSOR = Task(
    name="tensor",
    summary="numbers without a meaning: speed, and agreement of every output",
    measures=_no_quality,
    differences=_no_quality,
    agreement=_agreement,
)
