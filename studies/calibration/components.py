"""How the times of trials vary on a machine, from what `studies.calibration.self_comparison` logged there.

    python -m studies.calibration.components [LOG]

What `studies.calibration.noise` draws from, and so what the intervals' coverage is about.
"""

import argparse
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tabulate import tabulate

from studies.calibration.self_comparison import Repeat, read_log

#: So much longer than a configuration's fastest trial, the median invocation included, and someone else was there.
DISTURBED = 0.10


class Components(NamedTuple):
    """Shares of the time: how many trials are disturbed and by how much; and of the others, standard deviations."""

    disturbed: float
    by: float
    process: float
    trial: float
    drift: float


def components(repeats: list[Repeat]) -> Components:
    """Of whole passes, by what their products have in common.

    Two configurations in the same round share the machine's drift; two rounds of a process share its luck, beyond what
    two configurations have in common in those rounds; what is left is the trial's own.
    """
    logs, beyond = zip(*(_relative(repeat) for repeat in repeats), strict=True)
    disturbed = np.array(beyond) > DISTURBED
    kept = np.where(disturbed, np.nan, np.array(logs))  # [repeat, configuration, process, round]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a repeat may have nothing undisturbed
        kept -= np.nanmedian(kept, axis=(2, 3), keepdims=True)
    kept[np.abs(kept) > DISTURBED] = np.nan  # a single pause, which a median invocation does not show
    numbers, rounds = range(kept.shape[1]), range(kept.shape[3])
    same_round = np.nanmean([kept[:, i] * kept[:, j] for i in numbers for j in numbers if i < j])
    own = np.nanmean([kept[..., a] * kept[..., b] for a in rounds for b in rounds if a < b])
    others = np.nanmean(
        [kept[:, i, :, a] * kept[:, j, :, b] for i in numbers for j in numbers if i != j for a in rounds for b in rounds
         if a != b]
    )  # fmt: skip
    process, drift = max(own - others, 0.0), max(same_round, 0.0)
    trial = max(np.nanmean(kept**2) - process - drift, 0.0)
    by = float(np.median(np.array(beyond)[disturbed])) if disturbed.any() else 0.0
    return Components(float(disturbed.mean()), by, *(float(np.sqrt(part)) for part in (process, trial, drift)))


# a Repeat has two configurations of each amount of work
def _relative(repeat: Repeat) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Logs of passes; and how much longer than the fastest of the same work each typical time is, as a share."""
    typical = np.array(repeat.typical)
    same_work = typical.reshape(2, -1).min(axis=1).repeat(2)
    return np.log(np.array(repeat.seconds)), typical / same_work.reshape(4, 1, 1) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, nargs="?", default=Path("results/self-comparison.jsonl"))
    repeats = read_log(parser.parse_args().log)
    rows = []
    for loaded in sorted({repeat.loaded for repeat in repeats}):
        some = [repeat for repeat in repeats if repeat.loaded == loaded]
        found = components(some)
        rows.append(("one core busy" if loaded else "quiet", len(some), *(f"{100 * share:.2f}" for share in found)))
    header = ("machine", "repeats", "disturbed trials, %", "by, %", "between processes, %", "trials, %", "drift, %")
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
