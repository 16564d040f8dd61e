"""Summaries that ``train`` and ``export`` print when they finish."""

from edge_bench.app.render.escaping import one_line
from edge_bench.app.render.units import percent, size
from edge_bench.app.training.distributed.data_parallel import WorkerSummary
from edge_bench.app.training.job import Paused
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.wording import counted

__all__ = ["export_summary", "training_summary"]


def training_summary(trained: Bundle | Paused | WorkerSummary) -> str:
    """Return accuracy and files of a finished training, or how to continue a paused one."""
    if isinstance(trained, WorkerSummary):
        done = f"trained {counted(trained.epochs, 'epoch')}" if trained.epochs else "no epochs were left to train"
        return f"worker {trained.worker} of {trained.workers}: {done}; the bundle is on worker 0 ({trained.chief})"
    if isinstance(trained, Paused):
        return (
            f"{trained.epochs_done} of {counted(trained.epochs, 'epoch')} completed. To continue, "
            f"repeat the command with "
            f"--resume instead of --stop-after. To continue on another machine, copy {trained.folder} there first."
        )
    manifest = trained.manifest
    history = trained.history()
    if history is None or not history.loss:
        return export_summary(trained)
    lines = [f"NOTE: {manifest.dataset.note}"] if manifest.dataset.note else []
    lines += [
        f"{manifest.model.name}: {counted(manifest.model.parameters, 'parameter')}, "
        f"{counted(len(history.loss), 'epoch')} on "
        f"{manifest.dataset.name}",
        f"accuracy {percent(history.accuracy[-1])} % in training, {percent(history.val_accuracy[-1])} % on "
        f"{counted(manifest.split.validation, 'validation image')}",
        f"bundle {trained.folder}: "
        + ", ".join(f"{variant.name} {size(variant.bytes)}" for variant in manifest.variants),
    ]
    return "\n".join(one_line(line) for line in lines)


def export_summary(exported: Bundle) -> str:
    """Return the files that ``export`` wrote and the next command."""
    manifest = exported.manifest
    lines = [f"NOTE: {manifest.dataset.note}"] if manifest.dataset.note else []
    tests = f"test images of {manifest.dataset.name}, preprocessing {manifest.preprocessing.name or 'as set'}"
    if manifest.is_graph:
        truth = "with true values" if manifest.truth else "without true values"
        tests = (
            f"examples of {manifest.dataset.name} for {', '.join(manifest.test_inputs)}; task {manifest.task}, {truth}"
        )
    lines += [
        f"{manifest.model.name}: {counted(manifest.model.parameters, 'parameter')}, {manifest.split.test:,} {tests}",
        f"bundle {exported.folder}: "
        + ", ".join(f"{variant.name} {size(variant.bytes)}" for variant in manifest.variants),
        f"next: edge-bench run {exported.folder}",
    ]
    return "\n".join(one_line(line) for line in lines)
