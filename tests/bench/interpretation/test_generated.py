"""Property test: random models and data that are right by construction get 100 %, or are refused if in doubt."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from edge_bench.bench.errors import BadInput
from tests.bench.interpretation.generated import Case, cases
from tests.bench.interpretation.in_process import accuracy
from tests.bench.interpretation.written import write_case

#: Examples by outcome: right, refused although the case is clear (none may be), refused because it is ambiguous.
outcomes: Counter[str] = Counter()


def check(case: Case) -> None:
    with tempfile.TemporaryDirectory() as folder:
        written = write_case(case, Path(folder))
        try:
            found = accuracy(written.model, written.options)
        except BadInput:
            if not written.ambiguous:
                raise
            outcomes["refused, ambiguous"] += 1
            return
        outcomes["right, ambiguous" if written.ambiguous else "right, clear"] += 1
        assert found == 1


@pytest.mark.slow
@given(cases())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
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
