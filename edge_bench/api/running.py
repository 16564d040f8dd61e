"""Measurements on this machine."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Unpack

from edge_bench.api.keywords import DataKeywords, stated_data
from edge_bench.api.loading import AnyPath, paths_of
from edge_bench.api.messages import progress_view
from edge_bench.api.runs import Run
from edge_bench.bench.errors import BadInput, EdgeBenchError, NotTrusted
from edge_bench.bench.interrupts import listening_to_ctrl_c
from edge_bench.bench.measure.options.cores import chosen_cores
from edge_bench.bench.measure.options.settings import run_settings, searched, selection
from edge_bench.bench.measure.options.sustained import with_duration
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.measure.run_budget import run_budget
from edge_bench.bench.measure.session import measure
from edge_bench.bench.records.journal.journal import JOURNAL
from edge_bench.bench.records.run import Settings
from edge_bench.bench.sandbox.support import sandbox_support
from edge_bench.bench.system.cores import pinned

__all__ = ["run"]


def run(
    models: AnyPath | Iterable[AnyPath],
    *,
    data: AnyPath | None = None,
    labels: AnyPath | None = None,
    task: str | None = None,
    variants: str | Sequence[str] | None = None,
    runtimes: str | Sequence[str] | None = None,
    threads: str | int | Sequence[int] | None = None,
    batch_sizes: str | int | Sequence[int] | None = None,
    delegates: str | Sequence[str] | None = None,
    cpus: str | int | Sequence[int] | None = None,
    find_fastest: bool = False,
    duration: str | float | None = None,
    cooldown: str | float | None = None,
    trials: int = 30,
    processes: int = 5,
    limit: int | None = None,
    budget: str | float | None = None,
    resample: int | None = None,
    scenario: str | None = None,
    seed: int = 42,
    timeout: float = 600,
    memory_limit: str | int | None = None,
    stateful: bool = False,
    with_postprocess: bool = False,
    profile: bool = False,
    power: str | None = None,
    results: AnyPath = "results",
    once: bool = False,
    resume: bool = False,
    strict: bool = False,
    require_sandbox: bool = False,
    progress: bool = False,
    **data_options: Unpack[DataKeywords],
) -> Run:
    """Measure a bundle or model files on this machine; return the Run, which is also written to ``results``.

    models: a bundle's folder, or one or several model files (.tflite, .keras, .onnx, a SavedModel folder)
    data: a folder of images, a .npy or an .npz; None: random inputs, only for speed. A bundle has its own data.
    labels: the true values of ``data``; task: the meaning of the outputs, if labels and models do not determine it
    variants, runtimes, threads, batch_sizes: the configurations, as a list or a text such as "1,2"; None: the defaults
    delegates: for .tflite models, a list with the form of ``--delegate``, such as ["default", "libedgetpu.so.1"]
    cpus: the cores to measure on, as a list or a text such as "4-7", "big" or "all"; None: those of `edge-bench tune`,
    otherwise all. The calling thread is restricted to them meanwhile.
    find_fastest: measure all configurations briefly, then the best of them fully; threads and batch sizes that are not
    set are several. The column probability_fastest of `Run.to_frame` has the result
    duration: run each configuration for this many seconds, or a text such as "30m", without a pause, and one after the
    other. The columns ``sustained`` and ``slowdown`` of `Run.to_frame` have the result
    cooldown: with duration, a text such as "60C", the temperature below which each configuration begins; or a pause
    between configurations, in seconds or as "5m"
    budget: seconds, or a text such as "5m", that the measurement may take. Limit, trials and processes with default
    values are chosen to fit
    power: the power of this machine, such as "idle=2.7W,compute=5.8W", the file of a sensor, or "none"; None: a meter
    results: the folder of Run files; once: reuse a matching Run in it instead of measuring, if all options are the
    same; resume: continue an interrupted run with the same options
    profile: also measure each operator, after the trials; `Run.record` has the profiles in its results
    progress: show progress on stderr; otherwise messages are only logged
    All other keywords are options of ``edge-bench run --help``.

    Raise BadInput for options, models or data that cannot be used, EdgeBenchError if no configuration could be
    measured, and NotTrusted with ``strict`` if the times are not reliable. After KeyboardInterrupt the trials so far
    are in a journal.
    """
    support = sandbox_support()
    if require_sandbox and support.problem:
        raise BadInput(f"require_sandbox: {support.problem}", support.remedy)
    said = stated_data(data_options, data=data, labels=labels, task=task)
    configurations = selection(variants, runtimes, threads, batch_sizes, scenario, delegates)
    settings = run_settings(
        trials=trials, processes=processes, limit=limit, seed=seed, timeout=timeout, scenario=scenario,
        resample=resample, memory_limit=memory_limit, stateful=stateful, with_postprocess=with_postprocess,
        profile=profile, cpus=chosen_cores(cpus), power=power,
    )  # fmt: skip
    # an argument with its default value cannot be distinguished from a missing one
    stated = {name for name in ("limit", "trials", "processes") if getattr(settings, name) != getattr(Settings(), name)}
    others = {"find_fastest": find_fastest, "budget": budget, "resample": resample}
    settings = with_duration(settings, duration, cooldown, stated | {name for name, value in others.items() if value})
    if find_fastest:
        configurations, settings = searched(configurations, settings)
    view = progress_view(shown=progress)
    if support.problem:
        view.say(f"{support.problem}; {support.remedy}")
    with listening_to_ctrl_c(), pinned(settings.cpus):
        fitting = run_budget(budget, settings, stated, Path(results), once=once, resume=resume, explicit_options=None)
        request = BenchmarkRequest.from_paths(
            paths_of(models), said, said.keys(), configurations, settings, view, fitting
        )
        record, path = measure(request, Path(results), view, once=once, resume=resume)
    measured = Run(record, path)
    _check(measured, path, strict=strict)
    return measured


def _check(run: Run, path: Path, *, strict: bool) -> None:
    """Raise the error or the interruption that corresponds to the state of a Run."""
    if not run.complete:
        if run.record.stopped:
            raise EdgeBenchError(f"stopped: {run.record.stopped}", "fix this, then call it again with resume=True")
        raise KeyboardInterrupt(
            f"the trials so far are in {path.with_suffix(JOURNAL)}; call it again with resume=True to continue"
        )
    if not run.record.results_with_trials:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in run.failures.items())
        raise EdgeBenchError(f"no configuration could be measured: {reasons}", "fix the causes, then call it again")
    if strict and not run.trusted:
        spoiling = [finding.what for finding in run.record.findings if finding.spoils]
        raise NotTrusted(f"the times are not reliable: {'; '.join(spoiling)}", f"the Run is in {path}")
