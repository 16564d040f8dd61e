"""Consistency checks of an Offload. All later steps rely on them. An untrusted file may violate them."""

import datetime
from math import isfinite

import numpy as np

from edge_bench.bench.io.record_codec import PackedArray, unpack
from edge_bench.bench.offload.records.offload import LOCAL, PARTS, Arm, ArmTrial, Offload, OutputComparison

__all__ = ["check_offload"]

#: Limit of one latency: a day, in nanoseconds.
_MAX_LATENCY_NS = 86_400 * 10**9
#: More latencies than this per byte of packed data, plus a constant, are a decompression bomb, not clock readings.
_MAX_LATENCIES_PER_BYTE, _EXTRA_LATENCIES = 64, 4096


def check_offload(offload: Offload) -> None:
    """Raise ValueError if the parts of an Offload are inconsistent or a packed array cannot be unpacked."""
    began = datetime.datetime.fromisoformat(offload.began)
    if began.tzinfo is None or not 1970 <= began.year < 9000:
        raise ValueError(f"it began at {offload.began[:40]}, which is not a valid time in UTC")
    if sum(arm.where == LOCAL for arm in offload.arms) != 1:
        raise ValueError("it has no local side, or several")
    if len({link.name for link in offload.links}) != len(offload.links):
        raise ValueError("two links have the same name")
    images, count = offload.images, offload.images.indices.length
    if not 1 <= offload.timed <= count:
        raise ValueError(f"{offload.timed:,} timed images, but only {count:,} in total")
    _check_array(images.indices, count, 1 << 62)
    for packed in [*([images.labels] if images.labels.length else []), *(a.predictions for a in offload.accuracies)]:
        _check_array(packed, count, 1 << 16)
    if images.checksums is not None:
        _check_array(images.checksums, count, 1 << 32)
    if offload.comparison is not None:
        _check_comparison(offload.comparison, count)
    for arm in offload.arms:
        _check_arm(arm)


def _check_comparison(comparison: OutputComparison, count: int) -> None:
    if comparison.examples > count or comparison.identical > comparison.examples:
        raise ValueError(f"outputs of {comparison.examples:,} examples, but only {count:,} in total")
    for output in comparison.outputs:
        if max(output.identical or 0, output.other_shapes) > comparison.examples:
            raise ValueError(f"{output.name[:80]}: outputs of more than {comparison.examples:,} examples")
        difference = output.difference
        numbers = (difference.max_abs, difference.rms, difference.cosine, difference.snr_db)
        if min(difference.values, difference.mismatched) < 0 or not all(map(isfinite, filter(None, numbers))):
            raise ValueError(f"{output.name[:80]}: an invalid difference")


def _check_arm(arm: Arm) -> None:
    parts = PARTS if arm.where != LOCAL else ()
    if len({(trial.process, trial.round) for trial in arm.trials}) != len(arm.trials):
        raise ValueError("a round of a process occurs twice")
    for trial in arm.trials:
        _check_trial(trial, parts)


def _check_trial(trial: ArmTrial, parts: tuple[str, ...]) -> None:
    count = trial.latencies.length
    if not trial.parts.keys() >= set(parts):
        raise ValueError("a trial without the parts of its latencies")
    if not count or count > _MAX_LATENCIES_PER_BYTE * len(trial.latencies.data) + _EXTRA_LATENCIES:
        raise ValueError(f"{count:,} latencies in only {len(trial.latencies.data):,} bytes, which no clock gives")
    _check_array(trial.latencies, count, _MAX_LATENCY_NS, at_least=1)
    for packed in trial.parts.values():
        _check_array(packed, count, _MAX_LATENCY_NS)


def _check_array(packed: PackedArray, length: int, below: int, at_least: int = 0) -> None:
    if packed.length != length:
        raise ValueError(f"{packed.length:,} values instead of {length:,}")
    values = unpack(packed)
    if not len(values):
        return
    maximum, minimum = int(np.max(values)), int(np.min(values))
    if maximum >= below or minimum < at_least:
        raise ValueError(f"invalid value {maximum if maximum >= below else minimum:,}")
