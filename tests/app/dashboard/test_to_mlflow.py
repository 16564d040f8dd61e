"""What is sent to MLflow, and with MLflow installed, that it arrives once."""

import datetime
import importlib.util
import math
from pathlib import Path

import pytest

from edge_bench.app.dashboard.to_mlflow import EXPERIMENT, measurements, to_mlflow
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.progress import Silent
from tests.app.dashboard.fleets import fleet

HAS_MLFLOW = importlib.util.find_spec("mlflow") is not None


def test_each_measurement_has_its_time_its_interval_and_an_identity_of_its_own() -> None:
    runs = fleet(2, slower="pi1")
    found = list(measurements(history(runs)))
    assert len({each.identity for each in found}) == len(runs) == len(found)
    first = found[0]
    assert first.began_ms == 1000 * datetime.datetime.fromisoformat(runs[0].began).timestamp()
    assert first.metrics["ms_per_image_low"] <= first.metrics["ms_per_image"] <= first.metrics["ms_per_image_high"]
    assert first.metrics["accuracy"] == 1
    assert all(math.isfinite(value) for each in found for value in each.metrics.values())
    assert first.parameters["runtime"] == "litert"
    slower = [each for each in found if each.tags["edge_bench.verdict"] == "slower"]
    assert [each.tags["edge_bench.machine"].split()[0] for each in slower] == ["pi1"]


@pytest.mark.nightly  # MLflow is not among the developers' packages: 18 packages for one option
@pytest.mark.skipif(not HAS_MLFLOW, reason="needs mlflow-skinny")
def test_mlflow_has_each_measurement_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database would need more packages
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    runs, uri = fleet(2, 4), f"file:{tmp_path}"
    assert to_mlflow(history(runs[:-1]), uri, Silent()) == (7, 0)
    assert to_mlflow(history(runs), uri, Silent()) == (1, 7)
    client = MlflowClient(tracking_uri=uri)
    stored = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert {each.data.tags["edge_bench.run_id"] for each in stored} == {run.run_id for run in runs}
    assert all(each.data.metrics["ms_per_image"] > 0 for each in stored)
    with pytest.raises(EdgeBenchError):
        to_mlflow(history(runs), "http://127.0.0.1:9", Silent())
