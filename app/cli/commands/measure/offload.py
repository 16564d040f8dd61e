"""The command ``offload``."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.commands.measure.finish import not_trusted
from edge_bench.app.cli.options.offload import (
    AccuracyImages,
    BundleArgument,
    InFlight,
    Links,
    LocalRuntime,
    LocalThreads,
    LocalVariant,
    Payloads,
    PowerText,
    Quality,
    RemoteModel,
    RequestTimeout,
    ServerUrl,
    Sweep,
    TimedImages,
    Token,
)
from edge_bench.app.cli.options.run import Processes, Strict, Trials
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    DEFAULT_RESULTS,
    OutputFormat,
    ResultsFolder,
    Seed,
)
from edge_bench.app.render.formats import Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted

if TYPE_CHECKING:
    from edge_bench.bench.offload.records.offload import Offload

__all__ = ["offload"]


def offload(
    context: typer.Context,
    server: ServerUrl,
    bundle: BundleArgument = DEFAULT_BUNDLE,
    token: Token = None,
    model: RemoteModel = None,
    variant: LocalVariant = None,
    runtime: LocalRuntime = None,
    threads: LocalThreads = None,
    payload: Payloads = "raw,png,jpeg",
    quality: Quality = 90,
    in_flight: InFlight = "1,8",
    link: Links = None,
    sweep: Sweep = False,
    power: PowerText = None,
    trials: Trials = 30,
    processes: Processes = 5,
    limit: TimedImages = 100,
    accuracy_images: AccuracyImages = 1000,
    seed: Seed = 42,
    timeout: RequestTimeout = 60,
    results: ResultsFolder = DEFAULT_RESULTS,
    strict: Strict = False,
    output_format: OutputFormat = Format.TABLE,
) -> None:
    """Measure whether inference is faster on this machine or on a server.

    Both are measured in one run on the same examples, over the real link and simulated ones.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.tables.offload.table import offload_tables
    from edge_bench.bench.measure.plan import Selection
    from edge_bench.bench.offload.analysis.assessment import assess
    from edge_bench.bench.offload.client.payload import payloads_from
    from edge_bench.bench.offload.measure.session import emulated_settings, plan_offload
    from edge_bench.bench.offload.measure.session import offload as measure
    from edge_bench.bench.offload.network.link_profiles import links_from
    from edge_bench.bench.offload.records.offload import OffloadSettings
    from edge_bench.bench.offload.records.power import power_from

    settings = OffloadSettings(
        trials=trials, processes=processes, limit=limit, accuracy_images=accuracy_images, seed=seed,
        timeout_s=timeout, quality=quality,
    )  # fmt: skip
    progress, explicit = console.progress(), parsing.explicit_options(context)
    plan = plan_offload(
        bundle, server, emulated_settings(settings, explicit, progress),
        selection=Selection(
            variants=parsing.names(variant), runtimes=parsing.names(runtime),
            threads=parsing.counts(threads, "--threads"),
        ),
        model=model,
        token=token or "",
        payloads=payloads_from(parsing.names(payload)) if "payload" in explicit else None,
        links=links_from(link or [], sweep=sweep),
        in_flight=sorted({1, *(parsing.counts(in_flight, "--in-flight") or [])}),
        power=power_from(power) if power else None,
    )  # fmt: skip
    record, path = measure(plan, results, progress)
    console.print_tables(offload_tables(record, assess(record)), output_format)
    _finish(record, path, strict=strict)


def _finish(record: "Offload", path: Path, *, strict: bool) -> None:
    """Print the record's path; raise the error that its state calls for."""
    from edge_bench.app.cli import console

    console.note(f"written: {path}")
    if not record.complete:
        raise Interrupted("interrupted; measurements so far are kept")
    failed = [arm for arm in record.arms if arm.failure]
    if failed and (record.local.failure or all(arm.failure for arm in record.remotes)):
        failure = failed[-1].failure
        assert failure is not None  # noqa: S101 - these are the failed ones
        half = "nothing could be measured here" if record.local.failure else "nothing could be measured on the server"
        raise EdgeBenchError(f"{half}: {failure.message}", failure.remedy)
    if strict and any(finding.spoils for finding in record.findings):
        raise not_trusted(record.findings)
