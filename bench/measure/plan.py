"""The configurations to measure: variants × runtimes × threads × batch sizes, and why some cannot run."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.errors import BadInput, BundleError
from edge_bench.bench.io.files import why_unreadable
from edge_bench.bench.model_formats.keras_archive import check_keras
from edge_bench.bench.models.model_files import Models
from edge_bench.bench.models.operator_support import known_refusal
from edge_bench.bench.records.manifest import Variant
from edge_bench.bench.records.run import Configuration, Failure
from edge_bench.bench.runtimes import (
    RUNTIMES,
    SAVED_MODEL,
    Runtime,
    installed_version,
    runtime_named,
    why_not_installed,
)
from edge_bench.bench.system.machine import usable_cores
from edge_bench.bench.worker.warmup import warm_up_seconds

__all__ = ["Planned", "Selection", "plan"]

#: Kind of a failure: the file takes batches of another size.
_WRONG_BATCH = "wrong batch size"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The user's selection; an empty sequence means everything, None the runtime's default."""

    variants: Sequence[str] = ()
    runtimes: Sequence[str] = ()
    threads: Sequence[int] | None = None
    batch_sizes: Sequence[int] | None = None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration, the file it loads, and its failure if it cannot start."""

    configuration: Configuration
    variant: Variant
    file: Path | None
    runtime_version: str
    failure: Failure | None = None
    images: int | None = None  # number of images to classify; None: all. For studies/calibration


def plan(models: Models, selection: Selection) -> list[Planned]:
    """Return the configurations of a selection, ordered by variant, then runtime.

    Raise BadInput for an unknown variant or runtime, if no selected runtime can run any selected variant, and if
    nothing can run because the files take batches of other sizes only. A configuration that cannot run on this machine
    is included with its failure. A file's only batch size is its default.
    """
    variants = [models.variant(name) for name in dict.fromkeys(selection.variants)] or list(models.variants)
    runtimes = [runtime_named(name) for name in dict.fromkeys(selection.runtimes)] or list(RUNTIMES.values())
    pairs = [
        (variant, runtime) for variant in variants for runtime in runtimes if variant.file.endswith(runtime.formats)
    ]
    if not pairs:
        raise BadInput(
            f"{', '.join(runtime.name for runtime in runtimes)} cannot run "
            f"{', '.join(variant.name for variant in variants)}",
            "; ".join(
                f"{runtime.name} runs {', '.join(runtime.formats).replace(SAVED_MODEL, 'SavedModels')}"
                for runtime in RUNTIMES.values()
            ),
        )
    warm_up_seconds()  # workers read it, and would only fail one by one
    planned = [
        Planned(
            configuration=Configuration(
                variant=variant.name, runtime=runtime.name, threads=threads, batch_size=batch_size
            ),
            variant=variant,
            file=file,
            runtime_version=version,
            failure=failure or _batch_failure(variant, batch_size),
        )
        for variant, runtime in pairs
        for file, version, failure in [_preflight(models, variant, runtime)]
        for threads in dict.fromkeys(selection.threads or [runtime.threads or usable_cores()])
        for batch_size in dict.fromkeys(selection.batch_sizes or [variant.fixed_batch or runtime.batch_size])
    ]
    wrong = [item.failure for item in planned if item.failure and item.failure.kind == _WRONG_BATCH]
    if wrong and not any(item.failure is None for item in planned):
        raise BadInput(wrong[0].message, wrong[0].remedy)
    return planned


def _batch_failure(variant: Variant, batch_size: int) -> Failure | None:
    if variant.fixed_batch in (None, batch_size):
        return None
    return Failure(
        kind=_WRONG_BATCH,
        message=f"{variant.file} takes batches of {variant.fixed_batch} only, not {batch_size}",
        remedy=f"leave --batch-size and --scenario out, or use --batch-size {variant.fixed_batch}",
    )


def _preflight(models: Models, variant: Variant, runtime: Runtime) -> tuple[Path | None, str, Failure | None]:
    version = installed_version(runtime)
    if version is None:
        missing = why_not_installed(runtime)
        return None, "", Failure(kind="not installed", message=missing.problem, remedy=missing.remedy)
    try:
        file = models.checked(variant)
        if file.suffix == ".keras":
            check_keras(file)
    except BundleError as cause:
        return None, version, Failure(kind="bad file", message=cause.problem, remedy=cause.remedy)
    except (OSError, ValueError) as cause:
        message = f"{variant.file}: Keras is not shown it: {why_unreadable(cause)}"
        return None, version, Failure(kind="bad file", message=message, remedy="do not use this model")
    refusal = known_refusal(variant.operators, runtime.name, version)
    if refusal:
        return file, version, Failure(kind="cannot load", message=refusal.problem, remedy=refusal.remedy)
    return file, version, None
