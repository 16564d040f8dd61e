"""Device files and errors from a small table of made latencies."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from edge_bench.bench.prediction.device_file import device_bytes, read_device
from edge_bench.bench.prediction.latency_model import Models, log_latencies
from edge_bench.bench.prediction.predict import predict_latency
from studies.prediction.deviations import FREEDOM, freedom_of
from studies.prediction.device_files import device_files, main
from studies.prediction.errors import by_stratum, figures, with_intervals
from studies.prediction.folds import unseen_rows
from studies.prediction.hierarchy import hardware_of, prior
from studies.prediction.table import Cell, read_table

BOARDS = {"Raspberry Pi 4": ("Cortex-A72", 1.8), "AWS a1 (Graviton1)": ("Cortex-A72", 2.3),
          "AWS t4g (Graviton2)": ("Neoverse-N1", 2.5), "Raspberry Pi 5": ("Cortex-A76", 2.4)}  # fmt: skip
COLUMNS = ["device", "core", "clock_ghz", "threads", "runtime_version", "kernels", "model", "family", "precision",
           "quant_scheme", "latency_ms", "os_bits", "source", "op_table"]  # fmt: skip


def operator_table(size: int, width: float, dense: int) -> list[dict[str, object]]:
    side, channels, found = size // 2, max(8, round(32 * width)), list[dict[str, object]]()
    for number in range(6):
        kind, more = ("stem", channels) if number == 0 else ("pw", 2 * channels)
        inputs = 3 if number == 0 else channels
        macs, weights = side**2 * inputs * more * (9 if number == 0 else 1), inputs * more
        found.append({"op": kind, "h": side, "w": side, "macs": macs, "wel": weights, "inel": side**2 * inputs,
                      "outel": side**2 * more})  # fmt: skip
        values = side**2 * more
        found.append({"op": "dw", "h": side, "w": side, "macs": 9 * values, "wel": 9 * more, "inel": values,
                      "outel": values})  # fmt: skip
        side, channels = max(side // 2, 2), more
    return [*found, {"op": "fc", "h": 1, "w": 1, "macs": channels * dense, "wel": channels * dense, "inel": channels,
                     "outel": dense}]  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write latencies that follow the model, with devices that differ from the prior's mean by a seeded draw."""
    folder, draw = tmp_path_factory.mktemp("table"), np.random.default_rng(7)
    lines = []
    for family, dense in (("small", 100), ("large", 4000), ("other", 1000)):
        for size, width in ((96, 0.5), (160, 0.75), (224, 1.0)):
            name = f"{family}-{size}"
            (folder / f"{name}.json").write_text(json.dumps({"ops": operator_table(size, width, dense)}))
            lines.append((name, family))
    rows = []
    for device, (core, clock) in BOARDS.items():
        base = {"device": device, "core": core, "clock_ghz": clock, "threads": 1, "runtime_version": "1", "os_bits": 64,
                "kernels": "xnnpack", "precision": "fp32", "quant_scheme": "", "source": f"made/{device}"}  # fmt: skip
        rows += [base | {"model": name, "family": family, "op_table": f"{name}.json", "latency_ms": 1.0}
                 for name, family in lines]  # fmt: skip
    write(folder / "table.csv", rows)
    parsed, shift = read_table(folder / "table.csv"), {}
    for row, columns in zip(parsed, rows, strict=True):
        if row.cell not in shift:
            shift[row.cell] = prior([row.cell])[0] + draw.normal(0, 0.15, 8)
        log_ns = log_latencies(Models.of([row.operators]), shift[row.cell], hardware_of(row.cell))[0][0]
        columns["latency_ms"] = f"{math.exp(log_ns + draw.normal(0, 0.01)) / 1e6:.6g}"
    write(folder / "table.csv", rows)
    return folder / "table.csv"


def write(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.slow  # 2 s
def test_the_same_table_gives_the_same_files_and_they_predict_its_devices(table: Path, tmp_path: Path) -> None:
    main(table, tmp_path)
    again = device_files(read_table(table))
    assert {path.stem: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: device_bytes(each) for name, each in again.items()
    }
    found = read_device(tmp_path / "pi4.toml")
    single = next(each for each in found.parameters if each.threads == 1 and each.clock_ghz == 1.8)
    assert (single.method, single.rows, single.families) == ("published", 9, ["large", "other", "small"])
    errors = [
        abs(predict_latency(row.operators, single).milliseconds / row.milliseconds - 1)
        for row in read_table(table)
        if row.cell.device == "Raspberry Pi 4"
    ]
    assert np.mean(errors) < 0.05


@pytest.mark.slow  # 1 s
def test_errors_of_unseen_rows_are_small_and_covered(table: Path) -> None:
    predicted = with_intervals(list(unseen_rows(read_table(table))))
    assert len(predicted) == 2 * 4 * 9
    strata = by_stratum(predicted)
    assert len(strata) == 2 * 4
    count, mean, _, _, covered, width = figures([each for each in predicted if each.left_out == "family"])
    assert int(count) == 36
    assert float(mean) < 10
    assert float(covered) >= 85
    assert float(width) > 1


def test_rows_that_say_nothing_are_not_used(table: Path) -> None:
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    changes = [{"latency_ms": ""}, {"os_bits": "32"}, {"core": "Zen 2"}]
    for row, change in zip(rows, changes, strict=False):
        row.update(change)
    path = table.with_name("changed.csv")
    write(path, rows)
    assert len(read_table(path)) == len(rows) - len(changes)


def test_a_row_that_more_threads_made_slower_is_not_used(table: Path) -> None:
    with table.open(newline="") as file:
        first = next(csv.DictReader(file))
    times = {1: 100.0, 2: 60.0, 3: 62.0, 4: 70.0}
    rows = [first | {"threads": count, "latency_ms": time} for count, time in times.items()]
    path = table.with_name("threads.csv")
    write(path, rows)
    assert [row.cell.threads for row in read_table(path)] == [1, 2, 3]


def test_few_families_have_heavy_ends() -> None:
    assert freedom_of([(1.0, 3.0)]) == 3
    assert freedom_of([(1.0, 3.0), (1.0, 3.0)]) == 6
    assert freedom_of([(1.0, 1e9)]) == FREEDOM


def test_similar_cells_inform_each_other_more_than_others() -> None:
    def cell(device: str, core: str, threads: int = 1) -> Cell:
        return Cell(device, core, 1.8, "xnnpack", "float32", "", threads, "")

    cells = [cell("Raspberry Pi 4", "Cortex-A72"), cell("AWS a1 (Graviton1)", "Cortex-A72"),
             cell("Raspberry Pi 5", "Cortex-A76"), cell("Raspberry Pi 3 B+", "Cortex-A53")]  # fmt: skip
    covariance = prior(cells)[1]
    same_core, other_core = covariance[2, 10], covariance[2, 18]
    assert covariance[2, 2] > same_core > other_core > 0
