"""Coverage of the intervals of percentiles, on real latencies with injected outliers.

    python -m studies.calibration.percentiles RUN.json... [--draws 400] [--processes 5]

All processes of one configuration in all Runs are a population. Draws samples of processes from it, makes some
latencies slower, and counts the intervals that contain the population's percentile. The aim is 93 to 97 %.
Figures: docs/calibration.md.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tabulate import tabulate

from edge_bench.bench.stats.intervals import Values
from edge_bench.bench.stats.latency import PERCENTILES, percentiles
from studies.calibration.recorded import read_recorded

SEED = 42
#: Latencies of a population with outliers, at least: processes are repeated, each time with other outliers.
MIN_POPULATION = 4_000_000
#: Share of the latencies that are slower, and by which factor, for each kind of outliers.
OUTLIERS: dict[str, tuple[tuple[float, float], ...]] = {
    "as measured": (),
    "1 % × 3, 0.2 % × 10": ((0.01, 3.0), (0.002, 10.0)),
    "the same, more in some processes": ((0.01, 3.0), (0.002, 10.0)),
}
#: Shape of the gamma distribution by which the share of outliers differs between processes; it has the mean 1.
VARYING = {"the same, more in some processes": 4.0}


def populations(paths: Sequence[Path]) -> dict[str, list[Values]]:
    """Return the latencies of each process in ms per image, by configuration, of all Runs together."""
    found: dict[str, list[Values]] = defaultdict(list)
    for run in read_recorded(paths):
        for result in run.results_with_trials:
            found[f"{run.bundle.model}: {result.configuration}"] += result.latencies_ms_by_process()
    return found


def with_outliers(generator: np.random.Generator, latencies: Values, kind: str) -> Values:
    """Return the latencies of a process with outliers of a kind."""
    shape, disturbed = VARYING.get(kind), latencies.copy()
    more = generator.gamma(shape, 1 / shape) if shape else 1.0
    for share, factor in OUTLIERS[kind]:
        disturbed[generator.random(len(disturbed)) < share * more] *= factor
    return disturbed


def coverage(population: Sequence[Values], kind: str, processes: int, draws: int) -> dict[float, tuple[float, float]]:
    """Return the share of intervals that contain the percentile, and their median width as a share of it."""
    generator = np.random.default_rng(SEED)
    copies = max(1, MIN_POPULATION // sum(map(len, population))) if OUTLIERS[kind] else 1
    whole = np.concatenate([with_outliers(generator, each, kind) for each in population for _ in range(copies)])
    truth = {float(each): float(np.percentile(whole, each)) for each in PERCENTILES}
    hits, widths = Counter[float](), defaultdict[float, list[float]](list)
    for _ in range(draws):
        chosen = generator.integers(0, len(population), processes)
        for each in percentiles([with_outliers(generator, population[number], kind) for number in chosen]):
            if each.interval is None:
                raise SystemExit(f"p{each.percentile:g} needs more than {each.per_process} latencies in each process")
            hits[each.percentile] += each.interval.low <= truth[each.percentile] <= each.interval.high
            widths[each.percentile].append((each.interval.high - each.interval.low) / truth[each.percentile])
    return {each: (hits[each] / draws, float(np.median(widths[each]))) for each in PERCENTILES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--processes", type=int, default=5)
    arguments = parser.parse_args()
    rows, means = [], {kind: defaultdict[float, list[float]](list) for kind in OUTLIERS}
    for name, population in populations(arguments.runs).items():
        for kind in OUTLIERS:
            found = coverage(population, kind, arguments.processes, arguments.draws)
            for percentile, (share, _) in found.items():
                means[kind][percentile].append(share)
            cells = [f"{share:.0%} ({width:.0%})" for share, width in found.values()]
            rows.append((name, str(len(population)), kind, *cells))
    for kind, shares in means.items():
        rows.append(("all configurations", "", kind, *(f"{np.mean(each):.1%}" for each in shares.values())))
    header = ("configuration", "processes", "outliers", *(f"p{each} (median width)" for each in PERCENTILES))
    print(tabulate(rows, header, tablefmt="github", disable_numparse=True))


if __name__ == "__main__":
    main()
