"""Variance components of trial times on a machine, from the log of `studies.calibration.self_comparison`.

    python -m studies.calibration.components [LOG]

`studies.calibration.noise` has these values in its scenarios "as recorded". Takes a few seconds.
Figures: docs/calibration.md.
"""

import argparse
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from studies.calibration.self_comparison import Repeat, read_log

#: A trial is disturbed, for example by a neighbour on the core, if its median invocation is slower by more than this
#: fraction than that of the fastest trial with the same work.
DISTURBED = 0.10


class Components(NamedTuple):
    """Disturbed trials and, for the other trials, standard deviations as fractions of the time."""

    disturbed: float  # fraction of trials
    slowdown: float  # median fraction by which disturbed trials take longer
    process: float
    trial: float
    drift: float


def components(repeats: list[Repeat]) -> Components:
    """Return the components of the times of whole passes, estimated from covariances of their logarithms.

    The drift's variance is the covariance of two configurations in the same round. The process's variance is the
    covariance of two rounds of one process, minus that of two configurations in those rounds. The remainder of the
    variance is the trial's.
    """
    logs, excess = map(np.array, zip(*(_logs_and_excess(repeat) for repeat in repeats), strict=True))
    disturbed = excess > DISTURBED
    logs = np.where(disturbed, np.nan, logs)  # [repeat, configuration, process, round]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all trials of a repeat may be disturbed
        logs -= np.nanmedian(logs, axis=(2, 3), keepdims=True)
    logs[np.abs(logs) > DISTURBED] = np.nan  # single pauses, which do not change the median invocation
    configurations, rounds = range(logs.shape[1]), range(logs.shape[3])
    other_configurations = [(i, j) for i in configurations for j in configurations if i != j]
    other_rounds = [(a, b) for a in rounds for b in rounds if a != b]
    same_round = np.nanmean([logs[:, i] * logs[:, j] for i, j in other_configurations])
    same_process = np.nanmean([logs[..., a] * logs[..., b] for a, b in other_rounds])
    other = np.nanmean([logs[:, i, :, a] * logs[:, j, :, b] for i, j in other_configurations for a, b in other_rounds])
    process, drift = max(same_process - other, 0.0), max(same_round, 0.0)
    trial = max(np.nanmean(logs**2) - process - drift, 0.0)
    slowdown = float(np.median(excess[disturbed])) if disturbed.any() else 0.0
    return Components(float(disturbed.mean()), slowdown, *(float(np.sqrt(part)) for part in (process, trial, drift)))


# A Repeat has two configurations with each amount of work.
def _logs_and_excess(repeat: Repeat) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return logarithms of the passes' seconds, and how far each trial's typical time is above the fastest, a fraction.

    The fastest is that of all trials with the same work. Shape of both: [configuration, process, round].
    """
    typical = np.array(repeat.typical)
    fastest = typical.reshape(2, -1).min(axis=1).repeat(2)
    return np.log(np.array(repeat.seconds)), typical / fastest.reshape(4, 1, 1) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, nargs="?", default=Path("results/self-comparison.jsonl"))
    repeats = read_log(parser.parse_args().log)
    rows = []
    for loaded in sorted({repeat.loaded for repeat in repeats}):
        group = [repeat for repeat in repeats if repeat.loaded == loaded]
        shares = (f"{100 * share:.2f}" for share in components(group))
        rows.append(("one core busy" if loaded else "quiet", len(group), *shares))
    header = ("machine", "repeats", "disturbed trials, %", "by, %", "between processes, %", "trials, %", "drift, %")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
