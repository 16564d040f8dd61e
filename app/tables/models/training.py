"""Summaries that ``train`` and ``export`` print when they finish."""

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.units import percent, size
from edge_bench.app.training.distributed.data_parallel import WorkerSummary
from edge_bench.app.training.job import Paused
from edge_bench.bench.records.bundle import Bundle

__all__ = ["export_summary", "training_summary"]


def training_summary(trained: Bundle | Paused | WorkerSummary) -> str:
    """Return the accuracy and the files of a finished training, or how to continue a paused one."""
    if isinstance(trained, WorkerSummary):
        done = f"{trained.epochs} epochs trained along" if trained.epochs else "nothing was left to train"
        return f"worker {trained.worker} of {trained.workers}: {done}; the bundle is with worker 0, {trained.chief}"
    if isinstance(trained, Paused):
        return (
            f"{trained.epochs_done} of {trained.epochs} epochs are done. To go on, here or on another machine that "
            f"{trained.folder} is copied to, give the same command with --resume and without --stop-after."
        )
    manifest = trained.manifest
    history = trained.history()
    if history is None or not history.loss:
        return export_summary(trained)
    lines = [f"NOTE: {manifest.dataset.note}"] if manifest.dataset.note else []
    lines += [
        f"{manifest.model.name}: {manifest.model.parameters:,} parameters, {len(history.loss)} epochs on "
        f"{manifest.dataset.name}",
        f"accuracy {percent(history.accuracy[-1])} % in training, {percent(history.val_accuracy[-1])} % on "
        f"{manifest.split.validation:,} validation images",
        f"bundle {trained.folder}: "
        + ", ".join(f"{variant.name} {size(variant.bytes)}" for variant in manifest.variants),
    ]
    return "\n".join(one_line(line) for line in lines)


def export_summary(exported: Bundle) -> str:
    """Return the files that ``export`` wrote and the next command."""
    manifest = exported.manifest
    lines = [f"NOTE: {manifest.dataset.note}"] if manifest.dataset.note else []
    tests = f"test images of {manifest.dataset.name}, preprocessing {manifest.preprocessing.name or 'as stated'}"
    if manifest.is_graph:
        truth = "with true values" if manifest.truth else "without true values"
        tests = (
            f"examples of {manifest.dataset.name} for {', '.join(manifest.test_inputs)}; task {manifest.task}, {truth}"
        )
    lines += [
        f"{manifest.model.name}: {manifest.model.parameters:,} parameters, {manifest.split.test:,} {tests}",
        f"bundle {exported.folder}: "
        + ", ".join(f"{variant.name} {size(variant.bytes)}" for variant in manifest.variants),
        f"next: edge-bench run {exported.folder}",
    ]
    return "\n".join(one_line(line) for line in lines)
