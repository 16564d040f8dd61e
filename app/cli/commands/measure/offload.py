"""The command ``offload``."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edge_bench.app.cli import parsing
from edge_bench.app.cli.answers import Shown, print_answered, print_saved, report_command, width
from edge_bench.app.cli.commands.measure.finish import not_trusted
from edge_bench.app.cli.options.offload import (
    AccuracyImages,
    BundleArgument,
    EdgeDevice,
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
    TokenFile,
)
from edge_bench.app.cli.options.run import Processes, Strict, Trials
from edge_bench.app.cli.options.shared import (
    DEFAULT_BUNDLE,
    DEFAULT_RESULTS,
    OutputFormat,
    ResultsFolder,
    Seed,
    Why,
    Wide,
)
from edge_bench.app.render.formats import FOR_PROGRAMS, Format
from edge_bench.bench.errors import EdgeBenchError, Interrupted

if TYPE_CHECKING:
    from edge_bench.bench.offload.records.offload import Offload
    from edge_bench.bench.prediction.answer import PredictedModel

__all__ = ["offload"]


def offload(
    context: typer.Context,
    server: ServerUrl,
    bundle: BundleArgument = DEFAULT_BUNDLE,
    token: Token = None,
    token_file: TokenFile = None,
    model: RemoteModel = None,
    variant: LocalVariant = None,
    runtime: LocalRuntime = None,
    threads: LocalThreads = None,
    payload: Payloads = "raw,png,jpeg",
    quality: Quality = 90,
    in_flight: InFlight = "1,8",
    link: Links = None,
    sweep: Sweep = False,
    edge_device: EdgeDevice = None,
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
    wide: Wide = False,
    why: Why = False,
) -> None:
    """Measure whether inference is faster on this machine or on a server.

    Both are measured in one run on the same examples, over the real link and simulated ones.
    """
    from edge_bench.app.cli import console
    from edge_bench.app.serving.auth import token_from
    from edge_bench.bench.measure.options.power import power_option
    from edge_bench.bench.measure.plan import Selection
    from edge_bench.bench.offload.client.payload import payloads_from
    from edge_bench.bench.offload.measure.session import emulated_settings, plan_offload
    from edge_bench.bench.offload.measure.session import offload as measure
    from edge_bench.bench.offload.network.link_profiles import links_from
    from edge_bench.bench.offload.records.offload import OffloadSettings
    from edge_bench.bench.records.power import power_from

    settings = OffloadSettings(
        trials=trials, processes=processes, limit=limit, accuracy_images=accuracy_images, seed=seed,
        timeout_s=timeout, quality=quality,
    )  # fmt: skip
    progress, explicit = console.progress(), parsing.explicit_options(context)
    edge = _predicted(edge_device, bundle, parsing.names(variant), parsing.counts(threads, "--threads"))
    plan = plan_offload(
        bundle, server, emulated_settings(settings, explicit, progress),
        selection=Selection(
            variants=parsing.names(variant), runtimes=parsing.names(runtime),
            threads=parsing.counts(threads, "--threads"),
        ),
        model=model,
        token=token_from(token, token_file) or "",
        payloads=payloads_from(parsing.names(payload)) if "payload" in explicit else None,
        links=links_from(link or [], sweep=sweep),
        in_flight=sorted({1, *(parsing.counts(in_flight, "--in-flight") or [])}),
        power=power_option(power, power_from),
    )  # fmt: skip
    record, path = measure(plan, results, progress)
    _print(record, path, Shown(output_format, wide=wide, why=why), edge)
    _finish(record, path, strict=strict, form=output_format)


def _predicted(
    device: str | None, bundle: Path, variants: list[str], threads: list[int] | None
) -> "PredictedModel | None":
    """Return the prediction for --edge-device; raise BadInput before anything is measured if there is none."""
    if device is None:
        return None
    from edge_bench.app.tables.offload.predicted import predicted_edge
    from edge_bench.bench.records.bundle import Bundle

    return predicted_edge(Bundle.open(bundle), device, variants, threads or [])


def _print(record: "Offload", path: Path, shown: Shown, edge: "PredictedModel | None") -> None:
    """Print the answer, and the tables or all figures; then the predicted device, which is no part of the answer."""
    import dataclasses

    from edge_bench.app.cli import console
    from edge_bench.app.tables.offload.predicted import predicted_edge_records, predicted_edge_table
    from edge_bench.app.tables.offload.table import offload_tables
    from edge_bench.app.tables.offload.text import OffloadAnswered, offload_sentences, offload_text
    from edge_bench.bench.offload.analysis.assessment import assess

    assessment = assess(record)
    tables = offload_tables(record, assessment)
    if edge is not None and tables:
        records = [*tables[0].records, *predicted_edge_records(edge)]
        tables[0] = dataclasses.replace(tables[0], records=records)
        if shown.form is not Format.TABLE:
            tables.append(predicted_edge_table(record, assessment, edge))
    subject = OffloadAnswered(record, assessment, tables, f"in the report ({report_command([path.parent])})")
    print_answered(
        tables,
        lambda: offload_sentences(subject),
        lambda **how: offload_text(subject, width(), **how),
        shown,
    )
    if edge is not None and shown.form is Format.TABLE:
        console.print_text("")
        console.print_table(predicted_edge_table(record, assessment, edge), shown.form)


def _finish(record: "Offload", path: Path, *, strict: bool, form: Format) -> None:
    """Print the record's path and the next command; raise the error that its state calls for."""
    from edge_bench.bench.offload.analysis.reliability import reasons_of
    from edge_bench.bench.system.machine import Finding

    print_saved(path, form)
    if not record.complete:
        raise Interrupted("interrupted; measurements so far are kept")
    failed = [arm for arm in record.arms if arm.failure]
    if failed and (record.local.failure or all(arm.failure for arm in record.remotes)):
        failure = failed[-1].failure
        assert failure is not None  # noqa: S101 - these are the failed ones
        half = (
            "nothing could be measured locally" if record.local.failure else "nothing could be measured on the server"
        )
        if form not in FOR_PROGRAMS:  # the answer above has the reason
            raise EdgeBenchError(half)
        raise EdgeBenchError(f"{half}: {failure.message}", failure.remedy)
    reasons = reasons_of(record)
    if strict and reasons:
        raise not_trusted([Finding(what=each.what, remedy=each.remedy, spoils=True) for each in reasons])
