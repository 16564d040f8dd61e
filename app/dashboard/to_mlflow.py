"""Send measurements over time to MLflow: one MLflow run for each Run and configuration."""

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from edge_bench.app.dashboard.snapshot import series_id
from edge_bench.bench.analysis.over_time.history import Point, Series
from edge_bench.bench.errors import EdgeBenchError, MissingDependency
from edge_bench.bench.progress import Progress

__all__ = ["EXPERIMENT", "Sent", "measurements", "to_mlflow"]

EXPERIMENT = "edge-bench"
#: Tag that identifies a measurement, so that it is sent once.
_ID = "edge_bench.measurement"
_FOUND_AT_ONCE = 1000


class Sent(msgspec.Struct, frozen=True):
    """One MLflow run."""

    identity: str
    began_ms: int  # since 1970
    name: str
    tags: dict[str, str]
    parameters: dict[str, str]
    metrics: dict[str, float]


def measurements(all_series: Sequence[Series]) -> Iterator[Sent]:
    """Yield what is sent of each Run and configuration, in the order of the series."""
    for series in all_series:
        for point in series.points:
            yield _sent(series, point)


def _sent(series: Series, point: Point) -> Sent:
    configuration = series.configuration
    interval, ratio = point.interval, point.ratio
    metrics = {
        "ms_per_image": 1e3 * point.median,
        "ms_per_image_low": 1e3 * interval.low if interval else None,
        "ms_per_image_high": 1e3 * interval.high if interval else None,
        "ratio_to_reference": ratio.value if ratio else None,
        "accuracy": point.correct / point.seen if point.correct is not None and point.seen else None,
        _allowed(point.quality.name if point.quality else "quality"): point.quality.value if point.quality else None,
    }
    return Sent(
        identity=f"{point.run_id}/{series_id(series)}",
        began_ms=round(1e3 * _utc(point.began).timestamp()),
        name=f"{configuration} on {series.machine}",
        tags={
            "edge_bench.run_id": point.run_id,
            "edge_bench.machine": series.machine,
            "edge_bench.emulated": str(series.emulated).lower(),
            "edge_bench.reliable": {True: "true", False: "false", None: "unknown"}[point.trusted],
            "edge_bench.verdict": str(point.verdict or ""),
        },
        parameters={
            "bundle": series.bundle,
            "dataset": series.dataset,
            "task": series.task,
            "variant": configuration.variant,
            "runtime": configuration.runtime,
            "threads": str(configuration.threads),
            "batch_size": str(configuration.batch_size),
            "images": str(series.images),
        },
        metrics={name: value for name, value in metrics.items() if value is not None and math.isfinite(value)},
    )


def _utc(began: str) -> datetime.datetime:
    time = datetime.datetime.fromisoformat(began)
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def _allowed(name: str) -> str:
    """Return the name of a measure with the characters that MLflow allows: ``mAP_50-95``."""
    return re.sub(r"[^\w./ -]", "_", name)


def to_mlflow(all_series: Sequence[Series], uri: str, progress: Progress) -> tuple[int, int]:
    """Send what the MLflow server or folder at ``uri`` does not have yet; return the numbers sent and already there.

    Raise MissingDependency without mlflow-skinny, EdgeBenchError if MLflow refuses or cannot be reached.
    """
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError:
        raise MissingDependency("mlflow is not installed", "pip install mlflow-skinny") from None
    found = list(measurements(all_series))
    progress.start("sending to MLflow", len(found))
    try:
        client = MlflowClient(tracking_uri=uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        number = experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT)
        known = _known(client, number)
        for each in found:
            if each.identity not in known:
                _send(client, number, each)
            progress.advance()
    except (MlflowException, OSError) as cause:
        problem = str(cause).splitlines()[0][:200]
        raise EdgeBenchError(f"--to-mlflow {uri}: {problem}", "check the address, and repeat the command") from None
    sent = sum(each.identity not in known for each in found)
    progress.finish(f"{sent} sent, {len(found) - sent} were there already")
    return sent, len(found) - sent


def _known(client: Any, experiment: str) -> set[str]:
    """Return the measurements that MLflow has completely."""
    known, page = set[str](), None
    while True:
        runs = client.search_runs(
            [experiment], "attributes.status = 'FINISHED'", max_results=_FOUND_AT_ONCE, page_token=page
        )
        known |= {run.data.tags.get(_ID, "") for run in runs}
        page = runs.token
        if not page:
            return known


def _send(client: Any, experiment: str, each: Sent) -> None:
    from mlflow.entities import Metric, Param

    tags = each.tags | {_ID: each.identity, "mlflow.runName": each.name}
    run = client.create_run(experiment, start_time=each.began_ms, tags=tags).info.run_id
    client.log_batch(
        run,
        metrics=[Metric(name, value, each.began_ms, 0) for name, value in each.metrics.items()],
        params=[Param(name, value[:500]) for name, value in each.parameters.items()],
    )
    client.set_terminated(run, "FINISHED", end_time=each.began_ms)
