"""Property test: random models and data that are right by construction get 100 %, or are refused if in doubt."""

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from edge_bench.bench.dataset.workload import Workload
from edge_bench.bench.errors import BadInput
from edge_bench.bench.interpretation.files_workload import files_workload
from edge_bench.bench.models.model_files import ModelFiles
from edge_bench.bench.progress import Silent
from edge_bench.bench.records.run import Settings
from tests.bench.interpretation.generated import Case, cases
from tests.bench.interpretation.in_process import InProcessProber, predictions_of
from tests.bench.interpretation.written import write_case

#: Examples by outcome: right, refused although the case is clear (none may be), refused because it is ambiguous.
outcomes: Counter[str] = Counter()


def check(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = write_case(case, Path(folder))
        models = ModelFiles.open([written.model], timeout=60)
        try:
            workload = files_workload(models, written.options, Settings(), Silent(), prober=InProcessProber)
        except BadInput:
            if not written.ambiguous:
                raise
            outcomes["refused, ambiguous"] += 1
            return
        outcomes["right, ambiguous" if written.ambiguous else "right, clear"] += 1
        assert accuracy(workload, written.model) == 1


def accuracy(workload: Workload, model: Path) -> float:
    assert workload.labels is not None
    own = workload.input_of("model")
    predicted = predictions_of(model, own.pixels, own.rows, own.preprocessing, own.input_shape)
    return float(np.mean(predicted == workload.labels))


@given(cases())
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_wrong_accuracy(case: Case) -> None:
    check(case)


@pytest.mark.nightly
def test_no_wrong_accuracy_in_ten_thousand_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten thousand cases take about half an hour. Both counts are printed."""
    outcomes.clear()

    @given(cases())
    @settings(
        max_examples=10_000, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def many(case: Case) -> None:
        check(case)

    many()
    with capsys.disabled():
        print("\n" + ", ".join(f"{name}: {count:,}" for name, count in sorted(outcomes.items())))
    assert outcomes["right, clear"] > 2000
