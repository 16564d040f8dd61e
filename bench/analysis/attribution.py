"""What a difference in time comes from: pairs of configurations that differ in one factor alone.

From the light model on a Pi to the original on a host, four things change at once. Each effect here changes one of them
and holds the others, so it can be named: the machine, the runtime, the precision, or the threads.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from edge_bench.bench.analysis.timings import RunResult, time_ratio
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.runtimes import RUNTIMES
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict

__all__ = ["Effect", "attribute"]

#: The variant that differs from every other in its precision alone; ``keras`` differs in its runtime as well.
FULL_PRECISION = "float32"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How many times the reference's time an image takes, where one factor differs and the rest is the same."""

    factor: str  # machine · runtime · precision · threads
    run_id: str
    machine: str
    configuration: Configuration
    reference_machine: str
    reference: Configuration
    ratio: Ratio
    verdict: Verdict


def attribute(measured: Sequence[RunResult], base: Run) -> list[Effect]:
    """All effects that these results hold, factor by factor; emulated times are in none.

    ``base`` is the Run of the machine that the others are set against. The references are that machine, the
    first runtime that ran the variant (in the order of the registry), float32, and the fewest threads.
    """
    real = [item for item in measured if not item.run.emulated]
    pairs = [
        ("machine", _machines(real, base)),
        ("runtime", _within(real, "runtime", _place)),
        ("precision", _precisions(real)),
        ("threads", _within(real, "threads", lambda item: item.result.configuration.threads)),
    ]
    return [effect for factor, found in pairs for item, other in found if (effect := _effect(factor, item, other))]


def _effect(factor: str, item: RunResult, reference: RunResult) -> Effect | None:
    ratio, _ = time_ratio(item, reference)
    if ratio is None:
        return None
    return Effect(
        factor=factor,
        run_id=item.run.run_id,
        machine=item.run.machine.label,
        configuration=item.result.configuration,
        reference_machine=reference.run.machine.label,
        reference=reference.result.configuration,
        ratio=ratio,
        verdict=verdict(ratio),
    )


def _machines(items: Sequence[RunResult], base: Run) -> Iterator[tuple[RunResult, RunResult]]:
    there = {item.result.configuration: item for item in items if item.run is base}
    for item in items:
        other = there.get(item.result.configuration)
        if other and item.run.machine.label != base.machine.label:
            yield item, other


def _place(item: RunResult) -> int:
    """Of a runtime in the registry; behind all where this edge-bench does not know it."""
    known, name = list(RUNTIMES), item.result.configuration.runtime
    return known.index(name) if name in known else len(known)


def _within(
    items: Sequence[RunResult], factor: str, order: Callable[[RunResult], int]
) -> Iterator[tuple[RunResult, RunResult]]:
    """Each item with the first, by ``order``, of those in its Run that differ from it in ``factor`` alone."""
    for item in items:
        kin = [other for other in items if other.run is item.run and _alike(item, other, factor)]
        reference = min(kin, key=order)
        if reference is not item:
            yield item, reference


def _precisions(items: Sequence[RunResult]) -> Iterator[tuple[RunResult, RunResult]]:
    for item in items:
        for other in items:
            full = other.result.configuration.variant == FULL_PRECISION
            if full and other is not item and other.run is item.run and _alike(item, other, "variant"):
                yield item, other


def _alike(one: RunResult, other: RunResult, but: str) -> bool:
    return all(
        getattr(one.result.configuration, name) == getattr(other.result.configuration, name)
        for name in Configuration.__struct_fields__
        if name != but
    )
