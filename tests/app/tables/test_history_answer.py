"""What `history` answers in a terminal: the first line, reliability, one row for each series."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge_bench.app.tables.over_time.text import HistoryAnswered, history_text
from edge_bench.app.tables.runs.history import answers_table, history_table
from edge_bench.bench.analysis.over_time.history import history
from edge_bench.bench.records.run import Run
from tests.factories import machine, result, run

NAMES = ("dynamic", "int8")


def nights(factors: Sequence[Sequence[float]], **changes: object) -> list[Run]:
    """One Run per night, with one factor for each configuration."""
    luck = np.random.default_rng(0).normal(1, 0.005, len(factors))
    made = []
    for night, of_night in enumerate(factors):
        results = [
            result(name, "tflite-runtime", float(factor * luck[night]))
            for name, factor in zip(NAMES, of_night, strict=False)
        ]
        fields = {
            "began": f"2026-01-{night + 1:02d}T00:00:00+00:00",
            "run_id": f"{night:032d}",
            "trusted": True,
        } | changes
        made.append(msgspec.structs.replace(run(*results), **fields))
    return made


def lines(runs: Sequence[Run], width: int = 80, *, wide: bool = False) -> list[str]:
    series = history(runs)
    tables = [answers_table(series), history_table(series)]
    return history_text(HistoryAnswered(series, ["a note"], tables), width, wide=wide).split("\n")


SAME, SLOWER, FASTER = [1.0, 1.0], [1.1, 1.0], [1.1, 0.9]


@pytest.mark.parametrize(
    ("factors", "first"),
    [
        ([SAME] * 12, "No change in 12 Runs of 2 configurations"),
        ([[1.0]] * 12, "No change in 12 Runs"),
        ([SAME] * 5, "Too few Runs for a verdict: 5 of at least 9"),
        ([*[SAME] * 20, *[SLOWER] * 10], "Slower since 2026-01-21: dynamic on tflite-runtime, 1.10× the time ["),
        ([*[SAME] * 20, *[[1.1, 1.1]] * 10], "Slower since 2026-01-21: 2 of 2 configurations, 1.1"),
        ([*[SAME] * 20, *[FASTER] * 10], "Changed: 1 configuration slower, 1 configuration faster of 2 configurations"),
    ],
)
def test_first_lines(factors: list[list[float]], first: str) -> None:
    for width in (50, 80, 140):
        text = lines(nights(factors), width)
        assert max(map(len, text)) <= width
        assert len(text) <= 30
        assert " ".join(line.strip() for line in text).startswith(
            first if width >= 80 else first.split(",", maxsplit=1)[0]
        )
        rows = [line for line in text if line[2:].startswith(NAMES) and "tflite-runtime" in line[2:30]]
        assert len(rows) == len(factors[0])
    assert text[2] == f"Times are reliable in all {len(factors)} Runs."


def test_rows_have_the_size_and_the_date_of_a_change() -> None:
    rows = [line for line in lines(nights([*[SAME] * 20, *[SLOWER] * 10])) if "tflite-runtime  " in line[2:30]]
    assert [row.split()[2] for row in rows] == ["30", "30"]
    assert rows[0].endswith("10 % slower since 2026-01-21")
    assert rows[1].endswith("none")


def test_reliability_is_beside_the_answer() -> None:
    runs = nights([*[SAME] * 20, *[SLOWER] * 10])
    text = lines([*runs[:20], *(msgspec.structs.replace(each, trusted=False) for each in runs[20:])])
    assert text[0].startswith("Slower since 2026-01-21 ~: dynamic")
    assert text[2].startswith("! Times of 10 of 30 Runs are not reliable")
    assert any(line.endswith("since 2026-01-21 ~") for line in text)
    unknown = lines([msgspec.structs.replace(each, trusted=None) for each in runs])
    assert unknown[2].startswith("Unknown whether times are reliable: 30 of 30 Runs")


def test_emulated_times_get_no_verdict_and_all_runs_are_behind_wide() -> None:
    emulated = machine(emulated=True, emulation_signs=["a sign"])
    text = lines(nights([SAME] * 12, machine=emulated))
    assert "EMULATED" in text[0]
    wide = lines(nights([SAME] * 12), 200, wide=True)
    assert sum("2026-01-" in line for line in wide[3:]) == 24
    assert "No answer" in lines([])[0]
