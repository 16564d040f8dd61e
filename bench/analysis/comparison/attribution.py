"""Attribution of time differences: pairs of configurations that differ in exactly one factor.

Between the light model on a Raspberry Pi and the original on a host, four factors change at once: machine, runtime,
precision and threads. Each effect changes one factor and keeps the other three fixed. Separate Runs may have further
differences, such as the runtime's version or the kernel. Each effect lists them.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from edge_bench.bench.analysis.times.compared_times import compare_times
from edge_bench.bench.analysis.times.differences import differences
from edge_bench.bench.analysis.times.earlier_runs import NO_EARLIER_RUNS, EarlierRuns
from edge_bench.bench.analysis.times.groups import repeat_key
from edge_bench.bench.analysis.times.machines import machine_key, run_place
from edge_bench.bench.analysis.times.reliability import verdict_reliable
from edge_bench.bench.analysis.times.timings import RunResult
from edge_bench.bench.records.delegate import NO_DELEGATE
from edge_bench.bench.records.run import Configuration, Run
from edge_bench.bench.runtimes import RUNTIMES
from edge_bench.bench.stats.ratios import Ratio, Verdict, verdict, verdicts

__all__ = ["Effect", "attribute"]

#: Reference variant for precision effects. ``keras`` is unsuitable, as it also differs in its runtime.
FULL_PRECISION = "float32"


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Time per image relative to a reference configuration that differs in one factor, and in ``also_different``."""

    factor: str  # machine · runtime · precision · threads · delegate
    run_id: str
    machine: str
    configuration: Configuration
    reference_machine: str
    reference: Configuration
    ratio: Ratio
    verdict: Verdict | None  # None if the effect is not caused by the factor alone
    reliable: bool | None = None  # whether both sides have reliable times; None: unknown
    also_different: list[str] = []  # between the two Runs, as "name before → after"; empty within a Run


def attribute(measured: Sequence[RunResult], base: Run, earlier: EarlierRuns = NO_EARLIER_RUNS) -> list[Effect]:
    """Return all effects that these results support, factor by factor. Emulated times are excluded.

    An effect has no verdict if the runtimes' versions differ, too, because the factor is then not the only cause. The
    verdicts are corrected for the number of effects.
    The references are the machine of the Run ``base``, the first runtime in the registry's order that ran the variant,
    float32, the fewest threads, and the runtime's default delegate, otherwise none.
    """
    real = [item for item in measured if not item.run.emulated]
    pairs = [
        ("machine", _machine_pairs(real, base)),
        ("runtime", _pairs_in_run(real, "runtime", _registry_index)),
        ("precision", _precision_pairs(real)),
        ("threads", _pairs_in_run(real, "threads", lambda item: item.result.configuration.threads)),
        ("delegate", _pairs_in_run(real, "delegate", _delegate_order)),
    ]
    found = [
        effect for factor, items in pairs for item, ref in items if (effect := _effect(factor, item, ref, earlier))
    ]
    judged = verdicts([effect.ratio for effect in found])
    return [
        msgspec.structs.replace(effect, verdict=effect.verdict and each)
        for effect, each in zip(found, judged, strict=True)
    ]


def _effect(factor: str, item: RunResult, reference: RunResult, earlier: EarlierRuns) -> Effect | None:
    ratio = compare_times(item, reference, earlier).ratio
    if ratio is None:
        return None
    same_runtime = item.result.runtime_version == reference.result.runtime_version
    return Effect(
        factor=factor,
        run_id=item.run.run_id,
        machine=run_place(item.run),
        configuration=item.result.configuration,
        reference_machine=run_place(reference.run),
        reference=reference.result.configuration,
        ratio=ratio,
        verdict=verdict(ratio) if same_runtime or item.run is reference.run else None,
        reliable=verdict_reliable(item, reference),
        also_different=differences(reference.run, reference.result, item.run, item.result, machine=False),
    )


def _machine_pairs(items: Sequence[RunResult], base: Run) -> Iterator[tuple[RunResult, RunResult]]:
    references = {item.result.configuration: item for item in items if repeat_key(item.run) == repeat_key(base)}
    for item in items:
        reference = references.get(item.result.configuration)
        if reference and machine_key(item.run.machine) != machine_key(base.machine):
            yield item, reference


def _delegate_order(item: RunResult) -> int:
    """Return 0 for the runtime's default, 1 for no delegate, 2 for a library."""
    delegate = item.result.configuration.delegate
    return 0 if not delegate else 1 if delegate == NO_DELEGATE else 2


def _registry_index(item: RunResult) -> int:
    """Return the runtime's position in the registry. Unknown runtimes come last."""
    known, name = list(RUNTIMES), item.result.configuration.runtime
    return known.index(name) if name in known else len(known)


def _pairs_in_run(
    items: Sequence[RunResult], factor: str, order: Callable[[RunResult], int]
) -> Iterator[tuple[RunResult, RunResult]]:
    """Yield each item with its reference: the first by ``order`` among those of its Run that differ in ``factor``."""
    references: dict[tuple[object, ...], RunResult] = {}
    for item in items:
        known = references.setdefault(_all_but(factor, item), item)
        if order(item) < order(known):
            references[_all_but(factor, item)] = item
    for item in items:
        reference = references[_all_but(factor, item)]
        # a Run may have a configuration twice, with no difference between the two
        if getattr(reference.result.configuration, factor) != getattr(item.result.configuration, factor):
            yield item, reference


def _precision_pairs(items: Sequence[RunResult]) -> Iterator[tuple[RunResult, RunResult]]:
    references: dict[tuple[object, ...], RunResult] = {}
    for item in items:
        if item.role == FULL_PRECISION:
            references.setdefault(_all_but("variant", item), item)
    for item in items:
        reference = references.get(_all_but("variant", item))
        if reference and reference.role != item.role:
            yield item, reference


def _all_but(factor: str, item: RunResult) -> tuple[object, ...]:
    """Return the properties that two items of the same Run, or of its repeats, share if only ``factor`` differs."""
    names = (name for name in Configuration.__struct_fields__ if name != factor)
    return repeat_key(item.run), *(getattr(item.result.configuration, name) for name in names)
