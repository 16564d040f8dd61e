"""Coverage of the intervals of a detector's mean average precision, for other images of the same kind.

    python -m studies.calibration.detection [--sets 200] [--images 128] [--classes 80] [--seed 1]

Draws a population of images with true boxes and two similar detectors, then sets of images from it, and judges each set
by ``bench/tasks/detection/resampling.py``. Under a minute for 200 sets. Figures: docs/calibration.md.
"""

import argparse
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_bench.bench.stats.intervals import Interval
from edge_bench.bench.tasks.detection.matches import Matches
from edge_bench.bench.tasks.detection.resampling import mean_precision, precision_difference, precision_interval

__all__ = ["Coverage", "coverage", "population"]

POPULATION, RESAMPLES = 6000, 400
#: How much the second detector's scores and positions differ from the first one's, as with other kernels.
NOISE = 0.04


class Coverage(NamedTuple):
    """Coverage of the true value, which is the mean over sets of as many images."""

    value: float
    difference: float
    of_population: float  # coverage of the value of the whole population
    bias: float  # the mean over sets minus the value of the whole population


def population(classes: int, noise: float, images: int = POPULATION) -> Matches:
    """Return matches of a detector. With the same seed, the images are the same, and the detections except ``noise``.

    Classes have frequencies 1, 1/2, 1/3, ..., and objects of one class are in one image, as in photographs.
    """
    world, own = np.random.default_rng(5), np.random.default_rng(6)
    frequency = 1 / np.arange(1, classes + 1)
    frequency /= frequency.sum()
    ease = world.uniform(0.2, 0.8, classes)
    true = np.zeros((images, classes), np.int64)
    rows: list[tuple[int, int, float, float]] = []  # image, class, score, overlap
    for image in range(images):
        light = world.normal(0, 0.15)
        for category in world.choice(classes, size=world.integers(1, 4), p=frequency):
            count = int(world.integers(1, 5))
            true[image, category] += count
            for _ in range(count):
                if world.uniform() < np.clip(ease[category] + light, 0.05, 0.95):
                    place = world.beta(4, 2)
                    score = 0.3 + 0.5 * place + world.normal(0, 0.15) + own.normal(0, noise)
                    rows.append((image, category, score, 0.5 + 0.5 * (place + own.normal(0, noise))))
        for category in world.choice(classes, size=world.poisson(3), p=frequency):
            rows.append((image, category, world.beta(1.5, 4) + own.normal(0, noise), 0.0))
    table = np.array(rows)
    table = table[np.lexsort((-table[:, 2], table[:, 1]))]
    hit = table[:, 3] >= np.linspace(0.5, 0.95, 10)[:, None]
    return Matches(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), hit, np.ones_like(hit), true)


def coverage(classes: int, images: int, sets: int, seed: int) -> Coverage:
    """Return the coverage over sets of images drawn from the population."""
    first, second = population(classes, 0.0), population(classes, NOISE)
    everything = np.ones(POPULATION, np.int64)
    whole = mean_precision(first, everything)
    draw = np.random.default_rng(seed)
    values, differences = [], []
    for number in range(sets):
        drawn = np.sort(draw.choice(POPULATION, images, replace=False))
        one, other = _part(first, drawn), _part(second, drawn)
        interval = precision_interval(one, seed=number, resamples=RESAMPLES)
        values.append((mean_precision(one, np.ones(images, np.int64)), interval))
        difference = precision_difference(one, other, seed=number, resamples=RESAMPLES)
        differences.append((difference.value, difference.interval))
    means = [float(np.mean([value for value, _ in each])) for each in (values, differences)]
    return Coverage(
        _contained(values, means[0]), _contained(differences, means[1]), _contained(values, whole), means[0] - whole
    )


def _part(matches: Matches, images: npt.NDArray[np.int64]) -> Matches:
    position = np.full(POPULATION, -1)
    position[images] = np.arange(len(images))
    kept = position[matches.image] >= 0
    return Matches(
        position[matches.image[kept]], matches.category[kept], matches.hit[:, kept], matches.counted[:, kept],
        matches.true_boxes[images],
    )  # fmt: skip


def _contained(found: list[tuple[float, Interval | None]], truth: float) -> float:
    return float(np.mean([interval is not None and interval.low <= truth <= interval.high for _, interval in found]))


def main() -> None:
    """Print the coverage."""
    parser = argparse.ArgumentParser()
    for option, default in (("--classes", 80), ("--images", 128), ("--sets", 200), ("--seed", 1)):
        parser.add_argument(option, type=int, default=default)
    given = parser.parse_args()
    found = coverage(given.classes, given.images, given.sets, given.seed)
    print(f"{given.classes} classes, {given.images} images, {given.sets} sets, seed {given.seed}:")
    print(f"coverage: mAP {found.value:.1%}, paired difference {found.difference:.1%}")
    print(f"coverage of the whole population's mAP: {found.of_population:.1%}; bias {100 * found.bias:+.2f} points")


if __name__ == "__main__":
    main()
