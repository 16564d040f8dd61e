"""Errors of the prediction on rows that the fit did not see, by stratum.

    python -m studies.prediction.errors TABLE

Every row is predicted twice: without any row of its family of models, and without any row of its device. No parameter
is fitted to a row that it predicts; docs/prediction.md says what was chosen on this table, and has the figures. Takes
about a minute.
"""

import argparse
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from edge_bench.bench.stats.student import t_quantile
from studies.prediction.deviations import FREEDOM, Estimate, device_factor, family_deviation, freedom_of
from studies.prediction.folds import Unseen, unseen_rows
from studies.prediction.table import Row, read_table

__all__ = ["Predicted", "by_stratum", "main", "with_intervals"]

_DETECTORS = {"effdet", "ssd"}
_HEADINGS = (
    "left out", "device", "kernels", "precision", "scheme", "models", "threads", "rows", "mean error %", "p90 error %",
    "bias %", "covered %", "width ×",
)  # fmt: skip


@dataclass(frozen=True)
class Predicted:
    """A row that the fit did not see, and its predicted latency and 90 % interval in relation to the measured one."""

    left_out: str
    row: Row
    error: float  # relative
    covered: bool
    width: float  # upper end of the interval divided by the lower one


def with_intervals(unseen: Sequence[Unseen]) -> list[Predicted]:
    """Return predictions with intervals, which the row's own family or device has no part in."""
    families: dict[tuple[object, ...], Estimate] = {}
    devices: dict[tuple[str, str], Estimate] = {}
    predicted = []
    for each in unseen:
        cell, family = each.row.cell, each.row.family
        if each.left_out == "family":
            if (key := (each.group, family)) not in families:
                families[key] = family_deviation(unseen, each.group, each.between_families, without=family)
            variance, between = (each.variance, FREEDOM), families[key]
        else:
            if (pair := (cell.kernels, cell.device)) not in devices:
                devices[pair] = device_factor(unseen, cell.kernels, without=cell.device)
            factor, freedom = devices[pair]
            variance, between = (each.variance * factor**2, freedom), Estimate(each.between_families, FREEDOM)
        parts = [variance, (between.value**2, between.freedom), (each.residual**2, FREEDOM)]
        half = t_quantile(freedom_of(parts), 0.95) * math.sqrt(sum(part for part, _ in parts))
        predicted.append(
            Predicted(
                each.left_out, each.row, math.expm1(each.log_error), abs(each.log_error) <= half, math.exp(2 * half)
            )
        )
    return predicted


def by_stratum(predicted: Iterable[Predicted]) -> dict[tuple[str, ...], list[Predicted]]:
    """Return the predictions of each stratum."""
    strata: dict[tuple[str, ...], list[Predicted]] = {}
    for each in predicted:
        cell = each.row.cell
        models = "detectors" if each.row.family in _DETECTORS else "classifiers"
        key = each.left_out, cell.device, cell.kernels, cell.precision, cell.scheme, models, _threads(cell.threads)
        strata.setdefault(key, []).append(each)
    return dict(sorted(strata.items()))


def _threads(count: int) -> str:
    return str(count) if count == 1 else ("2 to 3" if count < 4 else "4 or more")


def figures(predicted: Sequence[Predicted]) -> list[str]:
    """Return count, mean absolute percentage error, its 90th percentile, bias, coverage and width."""
    errors = np.array([each.error for each in predicted])
    return [
        str(len(predicted)),
        f"{100 * np.abs(errors).mean():.1f}",
        f"{100 * np.percentile(np.abs(errors), 90):.1f}",
        f"{100 * errors.mean():+.1f}",
        f"{100 * np.mean([each.covered for each in predicted]):.0f}",
        f"{np.median([each.width for each in predicted]):.2f}",
    ]


def main(table: Path) -> None:
    """Print all strata, and all rows together."""
    predicted = with_intervals(list(unseen_rows(read_table(table))))
    lines = [[*key, *figures(each)] for key, each in by_stratum(predicted).items()]
    for left_out in ("family", "device"):
        each = [one for one in predicted if one.left_out == left_out]
        lines.append([left_out, "all", "", "", "", "", "", *figures(each)])
    print(tabulate(lines, _HEADINGS, tablefmt="pipe", disable_numparse=True, colalign=("left",) * 7 + ("right",) * 6))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    main(parser.parse_args().table)
