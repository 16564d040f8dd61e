"""The command that asks: here, or there?"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app import arguments as a
from app import offload_options as f
from app import options as o
from app.cli_models import DEFAULT_BUNDLE, DEFAULT_RESULTS
from app.presentation.formats import Format
from bench.errors import EdgeBenchError, Interrupted, NotTrusted

if TYPE_CHECKING:
    from bench.offload.records import Offload

__all__ = ["offload"]


def offload(
    context: typer.Context,
    server: f.ServerUrl,
    bundle: f.BundleArgument = DEFAULT_BUNDLE,
    token: f.Token = None,
    model: f.RemoteModel = None,
    variant: f.LocalVariant = None,
    runtime: f.LocalRuntime = None,
    threads: f.LocalThreads = None,
    payload: f.Payloads = "raw,png,jpeg",
    quality: f.Quality = 90,
    in_flight: f.InFlight = "1,8",
    link: f.Links = None,
    sweep: f.Sweep = False,
    power: f.PowerText = None,
    trials: o.Trials = 30,
    processes: o.Processes = 5,
    limit: f.TimedImages = 100,
    accuracy_images: f.AccuracyImages = 1000,
    seed: o.Seed = 42,
    timeout: f.RequestTimeout = 60,
    results: o.ResultsFolder = DEFAULT_RESULTS,
    strict: o.Strict = False,
    output_format: o.OutputFormat = Format.TABLE,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Run it here, or send it there? Both measured in one run, on the same images, over real or simulated links."""
    from app import console
    from app.offloading import emulated_settings, plan_offload
    from app.offloading import offload as measure
    from app.presentation.offload_table import offload_tables
    from bench.offload.assess import assess
    from bench.offload.energy import power_from
    from bench.offload.links import links_from
    from bench.offload.payloads import payloads_from
    from bench.offload.records import OffloadSettings
    from bench.plan import Selection

    settings = OffloadSettings(
        trials=trials, processes=processes, limit=limit, accuracy_images=accuracy_images, seed=seed,
        timeout_s=timeout, quality=quality,
    )  # fmt: skip
    progress = console.progress()
    asked = plan_offload(
        bundle, server, emulated_settings(settings, a.given(context), progress),
        selection=Selection(
            variants=a.names(variant), runtimes=a.names(runtime), threads=a.counts(threads, "--threads")
        ),
        model=model,
        token=token or "",
        payloads=payloads_from(a.names(payload)),
        links=links_from(link or [], sweep=sweep),
        in_flight=sorted({1, *(a.counts(in_flight, "--in-flight") or [])}),
        power=power_from(power) if power else None,
    )  # fmt: skip
    measured, path = measure(asked, results, progress)
    console.print_tables(offload_tables(measured, assess(measured)), output_format)
    _conclude(measured, path, strict=strict)


def _conclude(measured: "Offload", path: Path, *, strict: bool) -> None:
    """Says where the record is, then ends with the exit code that its state asks for."""
    print(f"written: {path}", file=sys.stderr)
    if not measured.complete:
        raise Interrupted("interrupted; what was measured is kept")
    failed = [arm for arm in measured.arms if arm.failure]
    if failed and (measured.local.failure or all(arm.failure for arm in measured.remotes)):
        failure = failed[-1].failure
        assert failure is not None  # noqa: S101 - these are the failed ones
        half = "nothing could be run here" if measured.local.failure else "nothing could be sent"
        raise EdgeBenchError(f"{half}: {failure.message}", failure.remedy)
    if strict and (spoiled := [finding.what for finding in measured.findings if finding.spoils]):
        raise NotTrusted(f"measured, but not to be trusted: {'; '.join(spoiled)}", "see the notes below the table")
