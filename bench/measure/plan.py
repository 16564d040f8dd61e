"""The configurations to measure: variants × runtimes × threads × batch sizes × delegates; why some cannot run."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.models.delegates import Delegate, check_delegates, delegates_for
from edge_bench.bench.models.memory_estimate import MemoryNeed, memory_need, why_too_large
from edge_bench.bench.models.model_files import Models
from edge_bench.bench.models.model_identity import model_bytes, model_files
from edge_bench.bench.models.operator_support import edge_tpu_refusal, known_refusal
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.run import MAX_CONFIGURATIONS, Configuration, Failure
from edge_bench.bench.runtimes import (
    RUNTIMES,
    SAVED_MODEL,
    Runtime,
    installed_version,
    runtime_named,
    why_not_installed,
)
from edge_bench.bench.system.machine import usable_cores
from edge_bench.bench.worker.durations import DURATIONS

__all__ = ["Planned", "Selection", "plan"]

#: Kind of a failure: the file takes another batch size.
_WRONG_BATCH = "wrong batch size"
#: Batch sizes that --find-fastest compares by default.
_SEARCHED_BATCH_SIZES = (1, 8, 32)


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The user's selection. An empty sequence means all, None the runtime's default."""

    variants: Sequence[str] = ()
    runtimes: Sequence[str] = ()
    threads: Sequence[int] | None = None
    batch_sizes: Sequence[int] | None = None
    delegates: Sequence[Delegate] = ()  # of .tflite runtimes; empty: the runtime's default
    searched: bool = False  # --find-fastest: None means several numbers of threads and batch sizes


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, the file it loads, and its failure if it cannot start."""

    configuration: Configuration
    variant: Variant
    file: Path | None
    runtime_version: str
    failure: Failure | None = None
    delegate: Delegate = Delegate("")
    images: int | None = None  # number of images to classify; None: all. For studies/calibration

    @property
    def delegate_file(self) -> Path | None:
        """The library of the delegate."""
        return self.delegate.library


def plan(models: Models, selection: Selection, memory_limit: int | None = None) -> list[Planned]:
    """Return the configurations of a selection, ordered by variant, then runtime.

    ``memory_limit`` is the limit of one worker, in bytes.

    Raise BadInput for an unknown variant or runtime, if no selected runtime can run any selected variant, if there are
    too many configurations, and if every file takes another batch size. A configuration that cannot run on this machine
    is included with its failure. If a file takes only one batch size, that is its default.
    """
    variants = [models.variant(name) for name in dict.fromkeys(selection.variants)] or list(models.variants)
    runtimes = [runtime_named(name) for name in dict.fromkeys(selection.runtimes)]
    pairs = _pairs(variants, runtimes)
    check_delegates(selection.delegates, [runtime for _, runtime in pairs])
    needs = dict[str, MemoryNeed]()
    for each in DURATIONS:
        each.seconds()  # raises here if invalid; otherwise each worker would fail
    planned = [
        Planned(
            configuration=Configuration(
                variant=variant.name,
                runtime=runtime.name,
                threads=threads,
                batch_size=batch_size,
                delegate=delegate.text,
            ),
            variant=variant,
            file=file,
            runtime_version=version,
            failure=failure
            or _edge_tpu_failure(variant, delegate)
            or _batch_failure(variant, batch_size)
            or _memory_failure(variant, need, batch_size, memory_limit),
            delegate=delegate,
        )
        for variant, runtime in pairs
        for file, version, need, failure in [_preflight(models, variant, runtime, needs)]
        for threads in dict.fromkeys(selection.threads or _threads(runtime, searched=selection.searched))
        for batch_size in dict.fromkeys(
            selection.batch_sizes or _batch_sizes(variant, runtime, searched=selection.searched)
        )
        for delegate in delegates_for(runtime, selection.delegates)
    ]
    _require_few(planned)
    wrong = [item.failure for item in planned if item.failure and item.failure.kind == _WRONG_BATCH]
    if wrong and not any(item.failure is None for item in planned):
        raise BadInput(wrong[0].message, wrong[0].remedy)
    return planned


def _pairs(variants: Sequence[Variant], chosen: Sequence[Runtime]) -> list[tuple[Variant, Runtime]]:
    """Return each variant with each runtime that can run it; raise BadInput if there are none."""
    pairs = [(variant, runtime) for variant in variants for runtime in _runtimes_for(variant, chosen)]
    if not pairs:
        raise BadInput(
            f"{', '.join(runtime.name for runtime in chosen or RUNTIMES.values())} cannot run "
            f"{', '.join(variant.name for variant in variants)}",
            "; ".join(
                f"{runtime.name} runs {', '.join(runtime.formats).replace(SAVED_MODEL, 'SavedModels')}"
                for runtime in RUNTIMES.values()
            ),
        )
    return pairs


def _threads(runtime: Runtime, *, searched: bool) -> list[int]:
    """Return the default number of threads, or powers of two below the number of cores, and that number."""
    cores = usable_cores()
    if not searched:
        return [runtime.threads or cores]
    return [*(2**power for power in range(cores.bit_length()) if 2**power < cores), cores]


def _batch_sizes(variant: Variant, runtime: Runtime, *, searched: bool) -> Sequence[int]:
    if variant.fixed_batch:
        return [variant.fixed_batch]
    return _SEARCHED_BATCH_SIZES if searched else [runtime.batch_size]


def _runtimes_for(variant: Variant, chosen: Sequence[Runtime]) -> list[Runtime]:
    """Return the chosen runtimes for a file. By default optional ones are left out if they are not installed."""
    fitting = [each for each in chosen or RUNTIMES.values() if variant.file.endswith(each.formats)]
    usable = [each for each in fitting if chosen or not each.optional or installed_version(each)]
    return usable or fitting[:1]


def _require_few(planned: Sequence[Planned]) -> None:
    if len(planned) > MAX_CONFIGURATIONS:
        raise BadInput(
            f"{len(planned):,} configurations: a run can have at most {MAX_CONFIGURATIONS:,}",
            "select fewer with --variant, --runtime, --threads, --batch-size and --delegate, or make several runs",
        )


def _batch_failure(variant: Variant, batch_size: int) -> Failure | None:
    if variant.fixed_batch in (None, batch_size):
        return None
    return Failure(
        kind=_WRONG_BATCH,
        message=f"{variant.file} takes only batches of {variant.fixed_batch}, not {batch_size}",
        remedy=f"omit --batch-size and --scenario, or use --batch-size {variant.fixed_batch}",
    )


def _edge_tpu_failure(variant: Variant, delegate: Delegate) -> Failure | None:
    refusal = None if delegate.library else edge_tpu_refusal(variant.operators)
    return None if refusal is None else Failure(kind="cannot load", message=refusal.problem, remedy=refusal.remedy)


def _memory_failure(variant: Variant, need: MemoryNeed, batch_size: int, limit: int | None) -> Failure | None:
    total = need.total(1 if variant.fixed_batch else batch_size)
    if (problem := why_too_large(total, limit, need.mapped)) is None:
        return None
    return Failure(kind="out of memory", message=f"{variant.file}: {problem[0]}", remedy=problem[1])


def _preflight(
    models: Models, variant: Variant, runtime: Runtime, needs: dict[str, MemoryNeed]
) -> tuple[Path | None, str, MemoryNeed, Failure | None]:
    """Return file, version, memory and failure of a variant on a runtime; add the memory to ``needs``, by variant."""
    version, unknown = installed_version(runtime), MemoryNeed(0, 0)
    if version is None:
        missing = why_not_installed(runtime)
        return None, "", unknown, Failure(kind="not installed", message=missing.problem, remedy=missing.remedy)
    try:
        file = models.checked(variant)
        _check_external_files(file, variant)
        if variant.name not in needs:
            needs[variant.name] = memory_need(file)
    except MissingDependency:  # tflite-runtime without the library that reads .tflite files
        needs[variant.name] = unknown
    except BadInput as cause:
        return None, version, unknown, Failure(kind="bad file", message=cause.problem, remedy=cause.remedy)
    refusal = known_refusal(variant.operators, runtime.name, version)
    if refusal:
        failure = Failure(kind="cannot load", message=refusal.problem, remedy=refusal.remedy)
        return file, version, needs[variant.name], failure
    return file, version, needs[variant.name], None


def _check_external_files(path: Path, variant: Variant) -> None:
    """Raise BadInput for an .onnx file of a bundle with weights in other files, which have no checksum there."""
    if path.suffix == ".onnx" and model_bytes(path, files := model_files(path)) != variant.bytes:
        other = next((name for name in files if name != path.name), path.name)
        raise BadInput(f"{variant.file}: its weights in {other} have no checksum", "measure the .onnx file by its path")
