"""The request for a run: a bundle's variants on its test set, or any model files on any data."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.bench.dataset.arrays import RANDOM_IMAGES
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import Workload, bundle_workload
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.interpretation.graphs.graph_model import stated_shapes
from edge_bench.bench.interpretation.graphs.graph_workload import graph_workload
from edge_bench.bench.interpretation.graphs.task import infer_task, stated_task
from edge_bench.bench.interpretation.graphs.worker_sampler import worker_samplers
from edge_bench.bench.interpretation.predictions import ProbeRuntime
from edge_bench.bench.io.locks import reading
from edge_bench.bench.measure.duration.fitting import Budget
from edge_bench.bench.measure.options.data import data_options
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.schedule import trial_seconds
from edge_bench.bench.models.model_files import ModelFiles, is_bundle
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import LIGHT, Bundle
from edge_bench.bench.records.run import CLASSIFY, Settings
from edge_bench.bench.runtimes import runtime_named
from edge_bench.bench.system.emulation.signs import emulation_signs

__all__ = ["BenchmarkRequest"]

#: Default of --limit under an emulator, which is 50 to 300 times slower. Only its predictions are valid.
EMULATED_LIMIT = 500


@dataclass(frozen=True)
class BenchmarkRequest:
    """Everything that determines a run except the machine: images, configurations and settings."""

    workload: Workload
    planned: Sequence[Planned]
    settings: Settings
    bundle: Path | None = None  # the bundle's folder; None for model files

    @property
    def images(self) -> int:
        """Maximum number of images that all trials of all configurations classify."""
        return len(self.workload.indices) * sum(self._most_trials)

    @property
    def invocations(self) -> int:
        """Maximum number of timed invocations of all trials."""
        count = len(self.workload.indices)
        batches = sorted((-(-count // item.configuration.batch_size) for item in self._runnable), reverse=True)
        return sum(each * trials for each, trials in zip(batches, self._most_trials, strict=True))

    @property
    def _most_trials(self) -> list[int]:
        """Maximum number of trials of each configuration that can start, the largest first."""
        count, settings = len(self._runnable), self.settings
        if (load := settings.sustained) is not None:  # trials that are longer than planned are fewer
            return [math.ceil(load.duration_s / trial_seconds(settings)) + 1] * count
        if (first := settings.first_round) is None:
            return [settings.trials] * count
        finalists = min(count, first.finalists + 1)
        return [first.trials + settings.trials] * finalists + [first.trials] * (count - finalists)

    @property
    def _runnable(self) -> list[Planned]:
        return [item for item in self.planned if item.failure is None]

    @classmethod
    def from_paths(
        cls,
        paths: Sequence[Path],
        data: Mapping[str, Any],
        stated: Collection[str],
        selection: Selection,
        settings: Settings,
        progress: Progress,
        budget: Budget | None = None,
    ) -> "BenchmarkRequest":
        """Return a request for a bundle or for model files.

        ``data`` has the values of all data options, as `data_options` takes them, and ``stated`` the names of those
        that the user set. Raise BadInput if one is set for a bundle, which contains its own data.
        """
        if len(paths) != 1 or not is_bundle(paths[0]):
            return cls.from_files(paths, data_options(data), selection, settings, progress, budget)
        if stated:
            raise BadInput(
                f"{paths[0]} is a bundle, which has its own data: --{min(stated).replace('_', '-')} is for model files",
                "use .tflite, .keras or .onnx files, or a SavedModel folder; a bundle's are in its variants folder",
            )
        return cls.from_bundle(paths[0], selection, settings, progress, budget)

    @classmethod
    def from_bundle(
        cls, folder: Path, selection: Selection, settings: Settings, progress: Progress, budget: Budget | None = None
    ) -> "BenchmarkRequest":
        """Return a request for a bundle's variants on its test set.

        Under an emulator, unless variants, runtimes or a limit are set, measure the light variant, if the bundle has
        it, on EMULATED_LIMIT images.
        """
        bundle = Bundle.open(folder)
        is_default = msgspec.structs.replace(selection, delegates=()) == Selection(variants=[], runtimes=[])
        if emulation_signs() and is_default and settings.limit is None:
            light = [LIGHT] if any(variant.name == LIGHT for variant in bundle.variants) else []
            selection = msgspec.structs.replace(selection, variants=light)
            settings = msgspec.structs.replace(settings, limit=EMULATED_LIMIT)
            which = (
                f"only the light model ({LIGHT}) on at most {EMULATED_LIMIT} images"
                if light
                else (f"at most {EMULATED_LIMIT} images")
            )
            progress.say(f"EMULATED: {which}; change this with --variant, --runtime or --limit")
        planned = plan(bundle, selection, settings.memory_limit)
        _say_without_delegate(planned, selection, progress)

        def build(settings: Settings, progress: Progress) -> Workload:  # noqa: ARG001
            return bundle_workload(bundle, settings.limit, settings.seed)

        if budget is not None:
            with reading(folder):
                settings = budget.settings(settings, planned, build, progress, bundle.manifest.split.test)
        return cls(build(settings, progress), planned, settings, folder)

    @classmethod
    def from_files(
        cls, paths: Sequence[Path], data: DataOptions, selection: Selection, settings: Settings, progress: Progress,
        budget: Budget | None = None,
    ) -> "BenchmarkRequest":  # fmt: skip
        """Return a request for model files on the images that ``data`` names, or on random inputs."""
        if data.data is not None and settings.limit is None and emulation_signs():  # random inputs are fewer anyway
            settings = msgspec.structs.replace(settings, limit=EMULATED_LIMIT)
            progress.say(f"EMULATED: at most {EMULATED_LIMIT} images; change this with --limit")
        stated = stated_task(data)
        models = ModelFiles.open(
            paths,
            settings.timeout_s,
            data.image_size,
            settings.memory_limit,
            task=None if stated is None else stated.name,
            signature=data.signature,
            shapes=stated_shapes(data.shapes),
            progress=progress,
        )
        choice = infer_task(models, data)
        planned = plan(models, selection, settings.memory_limit)
        _say_without_delegate(planned, selection, progress)
        runtimes = _probe_runtimes(planned)

        def build(settings: Settings, progress: Progress) -> Workload:
            if choice.name == CLASSIFY:
                return files_workload(models, data, settings, progress, runtimes)
            samplers = worker_samplers(runtimes, settings.timeout_s, settings.memory_limit)
            return graph_workload(models, data, settings, progress, samplers, choice)

        if budget is not None:
            total = (settings.limit or RANDOM_IMAGES) if data.data is None else None
            settings = budget.settings(settings, planned, build, progress, total)
        return cls(build(settings, progress), planned, settings)


def _say_without_delegate(planned: Sequence[Planned], selection: Selection, progress: Progress) -> None:
    """Tell which runtimes are measured without the chosen delegates, because they take none."""
    if any(each.text for each in selection.delegates):
        names = dict.fromkeys(item.configuration.runtime for item in planned)
        if others := [name for name in names if not runtime_named(name).has_interpreter]:
            progress.say(f"--delegate: measured without it, as no delegates work there: {', '.join(others)}")


def _probe_runtimes(planned: Sequence[Planned]) -> dict[str, list[ProbeRuntime]]:
    """Return the first configuration of each variant on each runtime that is going to be measured and can start.

    It is the first with each delegate, as another may fail.
    """
    runtimes: dict[str, dict[tuple[str, str], ProbeRuntime]] = {item.variant.name: {} for item in planned}
    for item in planned:
        if item.failure is None and item.file is not None:
            own = ProbeRuntime(item.configuration, item.runtime_version, item.file, item.delegate_file)
            runtimes[item.variant.name].setdefault((item.configuration.runtime, item.configuration.delegate), own)
    return {name: list(by_runtime.values()) for name, by_runtime in runtimes.items()}
