"""Plan an offload from the command's options, measure it, write it, and read results back."""

import contextlib
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.bench.dataset.workload import Workload, bundle_workload
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.disk_space import require_run_space, writable_folder
from edge_bench.bench.io.files import remove_leftovers
from edge_bench.bench.io.locks import reading
from edge_bench.bench.io.record_limits import readable
from edge_bench.bench.io.temporary import lasting_temporary_folder
from edge_bench.bench.measure.plan import Planned, Selection
from edge_bench.bench.measure.plan import plan as plan_configurations
from edge_bench.bench.measure.stored.reading import read_runs
from edge_bench.bench.offload.client.http import server_from
from edge_bench.bench.offload.client.payload import PAYLOADS, RAW
from edge_bench.bench.offload.measure.plan import Plan
from edge_bench.bench.offload.measure.runner import measure_offload
from edge_bench.bench.offload.network.link_profiles import Link
from edge_bench.bench.offload.records.files import offload_files, read_offload, write_offload
from edge_bench.bench.offload.records.offload import Offload, OffloadSettings
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import LIGHT, Bundle
from edge_bench.bench.records.power import Power
from edge_bench.bench.records.run import Run
from edge_bench.bench.system.concurrent_runs import detect_concurrent_runs, runtime_folders
from edge_bench.bench.system.emulation.signs import emulation_signs
from edge_bench.bench.system.environment import concurrent_run_findings
from edge_bench.bench.system.machine import describe_machine

#: Times on an emulator are invalid, so few trials are made.
_EMULATED_SETTINGS = OffloadSettings(trials=1, processes=1, limit=10, accuracy_images=200)

__all__ = ["emulated_settings", "local_configuration", "offload", "plan_offload", "read_results"]

#: Default choice of the local runtime, the fastest for light models first.
_RUNTIME_PREFERENCE = ("litert", "tflite-runtime")


def plan_offload(
    folder: Path,
    url: str,
    settings: OffloadSettings,
    *,
    selection: Selection,
    model: str | None,
    token: str,
    payloads: Sequence[str] | None,
    links: Sequence[Link],
    in_flight: Sequence[int],
    power: Power | str | None,
) -> Plan:
    """Return the plan, checked as far as possible without the server. Raise BadInput or BundleError if invalid.

    ``payloads`` is None for the default: all of them for a classifier, otherwise raw.
    """
    bundle, server = Bundle.open(folder), server_from(url)
    local = local_configuration(bundle, selection)
    count = max(settings.limit or 0, settings.accuracy_images)
    workload, timed = _timed_first(bundle_workload(bundle, count, settings.seed), settings)
    return Plan(
        bundle=folder,
        workload=workload,
        timed=timed,
        local=local,
        server=server,
        model=model or bundle.manifest.model.name,
        token=token,
        payloads=_payloads(bundle, payloads),
        links=links,
        in_flight=in_flight,
        settings=settings,
        power=power,
    )


def _payloads(bundle: Bundle, stated: Sequence[str] | None) -> Sequence[str]:
    possible = (RAW,) if bundle.manifest.is_graph else PAYLOADS
    if refused := [payload for payload in stated or () if payload not in possible]:
        raise BadInput(
            f"--payload {refused[0]}: this model takes named inputs, which can only be sent raw",
            f"omit --payload, or use --payload {RAW}",
        )
    return possible if stated is None else stated


def emulated_settings(
    settings: OffloadSettings, explicit_options: Collection[str], progress: Progress
) -> OffloadSettings:
    """Return the settings. On an emulator, reduce the counts that are not among ``explicit_options``."""
    if not emulation_signs():
        return settings
    names = ("trials", "processes", "limit", "accuracy_images")
    fewer = {name: getattr(_EMULATED_SETTINGS, name) for name in names if name not in explicit_options}
    if fewer:
        counts = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in fewer.items())
        progress.say(f"EMULATED: only predictions are valid, so {counts}")
    return msgspec.structs.replace(settings, **fewer)


def local_configuration(bundle: Bundle, selection: Selection) -> Planned:
    """Return the configuration of the local arm: the selected one, by default the light model on the best runtime.

    Raise BadInput if several are selected: remote inference is compared with exactly one local configuration.
    """
    chosen = msgspec.structs.replace(selection, variants=list(selection.variants) or [LIGHT])
    planned = plan_configurations(bundle, chosen)
    if not selection.runtimes and len(chosen.variants) == 1 and len(selection.threads or [1]) == 1:
        able = [item for item in planned if item.failure is None]
        order = {name: rank for rank, name in enumerate(_RUNTIME_PREFERENCE)}
        able.sort(key=lambda item: order.get(item.configuration.runtime, len(order)))
        planned = able[:1] or planned[:1]
    if len(planned) != 1:
        names = "; ".join(str(item.configuration) for item in planned)
        raise BadInput(f"several local configurations: {names}", "choose one with --variant, --runtime and --threads")
    (local,) = planned
    one_at_a_time = msgspec.structs.replace(local.configuration, batch_size=1)
    return msgspec.structs.replace(local, configuration=one_at_a_time)


def _timed_first(workload: Workload, settings: OffloadSettings) -> tuple[Workload, int]:
    """Return the workload with the timed images first, and their number. They are spread evenly over the draw."""
    count = len(workload.indices)
    timed = min(settings.limit or count, count)
    first = np.unique(np.linspace(0, count - 1, timed).astype(np.int64))
    order = np.concatenate([first, np.setdiff1d(np.arange(count), first)])
    return workload.selected(order), len(first)


def offload(plan: Plan, results: Path, progress: Progress) -> tuple[Offload, Path]:
    """Measure, write the Offload to ``results``, and return it with its path.

    If ``results`` can no longer be written to, write to a temporary folder instead.
    """
    writable_folder(results)
    arms = 1 + len(plan.payloads) * len(plan.in_flight) * (1 + len(plan.links))
    # an Offload stores ten values per image and trial, a Run one
    require_run_space(results, plan.timed, 10 * arms * plan.timed * plan.settings.trials)
    remove_leftovers(results)  # of runs that were killed
    offload_id, host = uuid.uuid4().hex, describe_machine().hostname
    with reading(plan.bundle), detect_concurrent_runs(offload_id, host, *runtime_folders(), results) as concurrent:
        measured = measure_offload(plan, progress, offload_id)
        others = concurrent_run_findings(concurrent.poll())
    measured = msgspec.structs.replace(measured, findings=[*measured.findings, *others])
    with contextlib.suppress(ValueError):  # the file is not written, and the error says why
        measured = readable(measured)
    try:
        return measured, write_offload(measured, results)
    except ResultsError as cause:
        path = write_offload(measured, lasting_temporary_folder())
        progress.say(f"! {cause.problem}; it was written to {path} instead")
        return measured, path


def read_results(paths: Sequence[Path], progress: Progress) -> tuple[list[Run], list[Offload]]:
    """Return the Runs and the Offloads in files and folders, oldest first. Raise ResultsError if a folder has none."""
    files = [file for path in paths for file in (offload_files(path) if path.is_dir() else [path]) if _is_offload(file)]
    offloads = [read_offload(file) for file in files]
    others = [path for path in paths if not _is_offload(path) and not (path.is_dir() and _only_offloads(path))]
    return read_runs(others, progress), sorted(offloads, key=lambda offload: offload.began)


def _is_offload(path: Path) -> bool:
    return path.name.startswith("offload-") and not path.is_dir()


def _only_offloads(folder: Path) -> bool:
    return bool(offload_files(folder)) and not any(folder.glob("run-*.json"))
